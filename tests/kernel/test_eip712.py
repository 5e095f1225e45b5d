"""Wallets: the typed data of a transaction, hashed as every wallet hashes it and made again by the verifier."""

import json
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from eth_account import Account
from eth_account.messages import _hash_eip191_message, encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta, Struct

from kerege.kernel import crypto
from kerege.kernel.authenticators import eip712, secp256k1, typed
from kerege.kernel.messages import Message, any_account
from kerege.kernel.transaction import Body, Decoder, Transaction, encode_body
from kerege.kernel.types import Address, Amount, Code, Hash, Identifier, Time
from kerege.testing.signers import WalletSigner
from kerege.testing.wallet import hash_typed_data
from tests.kernel import signed

SECRET = b"\x33" * 32

# eth-account's vectors

FOLDER = Path(__file__).parents[2] / "../shared/vectors/eip712"


def _documents(*names: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in names:
        path = FOLDER / f"{name}.json"
        read = json.loads(path.read_text()) if path.exists() else {}
        found |= {name: read} if "types" in read else {f"{name}: {each}": read[each] for each in read}
    return found


GOOD = _documents(
    "valid_eip712_example",
    "valid_eip712_example_with_array",
    "valid_for_all",
    "valid_message_nested_structs",
    "valid_py_and_metamask",
)
BAD = _documents("invalid")


def oracle(document: dict[str, Any]) -> bytes:
    """The digest as eth-account makes it."""
    return bytes(_hash_eip191_message(encode_typed_data(full_message=document)))


def test_the_vectors_are_there() -> None:
    if not FOLDER.exists():
        pytest.skip("no ../shared/vectors/eip712")
    assert (len(GOOD), len(BAD)) == (16, 8)


@pytest.mark.parametrize("name", GOOD)
def test_valid_documents_hash_as_in_eth_account(name: str) -> None:
    assert hash_typed_data(GOOD[name]) == oracle(GOOD[name])


@pytest.mark.parametrize("name", BAD)
def test_invalid_documents_are_refused(name: str) -> None:
    with pytest.raises((TypeError, ValueError)):
        hash_typed_data(BAD[name])


def test_the_standards_own_example() -> None:
    # EIP-712, "Example.sol" and "Example.js": digest of "Hello, Bob!".
    person = (("name", "string"), ("wallet", "address"))
    mail = (("from", "Person"), ("to", "Person"), ("contents", "string"))
    domain = {
        "name": "Ether Mail",
        "version": "1",
        "chainId": 1,
        "verifyingContract": bytes.fromhex("CcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"),
    }
    types = {"Person": person, "Mail": mail, "EIP712Domain": typed.DOMAIN}
    schema = eip712.Schema(types, lambda value, field: value[field])
    assert schema.encode_type("Mail") == (
        "Mail(Person from,Person to,string contents)Person(string name,address wallet)"
    )
    cow = {"name": "Cow", "wallet": bytes.fromhex("CD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826")}
    bob = {"name": "Bob", "wallet": bytes.fromhex("bBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB")}
    hashed = schema.hash_struct("Mail", {"from": cow, "to": bob, "contents": "Hello, Bob!"})
    digest = eip712.digest(schema.hash_struct("EIP712Domain", domain), hashed)
    assert digest.hex() == "be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("string", b"x"),
        ("string", 1),
        ("bytes", "x"),
        ("bytes4", b"abc"),
        ("bytes4", "abcd"),
        ("bool", 1),
        ("bool", None),
        ("address", bytes(19)),
        ("address", "0x" + "00" * 20),
        ("uint8", 256),
        ("uint8", -1),
        ("int8", 128),
        ("int8", -129),
        ("uint256", True),
        ("uint256", "1"),
        ("uint256[]", 1),
        ("uint256[2]", [1]),
        ("uint256[2]", [1, 2, 3]),
    ],
)
def test_values_that_are_not_of_their_type_are_refused(kind: str, value: Any) -> None:
    schema = eip712.Schema({"T": (("a", kind),)}, lambda given, field: given[field])
    with pytest.raises((TypeError, ValueError)):
        schema.hash_struct("T", {"a": value})


@pytest.mark.parametrize(
    "kind", ["uint7", "uint264", "uint0", "uint08", "bytes33", "bytes0", "int", "Person", "x[0]", "string[", ""]
)
def test_types_that_do_not_exist_are_refused(kind: str) -> None:
    schema = eip712.Schema({"T": (("a", kind),)}, lambda given, field: given[field])
    with pytest.raises(ValueError, match="not defined"):
        schema.hasher("T")


# Messages


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Plot(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    code: Code
    owner: Address
    parts: tuple[tuple[Identifier, int], ...]


class Tree(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    name: str
    branches: list["Tree"]


class Everything(Message, frozen=True, tag="test.Everything.2"):
    """A field of every shape, two of them named as the header's."""

    SENDERS: ClassVar = any_account

    to: Address
    amount: Amount
    change: Annotated[int, Meta(ge=-(2**40), le=2**40)]
    ledger: Code
    transaction: Identifier
    hash: Hash
    raw: Annotated[bytes, Meta(max_length=99)]
    yes: bool
    until: Time | None
    plot: Plot
    other: Plot | None
    colour: Colour
    word: Literal["one", "two"]
    plots: list[Plot]
    pair: tuple[int, str]
    tree: Tree
    anything: Any
    union: int | str


DECODER = Decoder((Everything,))

CODES = st.text("abcxyz/.-", min_size=1, max_size=20)
PLOTS = st.builds(
    Plot,
    CODES,
    st.binary(min_size=20, max_size=20),
    st.lists(st.tuples(st.binary(min_size=16, max_size=16), st.integers(-(2**60), 2**60)), max_size=3).map(tuple),
)
TEXT = st.text(max_size=20)
TREES = st.builds(Tree, TEXT, st.lists(st.builds(Tree, TEXT, st.just([])), max_size=2))
MESSAGES = st.builds(
    Everything,
    st.binary(min_size=20, max_size=20),
    st.integers(0, 2**63 - 1),
    st.integers(-(2**40), 2**40),
    CODES,
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=32, max_size=32),
    st.binary(max_size=99),
    st.booleans(),
    st.none() | st.integers(0, 2**53 - 1),
    PLOTS,
    st.none() | PLOTS,
    st.sampled_from(Colour),
    st.sampled_from(["one", "two"]),
    st.lists(PLOTS, max_size=2),
    st.tuples(st.integers(-5, 5), TEXT),
    TREES,
    st.none() | st.integers(0, 9) | TEXT | st.lists(st.integers(0, 9), max_size=3),
    st.integers(0, 9) | TEXT,
)


@settings(max_examples=60, deadline=None)
@given(MESSAGES, st.integers(0, 2**64 - 1))
def test_eth_account_signs_what_the_verifier_expects(message: Everything, chain_id: int) -> None:
    wallet = WalletSigner(SECRET, chain_id=chain_id)
    body = Body("kg-test", wallet.address, 3, 4, 5, bytes(16), [message])
    identifier = crypto.sha256(encode_body(body))
    document = json.loads(json.dumps(crypto.typed_data(body, identifier, chain_id)))
    digest = typed.digest(body, identifier, chain_id)
    assert digest == hash_typed_data(document) == oracle(document)
    given_by_wallet = Account.sign_typed_data(SECRET, full_message=document).signature
    assert wallet.witness(body).signature == chain_id.to_bytes(8) + bytes(given_by_wallet)[:64]


@settings(max_examples=60, deadline=None)
@given(MESSAGES)
def test_decoded_transactions_of_every_shape_verify(message: Everything) -> None:
    body = Body("kg-test", signed.WALLET.address, 3, 4, 5, bytes(16), [message])
    transaction = DECODER.transaction(signed.WALLET.transaction(body))
    assert crypto.verify(3, transaction.witness.key, transaction, transaction.witness.signature)


def test_what_a_wallet_shows() -> None:
    body = signed.body_of(signed.WALLET)
    document = crypto.typed_data(body, b"\x77" * 32, 56)
    assert document["primaryType"] == "test_Pay"
    assert document["domain"] == {
        "name": "Kerege",
        "version": "1",
        "chainId": 56,
        "verifyingContract": "0x" + "00" * 20,
    }
    assert [(field["type"], field["name"]) for field in document["types"]["test_Pay"]] == [
        ("address", "to"),
        ("string", "currency"),
        ("uint256", "amount"),
        ("address", "sender"),
        ("string", "ledger"),
        ("uint256", "valid_until"),
        ("bytes32", "transaction"),
    ]
    assert document["message"] == {
        "to": "0x" + "44" * 20,
        "currency": "KGS",
        "amount": "500",
        "sender": "0x" + signed.WALLET.address.hex(),
        "ledger": "kg-test",
        "valid_until": "1700000000000",
        "transaction": "0x" + "77" * 32,
    }


def test_the_forms_of_all_shapes() -> None:
    plan = typed.plan_of(Everything)
    assert plan.primary == "test_Everything_2"
    assert dict(plan.types[plan.primary]) == {
        "to": "address",
        "amount": "uint256",
        "change": "int256",
        "ledger_": "string",
        "transaction_": "bytes16",
        "hash": "bytes32",
        "raw": "bytes",
        "yes": "bool",
        "until": "uint256[]",
        "plot": "Plot",
        "other": "Plot[]",
        "colour": "string",
        "word": "string",
        "plots": "Plot[]",
        "pair": "test_Everything_2_pair",
        "tree": "Tree",
        "anything": "bytes",
        "union": "bytes",
        "sender": "address",
        "ledger": "string",
        "valid_until": "uint256",
        "transaction": "bytes32",
    }
    assert plan.types["Plot"] == (("code", "string"), ("owner", "address"), ("parts", "Plot_parts[]"))
    assert plan.types["Plot_parts"] == (("item1", "bytes16"), ("item2", "int256"))
    assert plan.types["Tree"] == (("name", "string"), ("branches", "Tree[]"))


def test_two_structs_of_one_name_are_refused() -> None:
    def other() -> type[Struct]:
        class Plot(Struct, frozen=True, array_like=True):
            code: str

        return Plot

    clash: Any = other()

    class Clash(Message, frozen=True, tag="test.Clash"):
        first: Plot
        second: clash

    with pytest.raises(TypeError, match="under the name Plot"):
        typed.plan_of(Clash)


# Refusals


class _Lying:
    """A body that says one thing under the id of another."""

    def __init__(self, true: Transaction, shown: Body) -> None:
        self.id, self.body = true.id, shown


def test_what_was_shown_is_what_is_verified() -> None:
    good = signed.signed_by(signed.WALLET)
    witness = good.witness
    other = signed.body_of(signed.WALLET)
    other.messages[0] = signed.Pay(b"\x44" * 20, "KGS", 501)
    assert crypto.verify(3, witness.key, good, witness.signature)
    assert not crypto.verify(3, witness.key, _Lying(good, other), witness.signature)
    elsewhere = signed.body_of(signed.WALLET, ledger="uz-test")
    assert not crypto.verify(3, witness.key, _Lying(good, elsewhere), witness.signature)


def test_two_messages_are_refused() -> None:
    signer = signed.WALLET
    two = signed.body_of(signer, messages=2)
    identifier = crypto.sha256(encode_body(two))
    one = Body(two.ledger, two.sender, two.lane, two.sequence, two.valid_until, two.salt, two.messages[:1])
    signature = signer._sign(one, identifier)
    assert typed.verify(signer.key, one, identifier, signature)
    assert not typed.verify(signer.key, two, identifier, signature)
    none = Body(two.ledger, two.sender, two.lane, two.sequence, two.valid_until, two.salt, [])
    assert not typed.verify(signer.key, none, identifier, signature)


def test_any_chain_id_is_taken_and_none_can_be_changed() -> None:
    for chain_id in (0, 1, 56, 2**64 - 1):
        wallet = WalletSigner(SECRET, chain_id=chain_id)
        transaction = signed.signed_by(wallet)
        signature = transaction.witness.signature
        assert crypto.verify(3, wallet.key, transaction, signature)
        assert not crypto.verify(3, wallet.key, transaction, (chain_id ^ 1).to_bytes(8) + signature[8:])


def test_the_higher_s_is_refused() -> None:
    transaction = signed.signed_by(signed.WALLET)
    signature = transaction.witness.signature
    s = int.from_bytes(signature[40:])
    assert s <= secp256k1.ORDER // 2
    high = signature[:40] + (secp256k1.ORDER - s).to_bytes(32)
    assert not crypto.verify(3, signed.WALLET.key, transaction, high)


@pytest.mark.parametrize("r", [0, secp256k1.ORDER, 2**256 - 1])
@pytest.mark.parametrize("s", [0, secp256k1.ORDER, 2**256 - 1])
def test_integers_out_of_bounds_are_refused(r: int, s: int) -> None:
    transaction = signed.signed_by(signed.WALLET)
    assert not crypto.verify(3, signed.WALLET.key, transaction, bytes(8) + r.to_bytes(32) + s.to_bytes(32))


def test_a_message_that_no_wallet_can_show_is_refused_not_raised() -> None:
    class Bare(Struct, frozen=True, array_like=True, tag="test.two words"):
        a: int

    body = Body("kg-test", signed.WALLET.address, 0, 0, 1, bytes(16), [Bare(1)])
    assert not typed.verify(signed.WALLET.key, body, bytes(32), bytes(72))
