"""What other modules, and the kernel, may ask of policy: guards and announces."""

from typing import TYPE_CHECKING

from kerege.kernel.context import Context, Keeper
from kerege.kernel.days import Calendar, local_day, start_of
from kerege.modules.policy.errors import (
    BadPeriod,
    BasisMissing,
    ChangesThePast,
    PastDay,
    UnknownParameter,
    WrongType,
)
from kerege.modules.policy.events import CalendarDaySet, ParameterSet
from kerege.modules.policy.rules import basis_complete, in_force, type_name, weekdays
from kerege.modules.policy.state import CALENDAR, ENACTED, REVISIONS
from kerege.modules.policy.types import CalendarDay, Revision, Value

if TYPE_CHECKING:
    from kerege.kernel.tables import Bound

OFFSET = "policy.offset_minutes"
REST = "policy.rest_days"
"""Weekly rest days as words: 0 Monday … 6 Sunday."""


class Policy(Keeper):
    """Tells what the rules say, and said (`ParameterPort`); changes nothing."""

    MODULE = "policy"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._revisions: Bound[tuple[str, int], Revision] = self._table(REVISIONS)
        self._enacted: Bound[tuple[str, int], int] = self._table(ENACTED)
        self._calendar: Bound[int, CalendarDay] = self._table(CALENDAR)
        self._now: dict[str, Value | None] | None = {}
        """What is in force at block time, each read once a block; None: read it each time."""
        self._days: Calendar | None = None
        """The calendar at block time, where it was read in this block."""

    def revisions(self, name: str) -> list[tuple[int, Revision]]:
        """(enacted, revision) of a parameter in order of enactment.

        Numbers have no gaps, so that each is read by its key, from the cache: a scan would go to the store.
        """
        found: list[tuple[int, Revision]] = []
        while (row := self._revisions.find((name, len(found) + 1))) is not None:
            found.append((self._enacted.get((name, len(found) + 1)), row))
        return found

    def find(self, name: str, time: int) -> Value | None:
        """The value in force at a time, as known now, or None."""
        if self._now is None or time != self._ctx.time:
            return self.find_as_known(name, time, self._ctx.time)
        if name not in self._now:
            self._now[name] = self.find_as_known(name, time, time)
        return self._now[name]

    def forget(self) -> None:
        """A rule is written in this block, and may yet be rolled back: from here on each is read where it stands."""
        self._now = self._days = None

    def find_as_known(self, name: str, time: int, known: int) -> Value | None:
        """What did the rule say on day X as known on day Y; None where there was none."""
        found = in_force(self.revisions(name), time, known)
        return None if found is None else found.value

    def value(self, name: str, time: int) -> Value:
        """The value in force at a time; raises `UnknownParameter`."""
        found = self.find(name, time)
        if found is None:
            raise UnknownParameter(name=name, time=time)
        return found

    def number(self, name: str) -> int:
        """A whole number in force now; raises `UnknownParameter` or `WrongType`."""
        found = self.value(name, self._ctx.time)
        if isinstance(found, bool) or not isinstance(found, int):
            raise WrongType(name=name, expected="int")
        return found

    def local_day(self, time: int) -> int:
        """The local date at a block time."""
        return local_day(time, self.number(OFFSET))

    def calendar(self) -> Calendar:
        """Working days as declared so far; raises `WrongType` where the weekly rest is no list of days."""
        days = self._days or self._read_calendar()
        if self._now is not None:
            self._days = days
        return days

    def _read_calendar(self) -> Calendar:
        exceptions = {day: row.works for day, row in self._calendar.scan()}
        rest = self.find(REST, self._ctx.time)
        return Calendar(exceptions) if rest is None else Calendar(exceptions, weekdays(REST, rest))

    def deadline(self, time: int, days: int, *, working: bool) -> int:
        """The last millisecond of the local day on which a term of days that begins at `time` ends.

        A term does not count its first day; one that ends on a rest day ends on the next working day.
        """
        offset, calendar = self.number(OFFSET), self.calendar()
        first = local_day(time, offset)
        last = calendar.add_working_days(first, days) if working else calendar.add_working_days(first + days, 0)
        return start_of(last + 1, offset) - 1


class Rulebook(Policy):
    """Enacts rules; never changes the past."""

    def set_parameter(self, name: str, row: Revision) -> None:
        """Enact a value; raises `BasisMissing`, `ChangesThePast`, `BadPeriod` or `WrongType`."""
        if not basis_complete(row.basis):
            raise BasisMissing(name=name)
        if row.since < self._ctx.time and self._ctx.height > 0:
            raise ChangesThePast(name=name, since=row.since, time=self._ctx.time)
        if row.until is not None and row.until <= row.since:
            raise BadPeriod(name=name, since=row.since, until=row.until)
        before = self.revisions(name)
        if before and type_name(before[-1][1].value) != type_name(row.value):
            raise WrongType(name=name, expected=type_name(before[-1][1].value))
        self._forget()
        number, now = len(before) + 1, self._ctx.time
        self._revisions.put((name, number), row)
        self._enacted.put((name, number), now)
        self._announce(ParameterSet(name, number, now, row))

    def set_calendar_day(self, day: int, row: CalendarDay) -> None:
        """Declare a day; raises `BasisMissing` or `PastDay`."""
        if not basis_complete(row.basis):
            raise BasisMissing(name=row.code)
        if self._ctx.height > 0:
            today = self.local_day(self._ctx.time)
            if day <= today:
                raise PastDay(day=day, today=today)
        self._forget()
        self._calendar.put(day, row)
        self._announce(CalendarDaySet(day, row))

    def _forget(self) -> None:
        for reader in (self, self._ctx.use(Policy)):
            reader.forget()
