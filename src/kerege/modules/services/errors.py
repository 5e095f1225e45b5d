"""Refusals of services: 1 to 39 of cases, 40 to 49 of definitions."""

from kerege.kernel.errors import Refused
from kerege.kernel.types import Amount, Code, Identifier


class UnknownService(Refused, code="services.1"):
    """No version of this service is in force today."""

    service: Code


class VersionKnown(Refused, code="services.2"):
    """This version of the service, or a later one, is published already: publish the next."""

    service: Code
    version: int


class MalformedDefinition(Refused, code="services.3"):
    """The bytes are not the canonical form of a service definition."""

    reason: str


class IdentifierTaken(Refused, code="services.4"):
    """The random id is in use: draw another."""

    identifier: Identifier


class UnknownCase(Refused, code="services.5"):
    """No case stands under this id."""

    case: Identifier


class CaseNotOpen(Refused, code="services.6"):
    """The case is suspended, decided, withdrawn or lapsed."""

    case: Identifier
    status: str


class NotHolder(Refused, code="services.7"):
    """The step is due from somebody else."""

    case: Identifier
    step: Code
    office: str


class TakenByAnother(Refused, code="services.8"):
    """Another official of the office has taken the case."""

    case: Identifier


class OwnCase(Refused, code="services.9"):
    """Nobody handles a case to which they are party."""

    case: Identifier


class SameEyes(Refused, code="services.10"):
    """Two officials must have acted, and this is the one who acted first."""

    case: Identifier
    first: Code
    second: Code


class UnknownAction(Refused, code="services.11"):
    """The step does not have this action, or it is for the other message."""

    step: Code
    action: Code


class ReasonsNeeded(Refused, code="services.12"):
    """The action needs at least one reason from its list, and no other."""

    action: Code


class WrongOffice(Refused, code="services.13"):
    """The next step is not handled at this kind of office."""

    step: Code
    office: str


class WrongStart(Refused, code="services.14"):
    """The service does not begin with this step."""

    service: Code
    step: Code


class WrongClaim(Refused, code="services.15"):
    """The claim code is not the one the notifier gave, or the case is claimed already."""

    case: Identifier


class WrongStop(Refused, code="services.16"):
    """The clock cannot be stopped for this cause here, or it stands already."""

    case: Identifier
    cause: str


class NotStopped(Refused, code="services.17"):
    """The clock runs."""

    case: Identifier


class CannotWithdraw(Refused, code="services.18"):
    """The service cannot be withdrawn from, or the sender is not the requester."""

    case: Identifier


class DraftsDisagree(Refused, code="services.19"):
    """The decision brings other drafts than its outcome writes, or drafts for another register or service."""

    outcome: Code
    writes: str


class TwoOfficialsNeeded(Refused, code="services.20"):
    """An amendment needs the signatures of two officials who saw the dossier."""

    case: Identifier


class CannotAppeal(Refused, code="services.21"):
    """The decision is not the sender's to appeal, its term has passed, or the body is not the one named by law."""

    case: Identifier
    institution: str


class NotAppealed(Refused, code="services.22"):
    """No appeal is open in this case."""

    case: Identifier


class TooMuchAttached(Refused, code="services.23"):
    """A case takes a bounded number of pieces of evidence."""

    case: Identifier
    limit: int


class NotAppellateBody(Refused, code="services.24"):
    """The office does not belong to the institution appealed to."""

    case: Identifier
    office: str


class ContentFixed(Refused, code="services.25"):
    """What is asked is changed only by the requester, or by the notifier while there is no requester yet."""

    case: Identifier


class JudgeInOwnCause(Refused, code="services.26"):
    """An appeal is not ruled on by who handled the case, nor at an office that did."""

    case: Identifier
    office: str


class FeeUnpaid(Refused, code="services.27"):
    """What is granted here is granted after this fee was paid."""

    case: Identifier
    fee: Code


class UnknownFee(Refused, code="services.28"):
    """The service has no such fee, or it is paid."""

    case: Identifier
    fee: Code


class FeeChanged(Refused, code="services.29"):
    """The fee is another amount today than the payer agreed to."""

    fee: Code
    due: Amount
    offered: Amount


class NoFeeAccount(Refused, code="services.30"):
    """No parameter names an account that receives fees."""

    parameter: Code


class NotYourTurn(Refused, code="services.31"):
    """Cases of this service are dealt in the order of their deadlines: take the one that is due first."""

    case: Identifier
    first: Identifier


class NotTaken(Refused, code="services.32"):
    """Cases of this service are dealt: take the case before acting in it."""

    case: Identifier


class TermOutOfBounds(Refused, code="services.33"):
    """A legal term is 0 to 3,660 days."""

    parameter: Code
    days: int


class WrongRegister(Refused, code="services.34"):
    """The record belongs to another register than the service writes."""

    record: Identifier
    registry: Code


class MayNotRefer(Refused, code="services.35"):
    """No office holds the step, or its office is not the requester's to choose."""

    case: Identifier
    step: Code


# Definitions


class CodeTwice(Refused, code="services.40"):
    """Two things of one list have the same code."""

    where: str
    name: str


class UnknownName(Refused, code="services.41"):
    """The definition uses a name that stands for nothing."""

    where: str
    name: str


class DeadEnd(Refused, code="services.42"):
    """From this step no chain of actions reaches an outcome: a case would stay for ever."""

    step: str


class NotReached(Refused, code="services.43"):
    """No case ever comes here: the step or outcome is an error or a leftover."""

    where: str
    name: str


class ConditionTooDeep(Refused, code="services.44"):
    """A condition nests deeper than a person can read."""

    where: str
    depth: int
    limit: int


class BasisIncomplete(Refused, code="services.45"):
    """A legal basis lacks act, article, address or day of reading and does not say that it is unverified."""

    where: str


class PeriodEmpty(Refused, code="services.46"):
    """The last day of validity lies before the first."""

    valid_from: int
    valid_to: int


class GuardWithoutEffect(Refused, code="services.47"):
    """The four-eyes rule does not name what it needs: two different steps that officials hold, a share from 1 to 99."""

    reason: str


class PartsDisagree(Refused, code="services.48"):
    """Two statements about one thing contradict each other."""

    where: str
    reason: str
