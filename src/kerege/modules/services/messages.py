"""What can be asked of services: by officials and by those who request, for every service alike."""

from typing import Annotated, ClassVar

from msgspec import Meta

from kerege.kernel.messages import Message, Senders, any_account, authority
from kerege.kernel.types import Address, Amount, Blind, Code, Commitment, Identifier
from kerege.modules.identity.types import PersonDraft
from kerege.modules.registries.types import CertificateDraft, RecordDraft
from kerege.modules.services.types import Optional, RulingWord

ClaimCode = Annotated[
    bytes,
    Meta(min_length=32, max_length=32, extra={"form": "claim", "plain": "random, used once", "readers": "public"}),
]
"""What a notifier hands to who will request."""

_CASE = Meta(description="The case's random id.")
_OFFICE = Meta(description="Office in which the sender acts; empty for the requester.")
_BLIND = Meta(description="Random bytes for the stored leaf.")
_REASONS = Meta(max_length=16, description="Reason codes of the definition.")


class Publish(Message, frozen=True, tag="services.Publish"):
    """Publish a version of a service definition."""

    SENDERS: ClassVar[Senders] = authority("government")
    WEIGHT: ClassVar[int] = 100

    definition: Annotated[
        bytes,
        Meta(
            max_length=200_000,
            description="Canonical bytes of the definition.",
            extra={"plain": "law, public", "readers": "public"},
        ),
    ]


class Open(Message, frozen=True, tag="services.Open"):
    """Begin a case: as who requests it, or as an office that notifies or acts of its own."""

    SENDERS: ClassVar[Senders] = any_account

    case: Annotated[Identifier, Meta(description="Random id of the case.")]
    service: Annotated[Code, Meta(description="Service.")]
    step: Annotated[Code, Meta(description="First step, one of the definition's starts.")]
    office: Annotated[Optional, _OFFICE]
    content: Annotated[Commitment, Meta(description="Root over the commitments of the request's fields.")]
    claim: Annotated[Commitment | None, Meta(description="Commitment to a claim code for who will request.")]
    parties: Annotated[list[Address], Meta(max_length=8, description="Other accounts known to be party.")]
    blind: Annotated[Blind, _BLIND]


class Act(Message, frozen=True, tag="services.Act"):
    """Take an action of the step that is due: to a later step, or back to an earlier one."""

    SENDERS: ClassVar[Senders] = any_account

    case: Annotated[Identifier, _CASE]
    office: Annotated[Optional, _OFFICE]
    action: Annotated[Code, Meta(description="Action of the step.")]
    reasons: Annotated[list[Code], _REASONS]
    next_office: Annotated[
        Optional,
        Meta(description="Office for the next step where the definition leaves it to the place or the requester."),
    ]
    content: Annotated[Commitment | None, Meta(description="New root over the request's fields, if they changed.")]
    claim: Annotated[ClaimCode | None, Meta(description="Claim code, where a notified requester takes the case.")]
    evidence: Annotated[list[Commitment], Meta(max_length=16, description="Commitments to evidence attached.")]
    blind: Annotated[Blind, _BLIND]


class Claim(Message, frozen=True, tag="services.Claim"):
    """An official takes a case from the office's queue, or gives it to a colleague of the same role."""

    SENDERS: ClassVar[Senders] = any_account

    case: Annotated[Identifier, _CASE]
    office: Annotated[Optional, _OFFICE]
    official: Annotated[Address | None, Meta(description="Who takes it; none puts it back into the queue.")]
    blind: Annotated[Blind, _BLIND]


class Refer(Message, frozen=True, tag="services.Refer"):
    """Put the step before another office: by the requester who chose the office, or by a body of appeal.

    For an office where everyone is party, that has too few officials for two pairs of eyes, or that was closed.
    """

    SENDERS: ClassVar[Senders] = any_account

    case: Annotated[Identifier, _CASE]
    office: Annotated[Optional, _OFFICE]
    to: Annotated[Code, Meta(description="Office that shall handle the step.")]
    blind: Annotated[Blind, _BLIND]


class AttachEvidence(Message, frozen=True, tag="services.AttachEvidence"):
    """Add evidence to a case before its end.

    Where the clock stands because the requester owes something, what the requester brings lets it run again.
    """

    SENDERS: ClassVar[Senders] = any_account

    case: Annotated[Identifier, _CASE]
    office: Annotated[Optional, _OFFICE]
    evidence: Annotated[list[Commitment], Meta(min_length=1, max_length=16, description="Commitments to evidence.")]
    blind: Annotated[Blind, _BLIND]


class PayFee(Message, frozen=True, tag="services.PayFee"):
    """Pay a fee of the service, for oneself or for another: the amount is a dated parameter."""

    SENDERS: ClassVar[Senders] = any_account

    case: Annotated[Identifier, _CASE]
    fee: Annotated[Code, Meta(description="Fee of the definition.")]
    amount: Annotated[Amount, Meta(description="Minor units that the payer agrees to pay.")]
    blind: Annotated[Blind, _BLIND]


class Suspend(Message, frozen=True, tag="services.Suspend"):
    """Stop the clock of the step for a cause that the definition allows, with its owner and end."""

    SENDERS: ClassVar[Senders] = any_account

    case: Annotated[Identifier, _CASE]
    office: Annotated[Optional, _OFFICE]
    cause: Annotated[Code, Meta(description="Suspension of the definition.")]
    blind: Annotated[Blind, _BLIND]


class Resume(Message, frozen=True, tag="services.Resume"):
    """Let the clock run again."""

    SENDERS: ClassVar[Senders] = any_account

    case: Annotated[Identifier, _CASE]
    office: Annotated[Optional, _OFFICE]
    blind: Annotated[Blind, _BLIND]


class Decide(Message, frozen=True, tag="services.Decide"):
    """Decide a case: its outcome writes the register and issues papers in the same transaction.

    An amendment, of whatever kind, brings `closes`, `kind` and `ground` and nothing else.
    """

    SENDERS: ClassVar[Senders] = any_account
    WEIGHT: ClassVar[int] = 5

    case: Annotated[Identifier, _CASE]
    office: Annotated[Optional, _OFFICE]
    action: Annotated[Code, Meta(description="Deciding action of the step.")]
    reasons: Annotated[list[Code], _REASONS]
    record: Annotated[RecordDraft | None, Meta(description="Record that the outcome opens.")]
    persons: Annotated[list[PersonDraft], Meta(max_length=4, description="Persons that are registered with it.")]
    closes: Annotated[Identifier | None, Meta(description="Record that an amendment closes.")]
    kind: Annotated[Commitment | None, Meta(description="Commitment to the kind of amendment.")]
    ground: Annotated[Commitment | None, Meta(description="Commitment to the ground document.")]
    papers_of: Annotated[Identifier | None, Meta(description="Live record that the papers are of, if not the new one.")]
    papers: Annotated[list[CertificateDraft], Meta(max_length=4, description="Certificates issued.")]
    blind: Annotated[Blind, _BLIND]


class Withdraw(Message, frozen=True, tag="services.Withdraw"):
    """The requester takes the request back before it is decided."""

    SENDERS: ClassVar[Senders] = any_account

    case: Annotated[Identifier, _CASE]
    blind: Annotated[Blind, _BLIND]


class Appeal(Message, frozen=True, tag="services.Appeal"):
    """The requester challenges the decision before the body that the definition names."""

    SENDERS: ClassVar[Senders] = any_account

    case: Annotated[Identifier, _CASE]
    institution: Annotated[Code, Meta(description="Institution appealed to.")]
    content: Annotated[Commitment, Meta(description="Commitment to the reasons of the appeal.")]
    blind: Annotated[Blind, _BLIND]


class Rule(Message, frozen=True, tag="services.Rule"):
    """The body appealed to upholds the decision, or overturns it: then the deciding step is due again."""

    SENDERS: ClassVar[Senders] = any_account

    case: Annotated[Identifier, _CASE]
    office: Annotated[Optional, _OFFICE]
    ruling: Annotated[RulingWord, Meta(description="upheld or overturned.")]
    blind: Annotated[Blind, _BLIND]
