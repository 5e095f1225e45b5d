"""Addresses as text: bech32m, strictly one text per address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerege.kernel import addresses

# BIP-350, "Test vectors for Bech32m"; the two tables below are its lists in order.
VALID = (
    "A1LQFN3A",
    "a1lqfn3a",
    "an83characterlonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11sg7hg6",
    "abcdef1l7aum6echk45nj3s0wdvt2fg8x9yrzpqzd3ryx",
    "11llllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllllludsr8",
    "split1checkupstagehandshakeupstreamerranterredcaperredlc445v",
    "?1v759aa",
)
INVALID = (
    "\x201xj0phk",
    "\x7f1g6xzxy",
    "\x801vctc34",
    "an84characterslonghumanreadablepartthatcontainsthetheexcludedcharactersbioandnumber11d6pts4",
    "qyrz8wqd2c9m",
    "1qyrz8wqd2c9m",
    "y1b0jsk6g",
    "lt1igcx5c0",
    "in1muywd",
    "mm1crxm3i",
    "au1s5cgom",
    "M1VUXWEZ",
    "16plkw9",
    "1p2gdwpf",
)
# BIP-173 strings: valid bech32, so not bech32m.
OLD = ("A12UEL5L", "a12uel5l", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", "?1ezyfcl")

ADDRESS = bytes(range(20))
TEXT = addresses.encode("kg", ADDRESS)


@pytest.mark.parametrize("text", VALID)
def test_bip350_valid(text: str) -> None:
    prefix, digits = addresses.decode_digits(text)
    assert addresses.encode_digits(prefix, digits) == text.lower()


@pytest.mark.parametrize("text", INVALID)
def test_bip350_invalid(text: str) -> None:
    with pytest.raises(ValueError):
        addresses.decode_digits(text)


@pytest.mark.parametrize("text", OLD)
def test_bech32_is_not_bech32m(text: str) -> None:
    with pytest.raises(ValueError, match="bech32, not bech32m"):
        addresses.decode_digits(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (TEXT.upper(), "lower case"),
        (TEXT[:5] + TEXT[5:].upper(), "lower case"),
        (TEXT[:-1] + ("q" if TEXT[-1] != "q" else "p"), "checksum is wrong"),
        (TEXT[:-1], "checksum is wrong"),
        (TEXT + "q", "checksum is wrong"),
        (" " + TEXT, "printable"),
        (TEXT + "\n", "printable"),
        (addresses.encode("uz", ADDRESS), "of uz, not of kg"),
        ("", "no prefix"),
        ("kg1", "too short"),
        ("КГ1", "lower case"),
        (addresses.encode_digits("kg", addresses._to_digits(bytes(19))), "20 bytes, not 19"),
        (addresses.encode_digits("kg", addresses._to_digits(bytes(32))), "20 bytes, not 32"),
        (addresses.encode_digits("kg", [*addresses._to_digits(bytes(20)), 0]), "padding"),
        (addresses.encode_digits("kg", [0] * 30 + [1]), "padding"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        addresses.decode("kg", text)


@pytest.mark.parametrize("length", [0, 19, 21, 32])
def test_only_twenty_bytes_are_written(length: int) -> None:
    with pytest.raises(ValueError, match="20 bytes"):
        addresses.encode("kg", bytes(length))


@given(st.binary(min_size=20, max_size=20), st.sampled_from(["kg", "uz", "test"]))
def test_there_and_back(address: bytes, prefix: str) -> None:
    text = addresses.encode(prefix, address)
    assert addresses.decode(prefix, text) == address
    assert len(text) == len(prefix) + 1 + 32 + 6


@given(st.integers(0, len(TEXT) - 1), st.sampled_from(addresses.ALPHABET + "1bio"))
def test_a_changed_letter_is_noticed(place: int, letter: str) -> None:
    changed = TEXT[:place] + letter + TEXT[place + 1 :]
    if changed != TEXT:
        with pytest.raises(ValueError):
            addresses.decode("kg", changed)


@given(st.text(max_size=100))
def test_any_text_gets_an_answer(text: str) -> None:
    try:
        address = addresses.decode("kg", text)
    except ValueError:
        return
    assert addresses.encode("kg", address) == text
