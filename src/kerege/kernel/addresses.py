"""Addresses as text: bech32m (BIP-350) of 20 bytes under the nation's prefix, e.g. `kg1…`.

Strict in both directions: one text per address. BIP-350 also allows all upper case; a text with two forms
would be two texts for one account in files and in the eyes of a reader, so only lower case is read.
"""

LENGTH = 20
"""Bytes of an address."""

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_CHECKSUM_LENGTH = 6
_BECH32 = 1
_BECH32M = 0x2BC830A3
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def _remainders() -> list[int]:
    """What the five bits that leave the remainder add to it, for each of their 32 values."""
    table = [0]
    for generator in _GENERATOR:
        table += [each ^ generator for each in table]
    return table


_REMAINDERS = _remainders()
_MAXIMUM_TEXT = 90
_DIGITS = {letter: value for value, letter in enumerate(ALPHABET)}
_PRINTABLE = range(33, 127)


def encode(prefix: str, address: bytes) -> str:
    """Text of an address; raises `ValueError` unless it has 20 bytes."""
    if len(address) != LENGTH:
        raise ValueError(f"an address has {LENGTH} bytes, not {len(address)}")
    return encode_digits(prefix, _to_digits(address))


def decode(prefix: str, text: str) -> bytes:
    """The address of its text; raises `ValueError` with the reason on any other text."""
    if text != text.lower():
        raise ValueError("an address is written in lower case")
    found, digits = decode_digits(text)
    if found != prefix:
        raise ValueError(f"the address is of {found}, not of {prefix}")
    address = _from_digits(digits)
    if len(address) != LENGTH:
        raise ValueError(f"an address has {LENGTH} bytes, not {len(address)}")
    return address


def encode_digits(prefix: str, digits: list[int]) -> str:
    """BIP-350 text of five-bit digits."""
    mixed = _polymod([*_expanded(prefix), *digits, *[0] * _CHECKSUM_LENGTH]) ^ _BECH32M
    checksum = [mixed >> 5 * (_CHECKSUM_LENGTH - 1 - place) & 31 for place in range(_CHECKSUM_LENGTH)]
    return prefix + "1" + "".join(ALPHABET[digit] for digit in [*digits, *checksum])


def decode_digits(text: str) -> tuple[str, list[int]]:
    """Prefix and five-bit digits of a BIP-350 text; raises `ValueError` with the reason."""
    if len(text) > _MAXIMUM_TEXT:
        raise ValueError("the text is too long")
    if any(ord(letter) not in _PRINTABLE for letter in text):
        raise ValueError("the text holds a character that is not printable ASCII")
    if text.lower() != text and text.upper() != text:
        raise ValueError("the text mixes upper and lower case")
    prefix, separator, rest = text.lower().rpartition("1")
    if not separator or not prefix:
        raise ValueError("the text has no prefix")
    if len(rest) < _CHECKSUM_LENGTH:
        raise ValueError("the checksum is too short")
    if any(letter not in _DIGITS for letter in rest):
        raise ValueError("the text holds a character outside the alphabet")
    digits = [_DIGITS[letter] for letter in rest]
    checked = _polymod([*_expanded(prefix), *digits])
    if checked != _BECH32M:
        reason = "the text is bech32, not bech32m" if checked == _BECH32 else "the checksum is wrong"
        raise ValueError(reason)
    return prefix, digits[:-_CHECKSUM_LENGTH]


def _polymod(digits: list[int]) -> int:
    """The checksum's polynomial remainder (BIP-173)."""
    remainder = 1
    for digit in digits:
        top = remainder >> 25
        remainder = (remainder & 0x1FFFFFF) << 5 ^ digit ^ _REMAINDERS[top]
    return remainder


def _expanded(prefix: str) -> list[int]:
    raw = prefix.encode("ascii")
    return [letter >> 5 for letter in raw] + [0] + [letter & 31 for letter in raw]


def _to_digits(data: bytes) -> list[int]:
    """Eight-bit bytes as five-bit digits, padded with zero bits."""
    bits = len(data) * 8
    count = -(-bits // 5)
    number = int.from_bytes(data) << count * 5 - bits
    return [number >> 5 * place & 31 for place in reversed(range(count))]


def _from_digits(digits: list[int]) -> bytes:
    """Back to bytes; raises `ValueError` where the padding is more than needed or not zero."""
    number = 0
    for digit in digits:
        number = number << 5 | digit
    spare = len(digits) * 5 % 8
    if spare >= 5 or number & (1 << spare) - 1:  # noqa: PLR2004 - bits of a digit
        raise ValueError("the padding is wrong")
    return (number >> spare).to_bytes(len(digits) * 5 // 8)
