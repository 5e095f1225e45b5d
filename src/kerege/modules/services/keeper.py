"""What other modules may do with cases: guards and announces."""

from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from kerege.kernel.codec import decode
from kerege.kernel.context import Context, Keeper
from kerege.modules.policy.keeper import Policy
from kerege.modules.services import errors
from kerege.modules.services.events import (
    CaseEnded,
    CaseOverdue,
    CaseWritten,
    ClockStopped,
    DefinitionPublished,
    StepTaken,
)
from kerege.modules.services.rules import check_definition
from kerege.modules.services.state import CASES, CURSOR, DEFINITIONS, DUE, OVERDUE
from kerege.modules.services.types import REQUESTER, Act, Case, CaseStatus, Due, ServiceDefinition, Step, Stop

if TYPE_CHECKING:
    from kerege.kernel.tables import Bound

MAXIMUM_ACTS = 64
MAXIMUM_EVIDENCE = 64
NO_APPOINTMENT = bytes(16)
_HEAD = "head"


class CaseView(Keeper):
    """Reads definitions and cases; changes nothing."""

    MODULE = "services"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._definitions: Bound[tuple[str, int], bytes] = self._table(DEFINITIONS)
        self._cases: Bound[bytes, Case] = self._table(CASES)
        self._due: Bound[tuple[int, bytes], bool] = self._table(DUE)
        self._overdue: Bound[bytes, int] = self._table(OVERDUE)
        self._cursor: Bound[str, int] = self._table(CURSOR)
        self._decoded: dict[tuple[str, int], ServiceDefinition] = {}

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
        found = self.case(identifier)
        if found.status is not CaseStatus.OPEN:
            raise errors.CaseNotOpen(case=identifier, status=found.status.value)
        return found

    def definition(self, service: str, version: int) -> ServiceDefinition:
        """A published definition; raises `UnknownService`."""
        key = (service, version)
        known = self._decoded.get(key)
        if known is None:
            raw = self._definitions.find(key)
            if raw is None:
                raise errors.UnknownService(service=service)
            known = self._decoded[key] = decode(raw, ServiceDefinition)
        return known

    def definition_today(self, service: str) -> ServiceDefinition:
        """The newest version under which a case may begin today; raises `UnknownService`."""
        today = self._ctx.use(Policy).local_day(self._ctx.time)
        for (_, version), _raw in reversed(list(self._definitions.scan(service))):
            found = self.definition(service, version)
            if found.valid_from <= today and (found.valid_to is None or today <= found.valid_to):
                return found
        raise errors.UnknownService(service=service)

    def step_of(self, case: Case) -> Step:
        """The definition's step that is due in a case."""
        return self.definition(case.service, case.version).step(case.step)

    def first_due(self) -> int | None:
        """The earliest deadline that the schedule has not looked at."""
        for (due, _), _true in self._due.scan(after=(self._cursor.find(_HEAD) or 0, bytes(16)), limit=1):
            return due
        return None


class Cases(CaseView):
    """Moves cases: every change of a row passes here, is indexed by its deadline and announced."""

    # Definitions

    def publish(self, raw: bytes) -> None:
        """Publish a version; raises `MalformedDefinition`, `VersionKnown` and what `check_definition` raises."""
        try:
            definition = decode(raw, ServiceDefinition)
        except (msgspec.DecodeError, ValueError):
            raise errors.MalformedDefinition(reason="not canonical") from None
        check_definition(definition)
        key = (definition.code, definition.version)
        if self._definitions.find(key) is not None:
            raise errors.VersionKnown(service=definition.code, version=definition.version)
        self._definitions.put(key, raw)
        self._announce(DefinitionPublished(definition.code, definition.version, raw))

    # Guards

    def check_free(self, identifier: bytes) -> None:
        """Raise `IdentifierTaken` where the id is in use."""
        if self._cases.find(identifier) is not None:
            raise errors.IdentifierTaken(identifier=identifier)

    def check_not_own(self, identifier: bytes, case: Case, account: bytes) -> None:
        """Raise `OwnCase` where the account is party to the case."""
        if account == case.requester or account in case.parties:
            raise errors.OwnCase(case=identifier)

    def check_holder(self, identifier: bytes, case: Case, account: bytes, office: str) -> None:
        """Raise `NotHolder` or `TakenByAnother` unless the step is due from this office, and from this official."""
        if office != case.office:
            raise errors.NotHolder(case=identifier, step=case.step, office=case.office)
        if case.official is not None and case.official != account:
            raise errors.TakenByAnother(case=identifier)

    def check_requester(self, identifier: bytes, case: Case, account: bytes, claim: bytes | None) -> None:
        """Raise `NotHolder` or `WrongClaim` unless the account is the requester or brings the claim code."""
        if case.requester is None:
            if claim is None or case.claim is None or sha256(claim).digest() != case.claim:
                raise errors.WrongClaim(case=identifier)
        elif account != case.requester:
            raise errors.NotHolder(case=identifier, step=case.step, office="")

    def check_four_eyes(self, identifier: bytes, case: Case, account: bytes) -> None:
        """Raise `SameEyes` where the official who acted in the first step acts in the second as well."""
        guard = self.definition(case.service, case.version).four_eyes
        if guard.mode == "none" or case.step != guard.second:
            return
        if guard.mode == "sampled" and not _sampled(identifier, case, guard.percent):
            return
        if any(act.step == guard.first and act.account == account for act in case.acts):
            raise errors.SameEyes(case=identifier, first=guard.first, second=guard.second)

    def check_two_officials(self, identifier: bytes, case: Case, account: bytes) -> None:
        """Raise `TwoOfficialsNeeded` unless another official took a step before this one decides."""
        if not any(act.role != REQUESTER and act.account != account for act in case.acts):
            raise errors.TwoOfficialsNeeded(case=identifier)

    # Changes

    def begin(self, identifier: bytes, case: Case) -> None:
        """Enter a new case."""
        self.check_free(identifier)
        self._write(identifier, None, case)

    def act(self, identifier: bytes, case: Case, act: Act) -> Case:
        """The case with one more step taken (not yet written)."""
        if len(case.acts) >= MAXIMUM_ACTS:
            raise errors.TooMuchAttached(case=identifier, limit=MAXIMUM_ACTS)
        self._announce(StepTaken(identifier, act.step, act.action))
        return replace(case, acts=[*case.acts, act])

    def attach(self, identifier: bytes, case: Case, evidence: list[bytes]) -> Case:
        """The case with more evidence (not yet written)."""
        if len(case.evidence) + len(evidence) > MAXIMUM_EVIDENCE:
            raise errors.TooMuchAttached(case=identifier, limit=MAXIMUM_EVIDENCE)
        return replace(case, evidence=[*case.evidence, *evidence])

    def move(self, identifier: bytes, before: Case, after: Case, step: Step, office: str) -> None:
        """Put the case before its next holder, with the step's term."""
        due = self.deadline(step.due)
        self._write(identifier, before, replace(after, step=step.code, office=office, official=None, due=due))

    def update(self, identifier: bytes, before: Case, after: Case) -> None:
        """Write a changed row."""
        self._write(identifier, before, after)

    def stop_clock(self, identifier: bytes, case: Case, stop: Stop, blind: bytes) -> None:
        """Stop the clock of the step."""
        self._announce(ClockStopped(identifier, stopped=True))
        after = replace(case, status=CaseStatus.SUSPENDED, stop=stop, due=stop.until, blind=blind)
        self._write(identifier, case, after)

    def run_clock(self, identifier: bytes, case: Case, blind: bytes) -> None:
        """Let the clock run again with what was left of the term."""
        if case.stop is None:
            raise errors.NotStopped(case=identifier)
        self._announce(ClockStopped(identifier, stopped=False))
        due = self._ctx.time + case.stop.left
        self._write(identifier, case, replace(case, status=CaseStatus.OPEN, stop=None, due=due, blind=blind))

    def end(self, identifier: bytes, before: Case, after: Case, status: CaseStatus, outcome: str) -> None:
        """Bring the case to an outcome."""
        self._announce(CaseEnded(identifier, outcome))
        self._write(identifier, before, replace(after, status=status, outcome=outcome, stop=None, official=None))

    def deadline(self, due: Due) -> int:
        """When a term that begins now ends."""
        days = self._ctx.parameter(due.parameter)
        return self._ctx.use(Policy).deadline(self._ctx.time, days, working=due.days == "working")

    # Time

    def run_due(self, limit: int) -> None:
        """What is due, oldest first, at most `limit` cases: overdue is announced once, stops and lapses take effect."""
        now, start = self._ctx.time, self._cursor.find(_HEAD) or 0
        passed = []
        for key, _true in self._due.scan(after=(start, bytes(16)), limit=limit):
            if key[0] > now:
                break
            passed.append(key)
        for key in passed:
            self._due.delete(key)
            self._pass(key[1], self.case(key[1]))
        if passed and passed[-1][0] > start:
            self._cursor.put(_HEAD, passed[-1][0] - 1)

    def _pass(self, identifier: bytes, case: Case) -> None:
        """The deadline of a case passed."""
        definition = self.definition(case.service, case.version)
        if case.stop is not None:
            then = next(s.then for s in definition.suspensions if s.code == case.stop.cause)
            if then:
                self.end(identifier, case, case, CaseStatus.LAPSED, then)
            else:
                self.run_clock(identifier, case, case.blind)
            return
        lapse = definition.step(case.step).lapse
        if lapse:
            self.end(identifier, case, case, CaseStatus.LAPSED, lapse)
            return
        self._overdue.put(identifier, case.due)
        self._announce(CaseOverdue(identifier, case.due))

    def _write(self, identifier: bytes, before: Case | None, after: Case) -> None:
        if before is not None and self._due.find((before.due, identifier)) is not None:
            self._due.delete((before.due, identifier))
        if after.status in {CaseStatus.OPEN, CaseStatus.SUSPENDED}:
            self._due.put((after.due, identifier), True)  # noqa: FBT003 - the index holds nothing else
        if before is None or before.due != after.due:
            self._overdue.delete(identifier)
        self._cases.put(identifier, after)
        self._announce(CaseWritten(identifier, after))


def _sampled(identifier: bytes, case: Case, percent: int) -> bool:
    """Whether chance asks for two officials: a hash of the case's id and its first act, fixed before the guard applies.

    The id is drawn by who opened the case, not by the official whom the sample watches. Floor of a 32-bit number
    modulo 100; the bias is below 10⁻⁷.
    """
    first = case.acts[0].account if case.acts else b""
    return int.from_bytes(sha256(b"kerege/sample/1" + identifier + first).digest()[:4], "big") % 100 < percent
