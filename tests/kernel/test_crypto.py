"""Who signed, through the kernel's door: three kinds of key, one verdict, remembered or not, singly or in batches."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerege.kernel import crypto
from kerege.kernel.crypto import ED25519, SECP256K1, WEBAUTHN
from kerege.kernel.errors import BadForm
from kerege.kernel.transaction import Transaction
from tests.kernel import signed

FORMS = ["plain", "native"] if crypto.native_present() else ["plain"]
PLACES = signed.PASSKEY.settings
TRANSACTIONS = tuple(signed.signed_by(signer) for signer in signed.SIGNERS)

every_form = pytest.mark.parametrize("form", FORMS)
every_kind = pytest.mark.parametrize("transaction", TRANSACTIONS, ids=["ed25519", "webauthn", "secp256k1"])


def item_of(transaction: Transaction) -> crypto.Item:
    """What the verifier is given."""
    witness = transaction.witness
    return witness.kind, witness.key, transaction, witness.signature


def verified(kind: int, key: bytes, transaction: crypto.Signed, signature: bytes) -> bool:
    """The single verdict under the passkey's own places."""
    return crypto.verify(kind, key, transaction, signature, PLACES)


def mutations(item: crypto.Item) -> list[crypto.Item]:
    """The witness with every one bit of key and signature flipped, and cut, lengthened, of another kind."""
    kind, key, transaction, signature = item
    keys = [_flipped(key, bit) for bit in range(8 * len(key))] + [key[:-1], key + b"\0", b""]
    signatures = [_flipped(signature, bit) for bit in range(8 * len(signature))]
    signatures += [signature[:-1], signature + b"\0", b"", signature[1:]]
    return [
        *((kind, each, transaction, signature) for each in keys),
        *((kind, key, transaction, each) for each in signatures),
        *((each, key, transaction, signature) for each in (-1, 0, 1, 2, 3, 4, 2**70) if each != kind),
    ]


def _flipped(raw: bytes, bit: int) -> bytes:
    changed = bytearray(raw)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@every_kind
def test_a_good_witness_is_good(transaction: Transaction) -> None:
    assert verified(*item_of(transaction))


@every_kind
@every_form
def test_every_flipped_bit_of_a_witness_is_refused(transaction: Transaction, form: str) -> None:
    items = mutations(item_of(transaction))
    verifier = crypto.Verifier(kind=form)
    assert not any(verifier.collect(verifier.submit(items), PLACES))
    verifier.close()


@every_kind
def test_a_witness_of_another_transaction_is_refused(transaction: Transaction) -> None:
    kind, key, _, signature = item_of(transaction)
    signer = signed.SIGNERS[kind - 1]
    for other in (
        signed.signed_by(signer, ledger="uz-test"),
        signed.signed_by(signer, sequence=1),
        signed.signed_by(signed.ED25519, messages=2),
    ):
        assert not verified(kind, key, other, signature)


@every_form
def test_batches_say_what_single_checks_say(form: str) -> None:
    good = [item_of(signed.signed_by(signer, sequence=n)) for n in range(70) for signer in signed.SIGNERS]
    bad = [(kind, key, good[0][2], signature) for kind, key, _, signature in good[3:]]
    items = [item for pair in zip(good[3:], bad, strict=True) for item in pair]
    verifier = crypto.Verifier(kind=form, remembered=1_000)
    found = verifier.collect(verifier.submit(items), PLACES)
    assert found == [verified(*item) for item in items] == [True, False] * len(bad)
    assert verifier.collect(verifier.submit(items), PLACES) == found
    verifier.close()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_any_mixture_gets_the_single_verdicts(data: st.DataObject) -> None:
    pool = [item_of(each) for each in TRANSACTIONS]
    pool += [data.draw(st.sampled_from(mutations(each))) for each in pool]
    items = data.draw(st.lists(st.sampled_from(pool), max_size=12))
    expected = [verified(*item) for item in items]
    for form in FORMS:
        verifier = crypto.Verifier(kind=form, remembered=data.draw(st.sampled_from([0, 2, 4, 100])))
        first, second = verifier.submit(items), verifier.submit(items[::-1])
        assert verifier.collect(second, PLACES) == expected[::-1]
        assert verifier.collect(first, PLACES) == expected
        verifier.close()


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.integers(0, 4), st.integers()),
    st.one_of(st.binary(max_size=40), st.sampled_from([signer.key for signer in signed.SIGNERS])),
    st.one_of(st.binary(max_size=1100), st.sampled_from([each.witness.signature for each in TRANSACTIONS])),
    st.sampled_from(TRANSACTIONS),
)
def test_any_bytes_get_a_verdict(kind: int, key: bytes, signature: bytes, transaction: Transaction) -> None:
    witness = transaction.witness
    same = (kind, key, signature) == (witness.kind, witness.key, witness.signature)
    assert verified(kind, key, transaction, signature) is same
    assert isinstance(crypto.key_fault(kind, key), str)


@every_form
def test_a_ticket_is_collected_once(form: str) -> None:
    verifier = crypto.Verifier(kind=form)
    ticket = verifier.submit([item_of(TRANSACTIONS[0])])
    assert verifier.collect(ticket) == [True]
    with pytest.raises(LookupError):
        verifier.collect(ticket)
    assert verifier.collect(verifier.submit([])) == []
    verifier.close()


@every_form
def test_places_are_asked_at_collection_and_never_remembered(form: str) -> None:
    verifier, items = crypto.Verifier(kind=form, remembered=100), [item_of(each) for each in TRANSACTIONS]
    assert verifier.collect(verifier.submit(items)) == [True, False, True]
    assert verifier.collect(verifier.submit(items), PLACES) == [True, True, True]
    assert verifier.collect(verifier.submit(items), crypto.NO_ORIGINS) == [True, False, True]
    assert verifier.collect(verifier.submit(items), PLACES) == [True, True, True]
    verifier.close()


def test_what_is_remembered_is_not_checked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    verifier, items = crypto.Verifier(kind="plain", remembered=100), [item_of(each) for each in TRANSACTIONS]
    before = verifier.collect(verifier.submit(items), PLACES)

    def fail(*_: Any) -> bool:
        pytest.fail("checked again")

    monkeypatch.setattr(crypto, "well_signed", fail)
    assert verifier.collect(verifier.submit(items), PLACES) == before


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_many_digests_are_those_of_each(items: list[bytes]) -> None:
    for many in (crypto.sha256_many, crypto.sha256_many_plain):
        assert many(items) == b"".join(crypto.sha256_plain(item) for item in items)


def test_memory_is_bounded() -> None:
    verifier = crypto.Verifier(kind="plain", remembered=10)
    for number in range(100):
        item = (0, bytes([number]), TRANSACTIONS[0], b"")
        assert verifier.collect(verifier.submit([item])) == [False]
    assert len(verifier._young) + len(verifier._old) <= 10


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match="no kind of verifier"):
        crypto.Verifier(kind="fast")


def test_native_is_asked_for_where_it_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crypto, "_native", None)
    with pytest.raises(ImportError, match="make native"):
        crypto.Verifier(kind="native")
    assert not crypto.Verifier().native


# Keys and addresses


@pytest.mark.parametrize(
    ("kind", "key", "reason"),
    [
        (0, signed.ED25519.key, "kind"),
        (4, signed.ED25519.key, "kind"),
        (ED25519, signed.ED25519.key[:-1], "length"),
        (ED25519, signed.WALLET.key, "length"),
        (ED25519, (2).to_bytes(32, "little"), "not on the curve"),
        (WEBAUTHN, signed.ED25519.key, "length"),
        (WEBAUTHN, b"\x04" + signed.PASSKEY.key[1:], "not on the curve"),
        (WEBAUTHN, b"\x02" + b"\xff" * 32, "not on the curve"),
        (WEBAUTHN, bytes(33), "not on the curve"),
        (SECP256K1, signed.ED25519.key, "length"),
        (SECP256K1, b"\x04" + signed.WALLET.key[1:], "not on the curve"),
        (SECP256K1, b"\x02" + b"\xff" * 32, "not on the curve"),
        (SECP256K1, bytes(33), "not on the curve"),
    ],
)
def test_bad_keys_are_not_registered(kind: int, key: bytes, reason: str) -> None:
    with pytest.raises(BadForm) as refused:
        crypto.check_key(kind, key)
    assert refused.value.reason == reason
    with pytest.raises(ValueError, match=reason):
        crypto.address_of(kind, key)


def test_good_keys_are_registered() -> None:
    for signer in signed.SIGNERS:
        crypto.check_key(signer.kind, signer.key)


def test_a_wallets_address_is_the_ledgers() -> None:
    # Ethereum's best-known test key (Hardhat and Anvil, account 0).
    wallet = type(signed.WALLET)(bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"))
    assert wallet.address.hex() == "f39fd6e51aad88f6f4ce6ab8827279cfffb92266"


def test_addresses_are_tagged_hashes_of_kind_and_key() -> None:
    tag = crypto.sha256(b"kerege/address/1")
    for signer in (signed.ED25519, signed.PASSKEY):
        assert signer.address == crypto.sha256(tag + tag + bytes([signer.kind]) + signer.key)[:20]


def test_addresses_never_change() -> None:
    assert [signer.address.hex() for signer in signed.SIGNERS] == [
        "4aa7ed3bf4cd7377b9ba201307746911b6b71ba3",
        "d9a6e4cd228ae8719b497c8b0a1959541777fa1e",
        "5cbdd86a2fa8dc4bddd8a8f69dba48572eec07fb",
    ]
