"""A ledger of one message for the tests of signatures: real bodies, decoded as the machine decodes them."""

from typing import Annotated, ClassVar

from msgspec import Meta

from kerege.kernel.messages import Message, any_account
from kerege.kernel.transaction import Body, Decoder, Transaction
from kerege.kernel.types import Address, Amount, Currency
from kerege.testing.signers import Ed25519Signer, PasskeySigner, Signer, WalletSigner

ED25519 = Ed25519Signer(b"\x11" * 32)
PASSKEY = PasskeySigner(b"\x22" * 32)
WALLET = WalletSigner(b"\x33" * 32)
SIGNERS: tuple[Signer, ...] = (ED25519, PASSKEY, WALLET)


class Pay(Message, frozen=True, tag="test.Pay"):
    """Move money."""

    SENDERS: ClassVar = any_account

    to: Annotated[Address, Meta(description="Receiver.")]
    currency: Currency
    amount: Amount


DECODER = Decoder((Pay,))


def body_of(signer: Signer, *, ledger: str = "kg-test", sequence: int = 0, messages: int = 1) -> Body:
    """A body of `messages` payments."""
    paid: list[Message] = [Pay(b"\x44" * 20, "KGS", 500 + number) for number in range(messages)]
    return Body(ledger, signer.address, 0, sequence, 1_700_000_000_000, b"\x55" * 16, paid)


def signed_by(signer: Signer, *, ledger: str = "kg-test", sequence: int = 0, messages: int = 1) -> Transaction:
    """A decoded transaction of that body."""
    return DECODER.transaction(signer.transaction(body_of(signer, ledger=ledger, sequence=sequence, messages=messages)))
