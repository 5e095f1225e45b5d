"""Who may do what with a case."""

from hashlib import sha256

from kerege.modules.authority.keeper import Authority
from kerege.modules.services import errors, rules
from kerege.modules.services.keeper.view import CaseView
from kerege.modules.services.types import REQUESTER, Case, Outcome

NO_APPOINTMENT = bytes(16)

QUEUE_LOOKED_AT = 200
"""Free cases of an office that are looked at to find whose turn it is; where none of them is for the one who asks,
any may be taken."""


class CaseGuards(CaseView):
    """Refuses who may not; changes nothing."""

    def check_free(self, identifier: bytes) -> None:
        """Raise `IdentifierTaken` where the id is in use."""
        if self._cases.find(identifier) is not None:
            raise errors.IdentifierTaken(identifier=identifier)

    def check_not_own(self, identifier: bytes, case: Case, account: bytes) -> None:
        """Raise `OwnCase` where the account is party to the case."""
        if account == case.requester or account in case.parties:
            raise errors.OwnCase(case=identifier)

    def check_office(self, identifier: bytes, case: Case, office: str) -> None:
        """Raise `NotHolder` unless the step is due from this office."""
        if not case.office or office != case.office:
            raise errors.NotHolder(case=identifier, step=case.step, office=case.office)

    def check_holder(self, identifier: bytes, case: Case, account: bytes, office: str) -> None:
        """Raise `NotHolder`, `TakenByAnother` or `NotTaken` unless the step is due from this official of this office.

        Whoever took a case and acts there no more, or let its deadline pass, holds it no more.
        """
        self.check_office(identifier, case, office)
        if case.official not in {None, account} and self._holds_on(case):
            raise errors.TakenByAnother(case=identifier)
        if case.official != account and self.definition_of(case).assignment == "turn":
            raise errors.NotTaken(case=identifier)

    def check_claimable(self, identifier: bytes, case: Case, account: bytes, official: bytes | None) -> None:
        """Raise `TakenByAnother` or `NotYourTurn` where the account may not take the case, give it or put it back."""
        if case.official not in {None, account} and self._holds_on(case):
            raise errors.TakenByAnother(case=identifier)
        if self.definition_of(case).assignment == "turn" and official is not None and case.official is None:
            first = self._first_for(account, case.office)
            if official != account or first not in {None, identifier}:
                raise errors.NotYourTurn(case=identifier, first=first or identifier)

    def _holds_on(self, case: Case) -> bool:
        roles, authority = self.step_of(case).roles, self._ctx.use(Authority)
        at_work = any(authority.holds_at(case.official or b"", role, case.office) for role in roles)
        return at_work and not self.overdue(case)

    def _first_for(self, account: bytes, office: str) -> bytes | None:
        """The free case of the office that is dealt to this official next: due first, theirs to do, not their own."""
        authority = self._ctx.use(Authority)
        for identifier, case in self.held_by(office, "free", limit=QUEUE_LOOKED_AT):
            roles = self.step_of(case).roles
            dealt = self.definition_of(case).assignment == "turn" and account not in {case.requester, *case.parties}
            if dealt and any(authority.holds_at(account, role, office) for role in roles):
                return identifier
        return None

    def check_requester(self, identifier: bytes, case: Case, account: bytes, claim: bytes | None) -> None:
        """Raise `NotHolder`, `WrongClaim` or `OwnCase` unless the account is the requester or brings the claim code.

        Nobody who handled the case becomes its requester.
        """
        if case.requester is not None:
            if account != case.requester:
                raise errors.NotHolder(case=identifier, step=case.step, office="")
        elif claim is None or case.claim is None or sha256(claim).digest() != case.claim:
            raise errors.WrongClaim(case=identifier)
        elif rules.handled_by(case, account):
            raise errors.OwnCase(case=identifier)

    def check_officials(self, identifier: bytes, case: Case, account: bytes, outcome: Outcome | None = None) -> None:
        """Raise `SameEyes` in the second step of a guard that holds unless another official took the first one.

        Raise `TwoOfficialsNeeded` where an amendment would be decided without another official having acted.
        """
        guard = self.definition_of(case).four_eyes
        if case.step == guard.second and case.guarded is not False:
            first = [act.account for act in case.acts if act.step == guard.first]
            if account in first or not first:
                raise errors.SameEyes(case=identifier, first=guard.first, second=guard.second)
        others = any(act.role != REQUESTER and act.account != account for act in case.acts)
        if outcome is not None and outcome.writes == "amendment" and not others:
            raise errors.TwoOfficialsNeeded(case=identifier)

    def check_content(self, identifier: bytes, case: Case, content: bytes | None) -> None:
        """Raise `ContentFixed` where an official would change what a requester asks."""
        by_requester = self.step_of(case).roles == (REQUESTER,)
        if content is not None and case.requester is not None and not by_requester:
            raise errors.ContentFixed(case=identifier)

    def check_referrer(self, identifier: bytes, case: Case, account: bytes, office: str) -> None:
        """Raise unless the account may put the step before another office: the requester, or who rules on appeals.

        `MayNotRefer`, `TakenByAnother`; `NotActingAt` (authority), `NotAppellateBody`, `OwnCase`.
        """
        definition = self.definition_of(case)
        step, authority = definition.step(case.step), self._ctx.use(Authority)
        by_requester = account == case.requester and not office
        if not case.office or (by_requester and step.found != "by-request"):
            raise errors.MayNotRefer(case=identifier, step=case.step)
        if by_requester:
            if case.official is not None and self._holds_on(case):
                raise errors.TakenByAnother(case=identifier)
            return
        authority.acting_as_any(account, definition.appeal.roles, office)
        if authority.office(office).institution not in definition.appeal.to:
            raise errors.NotAppellateBody(case=identifier, office=office)
        self.check_not_own(identifier, case, account)

    def check_ruler(self, identifier: bytes, case: Case, account: bytes, office: str) -> None:
        """Raise unless the account rules on the appeal, at the body appealed to, and had no part in the case.

        `NotActingAt` (authority), `NotAppellateBody`, `OwnCase`, `JudgeInOwnCause`.
        """
        authority = self._ctx.use(Authority)
        authority.acting_as_any(account, self.definition_of(case).appeal.roles, office)
        if authority.office(office).institution != case.appeal:
            raise errors.NotAppellateBody(case=identifier, office=office)
        self.check_not_own(identifier, case, account)
        if rules.handled_by(case, account) or any(act.office == office for act in case.acts):
            raise errors.JudgeInOwnCause(case=identifier, office=office)
