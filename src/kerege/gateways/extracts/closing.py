"""What of an import reached the ledger: the counts and the root that close it.

An import that goes on to its end sent everything. One that was cut off and is set aside has last chunks in its journal
that may never have been sent: their rows are not records, and hold nothing against later rows.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from kerege.dossiers.derivations import Derivations
from kerege.gateways.extracts.journal import CHUNK, Journal, source_of
from kerege.gateways.extracts.rules import Outcome, Verdict
from kerege.gateways.extracts.tree import RunningRoot
from kerege.kernel.types import Hash
from kerege.modules.registries.state import RECORDS
from kerege.modules.services.state import CASES

REVIEWS = 16
"""Cases opened in one transaction: two messages each, and their weight below a message's bound."""

States = Callable[[list[bytes]], list[bytes | None]]


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a chunk that go to the ledger in one transaction."""

    key: bytes
    """State key that stands once it is applied."""
    outcome: Outcome
    """*accepted*: they become records; *review*: they become cases."""
    rows: Sequence[int]


@dataclass(slots=True)
class Reached:
    """What of a journal is on the ledger."""

    counts: Counter[Outcome] = field(default_factory=Counter)
    root: RunningRoot = field(default_factory=RunningRoot)
    """Over the accepted rows."""
    lost: list[int] = field(default_factory=list)
    """Rows that were to become records and did not."""


def parts_of(keys: Derivations, source: Hash, first: int, verdicts: Sequence[Verdict]) -> list[Part]:
    """The transactions that a chunk makes, in their order; `first`: number of its first row."""
    rows: dict[Outcome, list[int]] = {outcome: [] for outcome in Outcome}
    for number, verdict in enumerate(verdicts, first):
        rows[verdict.outcome].append(number)
    accepted, reviewed = rows[Outcome.ACCEPTED], rows[Outcome.REVIEW]
    parts = [Part(RECORDS.encode_key(keys.record(source, accepted[0])), Outcome.ACCEPTED, accepted)] if accepted else []
    for at in range(0, len(reviewed), REVIEWS):
        group = reviewed[at : at + REVIEWS]
        parts.append(Part(CASES.encode_key(keys.record(source, group[0])), Outcome.REVIEW, group))
    return parts


def count_reached(journal: Journal, keys: Derivations, states: States) -> Reached:
    """Ask the ledger what stands there of every chunk of a journal."""
    reached, source, leaves = Reached(), source_of(journal.about), journal.leaves()
    for position, verdicts in enumerate(journal.verdicts()):
        parts = parts_of(keys, source, position * CHUNK + 1, verdicts)
        stand = states([part.key for part in parts])
        missing = [part for part, raw in zip(parts, stand, strict=True) if raw is None]
        counts = Counter(verdict.outcome for verdict in verdicts)
        accepted = list(islice(leaves, counts[Outcome.ACCEPTED]))
        if not any(part.outcome is Outcome.ACCEPTED for part in missing):
            reached.root.extend(accepted)
        for part in missing:
            counts[part.outcome] -= len(part.rows)
            reached.lost += part.rows if part.outcome is Outcome.ACCEPTED else ()
        reached.counts += counts
    return reached
