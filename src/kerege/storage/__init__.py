"""Where the ledger keeps its state and its blocks: a port and three adapters."""
