"""The ABCI 2.0 side of a CometBFT engine: a server that drives any application. Knows nothing of the ledger."""
