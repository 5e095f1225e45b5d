"""Kerege, the shared ledger under a digital state: registers, services and money on one deterministic machine."""

__version__ = "0.1.0"
