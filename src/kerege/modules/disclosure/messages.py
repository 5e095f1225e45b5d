"""What can be asked of disclosure."""

from typing import Annotated, ClassVar

from msgspec import Meta

from kerege.kernel.messages import Message, Senders, any_account, role
from kerege.kernel.types import Blind, Code, Commitment, Hash, Identifier
from kerege.modules.disclosure.types import Fields, JobKind, References

_BLIND = Meta(description="Random bytes for the stored leaf.")


class RequestAccess(Message, frozen=True, tag="disclosure.RequestAccess"):
    """Ask to see personal data for a case; granted or denied, the request stays on the ledger."""

    SENDERS: ClassVar[Senders] = any_account

    access: Annotated[Identifier, Meta(description="Random id of the request.")]
    case: Annotated[Identifier, Meta(description="Case for whose handling it is asked.")]
    office: Annotated[Code, Meta(description="Office in which the sender asks.")]
    ground: Annotated[Code, Meta(description="Ground of the request.")]
    references: Annotated[References, Meta(description="Salted commitments to the dossiers meant.")]
    fields: Annotated[Fields, Meta(description="Fields asked for.")]
    blind: Annotated[Blind, _BLIND]


class StartJob(Message, frozen=True, tag="disclosure.StartJob"):
    """Announce a run of a machine job that opens dossiers and gives out verdicts only."""

    SENDERS: ClassVar[Senders] = role("data-protection-officer", "system-operator", "import-officer")

    job: Annotated[Identifier, Meta(description="Random id of the run.")]
    kind: Annotated[JobKind, Meta(description="check or compare.")]


class RecordErasure(Message, frozen=True, tag="disclosure.RecordErasure"):
    """Put the tombstone of an erasure on the ledger: the keys of some dossier are destroyed."""

    SENDERS: ClassVar[Senders] = role("data-protection-officer")

    tombstone: Annotated[Hash, Meta(description="Tombstone that the key service gave.")]


class GiveConsent(Message, frozen=True, tag="disclosure.GiveConsent"):
    """Agree to a use of personal data; what it is stands only inside the commitment."""

    SENDERS: ClassVar[Senders] = any_account

    consent: Annotated[Identifier, Meta(description="Random id of the consent.")]
    commitment: Annotated[Commitment, Meta(description="Commitment to use, recipient and term.")]
    blind: Annotated[Blind, _BLIND]


class WithdrawConsent(Message, frozen=True, tag="disclosure.WithdrawConsent"):
    """Withdraw a consent, as easily as it was given."""

    SENDERS: ClassVar[Senders] = any_account

    consent: Annotated[Identifier, Meta(description="The consent.")]
    blind: Annotated[Blind, _BLIND]
