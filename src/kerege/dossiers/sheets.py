"""One dossier of one record version as sealed bytes: a cover over sealed fields.

The cover, opened by the row's key, tells which list of field names it follows, with the commitment of each; a field,
opened by a key of its own, holds salt and value. A look at two fields gets two field keys: it can make their Merkle
paths, and no other value exists in the clear even in memory. Which fields are empty shows to whoever opens the cover,
as sizes would: most fields of most dossiers are, so they share what their salts are drawn from, and are not sealed one
by one. The whole is padded, so that its size tells neither.

Two twins seal: the plain one below is the oracle and the fallback, `native/src/sheets.rs` does a batch in one call.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from dataclasses import field as hidden
from functools import lru_cache

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR

from kerege.dossiers.errors import FieldUnknown, StoreDamaged
from kerege.dossiers.ports import RowKeys
from kerege.dossiers.sealing import NONCE_LENGTH, cut, join, pad, prf, same, unpad, unseal
from kerege.kernel.commitments import SALT_LENGTH, commitment, content_root
from kerege.kernel.crypto import sha256
from kerege.kernel.types import Hash

STEP = 4096
"""Sizes of rows are multiples of this many bytes."""
DIGEST = 32
"""Bytes of a commitment."""
_BLOCK = 16
"""Bytes of a block of AES."""


class _Sheet(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    names: Hash
    """Which list of names it follows: `names_id`."""
    commitments: bytes
    """32 bytes for each field."""
    blank: bytes
    """What the salts of empty fields are drawn from."""
    fields: dict[int, bytes]
    """Position of each field that is not empty, with its salt and value, sealed."""


class _OldSlot(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    name: str
    commitment: bytes
    sealed: bytes


class _OldSheet(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a cover held before lists of names were kept apart: every field sealed, under a nonce of its own."""

    slots: tuple[_OldSlot, ...]


_decoder = msgspec.msgpack.Decoder(_Sheet)
_old_decoder = msgspec.msgpack.Decoder(_OldSheet)
_OLD = b"\x91"
"""First byte of an old sheet: an array of one."""


@lru_cache(64)
def names_id(names: tuple[str, ...]) -> Hash:
    """Which list of field names: the SHA-256 of its MessagePack."""
    return sha256(msgspec.msgpack.encode(names))


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
    return [_seal(sheet, os.urandom(NONCE_LENGTH)) for sheet in sheets]


def salts_of(seed: bytes, values: Sequence[str]) -> list[bytes]:
    """Salts of fields with these values: those of empty ones come from a seed of their own."""
    filled, blank = _drawn(seed, len(values)), _drawn(_blank(seed), len(values))
    return [one if value else other for value, one, other in zip(values, filled, blank, strict=True)]


def _drawn(seed: bytes, count: int, first: int = 0) -> list[bytes]:
    """So many salts from a first one on: the key stream of AES-256 in counter mode under the seed, cut in pieces."""
    counter = (first * SALT_LENGTH // _BLOCK).to_bytes(_BLOCK, "big")
    drawn = Cipher(AES256(seed), CTR(counter)).encryptor().update(bytes(SALT_LENGTH * count))
    return cut(drawn, SALT_LENGTH)


def _blank(seed: bytes) -> bytes:
    """What salts of empty fields are drawn from: it tells nothing of those of others."""
    return prf(seed, "blank")


def _seal(sheet: Sheet, nonce: bytes) -> Sealed:
    """Seal under one nonce: the cover and every field have keys of their own."""
    keys, salts = sheet.keys, salts_of(sheet.seed, sheet.values)
    triples = list(zip(sheet.names, salts, sheet.values, strict=True))
    commitments = [commitment(*each) for each in triples]
    fields = {
        position: AESGCM(keys.field(name)).encrypt(nonce, salt + value.encode(), _field_bound(keys, name))
        for position, (name, salt, value) in enumerate(triples)
        if value
    }
    told = _Sheet(names_id(sheet.names), b"".join(commitments), _blank(sheet.seed), fields)
    plain = pad(msgspec.msgpack.encode(told), STEP)
    row = nonce + AESGCM(keys.cover()).encrypt(nonce, plain, _cover_bound(keys))
    return Sealed(row, told.commitments, content_root(commitments))


try:
    from kerege_native import seal_sheets as _native_seal
except ImportError:
    seal_sheets = seal_plain
else:

    def seal_sheets(sheets: Sequence[Sheet]) -> list[Sealed]:
        """Seal rows, each under keys that may open all of it; in their order."""
        nonces, asked = cut(os.urandom(NONCE_LENGTH * len(sheets)), NONCE_LENGTH), []
        names: tuple[str, ...] | None = None
        number = b""
        for sheet, nonce in zip(sheets, nonces, strict=True):
            if sheet.names is not names:  # neighbours follow one list
                names, number = sheet.names, names_id(sheet.names)
            keys, told = sheet.keys, (number, sheet.names, sheet.values, sheet.seed, nonce)
            asked.append((keys.locator, keys.version, keys.whole(), *told))
        return [Sealed(*each) for each in _native_seal(asked, STEP)]


class OpenSheet:
    """A row with its cover opened; fields open one by one, with the keys released for them."""

    __slots__ = ("_blank", "_fields", "_keys", "_nonce", "commitments", "names")

    def __init__(self, keys: RowKeys, row: bytes, names_of: Callable[[Hash], tuple[str, ...]]) -> None:
        """Open the cover; raises `StoreDamaged` where row and keys do not belong together.

        `names_of`: the list of field names of an id.
        """
        self._keys = keys
        plain = unpad(unseal(keys.cover(), row, _cover_bound(keys)))
        try:
            if plain.startswith(_OLD):
                self._read_old(_old_decoder.decode(plain))
            else:
                self._read(_decoder.decode(plain), row[:NONCE_LENGTH], names_of)
        except msgspec.DecodeError:
            raise StoreDamaged(what="the cover of a dossier") from None
        if len(self.names) != len(self.commitments):
            raise StoreDamaged(what="the cover of a dossier")

    def _read(self, sheet: _Sheet, nonce: bytes, names_of: Callable[[Hash], tuple[str, ...]]) -> None:
        self.names, self.commitments = names_of(sheet.names), tuple(cut(sheet.commitments, DIGEST))
        self._nonce, self._blank, self._fields = nonce, sheet.blank, sheet.fields

    def _read_old(self, sheet: _OldSheet) -> None:
        self.names = tuple([slot.name for slot in sheet.slots])
        self.commitments = tuple([slot.commitment for slot in sheet.slots])
        self._nonce, self._blank = b"", b""
        self._fields = {position: slot.sealed for position, slot in enumerate(sheet.slots)}

    def position(self, name: str) -> int:
        """Place of a field in the list; raises `FieldUnknown`."""
        if name not in self.names:
            raise FieldUnknown(field=name)
        return self.names.index(name)

    def open(self, name: str) -> Opening:
        """Open one field; raises `FieldUnknown`, `FieldNotGranted`, `StoreDamaged`."""
        position, key = self.position(name), self._keys.field(name)
        if position in self._fields:
            plain = unseal(key, self._nonce + self._fields[position], _field_bound(self._keys, name))
            opening = Opening(name, plain[:SALT_LENGTH], plain[SALT_LENGTH:].decode())
        else:
            opening = Opening(name, _drawn(self._blank, 1, position)[0], "")
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
