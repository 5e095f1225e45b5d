"""One folder per standard or format of the outside world; the core knows none of them."""
