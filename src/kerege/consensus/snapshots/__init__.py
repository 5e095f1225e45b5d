"""Snapshots: a ledger whole, at one height, as chunks that a fresh member fetches from members it does not trust."""
