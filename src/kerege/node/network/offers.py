"""What an institution brings to a network: public keys, each proven, and the address at which others reach it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct
from nacl.signing import SigningKey

from kerege.kernel import crypto
from kerege.kernel.codec import encode
from kerege.modules.authority.rules import possession_payload
from kerege.modules.authority.types import NodeKeyKind
from kerege.node.genesis import ValidatorPost
from kerege.node.home import HomeError, write_private
from kerege.node.network import keys as own
from kerege.node.network.binary import find_engine
from kerege.node.network.document import address_of
from kerege.node.network.engines import begin_engine
from kerege.node.network.layout import NODE, Member, engine_of, member_home
from kerege.node.network.ports import EACH
from kerege.node.network.refusals import BadOffer, OfferForAnotherNetwork, OfferMade, OfferUnproven

POWER = 10
"""Votes of each founding institution: all weigh the same."""
_MARK = b"kerege/offer/1"

_Key = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
_Signature = Annotated[str, Meta(pattern=r"\A[0-9a-f]{128}\Z")]
_Ledger = Annotated[str, Meta(pattern=r"\A[0-9A-Za-z._-]{1,50}\Z")]
"""It is also the engine's name of the chain, which has 50 characters at most."""
_Institution = Annotated[str, Meta(max_length=64, pattern=r"\A\w[\w.:-]*\Z")]
"""It is also a folder's name."""
_Host = Annotated[str, Meta(max_length=253, pattern=r"\A([0-9A-Za-z.-]+|\[[0-9A-Fa-f:]+\])\Z")]


class Offer(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A member as its institution offers it; whoever holds its keys has signed all of this with each of them."""

    format: Literal["kerege-offer/1"] = "kerege-offer/1"
    ledger: _Ledger
    """Name of the network: an offer for one is none for another."""
    institution: _Institution
    host: _Host
    """Where the others reach its engine."""
    port: Annotated[int, Meta(ge=1_024, le=65_536 - EACH)]
    """The first of its neighbouring ports."""
    keys: dict[str, _Key]
    """Public keys by use: those of a validator, or those of the node."""
    registrations: dict[str, _Signature]
    """Signature of each key that the ledger knows over its own registration, as `authority.RegisterNodeKey` has it."""
    proofs: dict[str, _Signature]
    """Signature of each key over all of the above."""

    @property
    def votes(self) -> bool:
        """Whether it is a validator; else it is the node."""
        return own.CONSENSUS in self.keys

    @property
    def name(self) -> str:
        """The member's name."""
        return self.institution if self.votes else NODE

    @property
    def member(self) -> Member:
        """The member as a network's folder names it."""
        peers, rpc, metrics, watch = range(self.port, self.port + EACH)
        if not self.votes:
            return Member(NODE, votes=False, peers=peers, rpc=rpc, metrics=metrics, host=self.host, watch=watch)
        checkpoint = self.keys[own.CHECKPOINT]
        return Member(self.name, True, peers, rpc, metrics, self.host, POWER, checkpoint, watch)  # noqa: FBT003 - fields

    @property
    def post(self) -> ValidatorPost:
        """The validator as genesis names it."""
        return ValidatorPost(self.institution, self.key(own.CONSENSUS), self.key(own.CHECKPOINT), POWER)

    @property
    def peer(self) -> str:
        """Where its engine is reached, and who must answer there, as engines write it."""
        return f"{address_of(self.key(own.CONNECTION))}@{self.host}:{self.port}"

    @property
    def raw(self) -> bytes:
        """The file."""
        return msgspec.json.format(msgspec.json.encode(self, order="deterministic"), indent=1) + b"\n"

    def key(self, use: str) -> bytes:
        """The public key of a use."""
        return bytes.fromhex(self.keys[use])

    def payload(self, use: str) -> bytes:
        """What the key of a use signs to prove that its holder offers just this."""
        said = sorted(self.keys.items()), sorted(self.registrations.items())
        return _MARK + encode((use, self.ledger, self.institution, self.host, self.port, *said))


def make_offer(home: Path, ledger: str, institution: str, host: str, port: int, *, votes: bool = True) -> Offer:
    """Draw the keys of a member in its home, which they never leave, and write its offer there; raises `HomeError`."""
    drawn = own.draw_keys(votes=votes)
    offer = _signed(drawn, ledger, institution, host, port)
    place = member_home(home, offer.name, votes=votes)
    if place.offer.exists():
        raise OfferMade(place.offer)
    if place.about.exists():
        reason = f"{place.path} is a home already: choose another folder for a new member."
        raise HomeError(reason)
    begin_engine(find_engine(), engine_of(place))
    own.write_keys(place, drawn)
    write_private(place.offer, offer.raw, mode=0o644)
    return offer


def _signed(drawn: Mapping[str, SigningKey], ledger: str, institution: str, host: str, port: int) -> Offer:
    public = {use: bytes(key.verify_key) for use, key in drawn.items()}
    registrations = {
        use: _sign(key, possession_payload(ledger, NodeKeyKind(use), institution, public[use]))
        for use, key in drawn.items()
        if use != own.CONNECTION
    }
    keys = {use: key.hex() for use, key in public.items()}
    bare = Offer(
        ledger=ledger,
        institution=institution,
        host=host,
        port=port,
        keys=keys,
        registrations=registrations,
        proofs={},
    )
    proofs = {use: _sign(key, bare.payload(use)) for use, key in drawn.items()}
    return read_offer(msgspec.structs.replace(bare, proofs=proofs).raw, "what was asked for")


def _sign(key: SigningKey, payload: bytes) -> str:
    return key.sign(payload).signature.hex()


def read_offer(raw: bytes, source: str) -> Offer:
    """The offer of a file, proven; raises `BadOffer` or `OfferUnproven`. `source` names the file in a refusal."""
    try:
        offer = msgspec.json.decode(raw, type=Offer)
    except msgspec.DecodeError as error:
        raise BadOffer(source, str(error)) from None
    check_offer(offer, source)
    return offer


def check_offer(offer: Offer, source: str) -> None:
    """Raise `BadOffer`, or `OfferUnproven`, unless each of its keys is one and says so."""
    if set(offer.keys) not in ({*own.OF_VALIDATOR}, {*own.OF_NODE}):
        raise BadOffer(source, f"it has keys for {', '.join(sorted(offer.keys)) or 'nothing'}")
    if len(set(offer.keys.values())) != len(offer.keys):
        raise BadOffer(source, "one key stands for two uses")
    for said in (offer.proofs, offer.registrations):
        if not set(said) <= set(offer.keys):
            raise BadOffer(source, "it has signatures of keys that it does not bring")
    for use in offer.keys:
        _check_proven(offer, use)


def _check_proven(offer: Offer, use: str) -> None:
    key = offer.key(use)
    fault = crypto.key_fault(crypto.ED25519, key)
    if fault:
        raise OfferUnproven(offer.institution, use, f"nothing is provable ({fault})")
    asked = {"offer": (offer.proofs, offer.payload(use))}
    if use != own.CONNECTION:
        payload = possession_payload(offer.ledger, NodeKeyKind(use), offer.institution, key)
        asked["registration"] = (offer.registrations, payload)
    for what, (given, payload) in asked.items():
        if use not in given:
            raise OfferUnproven(offer.institution, use, f"the {what} has no signature")
        if not crypto.ed25519_verify(key, payload, bytes.fromhex(given[use])):
            raise OfferUnproven(offer.institution, use, f"the {what} has a wrong signature")


def check_network(offer: Offer, ledger: str) -> None:
    """Raise `OfferForAnotherNetwork` unless it was made for the network of this name."""
    if offer.ledger != ledger:
        raise OfferForAnotherNetwork(offer.institution, offer.ledger, ledger)
