"""Extracts of old birth registries with their truth: any size, seed, form, encoding and damage.

The outcome of a row is decided first and the row is then made to deserve it, by the words of the rules
(`births`: to be accepted; `repeats`: duplicates; `contradictions`: for review; `faults`: rejected). So the truth does
not come from the code that it tests. `python -m kerege.testing.extracts --help` writes files.
"""

from kerege.testing.extracts.book import Book as Book
from kerege.testing.extracts.damage import NONE as UNDAMAGED
from kerege.testing.extracts.damage import Damage as Damage
from kerege.testing.extracts.files import generate as generate
from kerege.testing.extracts.files import write as write
from kerege.testing.extracts.generator import Shares as Shares

__all__ = ["UNDAMAGED", "Book", "Damage", "Shares", "generate", "write"]
