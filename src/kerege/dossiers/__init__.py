"""The data controller's encrypted store, outside the ledger: values and salts, and the service that holds their keys.

The ledger holds commitments; what they commit to lives here, under one data key per subject and purpose. A value is
shown to a person only after the ledger shows that the look was granted. `docs/explanation/dossiers.md` is the tour.
"""
