"""Reads definitions, cases and queues; changes nothing."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kerege.kernel.codec import decode
from kerege.kernel.context import Context, Keeper
from kerege.modules.policy.keeper import Policy
from kerege.modules.services import errors, rules
from kerege.modules.services.state import CASES, CURSOR, DEFINITIONS, DUE, QUEUE
from kerege.modules.services.types import Case, CaseStatus, Due, ServiceDefinition, Step

if TYPE_CHECKING:
    from kerege.kernel.tables import Bound

MAXIMUM_TERM = 3_660
"""Days of a legal term: bounds the search for its last working day."""

HEAD = "head"
"""Key of the schedule's cursor."""


class CaseView(Keeper):
    """Reads definitions, cases and queues; changes nothing."""

    MODULE = "services"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._definitions: Bound[tuple[str, int], bytes] = self._table(DEFINITIONS)
        self._cases: Bound[bytes, Case] = self._table(CASES)
        self._due: Bound[tuple[int, bytes], bool] = self._table(DUE)
        self._queue: Bound[tuple[str, str, int, bytes], bool] = self._table(QUEUE)
        self._cursor: Bound[str, int] = self._table(CURSOR)
        self._decoded: dict[bytes, ServiceDefinition] = {}

    # Definitions

    def definition(self, service: str, version: int) -> ServiceDefinition:
        """A published definition; raises `UnknownService`."""
        raw = self._definitions.find((service, version))
        if raw is None:
            raise errors.UnknownService(service=service)
        return self._decode(raw)

    def definition_today(self, service: str) -> ServiceDefinition:
        """The newest version under which a case may begin today; raises `UnknownService`."""
        today = self._ctx.use(Policy).local_day(self._ctx.time)
        for _, raw in reversed(list(self._definitions.scan(service))):
            found = self._decode(raw)
            if found.valid_from <= today and (found.valid_to is None or today <= found.valid_to):
                return found
        raise errors.UnknownService(service=service)

    def definition_of(self, case: Case) -> ServiceDefinition:
        """The definition under which a case began."""
        return self.definition(case.service, case.version)

    def step_of(self, case: Case) -> Step:
        """The definition's step that is due in a case."""
        return self.definition_of(case).step(case.step)

    def _decode(self, raw: bytes) -> ServiceDefinition:
        """Decoded once a block. Found by its bytes: what a refused transaction published is never served from here."""
        known = self._decoded.get(raw)
        if known is None:
            known = self._decoded[raw] = decode(raw, ServiceDefinition)
        return known

    # Cases

    def find_case(self, identifier: bytes) -> Case | None:
        """The case of an id, or None."""
        return self._cases.find(identifier)

    def case(self, identifier: bytes) -> Case:
        """The case of an id; raises `UnknownCase`."""
        found = self._cases.find(identifier)
        if found is None:
            raise errors.UnknownCase(case=identifier)
        return found

    def open_case(self, identifier: bytes) -> Case:
        """The case of an id while its clock runs; raises `UnknownCase` or `CaseNotOpen`."""
        return self._case_in(identifier, (CaseStatus.OPEN,))

    def running_case(self, identifier: bytes) -> Case:
        """The case of an id before its end, its clock running or stopped; raises `UnknownCase` or `CaseNotOpen`."""
        return self._case_in(identifier, rules.RUNNING)

    def _case_in(self, identifier: bytes, statuses: tuple[CaseStatus, ...]) -> Case:
        found = self.case(identifier)
        if found.status not in statuses:
            raise errors.CaseNotOpen(case=identifier, status=found.status.value)
        return found

    # Queues

    def held_by(
        self, holder: str, state: str, after: tuple[int, bytes] | None = None, limit: int = 200
    ) -> Iterator[tuple[bytes, Case]]:
        """Cases of an office or body in one state (free, taken, stopped, appealed), the earliest deadline first.

        `after`: (deadline, id) of the last case seen.
        """
        start = None if after is None else (holder, state, *after)
        for key, _true in self._queue.scan(holder, state, after=start, limit=limit):
            yield key[3], self.case(key[3])

    # Time

    def deadline(self, due: Due) -> int:
        """When a term that begins now ends; raises `TermOutOfBounds` and what policy raises."""
        days = self._ctx.use(Policy).number(due.parameter)
        if not 0 <= days <= MAXIMUM_TERM:
            raise errors.TermOutOfBounds(parameter=due.parameter, days=days)
        return self.ends(days, due)

    def ends(self, days: int, due: Due) -> int:
        """When this many days from now end, counted as the term counts them."""
        return self._ctx.use(Policy).deadline(self._ctx.time, days, working=due.days == "working")

    def left(self, case: Case) -> int:
        """Days that are left of the step's term, counted as the term counts them."""
        policy = self._ctx.use(Policy)
        works = policy.calendar().works if self.step_of(case).due.days == "working" else None
        return rules.days_left(policy.local_day(self._ctx.time), policy.local_day(case.due), works)

    def overdue(self, case: Case) -> bool:
        """Whether the holder let the deadline pass."""
        return case.status in {CaseStatus.OPEN, CaseStatus.APPEALED} and case.due < self._ctx.time

    def first_due(self) -> int | None:
        """The earliest deadline that the schedule has not looked at."""
        for (due, _), _true in self._due.scan(after=(self._cursor.find(HEAD) or 0, bytes(16)), limit=1):
            return due
        return None
