"""Machine jobs of the controller: they open dossiers and give out verdicts, nothing else.

A job is a pure function from what the ledger says and what the dossier says to one member of a closed enum; `JOBS` is
the whole list. There is no way to bring a function from outside: whoever starts a run names a job of this list.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kerege.dossiers.names import same_name
from kerege.dossiers.ports import Absence
from kerege.dossiers.sealing import same
from kerege.dossiers.sheets import Opening
from kerege.kernel.commitments import content_root
from kerege.kernel.types import Hash, Identifier


@dataclass(frozen=True, slots=True)
class Committed:
    """A commitment found on the ledger: of one field, or the content root of a record version (field None)."""

    record: Identifier
    version: int
    digest: Hash
    field: str | None = None
    purpose: str | None = None
    """Purpose under which its dossier is kept, where it is public; None lets the store look under all."""


Opened = tuple[Opening, ...] | Absence | None
"""All openings of a dossier in their order; why there are none; None where the row does not open."""


class CheckVerdict(StrEnum):
    """What `dossiers check` says of one commitment."""

    RIGHT = "right"
    MISSING = "missing"
    WRONG = "wrong"
    ERASED = "erased"
    UNANNOUNCED = "unannounced"


_ABSENT = {
    Absence.MISSING: CheckVerdict.MISSING,
    Absence.ERASED: CheckVerdict.ERASED,
    Absence.UNANNOUNCED: CheckVerdict.UNANNOUNCED,
}


def judge_check(item: Committed, opened: Opened) -> CheckVerdict:
    """Open one commitment of the ledger with what the dossier holds."""
    if opened is None:
        return CheckVerdict.WRONG
    if isinstance(opened, Absence):
        return _ABSENT[opened]
    if item.field is None:
        found = content_root([opening.commitment() for opening in opened])
        return CheckVerdict.RIGHT if same(found, item.digest) else CheckVerdict.WRONG
    for opening in opened:
        if opening.field == item.field and same(opening.commitment(), item.digest):
            return CheckVerdict.RIGHT
    return CheckVerdict.WRONG


class CompareVerdict(StrEnum):
    """What the import's comparison says of a row and an act that holds its PIN and number."""

    SAME = "same"
    OTHER = "other"


COMPARED = ("child.surname", "child.given_names")
"""Names, compared with what old registries do to letters disregarded."""
BORN = "birth.date"


def judge_compare(told: Mapping[str, str], opened: Opened) -> CompareVerdict:
    """Whether an act has the names and the day of birth of a row; a dossier that is not there is no act again."""
    if opened is None or isinstance(opened, Absence):
        return CompareVerdict.OTHER
    held = {opening.field: opening.value for opening in opened}
    same_names = all(same_name(held.get(name, ""), told[name]) for name in COMPARED)
    return CompareVerdict.SAME if same_names and held.get(BORN) == told[BORN] else CompareVerdict.OTHER


@dataclass(frozen=True, slots=True)
class Job:
    """One kind of machine job."""

    judge: Callable[[Committed, Opened], StrEnum]
    verdicts: type[StrEnum]


JOBS: Mapping[str, Job] = {"check": Job(judge_check, CheckVerdict)}
