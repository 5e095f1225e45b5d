"""The ledger machine: knows no module, does no I/O, reads no clock."""
