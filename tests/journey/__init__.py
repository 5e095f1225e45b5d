"""Whole journeys on a real ledger."""
