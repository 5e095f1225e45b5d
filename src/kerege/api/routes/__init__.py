"""The operations of the API by subject; each file has a function that lists its own."""
