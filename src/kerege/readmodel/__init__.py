"""The ledger as SQL tables, for whoever wants to ask rather than prove: built from receipts, dropped and built again.

```
source.py      where blocks come from
columns.py     a ledger type as SQL columns
schema.py      the tables, derived from those that the modules declare
folding.py     what a batch of blocks does to rows, each row once
database.py    SQLite or PostgreSQL: statements, place, exactly once
projector.py   blocks into the database
```

Nothing here is trusted: a verifier asks for proofs. Nothing personal is here: the ledger holds nothing personal.
"""
