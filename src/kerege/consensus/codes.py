"""Codes that the engine gets with an answer; those of results are part of what every node agrees on."""

APPLIED, REFUSED, NOT_A_TRANSACTION = 0, 1, 2
"""Of results: every node gives the same for the same block, and the engine hashes them into its next header."""
NO_STATE = 3
"""Of a query for what is not here: an unknown path, another height than the newest, a proof."""
BUSY = 4
"""Of a check that said nothing about the transaction: send it again later."""
NOT_YET = 5
"""Of a query for a checkpoint: the block is not there, or not confirmed by the one after it."""
RESTORING = 6
"""Of a query while a snapshot is being restored: ask again when the member has joined."""
