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
    """The office that will hold the step, not named: the one that held it before; raises `WrongOffice`."""
    if step.roles == (REQUESTER,):
        return ""
    before = rules.office_of(case) if step.found == "same-office" else rules.office_of(case, step.code)
    return _of_kind(ctx, step, before if before and (step.found == "same-office" or not asked) else asked)


def _of_kind(ctx: Context, step: Step, office: str) -> str:
    """The office, if it handles the step; raises `UnknownOffice` (authority) or `WrongOffice`."""
    if ctx.use(Authority).office(office).kind not in step.office_kinds:
        raise errors.WrongOffice(step=step.code, office=office)
    return office


def publish(ctx: Context, message: messages.Publish) -> None:
    """Publish a version of a service."""
    ctx.use(Cases).publish(message.definition)


def open(ctx: Context, message: messages.Open) -> None:  # noqa: A001 - a handler has its message's name
    """Begin a case before the holder of its first step."""
    cases = ctx.use(Cases)
    definition = cases.definition_today(message.service)
    step = rules.start_of(definition, message.step)
    own = step.roles == (REQUESTER,)
    if not own:
        ctx.use(Authority).acting_as_any(ctx.sender, step.roles, message.office)

    cases.check_free(message.case)
    case = rules.new_case(definition, message, ctx.sender if own else None, ctx.time)
    office = _office_for(ctx, case, step, message.office)
    if not own:
        cases.check_not_own(message.case, case, ctx.sender)
    elif message.office:
        raise errors.WrongOffice(step=step.code, office=message.office)

    cases.begin(message.case, replace(case, office=office))


def act(ctx: Context, message: messages.Act) -> None:
    """Take an action that moves the case to another step."""
    cases = ctx.use(Cases)
    case = cases.open_case(message.case)
    acting = _authorise_step(ctx, message.case, case, message.office, message.claim)

    definition = cases.definition_of(case)
    action = rules.action_of(definition.step(case.step), message.action, decides=False)
    rules.check_reasons(action, message.reasons)
    cases.check_officials(message.case, case, ctx.sender)
    cases.check_content(message.case, case, message.content)

    after = cases.act(message.case, case, _act_of(ctx, case, message.action, acting), message.reasons)
    after = cases.attach(message.case, after, message.evidence)
    step = definition.step(action.to)
    office = _office_for(ctx, after, step, message.next_office)
    requester = ctx.sender if acting.role == REQUESTER else case.requester
    content = case.content if message.content is None else message.content
    after = replace(after, requester=requester, claim=None if requester else case.claim, content=content)
    cases.move(message.case, case, replace(after, blind=message.blind), step, office)


def claim(ctx: Context, message: messages.Claim) -> None:
    """Take a case from the queue, give it to a colleague, or put it back."""
    cases = ctx.use(Cases)
    case = cases.open_case(message.case)
    roles = cases.step_of(case).roles
    ctx.use(Authority).acting_as_any(ctx.sender, roles, message.office)
    cases.check_office(message.case, case, message.office)
    cases.check_not_own(message.case, case, ctx.sender)

    cases.check_claimable(message.case, case, ctx.sender, message.official)
    if message.official is not None:
        ctx.use(Authority).acting_as_any(message.official, roles, message.office)
        cases.check_not_own(message.case, case, message.official)

    cases.update(message.case, case, replace(case, official=message.official, blind=message.blind))


def refer(ctx: Context, message: messages.Refer) -> None:
    """Put the step before another office, with its term from now on."""
    cases = ctx.use(Cases)
    case = cases.open_case(message.case)
    cases.check_referrer(message.case, case, ctx.sender, message.office)

    step = cases.step_of(case)
    if message.to == case.office:
        raise errors.WrongOffice(step=step.code, office=message.to)
    office = _of_kind(ctx, step, message.to)

    cases.move(message.case, case, replace(case, blind=message.blind), step, office)


def attach_evidence(ctx: Context, message: messages.AttachEvidence) -> None:
    """Add evidence; what a requester owed lets the clock run again."""
    cases = ctx.use(Cases)
    case = cases.running_case(message.case)
    by_requester = not message.office
    if not by_requester:
        _authorise_step(ctx, message.case, case, message.office)
    elif ctx.sender != case.requester:
        raise errors.NotHolder(case=message.case, step=case.step, office=case.office)

    after = cases.attach(message.case, case, message.evidence)

    after = replace(after, blind=message.blind)
    if by_requester and case.stop is not None and case.stop.owner == REQUESTER:
        cases.run_clock(message.case, case, after)
    else:
        cases.update(message.case, case, after)


def pay_fee(ctx: Context, message: messages.PayFee) -> None:
    """Pay a fee of the service."""
    cases = ctx.use(Cases)
    case = cases.case(message.case)
    if case.status in {CaseStatus.WITHDRAWN, CaseStatus.LAPSED}:
        raise errors.CaseNotOpen(case=message.case, status=case.status.value)
    fee = rules.fee_of(cases.definition_of(case), message.case, case, message.fee)

    cases.pay(message.case, case, fee, message.amount, message.blind)


def suspend(ctx: Context, message: messages.Suspend) -> None:
    """Stop the clock."""
    cases = ctx.use(Cases)
    case = cases.open_case(message.case)
    _authorise_step(ctx, message.case, case, message.office)

    cause = rules.suspension_of(cases.definition_of(case), message.case, case, message.cause)
    if cases.overdue(case):
        raise errors.WrongStop(case=message.case, cause=message.cause)

    until = cases.deadline(cause.limit)
    stop = Stop(cause.code, cause.owner, message.office, ctx.time, until, cases.left(case))
    cases.stop_clock(message.case, case, stop, message.blind)


def resume(ctx: Context, message: messages.Resume) -> None:
    """Let the clock run again."""
    cases = ctx.use(Cases)
    case = cases.running_case(message.case)
    _authorise_step(ctx, message.case, case, message.office)

    cases.run_clock(message.case, case, replace(case, blind=message.blind))


def decide(ctx: Context, message: messages.Decide) -> None:
    """Decide a case and do what its outcome says, all or nothing."""
    cases = ctx.use(Cases)
    case = cases.open_case(message.case)
    acting = _authorise_step(ctx, message.case, case, message.office)

    definition = cases.definition_of(case)
    action = rules.action_of(definition.step(case.step), message.action, decides=True)
    outcome = definition.outcome(action.to)
    rules.check_reasons(action, message.reasons)
    rules.check_drafts(definition, outcome, message)
    rules.check_fees(definition, message.case, case, outcome)
    cases.check_officials(message.case, case, ctx.sender, outcome)

    after = cases.act(message.case, case, _act_of(ctx, case, message.action, acting), message.reasons)
    after = replace(after, kind=message.kind, ground=message.ground, blind=message.blind)
    cases.end(message.case, case, after, CaseStatus.DECIDED, outcome.code)
    _write_register(ctx, definition, message, acting)


def _write_register(ctx: Context, definition: ServiceDefinition, message: messages.Decide, acting: Acting) -> None:
    """What an outcome leaves in the registers; a record of another register than the service's is refused."""
    registry, record = ctx.use(Registry), message.papers_of
    for old in (message.closes, message.papers_of):
        if old is not None and registry.record(old).registry != definition.registry:
            raise errors.WrongRegister(record=old, registry=definition.registry)
    if message.record is not None:
        registry.open(message.record, acting.office)
        record = message.record.record
    for draft in message.persons:
        ctx.use(Identity).register_draft(draft)
    if message.closes is not None:
        registry.close(message.closes, acting.office, message.blind)
    if record is not None:
        for paper in message.papers:
            registry.issue(record, paper, acting)


def withdraw(ctx: Context, message: messages.Withdraw) -> None:
    """The requester takes the request back."""
    cases = ctx.use(Cases)
    case = cases.case(message.case)
    definition = cases.definition_of(case)
    if ctx.sender != case.requester or not definition.withdrawal:
        raise errors.CannotWithdraw(case=message.case)

    cases.running_case(message.case)

    after = replace(case, blind=message.blind)
    cases.end(message.case, case, after, CaseStatus.WITHDRAWN, definition.withdrawal)


def appeal(ctx: Context, message: messages.Appeal) -> None:
    """The requester challenges a decision."""
    cases = ctx.use(Cases)
    case = cases.case(message.case)
    definition = cases.definition_of(case)

    decided = case.status is CaseStatus.DECIDED and ctx.time <= case.due
    open_to_appeal = decided and definition.outcome(case.outcome).writes == "nothing"
    bodies = definition.appeal.to[case.heard :]
    if ctx.sender != case.requester or not open_to_appeal or message.institution not in bodies:
        raise errors.CannotAppeal(case=message.case, institution=message.institution)

    after = replace(cases.attach(message.case, case, [message.content]), blind=message.blind)
    cases.appeal(message.case, case, after, message.institution)


def rule(ctx: Context, message: messages.Rule) -> None:
    """The body appealed to rules."""
    cases = ctx.use(Cases)
    case = cases.case(message.case)
    if case.status is not CaseStatus.APPEALED:
        raise errors.NotAppealed(case=message.case)
    cases.check_ruler(message.case, case, ctx.sender, message.office)

    if message.ruling is Ruling.UPHELD:
        cases.uphold(message.case, case, message.blind)
    else:
        cases.overturn(message.case, case, message.blind)


HANDLERS: dict[type[Message], Handler] = {
    messages.Publish: publish,
    messages.Open: open,
    messages.Act: act,
    messages.Claim: claim,
    messages.Refer: refer,
    messages.AttachEvidence: attach_evidence,
    messages.PayFee: pay_fee,
    messages.Suspend: suspend,
    messages.Resume: resume,
    messages.Decide: decide,
    messages.Withdraw: withdraw,
    messages.Appeal: appeal,
    messages.Rule: rule,
}
