"""Moves cases: every change of a row passes here, is indexed by holder and deadline, and announced."""

import msgspec
from msgspec.structs import replace

from kerege.kernel.codec import decode
from kerege.kernel.scan import Malformed, scan
from kerege.modules.authority.keeper import Authority
from kerege.modules.bank.keeper import Bank
from kerege.modules.policy.keeper import Policy
from kerege.modules.services import errors, rules
from kerege.modules.services.events import (
    CaseEnded,
    CaseOverdue,
    CaseWritten,
    ClockStopped,
    DefinitionPublished,
    FeePaid,
    StepTaken,
)
from kerege.modules.services.keeper.guards import CaseGuards
from kerege.modules.services.keeper.view import HEAD
from kerege.modules.services.types import Act, Case, CaseStatus, Fee, Payment, ServiceDefinition, Step, Stop

MAXIMUM_EVIDENCE = 64
MAXIMUM_DEPTH = 32
"""Nested arrays of a definition's bytes: conditions nest at most 4 deep."""
MAXIMUM_VALUES = 100_000
FEE_ACCOUNT = "services.fee_account"
"""Parameter: the account that receives fees, its 20 bytes as 40 lower-case hex digits."""


class Cases(CaseGuards):
    """Publishes definitions and moves cases."""

    def publish(self, raw: bytes) -> None:
        """Publish a version; raises `MalformedDefinition`, `VersionKnown` and what `check_definition` raises."""
        definition = _decode(raw)
        rules.check_definition(definition)
        self._check_known(definition)
        for (_, version), _raw in self._definitions.scan(definition.code):
            if definition.version <= version:
                raise errors.VersionKnown(service=definition.code, version=definition.version)
        self._definitions.put((definition.code, definition.version), raw)
        self._announce(DefinitionPublished(definition.code, definition.version, raw))

    def _check_known(self, definition: ServiceDefinition) -> None:
        """Parameters are in force, institutions and currencies stand: or a case would stop where it needs them."""
        policy, now = self._ctx.use(Policy), self._ctx.time
        for where, name in rules.parameters_of(definition):
            if policy.find(name, now) is None:
                raise errors.UnknownName(where=where, name=name)
        for institution in definition.appeal.to:
            self._ctx.use(Authority).institution(institution)
        for fee in definition.fees:
            self._ctx.use(Bank).currency(fee.currency)

    # Cases

    def begin(self, identifier: bytes, case: Case) -> None:
        """Enter a new case, with the term of its first step."""
        self._write(identifier, None, replace(case, due=self.deadline(self.step_of(case).due)))

    def act(self, identifier: bytes, case: Case, act: Act, reasons: list[str]) -> Case:
        """The case with one more step taken (not yet written); the first step of a sampled guard draws the sample."""
        guard, guarded = self.definition_of(case).four_eyes, case.guarded
        if guarded is None and act.step == guard.first:
            guarded = rules.drawn(
                identifier, self._ctx.transaction, self._ctx.height, self._ctx.time, guard.percent
            )  # fmt: skip
        self._announce(StepTaken(identifier, act, reasons))
        return replace(rules.with_act(case, act), guarded=guarded, reasons=reasons)

    def attach(self, identifier: bytes, case: Case, evidence: list[bytes]) -> Case:
        """The case with more evidence (not yet written); raises `TooMuchAttached`."""
        if len(case.evidence) + len(evidence) > MAXIMUM_EVIDENCE:
            raise errors.TooMuchAttached(case=identifier, limit=MAXIMUM_EVIDENCE)
        return replace(case, evidence=[*case.evidence, *evidence])

    def move(self, identifier: bytes, before: Case, after: Case, step: Step, office: str) -> None:
        """Put the case before its next holder, with the step's term."""
        due = self.deadline(step.due)
        self._write(identifier, before, replace(after, step=step.code, office=office, official=None, due=due))

    def update(self, identifier: bytes, before: Case, after: Case) -> None:
        """Write a changed row whose clock goes on as it did."""
        self._write(identifier, before, after)

    def stop_clock(self, identifier: bytes, case: Case, stop: Stop, blind: bytes) -> None:
        """Stop the clock of the step."""
        self._announce(ClockStopped(identifier, stopped=True))
        after = replace(case, status=CaseStatus.SUSPENDED, stop=stop, due=stop.until, blind=blind)
        self._write(identifier, case, after)

    def run_clock(self, identifier: bytes, before: Case, after: Case) -> None:
        """Let the clock run again with the days that were left of the term; raises `NotStopped`."""
        if before.stop is None:
            raise errors.NotStopped(case=identifier)
        self._announce(ClockStopped(identifier, stopped=False))
        due = self.ends(before.stop.left, self.step_of(before).due)
        self._write(identifier, before, replace(after, status=CaseStatus.OPEN, stop=None, due=due))

    def end(self, identifier: bytes, before: Case, after: Case, status: CaseStatus, outcome: str) -> None:
        """Bring the case to an outcome; a decision can be appealed until the term for it ends."""
        appeal = self.definition_of(before).appeal
        due = self.deadline(appeal.due) if status is CaseStatus.DECIDED else self._ctx.time
        self._announce(CaseEnded(identifier, outcome))
        after = replace(after, status=status, outcome=outcome, due=due, stop=None, official=None)
        self._write(identifier, before, after)

    def appeal(self, identifier: bytes, before: Case, after: Case, institution: str) -> None:
        """Put the decision before a body, with the term for its ruling."""
        due = self.deadline(self.definition_of(before).appeal.ruling)
        self._write(identifier, before, replace(after, status=CaseStatus.APPEALED, appeal=institution, due=due))

    def uphold(self, identifier: bytes, before: Case, blind: bytes) -> None:
        """The decision stands; the bodies named after the one that ruled may still be asked."""
        appeal = self.definition_of(before).appeal
        heard, due = appeal.to.index(before.appeal) + 1, self.deadline(appeal.due)
        after = replace(before, status=CaseStatus.DECIDED, appeal="", heard=heard, due=due, blind=blind)
        self._write(identifier, before, after)

    def overturn(self, identifier: bytes, before: Case, blind: bytes) -> None:
        """The decision falls: its step is due again at the office that decided."""
        after = replace(before, status=CaseStatus.OPEN, appeal="", heard=0, outcome="", reasons=[], blind=blind)
        self.move(identifier, before, after, self.step_of(before), before.office)

    def pay(self, identifier: bytes, case: Case, fee: Fee, offered: int, blind: bytes) -> None:
        """Move a fee to the account that receives fees; raises `FeeChanged`, `NoFeeAccount` and what bank raises."""
        policy, payer = self._ctx.use(Policy), self._ctx.sender
        amount, account = policy.number(fee.parameter), policy.find(FEE_ACCOUNT, self._ctx.time)
        if amount != offered:
            raise errors.FeeChanged(fee=fee.code, due=amount, offered=offered)
        receiver = _address(account)
        if receiver is None:
            raise errors.NoFeeAccount(parameter=FEE_ACCOUNT)
        if amount:
            self._ctx.use(Bank).move(payer, receiver, fee.currency, amount)
        payment = Payment(fee.code, fee.currency, amount)
        self._announce(FeePaid(identifier, payment, payer))
        self._write(identifier, case, replace(case, paid=[*case.paid, payment], blind=blind))

    # Time

    def run_due(self, limit: int) -> None:
        """What is due, oldest first, at most `limit` cases: overdue is announced once, stops and lapses take effect."""
        now, start = self._ctx.time, self._cursor.find(HEAD) or 0
        passed = []
        for key, _true in self._due.scan(after=(start, bytes(16)), limit=limit):
            if key[0] >= now:
                break
            passed.append(key)
        for due, identifier in passed:
            self._due.delete((due, identifier))
            self._pass(identifier, self.case(identifier))
        # Whatever is entered from now on is due at this block's time or later, so it stands behind the cursor.
        if passed and passed[-1][0] - 1 > start:
            self._cursor.put(HEAD, passed[-1][0] - 1)

    def _pass(self, identifier: bytes, case: Case) -> None:
        """The deadline of a case passed."""
        definition, then = self.definition_of(case), ""
        if case.stop is not None:
            then = next(s.then for s in definition.suspensions if s.code == case.stop.cause)
            if not then:
                self.run_clock(identifier, case, case)
                return
        elif case.status is CaseStatus.OPEN:
            then = definition.step(case.step).lapse
        if then:
            self.end(identifier, case, case, CaseStatus.LAPSED, then)
        else:
            self._announce(CaseOverdue(identifier, case.office or case.appeal, case.due))

    def _write(self, identifier: bytes, before: Case | None, after: Case) -> None:
        """Store a row and announce it; entries of the indexes move with it.

        A deadline that has passed left its index when it was announced, and is not entered again with the same time.
        """
        clock = None if before is None else _clock(before)
        if clock != _clock(after):
            if clock is not None:
                self._due.delete((clock[1], identifier))
            if _clock(after) is not None:
                self._due.put((after.due, identifier), True)  # noqa: FBT003 - the index holds nothing else
        self._index(identifier, before, after)
        self._cases.put(identifier, after)
        self._announce(CaseWritten(identifier, after))

    def _index(self, identifier: bytes, before: Case | None, after: Case) -> None:
        """Keep the queue of office or body."""
        old = None if before is None else rules.place_of(before, identifier)
        new = rules.place_of(after, identifier)
        if old is not None and old != new:
            self._queue.delete(old)
        if new is not None and old != new:
            self._queue.put(new, True)  # noqa: FBT003 - the index holds nothing else


def _clock(case: Case) -> tuple[CaseStatus, int] | None:
    """What the schedule waits for: nothing after an end."""
    return (case.status, case.due) if case.status in {*rules.RUNNING, CaseStatus.APPEALED} else None


def _decode(raw: bytes) -> ServiceDefinition:
    """The definition of its canonical bytes; raises `MalformedDefinition`."""
    try:
        scan(raw, MAXIMUM_DEPTH, MAXIMUM_VALUES)  # before the decoder, which follows any depth
        return decode(raw, ServiceDefinition)
    except Malformed as error:
        raise errors.MalformedDefinition(reason=error.reason) from None
    except (msgspec.DecodeError, ValueError):
        raise errors.MalformedDefinition(reason="form") from None


def _address(value: object) -> bytes | None:
    """The 20 bytes of 40 lower-case hex digits, or None."""
    if not isinstance(value, str) or len(value) != 40 or any(digit not in "0123456789abcdef" for digit in value):  # noqa: PLR2004
        return None
    return bytes.fromhex(value)
