"""One byte string per transaction: everything else is refused before anything is built from it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerege.kernel.errors import KernelFault, NotATransaction, NotCanonical, TooLarge, UnknownMessage
from kerege.kernel.messages import Message, tag_of
from kerege.kernel.module import Module, Modules
from kerege.kernel.transaction import MAXIMUM_MESSAGES, MAXIMUM_SIZE, Body, Witness, encode_body, seal
from tests.kernel import toy
from tests.kernel.bench import LEDGER, address, facts_of, signer

DECODER = toy.MODULES.decoder
PAY = toy.Pay(address("bob"), "KGS", 5)
BODY = Body(LEDGER, address("alice"), 3, 7, 1_700_000_000_000, b"s" * 16, [PAY])
WITNESS = Witness(1, b"k" * 32, b"g" * 64)
RAW = seal(encode_body(BODY), WITNESS)


def fields(body) -> tuple[object, ...]:
    return tuple(getattr(body, name) for name in Body.__struct_fields__)


def sealed(form) -> bytes:
    """Bytes of a body given as plain lists."""
    return seal(msgspec.msgpack.encode(form), WITNESS)


def plain(**changed) -> list[object]:
    form = {
        "ledger": LEDGER,
        "sender": address("alice"),
        "lane": 0,
        "sequence": 0,
        "until": 1,
        "salt": b"s" * 16,
        "messages": [["purse.Pay", address("bob"), "KGS", 5]],
    }
    return list({**form, **changed}.values())


def refusal(raw: bytes) -> tuple[str, dict[str, object]]:
    with pytest.raises(NotATransaction) as refused:
        DECODER.transaction(raw)
    return facts_of(refused.value)


def test_the_canonical_bytes_are_read():
    found = DECODER.transaction(RAW)
    assert fields(found.body) == fields(BODY)
    assert (found.witness.kind, found.witness.key, found.witness.signature) == (1, b"k" * 32, b"g" * 64)
    assert found.raw == RAW
    assert DECODER.transaction(sealed(plain())).body.messages == [PAY]


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"\xc0",
        RAW[:-1],
        RAW + b"\0",
        b"\x93" + RAW[1:],
        b"\xdc\x00\x04" + RAW[1:],  # the array's length in a longer form
        b"\x91" * 100_000,
        b"\x81\x01\x01",
        b"\xdd\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        msgspec.msgpack.encode([encode_body(BODY), 4, b"k" * 32, b"g" * 64]),
        msgspec.msgpack.encode([encode_body(BODY), 0, b"k" * 32, b"g" * 64]),
        msgspec.msgpack.encode([encode_body(BODY), True, b"k" * 32, b"g" * 64]),
        msgspec.msgpack.encode([encode_body(BODY), 1, b"k" * 31, b"g" * 64]),
        msgspec.msgpack.encode([encode_body(BODY), 1, b"k" * 32, b"g" * 1025]),
        msgspec.msgpack.encode([encode_body(BODY), 1, "k" * 32, b"g" * 64]),
        msgspec.msgpack.encode([encode_body(BODY).hex(), 1, b"k" * 32, b"g" * 64]),
        msgspec.msgpack.encode([encode_body(BODY), 1, b"k" * 32, b"g" * 64, None]),
    ],
)
def test_an_envelope_that_is_none(wrong):
    assert refusal(wrong)[0] == NotCanonical.code


@pytest.mark.parametrize(
    "changed",
    [
        {"ledger": ""},
        {"ledger": "x" * 65},
        {"ledger": "kg\0"},
        {"ledger": "kg toy"},
        {"ledger": "kg\u202etoy"},
        {"ledger": 5},
        {"sender": b"a" * 19},
        {"sender": "a" * 20},
        {"lane": 16},
        {"lane": -1},
        {"lane": True},
        {"sequence": -1},
        {"sequence": 2**53},
        {"sequence": "0"},
        {"until": -1},
        {"until": 2**53},
        {"until": None},
        {"salt": b"s" * 15},
        {"salt": b"s" * 17},
        {"messages": None},
    ],
)
def test_a_body_that_is_none(changed):
    assert refusal(sealed(plain(**changed))) == (NotCanonical.code, {"reason": "body"})


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [["purse.Pay", address("bob"), "KGS", 5]] * (MAXIMUM_MESSAGES + 1),
        [["purse.Nothing"]],
        [["wallets.Opened", address("bob"), 1, b"k" * 32]],  # an event is no message
        [[]],
        [[5]],
        [5],
        [["purse.Pay"]],
        [["purse.Pay", address("bob"), "KGS"]],
        [["purse.Pay", address("bob"), "KGS", 5, 6]],
        [["purse.Pay", address("bob"), "KGS", -1]],
        [["purse.Pay", address("bob"), "KGS", 2**63]],
        [["purse.Pay", address("bob"), "KGS", "5"]],
        [["purse.Pay", address("bob"), "kgs", 5]],
        [["purse.Pay", address("bob"), "КГС", 5]],
        [["purse.Pay", address("bob")[:-1], "KGS", 5]],
        [["purse.Break", "е\u0301"]],
        [["purse.Break", "a\nb"]],
    ],
)
def test_messages_that_the_ledger_does_not_know(messages):
    assert refusal(sealed(plain(messages=messages)))[0] == UnknownMessage.code


def test_values_in_a_longer_form_are_refused():
    body = encode_body(BODY)
    at = body.index(b"\x03\x07")  # lane 3, sequence 7
    for longer in (b"\xcc\x03\x07", b"\x03\xcc\x07", b"\x03\xd0\x07", b"\xcd\x00\x03\x07"):
        assert refusal(seal(body[:at] + longer + body[at + 2 :], WITNESS)) == (
            NotCanonical.code,
            {"reason": "encoding"},
        )
    text = b"\xd9" + bytes([len(LEDGER)]) + LEDGER.encode()
    assert refusal(seal(body[:1] + text + body[2 + len(LEDGER) :], WITNESS))[1] == {"reason": "encoding"}


def test_bounds_are_checked_before_decoding():
    assert refusal(b"\0" * (MAXIMUM_SIZE + 1)) == (TooLarge.code, {"size": MAXIMUM_SIZE + 1, "limit": MAXIMUM_SIZE})
    assert refusal(seal(b"\x91" * 9 + b"\x01", WITNESS)) == (NotCanonical.code, {"reason": "depth"})
    assert refusal(seal(b"\xdc\xff\xff" + b"\xc0" * 65_535, WITNESS)) == (NotCanonical.code, {"reason": "items"})
    assert refusal(seal(b"\xdd\xff\xff\xff\xff", WITNESS)) == (NotCanonical.code, {"reason": "truncated"})
    assert refusal(seal(b"\xcb" + bytes(8), WITNESS)) == (NotCanonical.code, {"reason": "type"})
    assert refusal(seal(b"", WITNESS)) == (NotCanonical.code, {"reason": "truncated"})
    assert refusal(sealed(plain(messages=[["purse.Break", b"\xff\xfe"]])))[0] == UnknownMessage.code
    ill = msgspec.msgpack.encode(plain()).replace(b"KGS", b"K\xffS")
    assert refusal(seal(ill, WITNESS))[0] in {NotCanonical.code, UnknownMessage.code}


@given(st.binary(max_size=400))
def test_any_bytes_are_answered(raw):
    for data in (raw, seal(raw, WITNESS)):
        with pytest.raises(NotATransaction):
            DECODER.transaction(data)


@given(st.integers(0, len(RAW) - 1), st.integers(1, 255))
def test_every_byte_counts(position, change):
    """Another byte gives another transaction or none, never the same one."""
    changed = RAW[:position] + bytes([RAW[position] ^ change]) + RAW[position + 1 :]
    try:
        found = DECODER.transaction(changed)
    except NotATransaction:
        return
    original = DECODER.transaction(RAW)
    assert (found.id, found.witness_hash) != (original.id, original.witness_hash)


@given(st.integers(0, 2**63 - 1), st.integers(0, 15), st.integers(0, 2**53 - 1), st.integers(1, MAXIMUM_MESSAGES))
def test_what_is_encoded_is_read(amount, lane, sequence, count):
    body = Body(
        LEDGER, address("alice"), lane, sequence, 1, b"s" * 16, [toy.Pay(address("bob"), "KGS", amount)] * count
    )
    found = DECODER.transaction(seal(encode_body(body), WITNESS))
    assert fields(found.body) == fields(body)
    assert found.weight == count


def test_the_id_is_of_the_body_and_the_witness_hash_of_the_witness():
    one = signer("alice").transaction(BODY)
    two = seal(encode_body(BODY), WITNESS)
    assert DECODER.transaction(one).id == DECODER.transaction(two).id
    assert DECODER.transaction(one).witness_hash != DECODER.transaction(two).witness_hash


def test_messages_alone_are_read_as_strictly():
    raw = msgspec.msgpack.encode(PAY)
    assert DECODER.message(raw) == PAY
    for wrong in (b"", raw + b"\0", raw[:-1], b"\x91" * 9, b"\xdc\x00\x04" + raw[1:], b"\x91\xa1x"):
        with pytest.raises(UnknownMessage):
            DECODER.message(wrong)


def _module(**changed):
    declared = {
        "name": "purse",
        "handlers": toy.PURSE_MODULE.handlers,
        "tables": toy.PURSE_MODULE.tables,
        "events": toy.PURSE_MODULE.events,
    }
    return Module(**{**declared, **changed})


class Weightless(Message, frozen=True, tag="purse.Weightless"):
    WEIGHT = 0


class Immense(Message, frozen=True, tag="purse.Immense"):
    WEIGHT = 626


class Again(Message, frozen=True, tag="purse.Pay"):
    pass


@pytest.mark.parametrize(
    "modules",
    [
        (_module(name="other"),),
        (_module(), _module()),
        (_module(tables=toy.WALLETS_MODULE.tables),),
        (_module(events=toy.WALLETS_MODULE.events),),
        (_module(handlers={Weightless: toy.chain}),),
        (_module(handlers={Immense: toy.chain}),),
        (_module(handlers={Again: toy.chain, toy.Pay: toy.chain}),),
        (_module(genesis=toy.PurseGenesis),),
    ],
)
def test_what_is_misdeclared_is_found_when_the_ledger_opens(modules):
    with pytest.raises(KernelFault):
        Modules(modules)


def test_every_transaction_fits_into_some_block():
    heaviest = max(kind.WEIGHT for kind in toy.MODULES.handlers)
    assert heaviest == toy.Heavy.WEIGHT, tag_of(toy.Heavy)
    assert heaviest * MAXIMUM_MESSAGES <= 40_000
