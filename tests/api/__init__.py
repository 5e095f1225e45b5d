"""The HTTP API as its clients meet it: over a socket, in front of a real ledger."""
