"""What other modules may do with looks, jobs and consents: guards and announces."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from kerege.kernel.context import Context, Keeper
from kerege.modules.authority.keeper import Authority
from kerege.modules.disclosure import errors
from kerege.modules.disclosure.events import AccessDenied, AccessGranted, ConsentWritten, Erased, JobStarted
from kerege.modules.disclosure.state import CONSENTS, JOBS, LOOKS, LOOKS_AT, LOOKS_OF, TOMBSTONES
from kerege.modules.disclosure.types import Consent, Denial, Job, Look
from kerege.modules.services.keeper import CaseView

if TYPE_CHECKING:
    from kerege.kernel.tables import Bound
    from kerege.modules.services.types import Case

HOUR = 3_600_000
ACCESS_HOURS = "disclosure.access_hours"


class DisclosureView(Keeper):
    """Reads looks and jobs; changes nothing."""

    MODULE = "disclosure"

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._looks: Bound[bytes, Look] = self._table(LOOKS)
        self._looks_at: Bound[tuple[int, bytes], bool] = self._table(LOOKS_AT)
        self._looks_of: Bound[tuple[bytes, int, bytes], bool] = self._table(LOOKS_OF)
        self._jobs: Bound[bytes, Job] = self._table(JOBS)
        self._tombstones: Bound[bytes, int] = self._table(TOMBSTONES)
        self._consents: Bound[bytes, Consent] = self._table(CONSENTS)

    def find_look(self, access: bytes) -> Look | None:
        """The request to look under an id, or None."""
        return self._looks.find(access)


class Disclosure(DisclosureView):
    """Puts looks, jobs, erasures and consents on the ledger."""

    def check_free(self, identifier: bytes) -> None:
        """Raise `IdentifierTaken` where the id is in use."""
        if any(t.find(identifier) is not None for t in (self._looks, self._jobs, self._consents)):
            raise errors.IdentifierTaken(identifier=identifier)

    def judge(self, case_id: bytes, office: str) -> tuple[str, Denial | None]:
        """The role in which the sender may look for this case, or why not."""
        authority, cases = self._ctx.use(Authority), self._ctx.use(CaseView)
        case = cases.find_case(case_id)
        if case is None:
            return "", Denial.NO_CASE
        acting = authority.find_acting(self._ctx.sender, cases.step_of(case).roles, office)
        if acting is None:
            return "", Denial.NOT_ACTING
        return acting.role, self._standing(case, office)

    def _standing(self, case: "Case", office: str) -> Denial | None:
        """Why an official of the office may not look, if so.

        An office looks while it holds the case, and as long as its decision can be appealed: papers are issued
        and corrected in that time.
        """
        sender = self._ctx.sender
        if sender == case.requester or sender in case.parties:
            return Denial.OWN_CASE
        if case.outcome and case.due < self._ctx.time:
            return Denial.CASE_CLOSED
        if case.office != office:
            return Denial.NOT_HOLDER
        if case.official is not None and case.official != sender:
            return Denial.TAKEN_BY_ANOTHER
        return None

    def record_look(self, access: bytes, row: Look) -> None:
        """Keep a request with its answer."""
        self._looks.put(access, row)
        self._looks_at.put((row.at, access), True)  # noqa: FBT003 - the index holds nothing else
        self._looks_of.put((row.case, row.at, access), True)  # noqa: FBT003
        self._announce(AccessDenied(access, row) if row.denial else AccessGranted(access, row))

    def term(self) -> int:
        """Until when a look granted now lasts."""
        return int(self._ctx.time + self._ctx.parameter(ACCESS_HOURS) * HOUR)

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
