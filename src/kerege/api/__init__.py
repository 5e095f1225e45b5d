"""The HTTP API: prepare, submit and look up, generically from `MODULES`. It knows a `Door`, and no node."""
