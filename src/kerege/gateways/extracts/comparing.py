"""When two rows are one act, and who holds what, kept in memory."""

from datetime import date

from msgspec import Struct

from kerege.dossiers.names import same_name
from kerege.gateways.extracts.row import Row


class Act(Struct, frozen=True):
    """What of a row is compared to say that another is the same act."""

    pin: str
    office: str
    number: str
    birth_date: date | None
    surname: str
    given_name: str

    @classmethod
    def of(cls, row: Row) -> "Act":
        """The act of a row."""
        return cls(row.pin, row.office, row.act_number, row.birth_date, row.surname, row.given_name)

    def same(self, other: "Act") -> bool:
        """Whether the two are one act.

        PIN, office, act number and day of birth are equal; surname and given name are equal when letter case,
        ө/о ү/у ң/н ё/е, the Latin look-alikes a c e o p and letters lost to `?` (any one letter, on either side) are
        disregarded. Symmetric, and not transitive: no key can replace it.
        """
        return (
            self.pin == other.pin
            and self.number == other.number
            and self.office == other.office
            and self.birth_date == other.birth_date
            and same_name(self.surname, other.surname)
            and same_name(self.given_name, other.given_name)
        )


class MemoryHolder(Struct, frozen=True):
    """An accepted row in memory."""

    act: Act
    row: int | None


class MemoryKnown:
    """`Known` in memory: for tests, and for the accepted rows of a running file."""

    def __init__(self) -> None:
        self._file = 0
        self._pins: dict[str, tuple[int, int, Act]] = {}
        self._acts: dict[tuple[str, str], str] = {}

    def begin_file(self) -> None:
        """From now on, rows accepted so far are those of another file."""
        self._file += 1

    def accept(self, row: Row) -> None:
        """The row holds its PIN and its act number against later rows."""
        self._pins[row.pin] = (self._file, row.number, Act.of(row))
        self._acts[row.office, row.act_number] = row.pin

    def pin_holder(self, row: Row) -> MemoryHolder | None:
        """Who holds the row's PIN."""
        return self._holder(row.pin)

    def act_holder(self, row: Row) -> MemoryHolder | None:
        """Who holds the row's act number of its office."""
        pin = self._acts.get((row.office, row.act_number))
        return None if pin is None else self._holder(pin)

    def same_act(self, holder: MemoryHolder, row: Row) -> bool:
        """Whether the row is the holder's act again."""
        return holder.act.same(Act.of(row))

    def _holder(self, pin: str) -> MemoryHolder | None:
        found = self._pins.get(pin)
        if found is None:
            return None
        file, number, act = found
        return MemoryHolder(act, number if file == self._file else None)
