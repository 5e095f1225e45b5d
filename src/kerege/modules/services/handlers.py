"""What happens to the messages of services, whatever the service: authorise, check, change."""

from msgspec.structs import replace

from kerege.kernel.context import Context, Handler
from kerege.kernel.messages import Message
from kerege.modules.authority.keeper import Authority
from kerege.modules.identity.keeper import Identity
from kerege.modules.registries.keeper import Registry
from kerege.modules.registries.types import Acting
from kerege.modules.services import errors, messages, rules
from kerege.modules.services.keeper import NO_APPOINTMENT, Cases
from kerege.modules.services.types import REQUESTER, Act, Case, CaseStatus, Ruling, ServiceDefinition, Step, Stop


def _authorise_step(ctx: Context, identifier: bytes, case: Case, office: str, claim: bytes | None = None) -> Acting:
    """Who holds the step may act: the requester, or an official of the office whose own case it is not."""
    cases, step = ctx.use(Cases), ctx.use(Cases).step_of(case)
    if step.roles == (REQUESTER,):
        cases.check_requester(identifier, case, ctx.sender, claim)
        return Acting("", REQUESTER, NO_APPOINTMENT)
    acting = ctx.use(Authority).acting_as_any(ctx.sender, step.roles, office)
    cases.check_holder(identifier, case, ctx.sender, office)
    cases.check_not_own(identifier, case, ctx.sender)
    return Acting(acting.office, acting.role, acting.appointment)


def _act_of(ctx: Context, case: Case, action: str, acting: Acting) -> Act:
    return Act(case.step, action, ctx.sender, acting.office, acting.role, acting.appointment, ctx.time)


def _office_for(ctx: Context, case: Case, step: Step, asked: str) -> str:
    """The office that will hold the step; raises `WrongOffice`."""
    if step.roles == (REQUESTER,):
        return ""
    office = case.office if step.found == "same-office" else asked
    if ctx.use(Authority).office(office).kind not in step.office_kinds:
        raise errors.WrongOffice(step=step.code, office=office)
    return office


def publish(ctx: Context, message: messages.Publish) -> None:
    """Publish a version of a service."""
    ctx.use(Cases).publish(message.definition)


def open_(ctx: Context, message: messages.Open) -> None:
    """Begin a case before the holder of its first step."""
    cases = ctx.use(Cases)
    definition = cases.definition_today(message.service)
    step = rules.start_of(definition, message.step)
    own = step.roles == (REQUESTER,)
    if not own:
        ctx.use(Authority).acting_as_any(ctx.sender, step.roles, message.office)

    cases.check_free(message.case)
    blank = rules.new_case(definition, message, ctx.sender if own else None, ctx.time)
    office = "" if own else _office_for(ctx, replace(blank, office=message.office), step, message.office)

    cases.begin(message.case, replace(blank, office=office, due=cases.deadline(step.due)))


def act(ctx: Context, message: messages.Act) -> None:
    """Take an action that moves the case to another step."""
    cases = ctx.use(Cases)
    case = cases.open_case(message.case)
    acting = _authorise_step(ctx, message.case, case, message.office, message.claim)

    definition = cases.definition(case.service, case.version)
    action = rules.action_of(definition.step(case.step), message.action, decides=False)
    rules.check_reasons(action, message.reasons)
    cases.check_four_eyes(message.case, case, ctx.sender)
    step = definition.step(action.to)
    office = _office_for(ctx, case, step, message.next_office)

    after = cases.act(message.case, case, _act_of(ctx, case, message.action, acting))
    after = cases.attach(message.case, after, message.evidence)
    requester = ctx.sender if acting.role == REQUESTER else case.requester
    content = case.content if message.content is None else message.content
    after = replace(after, requester=requester, claim=None if requester else case.claim, content=content)
    cases.move(message.case, case, replace(after, reasons=message.reasons, blind=message.blind), step, office)


def claim(ctx: Context, message: messages.Claim) -> None:
    """Take a case from the queue, or give it to a colleague."""
    cases = ctx.use(Cases)
    case = cases.open_case(message.case)
    _authorise_step(ctx, message.case, case, message.office)

    if message.official is not None:
        ctx.use(Authority).acting_as_any(message.official, cases.step_of(case).roles, message.office)
        cases.check_not_own(message.case, case, message.official)

    cases.update(message.case, case, replace(case, official=message.official, blind=message.blind))


def suspend(ctx: Context, message: messages.Suspend) -> None:
    """Stop the clock."""
    cases = ctx.use(Cases)
    case = cases.open_case(message.case)
    _authorise_step(ctx, message.case, case, message.office)

    definition = cases.definition(case.service, case.version)
    cause = rules.suspension_of(definition, message.case, case, message.cause)
    left = max(0, case.due - ctx.time)

    stop = Stop(cause.code, cause.owner, message.office, ctx.time, cases.deadline(cause.limit), left)
    cases.stop_clock(message.case, case, stop, message.blind)


def resume(ctx: Context, message: messages.Resume) -> None:
    """Let the clock run again."""
    cases = ctx.use(Cases)
    case = cases.case(message.case)
    _authorise_step(ctx, message.case, case, message.office)

    cases.run_clock(message.case, case, message.blind)


def decide(ctx: Context, message: messages.Decide) -> None:
    """Decide a case and do what its outcome says, all or nothing."""
    cases = ctx.use(Cases)
    case = cases.open_case(message.case)
    acting = _authorise_step(ctx, message.case, case, message.office)

    definition = cases.definition(case.service, case.version)
    action = rules.action_of(definition.step(case.step), message.action, decides=True)
    outcome = definition.outcome(action.to)
    rules.check_reasons(action, message.reasons)
    rules.check_drafts(outcome, message)
    cases.check_four_eyes(message.case, case, ctx.sender)
    if outcome.writes == "amendment":
        cases.check_two_officials(message.case, case, ctx.sender)

    after = cases.act(message.case, case, _act_of(ctx, case, message.action, acting))
    due = cases.deadline(definition.appeal.due)
    after = replace(after, reasons=message.reasons, due=due, blind=message.blind)
    cases.end(message.case, case, after, CaseStatus.DECIDED, outcome.code)
    _write_register(ctx, message, acting)


def _write_register(ctx: Context, message: messages.Decide, acting: Acting) -> None:
    """What an outcome leaves in the registers."""
    registry, record = ctx.use(Registry), message.papers_of
    if message.record is not None:
        registry.open(message.record, acting.office)
        record = message.record.record
    for draft in message.persons:
        ctx.use(Identity).register_draft(draft)
    if message.closes is not None:
        registry.close(message.closes, acting.office, message.blind)
    for paper in message.papers:
        if record is not None:
            registry.issue(record, paper, acting)


def withdraw(ctx: Context, message: messages.Withdraw) -> None:
    """The requester takes the request back."""
    cases = ctx.use(Cases)
    case = cases.case(message.case)
    definition: ServiceDefinition = cases.definition(case.service, case.version)
    if ctx.sender != case.requester or not definition.withdrawal:
        raise errors.CannotWithdraw(case=message.case)

    if case.status not in {CaseStatus.OPEN, CaseStatus.SUSPENDED}:
        raise errors.CaseNotOpen(case=message.case, status=case.status.value)

    after = replace(case, blind=message.blind)
    cases.end(message.case, case, after, CaseStatus.WITHDRAWN, definition.withdrawal)


def appeal(ctx: Context, message: messages.Appeal) -> None:
    """The requester challenges a decision."""
    cases = ctx.use(Cases)
    case = cases.case(message.case)
    allowed = cases.definition(case.service, case.version).appeal.to

    decided = case.status is CaseStatus.DECIDED and ctx.time <= case.due
    if ctx.sender != case.requester or not decided or message.institution not in allowed:
        raise errors.CannotAppeal(case=message.case, institution=message.institution)

    after = cases.attach(message.case, case, [message.content])
    after = replace(after, status=CaseStatus.APPEALED, appeal=message.institution, blind=message.blind)
    cases.update(message.case, case, after)


def rule(ctx: Context, message: messages.Rule) -> None:
    """The body appealed to rules."""
    cases = ctx.use(Cases)
    case = cases.case(message.case)
    if case.status is not CaseStatus.APPEALED:
        raise errors.NotAppealed(case=message.case)
    ctx.use(Authority).acting_at(ctx.sender, message.office)
    if ctx.use(Authority).office(message.office).institution != case.appeal:
        raise errors.NotAppellateBody(case=message.case, office=message.office)
    cases.check_not_own(message.case, case, ctx.sender)

    if message.ruling is Ruling.UPHELD:
        after = replace(case, status=CaseStatus.DECIDED, appeal="", blind=message.blind)
        cases.update(message.case, case, after)
    else:
        after = replace(case, status=CaseStatus.OPEN, appeal="", outcome="", reasons=[], blind=message.blind)
        cases.move(message.case, case, after, cases.step_of(case), case.office)


HANDLERS: dict[type[Message], Handler] = {
    messages.Publish: publish,
    messages.Open: open_,
    messages.Act: act,
    messages.Claim: claim,
    messages.Suspend: suspend,
    messages.Resume: resume,
    messages.Decide: decide,
    messages.Withdraw: withdraw,
    messages.Appeal: appeal,
    messages.Rule: rule,
}
