"""Refusals of services: 1 to 39 of cases, 40 to 49 of definitions."""

from kerege.kernel.errors import Refused
from kerege.kernel.types import Code, Identifier


class UnknownService(Refused, code="services.1"):
    """No version of this service is in force today."""

    service: Code


class VersionKnown(Refused, code="services.2"):
    """This version of the service is published already: publish the next."""

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
    """The decision brings other drafts than its outcome writes."""

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
    """A case takes a bounded number of pieces of evidence, parties and acts."""

    case: Identifier
    limit: int


class NotAppellateBody(Refused, code="services.24"):
    """The office does not belong to the institution appealed to."""

    case: Identifier
    office: str


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
