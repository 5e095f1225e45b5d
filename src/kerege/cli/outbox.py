"""Signed transactions that await their answer: kept on the disk before they are sent.

A connection that is lost in between leaves the question open whether a transaction was taken. The same bytes may be
sent again at any time: the ledger answers what it knows with the first receipt.
"""

from hashlib import sha256
from pathlib import Path

import msgspec

from kerege.cli.files import make_private, read_bytes, write_over
from kerege.kernel.transaction import Envelope


class Outbox:
    """The transactions of one home without an answer yet."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "outbox"

    def keep(self, raw: bytes) -> Path:
        """Keep a transaction until `done`; durable on return. Raises `CommandError`."""
        make_private(self._folder)
        identifier = sha256(msgspec.msgpack.decode(raw, type=Envelope).body).hexdigest()
        path = self._folder / f"{identifier}.tx"
        write_over(path, raw, mode=0o600)
        return path

    def waiting(self) -> list[tuple[Path, bytes]]:
        """What has no answer yet, the oldest first: a sender's next sequence follows the one before."""
        paths = sorted(self._folder.glob("*.tx"), key=lambda path: (path.stat().st_mtime_ns, path.name))
        return [(path, read_bytes(path)) for path in paths]

    def done(self, path: Path) -> None:
        """Forget a transaction that has its answer."""
        path.unlink(missing_ok=True)
