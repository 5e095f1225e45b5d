"""EIP-712 as a wallet does it: from the JSON document alone, with the liberties that wallets take.

The engine is the kernel's; what is added is the reading of JSON values as MetaMask and eth-account read them:
bytes as 0x-hex (else as text), integers also as decimal or hexadecimal text, an integer as text by its bytes.
"""

from collections.abc import Mapping
from typing import Any

from kerege.kernel.authenticators import eip712


class JsonSchema(eip712.Schema):
    """Hashes values as JSON carries them; an absent struct is the zero word."""

    def __init__(self, types: Mapping[str, list[dict[str, str]]]) -> None:
        fields = {name: tuple((f["name"], f["type"]) for f in listed) for name, listed in types.items()}
        super().__init__(fields, lambda value, field: value.get(field))

    def atomic(self, kind: str) -> eip712.Encoder | None:
        """The strict encoder behind a reader of JSON."""
        if kind == "string":
            return _encode_text
        encode = eip712.atomic_encoder(kind)
        if encode is None:
            return None
        read = _reader(kind)
        return lambda value: encode(read(value))


def hash_typed_data(document: Mapping[str, Any]) -> bytes:
    """Digest of a typed-data document; raises `TypeError` or `ValueError` where it is wrong."""
    schema = JsonSchema(document["types"])
    domain = schema.hash_struct("EIP712Domain", document["domain"])
    return eip712.digest(domain, schema.hash_struct(document["primaryType"], document["message"]))


def _reader(kind: str) -> Any:  # noqa: ANN401 - a function per family of types
    if kind == "address":
        return _read_hex
    if kind.startswith("bytes"):
        return _read_bytes
    return _read_integer if kind.startswith(("uint", "int")) else _same


def _same(value: Any) -> Any:  # noqa: ANN401
    return value


def _encode_text(value: Any) -> bytes:  # noqa: ANN401
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return eip712.encode_bytes(value.to_bytes(max(1, -(-value.bit_length() // 8))))
    return eip712.encode_string(value)


def _read_hex(value: Any) -> bytes:  # noqa: ANN401
    if not isinstance(value, str) or not value.startswith("0x"):
        raise ValueError("0x and hex expected")
    return bytes.fromhex(value[2:])


def _read_bytes(value: Any) -> bytes:  # noqa: ANN401
    if isinstance(value, str) and not value.startswith("0x"):
        return value.encode()
    return _read_hex(value)


def _read_integer(value: Any) -> Any:  # noqa: ANN401
    return int(value, 16 if value.startswith("0x") else 10) if isinstance(value, str) else value
