"""Rows and their truth: the outcome is decided first, then a row is made that deserves it.

Nothing here asks the rules of the import: they are tested against this.
"""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Final

from msgspec import Struct

from kerege.testing.extracts.births import BIRTHS
from kerege.testing.extracts.book import Act, Book, Faulty
from kerege.testing.extracts.chance import Chance, Deck
from kerege.testing.extracts.columns import GIVEN_NAME, REGISTERED, SURNAME
from kerege.testing.extracts.contradictions import SIMPLE, WHOLE
from kerege.testing.extracts.days import DOTTED, LAST, place_of
from kerege.testing.extracts.faults import FAULTS
from kerege.testing.extracts.repeats import REPEATS
from kerege.testing.extracts.scene import LAST_REGISTRATION, Scene
from kerege.testing.extracts.spelling import lose_letters

ACCEPTED, DUPLICATE, REVIEW, REJECTED = "accepted", "duplicate", "review", "rejected"

Made = tuple[list[str], str, str]
"""Cells without damage, outcome, detail."""

_AGAIN = "again"
_ALSO = 0.12
"""Share of a further fault that does not count, because another comes first."""
_OVER_REPEAT, _OVER_CONTRADICTION = 0.2, 0.4
"""What a rejected row would be otherwise: shares added up."""


class Shares(Struct, frozen=True, kw_only=True):
    """Parts of all rows, from 0 to 1; the others are accepted."""

    duplicate: float = 0.025
    review: float = 0.012
    rejected: float = 0.015


USUAL: Final = Shares()


def make_rows(size: int, seed: int, *, shares: Shares, book: Book, today: date | None) -> Iterator[Made]:
    """So many rows; the book is continued as they are taken.

    Raises `ValueError` for shares that cannot be had, and for a day before all registrations or after the table's.
    """
    if today is not None and not LAST_REGISTRATION < place_of(today) < place_of(LAST):
        raise ValueError(f"today is between {DOTTED[LAST_REGISTRATION]} and {LAST:%d.%m.%Y}")
    counts = _counts(size, shares)
    if not counts[ACCEPTED] and not book.acts and counts[DUPLICATE]:
        raise ValueError("nothing can be repeated where no row is accepted")
    book.begin_file()
    scene = Scene(Chance(seed), book, None if today is None else place_of(today))
    return _rows(counts, _Maker(scene))


def _counts(size: int, shares: Shares) -> dict[str, int]:
    """How many rows of each outcome."""
    asked = {DUPLICATE: shares.duplicate, REVIEW: shares.review, REJECTED: shares.rejected}
    counts = {outcome: int(size * share + 1 / 2) for outcome, share in asked.items()}
    rest = size - sum(counts.values())
    if rest < 0 or min(asked.values()) < 0:
        raise ValueError("shares are parts of all rows")
    return {ACCEPTED: rest, **counts}


def _rows(counts: dict[str, int], maker: "_Maker") -> Iterator[Made]:
    """Outcomes in an order of chance, as often as counted."""
    makers: dict[str, Callable[[int], Made]] = {
        ACCEPTED: maker.accepted,
        DUPLICATE: maker.duplicate,
        REVIEW: maker.review,
        REJECTED: maker.rejected,
    }
    draw, left = maker.scene.chance.draw, sum(counts.values())
    for number in range(1, left + 1):
        place = draw() * left
        for outcome in makers:
            place -= counts[outcome]
            if place < 0:
                break
        if outcome == DUPLICATE and not maker.scene.book.acts:
            outcome = ACCEPTED
        counts[outcome] -= 1
        left -= 1
        yield makers[outcome](number)


class _Maker:
    """Makes a row of each outcome."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        chance = scene.chance
        self._births = Deck(BIRTHS, chance).deal()
        self._repeats = Deck(REPEATS, chance).deal()
        reviews = {(detail, False): 3 for detail in SIMPLE} | {(detail, True): 2 for detail in WHOLE}
        self._reviews = Deck(reviews | {(_AGAIN, False): 1}, chance).deal()
        self._faults = Deck(dict.fromkeys(FAULTS, 3) | {_AGAIN: 1}, chance).deal()

    def accepted(self, number: int) -> Made:
        """A birth, which from now on holds its PIN and act number."""
        scene = self.scene
        act = next(act for birth in self._births if (act := birth(scene)) is not None)
        scene.book.hold(act, number, scene.chance)
        cells = act.cells()
        if act.worn:
            cells[SURNAME] = lose_letters(act.surname, scene.chance)
            cells[GIVEN_NAME] = lose_letters(act.given_name, scene.chance)
        return cells, ACCEPTED, ""

    def duplicate(self, number: int) -> Made:  # noqa: ARG002 - one form for all four
        """An accepted act again."""
        act = self.scene.chance.pick(self.scene.book.acts)
        cells = self._repeated(act)
        return cells, DUPLICATE, f"row {act.row}" if act.file == self.scene.book.file else "file"

    def review(self, number: int) -> Made:  # noqa: ARG002 - one form for all four
        """Possible values that contradict."""
        for detail, whole in self._reviews:
            if detail == _AGAIN:
                again = self._again(REVIEW)
                if again is not None:
                    return again
                continue
            act = self.scene.child()
            cells = self._contradicting(act, detail, whole=whole)
            if cells is not None:
                self._remember(Faulty(act, cells, REVIEW, detail))
                return cells, REVIEW, detail
        raise AssertionError

    def rejected(self, number: int) -> Made:  # noqa: ARG002 - one form for all four
        """What cannot be an act of birth, whatever else is wrong with it."""
        scene = self.scene
        for detail in self._faults:
            if detail == _AGAIN:
                again = self._again(REJECTED)
                if again is not None:
                    return again
                continue
            act, cells, new = self._below_fault()
            for other in reversed(list(FAULTS)[list(FAULTS).index(detail) :]):
                if other == detail or scene.chance.happens(_ALSO):
                    FAULTS[other](scene, act, cells)
            if new:
                self._remember(Faulty(act, cells, REJECTED, detail))
            return cells, REJECTED, detail
        raise AssertionError

    def _below_fault(self) -> tuple[Act, list[str], bool]:
        """Act and cells of possible values to put a fault into; whether the act is one that nobody holds."""
        scene = self.scene
        way = scene.chance.draw()
        held = scene.held()
        if held is not None and way < _OVER_REPEAT:
            return held, self._repeated(held), False
        act = scene.child()
        if way < _OVER_CONTRADICTION:
            cells = self._contradicting(act, scene.chance.pick(list(SIMPLE)), whole=False)
            if cells is not None:
                return act, cells, True
        return act, act.cells(), True

    def _repeated(self, act: Act) -> list[str]:
        cells = act.cells()
        next(self._repeats)(self.scene, act, cells)
        return cells

    def _contradicting(self, act: Act, detail: str, *, whole: bool) -> list[str] | None:
        """The act with this contradiction and perhaps such as come behind it; None where it is not possible yet."""
        cells = act.cells()
        if whole:
            return cells if WHOLE[detail](self.scene, act, cells) else None
        for other in reversed(list(SIMPLE)[list(SIMPLE).index(detail) + 1 :]):
            if self.scene.chance.happens(_ALSO):
                SIMPLE[other](self.scene, act, cells)
        return cells if SIMPLE[detail](self.scene, act, cells) else None

    def _again(self, outcome: str) -> Made | None:
        """A row that holds nothing, again: the same outcome, and no duplicate."""
        kept = self.scene.book.faulty[outcome]
        if not kept:
            return None
        faulty = self.scene.chance.pick(kept)
        return list(faulty.cells), outcome, faulty.detail

    def _remember(self, faulty: Faulty) -> None:
        """Keep a copy, except of what tomorrow is no fault any more."""
        today = self.scene.today
        if today is None or faulty.cells[REGISTERED] != DOTTED[today + 1]:
            self.scene.book.remember(faulty._replace(cells=list(faulty.cells)), self.scene.chance)
