"""Coordinated changes of rules: one numbered file each, activated at a height.

A ledger of the first era has none. An upgrade file names its number, its height, and what it does to the
state once; from that height the node runs a newer wheel, and `verify-ledger` chains the eras.
"""

UPGRADES: tuple[str, ...] = ()
"""In order of number; empty in the first era."""
