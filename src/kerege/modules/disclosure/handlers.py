"""What happens to the messages of disclosure: authorise, check, change."""

from kerege.kernel.context import Context, Handler
from kerege.kernel.messages import Message
from kerege.modules.disclosure import errors, messages
from kerege.modules.disclosure.keeper import Disclosure
from kerege.modules.disclosure.types import Consent, Job, Look


def request_access(ctx: Context, message: messages.RequestAccess) -> None:
    """Grant or deny a look: both are applied, so that both are seen."""
    disclosure = ctx.use(Disclosure)
    role, denial = disclosure.judge(message.case, message.office, message.fields)

    disclosure.check_free(message.access)
    for name, listed in (("fields", message.fields), ("references", message.references)):
        if len(dict.fromkeys(listed)) != len(listed):
            raise errors.NamedTwice(field=name)

    row = Look(
        case=message.case,
        officer=ctx.sender,
        office=message.office,
        role=role,
        ground=message.ground,
        references=message.references,
        fields=message.fields,
        denial="" if denial is None else denial.value,
        at=ctx.time,
        until=(disclosure.term() or ctx.time) if denial is None else ctx.time,
        blind=message.blind,
    )
    disclosure.record_look(message.access, row)


def start_job(ctx: Context, message: messages.StartJob) -> None:
    """Announce a machine job."""
    ctx.use(Disclosure).check_free(message.job)

    ctx.use(Disclosure).start_job(message.job, Job(message.kind, ctx.sender, ctx.time))


def record_erasure(ctx: Context, message: messages.RecordErasure) -> None:
    """Put a tombstone on the ledger."""
    ctx.use(Disclosure).erase(message.tombstone)


def give_consent(ctx: Context, message: messages.GiveConsent) -> None:
    """Give a consent."""
    ctx.use(Disclosure).check_free(message.consent)

    row = Consent(message.commitment, ctx.time, None, ctx.sender, message.blind)
    ctx.use(Disclosure).give_consent(message.consent, row)


def withdraw_consent(ctx: Context, message: messages.WithdrawConsent) -> None:
    """Withdraw a consent."""
    ctx.use(Disclosure).withdraw_consent(message.consent, message.blind)


HANDLERS: dict[type[Message], Handler] = {
    messages.RequestAccess: request_access,
    messages.StartJob: start_job,
    messages.RecordErasure: record_erasure,
    messages.GiveConsent: give_consent,
    messages.WithdrawConsent: withdraw_consent,
}
