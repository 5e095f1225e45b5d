"""One dossier of one record version as sealed bytes: a cover over sealed fields.

The cover, opened by the row's key, lists field names with their commitments; each field, opened by a key of its own,
holds salt and value. A look at two fields gets two field keys: it can make their Merkle paths, and no other value
exists in the clear even in memory. The whole is padded, so that neither the number of fields nor the length of a name
shows.

Two twins seal: the plain one below is the oracle and the fallback, `native/src/sheets.rs` does a batch in one call.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as hidden

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR

from kerege.dossiers.errors import FieldUnknown, StoreDamaged
from kerege.dossiers.ports import RowKeys
from kerege.dossiers.sealing import NONCE_LENGTH, join, pad, same, seal, unpad, unseal
from kerege.kernel.commitments import SALT_LENGTH, commitment, content_root

STEP = 4096
"""Sizes of rows are multiples of this many bytes."""


class _Slot(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    name: str
    commitment: bytes
    sealed: bytes


class _Sheet(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    slots: tuple[_Slot, ...]


_decoder = msgspec.msgpack.Decoder(_Sheet)


@dataclass(frozen=True, slots=True)
class Opening:
    """Salt and value of one field: what opens its commitment."""

    field: str
    salt: bytes = hidden(repr=False)
    value: str = hidden(repr=False)

    def commitment(self) -> bytes:
        """Compute the commitment that this opens."""
        return commitment(self.field, self.salt, self.value)


class Sheet(msgspec.Struct, frozen=True):
    """What a row is sealed from."""

    keys: RowKeys
    names: tuple[str, ...]
    values: tuple[str, ...]
    """One for each name."""
    seed: bytes
    """32 bytes from which the salts are drawn: the same seed, the same salts."""

    def __repr__(self) -> str:
        """Values and salts are not printed."""
        return f"Sheet({self.keys!r})"


class Sealed(msgspec.Struct, frozen=True):
    """A row as it is kept, and what the ledger is told of it."""

    row: bytes
    commitments: bytes
    """32 bytes for each field."""
    root: bytes


def seal_plain(sheets: Sequence[Sheet]) -> list[Sealed]:
    """The plain twin of `seal_sheets`."""
    return [_seal(sheet.keys, sheet.names, sheet.values, salts_of(sheet.seed, len(sheet.names))) for sheet in sheets]


def salts_of(seed: bytes, count: int) -> list[bytes]:
    """Salts of so many fields: the key stream of AES-256 in counter mode under the seed, from zero, cut in pieces."""
    drawn = Cipher(AES256(seed), CTR(bytes(16))).encryptor().update(bytes(SALT_LENGTH * count))
    return [drawn[at : at + SALT_LENGTH] for at in range(0, len(drawn), SALT_LENGTH)]


def _seal(keys: RowKeys, names: Sequence[str], values: Sequence[str], salts: Sequence[bytes]) -> Sealed:
    slots = []
    for name, value, salt in zip(names, values, salts, strict=True):
        sealed = seal(keys.field(name), salt + value.encode(), _field_bound(keys, name))
        slots.append(_Slot(name, commitment(name, salt, value), sealed))
    plain = pad(msgspec.msgpack.encode(_Sheet(tuple(slots))), STEP)
    commitments = tuple(slot.commitment for slot in slots)
    row = seal(keys.cover(), plain, _cover_bound(keys))
    return Sealed(row, b"".join(commitments), content_root(commitments))


try:
    from kerege_native import seal_sheets as _native_seal
except ImportError:
    seal_sheets = seal_plain
else:

    def seal_sheets(sheets: Sequence[Sheet]) -> list[Sealed]:
        """Seal rows, each under keys that may open all of it; in their order."""
        drawn, at, asked = os.urandom(NONCE_LENGTH * sum(len(sheet.names) + 1 for sheet in sheets)), 0, []
        for sheet in sheets:
            keys, end = sheet.keys, at + NONCE_LENGTH * (len(sheet.names) + 1)
            nonces, at = drawn[at:end], end
            asked.append((keys.locator, keys.version, keys.whole(), sheet.names, sheet.values, sheet.seed, nonces))
        return [Sealed(*each) for each in _native_seal(asked, STEP)]


class OpenSheet:
    """A row with its cover opened; fields open one by one, with the keys released for them."""

    __slots__ = ("_keys", "_slots", "commitments", "names")

    def __init__(self, keys: RowKeys, row: bytes) -> None:
        """Open the cover; raises `StoreDamaged` where row and keys do not belong together."""
        self._keys = keys
        try:
            sheet = _decoder.decode(unpad(unseal(keys.cover(), row, _cover_bound(keys))))
        except msgspec.DecodeError:
            raise StoreDamaged(what="the cover of a dossier") from None
        self._slots = sheet.slots
        self.names = tuple([slot.name for slot in sheet.slots])
        self.commitments = tuple([slot.commitment for slot in sheet.slots])

    def position(self, name: str) -> int:
        """Place of a field in the list; raises `FieldUnknown`."""
        if name not in self.names:
            raise FieldUnknown(field=name)
        return self.names.index(name)

    def open(self, name: str) -> Opening:
        """Open one field; raises `FieldUnknown`, `FieldNotGranted`, `StoreDamaged`."""
        position = self.position(name)
        plain = unseal(self._keys.field(name), self._slots[position].sealed, _field_bound(self._keys, name))
        opening = Opening(name, plain[:SALT_LENGTH], plain[SALT_LENGTH:].decode())
        if not same(opening.commitment(), self.commitments[position]):
            raise StoreDamaged(what="a field does not open its commitment", field=name)
        return opening

    def open_all(self) -> tuple[Opening, ...]:
        """Open every field, in their order."""
        return tuple(self.open(name) for name in self.names)


def _cover_bound(keys: RowKeys) -> bytes:
    return join("kerege/cover/1", keys.locator, keys.version)


def _field_bound(keys: RowKeys, name: str) -> bytes:
    return join("kerege/sealed-field/1", keys.locator, name, keys.version)
