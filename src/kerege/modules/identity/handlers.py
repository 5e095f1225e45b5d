"""What happens to identity's messages: authorise, check, change."""

from kerege.kernel.context import Context, Handler
from kerege.kernel.messages import Message
from kerege.modules.authority.keeper import Authority
from kerege.modules.identity.keeper import Identity
from kerege.modules.identity.messages import (
    AmendPin,
    EndGuardianship,
    EndLink,
    LinkAccount,
    RaiseAssurance,
    RecordGuardianship,
    RegisterPerson,
)


def _authorise(ctx: Context, message: Message, office: str) -> None:
    ctx.use(Authority).acting_as_any(ctx.sender, message.SENDERS.roles, office)


def register_person(ctx: Context, message: RegisterPerson) -> None:
    """Enter a person under a pseudonym."""
    _authorise(ctx, message, message.office)

    ctx.use(Identity).check_free(message.person)

    ctx.use(Identity).register(
        message.person, message.kind, message.sector, message.assurance, message.pin, message.blind
    )


def raise_assurance(ctx: Context, message: RaiseAssurance) -> None:
    """Set a higher level of assurance."""
    _authorise(ctx, message, message.office)

    identity = ctx.use(Identity)
    person = identity.person(message.person)
    identity.check_higher(person, message.assurance)

    identity.raise_assurance(message.person, person, message.assurance, message.blind)


def link_account(ctx: Context, message: LinkAccount) -> None:
    """Begin a link of account and person."""
    _authorise(ctx, message, message.office)

    ctx.use(Identity).link(message.link, message.commitment, message.blind)


def end_link(ctx: Context, message: EndLink) -> None:
    """End a link."""
    _authorise(ctx, message, message.office)

    link = ctx.use(Identity).link_in_force(message.link)

    ctx.use(Identity).end_link(message.link, link, message.blind)


def record_guardianship(ctx: Context, message: RecordGuardianship) -> None:
    """Begin a guardianship."""
    _authorise(ctx, message, message.office)

    ctx.use(Identity).record_guardianship(message.guardianship, message.commitment, message.blind)


def end_guardianship(ctx: Context, message: EndGuardianship) -> None:
    """End a guardianship."""
    _authorise(ctx, message, message.office)

    row = ctx.use(Identity).guardianship_in_force(message.guardianship)

    ctx.use(Identity).end_guardianship(message.guardianship, row, message.blind)


def amend_pin(ctx: Context, message: AmendPin) -> None:
    """Amend a person's PIN with a line of history."""
    _authorise(ctx, message, message.office)

    identity = ctx.use(Identity)
    person = identity.person(message.person)
    identity.check_pin_amendable(message.person, person, message.after)

    identity.amend_pin(message.person, person, message.kind, message.after, message.office, message.blind)


HANDLERS: dict[type[Message], Handler] = {
    RegisterPerson: register_person,
    RaiseAssurance: raise_assurance,
    LinkAccount: link_account,
    EndLink: end_link,
    RecordGuardianship: record_guardianship,
    EndGuardianship: end_guardianship,
    AmendPin: amend_pin,
}
