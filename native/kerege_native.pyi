"""Native twins behind `kerege.kernel`; contracts are told there."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

class StateTree:
    """See `kerege.kernel.tree.StateTree`; `path` makes the answer of `prove` from its three parts."""

    def __init__(self, path: Callable[[bytes | None, bytes, bytes | None], Any]) -> None: ...
    @property
    def root(self) -> bytes: ...
    @property
    def height(self) -> int: ...
    def __len__(self) -> int: ...
    def update(self, changes: Sequence[tuple[bytes, bytes | None]]) -> bytes: ...
    def update_hashed(self, changes: Sequence[tuple[bytes, bytes | None]]) -> bytes: ...
    def commit(self, height: int) -> bytes: ...
    def rollback(self, height: int) -> bytes: ...
    def root_at(self, height: int) -> bytes: ...
    def heights(self) -> tuple[int, int]: ...
    def prove(self, key_hash: bytes, height: int | None = None) -> Any: ...
    def load(self, chunks: Iterable[bytes], height: int) -> bytes: ...
    def dump(self, height: int | None = None) -> Iterator[bytes]: ...
    def restore(self, chunks: Iterable[bytes]) -> bytes: ...

class Cells:
    """See `kerege.kernel.cells.Cells`; makes no use of its own of the values it holds."""

    young: dict[bytes, Any]
    old: dict[bytes, Any]
    changes: dict[bytes, list[Any]]
    touched: set[str]
    operations: int
    created: int
    def __init__(self, load: Callable[[Any, bytes], Any], know: Callable[[Any, bytes], None]) -> None: ...
    @property
    def undo(self) -> list[tuple[Any, bytes, Any]]: ...
    @property
    def known(self) -> dict[str, set[bytes] | None]: ...
    def column(self, table: Any) -> Column: ...
    def begin_transaction(self) -> None: ...
    def differences(self, watched: Mapping[str, Any]) -> dict[str, list[tuple[bytes, Any, Any]]]: ...

class Column:
    """See `kerege.kernel.cells.Column`. Keys that it cannot make are made, or refused, by the table's `encode_key`."""

    def find(self, key: Any) -> Any: ...
    def put(self, key: Any, value: Any) -> None: ...
    def want(self, key: Any, wanted: dict[bytes, Any]) -> None: ...

def settle(items: dict[bytes, list[Any]], watched: Mapping[str, Any]) -> dict[str, list[tuple[bytes, Any, Any]]]:
    """See `kerege.kernel.changes`."""

def encode_changes(
    items: dict[bytes, list[Any]],
    outdated: dict[bytes, bytes],
    position: dict[str, int],
    encode: Callable[[Any], bytes],
) -> tuple[dict[bytes, bytes | None], bytes, dict[int, list[tuple[bytes, bytes | None]]]]:
    """See `kerege.kernel.changes`; `encode` writes all values but numbers."""

def fill_batch(whole: Any, changes: dict[bytes, bytes | None]) -> None:
    """See `kerege.storage.rocks.fill_plain`; `whole` is a `rocksdict.WriteBatch`."""

class BatchVerifier:
    """Ed25519 by ZIP 215 in batches on own threads; waiting lets go of the interpreter."""

    def __init__(self, threads: int = 2) -> None: ...
    def submit(self, items: Sequence[tuple[bytes, bytes, bytes]]) -> int:
        """Queue (key, payload, signature), copied; returns a ticket at once. `RuntimeError` after `close`."""

    def done(self, ticket: int) -> bool:
        """Whether `collect` would not wait. `LookupError` for an unknown or collected ticket."""

    def collect(self, ticket: int) -> bytes:
        """Wait for the verdicts, one byte each: 1 good, 0 bad. Once a ticket, then `LookupError`."""

    def close(self) -> None:
        """Take nothing more, finish what is queued, end the threads."""

def ed25519_key_fault(key: bytes) -> str:
    """See `kerege.kernel.authenticators.ed25519.key_fault`."""

def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature is good by ZIP 215; other lengths than 32 and 64 bytes are not."""

def scan(data: bytes, max_depth: int, max_items: int) -> int:
    """Number of values, or minus the number of the reason in `kerege.kernel.scan.REASONS`."""

def sha256(data: bytes) -> bytes:
    """SHA-256 of any bytes."""

def log_nodes_above(hashes: bytes) -> bytes:
    """RFC 6962 nodes above concatenated pairs of hashes."""

def sha256_many(items: Sequence[bytes]) -> bytes:
    """SHA-256 of each, concatenated."""

def leaf_hashes(leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 6962 leaf hashes."""

def hash_pairs(pairs: Sequence[tuple[bytes, bytes]]) -> bytes:
    """SHA-256 of keys and values, concatenated key hash ‖ value hash."""

def join(*parts: bytes | str | int) -> bytes:
    """See `kerege.dossiers.sealing.join_plain`."""

def prf(key: bytes, /, *parts: bytes | str | int) -> bytes:
    """See `kerege.dossiers.sealing.prf_plain`."""

def prf_many(key: bytes, lists: Sequence[tuple[bytes | str | int, ...]]) -> list[bytes]:
    """See `kerege.dossiers.sealing.prf_many_plain`."""

def seal_many(key: bytes, rows: Sequence[tuple[bytes, bytes]], nonces: bytes) -> list[bytes]:
    """Nonce, cipher text and tag of each (plain, bound); 12 bytes of nonce for each.

    `ValueError` for lengths that do not fit together.
    """

def seal_sheets(
    sheets: Sequence[tuple[bytes, int, bytes, bytes, tuple[str, ...], tuple[str, ...], bytes, bytes]],
    step: int,
) -> list[tuple[bytes, bytes, bytes]]:
    """Row, commitments one after another and content root of each.

    Of each: keyed name, version, data key, id of the list of names, names, values, seed, nonce.
    `ValueError` for lengths that do not fit together.
    """
