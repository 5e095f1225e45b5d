"""What other modules may do with looks, jobs and consents: guards and announces."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from kerege.kernel.context import Context, Keeper
from kerege.kernel.errors import Refused
from kerege.modules.authority.keeper import Authority
from kerege.modules.disclosure import errors
from kerege.modules.disclosure.events import AccessDenied, AccessGranted, ConsentWritten, Erased, JobStarted
from kerege.modules.disclosure.rules import countdown, shows
from kerege.modules.disclosure.state import (
    CONSENTS,
    JOBS,
    LOOKS,
    LOOKS_AT,
    LOOKS_BY,
    LOOKS_FOR,
    LOOKS_OF,
    LOOKS_WITH,
    TOMBSTONES,
)
from kerege.modules.disclosure.types import Consent, Denial, Job, Look
from kerege.modules.policy.keeper import Policy
from kerege.modules.services.keeper import CaseGuards
from kerege.modules.services.types import CaseStatus

if TYPE_CHECKING:
    from kerege.kernel.tables import Bound
    from kerege.modules.services.types import Case

HOUR = 3_600_000
ACCESS_HOURS = "disclosure.access_hours"
MAXIMUM_HOURS = 168
"""A look never lasts longer than a week, whatever the parameter says."""

Cursor = tuple[int, bytes]
"""(time counted down, access id) of the last look seen."""


class DisclosureView(Keeper):
    """Reads looks and jobs; changes nothing."""

    MODULE = "disclosure"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._looks: Bound[bytes, Look] = self._table(LOOKS)
        self._looks_at: Bound[tuple[int, bytes], bool] = self._table(LOOKS_AT)
        self._looks_of: Bound[tuple[bytes, int, bytes], bool] = self._table(LOOKS_OF)
        self._looks_for: Bound[tuple[bytes, int, bytes], bool] = self._table(LOOKS_FOR)
        self._looks_by: Bound[tuple[bytes, int, bytes], bool] = self._table(LOOKS_BY)
        self._looks_with: Bound[tuple[bytes, int, bytes], bool] = self._table(LOOKS_WITH)
        self._jobs: Bound[bytes, Job] = self._table(JOBS)
        self._tombstones: Bound[bytes, int] = self._table(TOMBSTONES)
        self._consents: Bound[bytes, Consent] = self._table(CONSENTS)

    def find_look(self, access: bytes) -> Look | None:
        """The request to look under an id, or None."""
        return self._looks.find(access)

    def for_case(self, case: bytes, after: Cursor | None, limit: int) -> Iterator[tuple[bytes, Look]]:
        """Looks of a case, the newest first, older than the cursor."""
        return self._newest(self._looks_for, case, after, limit)

    def by_officer(self, officer: bytes, after: Cursor | None, limit: int) -> Iterator[tuple[bytes, Look]]:
        """Looks of an account, the newest first, older than the cursor."""
        return self._newest(self._looks_by, officer, after, limit)

    def with_reference(self, reference: bytes, after: Cursor | None, limit: int) -> Iterator[tuple[bytes, Look]]:
        """Looks that name a salted reference, the newest first, older than the cursor."""
        return self._newest(self._looks_with, reference, after, limit)

    def _newest(
        self, index: "Bound[tuple[bytes, int, bytes], bool]", first: bytes, after: Cursor | None, limit: int
    ) -> Iterator[tuple[bytes, Look]]:
        start = None if after is None else (first, *after)
        for (_, _, access), _true in index.scan(first, after=start, limit=limit):
            yield access, self._looks.get(access)


class Disclosure(DisclosureView):
    """Puts looks, jobs, erasures and consents on the ledger."""

    # Looks

    def check_free(self, identifier: bytes) -> None:
        """Raise `IdentifierTaken` where the id is in use."""
        if any(t.find(identifier) is not None for t in (self._looks, self._jobs, self._consents)):
            raise errors.IdentifierTaken(identifier=identifier)

    def judge(self, identifier: bytes, office: str, fields: list[str]) -> tuple[str, Denial | None]:
        """The role in which the sender may look at these fields for this case, or why not.

        Who may act in the case may look: the guards of services answer. An office goes on looking as long as its
        decision can be appealed, since papers are issued and corrected in that time; while an appeal runs, the body
        that rules on it looks, and nobody else.
        """
        cases = self._ctx.use(CaseGuards)
        case = cases.find_case(identifier)
        if case is None:
            return "", Denial.NO_CASE
        definition = cases.definition_of(case)
        appealed = case.status is CaseStatus.APPEALED
        roles = definition.appeal.roles if appealed else cases.step_of(case).roles
        acting = self._ctx.use(Authority).find_acting(self._ctx.sender, roles, office)
        if acting is None:
            return "", Denial.NOT_ACTING
        standing = self._at_ruling if appealed else self._at_step
        denial = standing(identifier, case, office)
        if denial is None and not shows(definition, fields):
            denial = Denial.FIELD_CLOSED
        if denial is None and self.term() is None:
            denial = Denial.NO_TERM
        return acting.role, denial

    def _at_step(self, identifier: bytes, case: "Case", office: str) -> Denial | None:
        """Why an official of the office may not look at a case that is due or decided, if so."""
        cases, sender = self._ctx.use(CaseGuards), self._ctx.sender
        if _refuses(cases.check_not_own, identifier, case, sender):
            return Denial.OWN_CASE
        if case.outcome and case.due < self._ctx.time:
            return Denial.CASE_CLOSED
        if _refuses(cases.check_office, identifier, case, office):
            return Denial.NOT_HOLDER
        if not case.outcome and _refuses(cases.check_holder, identifier, case, sender, office):
            return Denial.NOT_DEALT if case.official is None else Denial.TAKEN_BY_ANOTHER
        return None

    def _at_ruling(self, identifier: bytes, case: "Case", office: str) -> Denial | None:
        """Why an official may not look at a case that is appealed, if so."""
        cases, sender = self._ctx.use(CaseGuards), self._ctx.sender
        if _refuses(cases.check_not_own, identifier, case, sender):
            return Denial.OWN_CASE
        if self._ctx.use(Authority).office(office).institution != case.appeal:
            return Denial.NOT_HOLDER
        return Denial.HANDLED if _refuses(cases.check_ruler, identifier, case, sender, office) else None

    def record_look(self, access: bytes, row: Look) -> None:
        """Keep a request with its answer."""
        newest = countdown(row.at)
        self._looks.put(access, row)
        self._looks_at.put((row.at, access), True)  # noqa: FBT003 - an index holds nothing else
        self._looks_of.put((row.case, row.at, access), True)  # noqa: FBT003
        self._looks_for.put((row.case, newest, access), True)  # noqa: FBT003
        self._looks_by.put((row.officer, newest, access), True)  # noqa: FBT003
        for reference in row.references:
            self._looks_with.put((reference, newest, access), True)  # noqa: FBT003
        self._announce(AccessDenied(access, row) if row.denial else AccessGranted(access, row))

    def term(self) -> int | None:
        """Until when a look granted now lasts; None where no rule in force says so."""
        hours = self._ctx.use(Policy).find(ACCESS_HOURS, self._ctx.time)
        if isinstance(hours, bool) or not isinstance(hours, int) or hours <= 0:
            return None
        return self._ctx.time + min(hours, MAXIMUM_HOURS) * HOUR

    # Jobs, erasures, consents

    def start_job(self, job: bytes, row: Job) -> None:
        """Keep the start of a machine job."""
        self._jobs.put(job, row)
        self._announce(JobStarted(job, row))

    def erase(self, tombstone: bytes) -> None:
        """Keep a tombstone; raises `TombstoneKnown`."""
        if self._tombstones.find(tombstone) is not None:
            raise errors.TombstoneKnown(tombstone=tombstone)
        self._tombstones.put(tombstone, self._ctx.time)
        self._announce(Erased(tombstone, self._ctx.time))

    def give_consent(self, identifier: bytes, row: Consent) -> None:
        """Keep a consent."""
        self._write_consent(identifier, row)

    def withdraw_consent(self, identifier: bytes, blind: bytes) -> None:
        """End a consent of the sender; raises `UnknownConsent`."""
        row = self._consents.find(identifier)
        if row is None or row.until is not None or row.giver != self._ctx.sender:
            raise errors.UnknownConsent(consent=identifier)
        self._write_consent(identifier, replace(row, until=self._ctx.time, blind=blind))

    def _write_consent(self, identifier: bytes, row: Consent) -> None:
        self._consents.put(identifier, row)
        self._announce(ConsentWritten(identifier, row))


def _refuses(check: Callable[..., None], *facts: object) -> bool:
    """Whether a guard refuses: what is a refusal elsewhere is a denial here."""
    try:
        check(*facts)
    except Refused:
        return True
    return False
