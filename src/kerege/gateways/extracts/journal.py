"""How far an import has come, on disk: one line a row with its outcome, one leaf for every accepted row.

A chunk of rows is in the journal before its transactions are sent, so that after a crash the journal says what may have
been sent, and the ledger what was. Nothing in it is personal: outcomes, details and hashes that the ledger shows.
"""

import fcntl
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Self

import msgspec

from kerege.durable import make_private_folder, sync_folder
from kerege.gateways.extracts.errors import ImportRunning, JournalDamaged
from kerege.gateways.extracts.reader import Form
from kerege.gateways.extracts.rules import Outcome, Verdict
from kerege.kernel.types import Hash, Identifier

CHUNK = 500
"""Rows of a chunk, the last one of a file may have fewer."""
LEAF = 48
"""Bytes of an accepted row's leaf: id and content root of the record."""


_NUMBER = re.compile("[0-9a-f]{32}")


class About(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The head of a journal."""

    number: str
    """Id of the import, hex."""
    source: str
    """Keyed hash of the file, hex."""
    today: str
    """Local date of the import's first block, ISO 8601."""
    rows: int
    """Records of the file."""
    form: Form | None = None
    """How the file is read; None in journals of before this was kept, which any form goes on with."""


class Journal:
    """The journal of one import, in a folder of its own; one process holds it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.about = read_about(folder)
        self._lines = (folder / "outcomes").open("a+b")
        self._leaves = (folder / "leaves").open("a+b")
        self.chunks = self._cut_torn_end()

    @staticmethod
    def exists(folder: Path) -> bool:
        """Whether an import was begun in this folder."""
        return (folder / "about.json").is_file()

    @staticmethod
    def begin(folder: Path, about: About) -> None:
        """Make the folder of a journal; durable on return."""
        make_private_folder(folder)
        draft = folder / "about.json.new"
        with draft.open("wb") as file:
            _write(file, msgspec.json.encode(about))
        draft.replace(folder / "about.json")
        for each in (folder, folder.parent):
            sync_folder(each)

    def append(self, chunks: Sequence[tuple[Sequence[Verdict], Sequence[bytes]]]) -> None:
        """Enter chunks (verdicts, leaves); durable on return. Of what a crash leaves half written whole ones stay."""
        _write(self._leaves, b"".join([leaf for _, leaves in chunks for leaf in leaves]))
        text = []
        for verdicts, leaves in chunks:
            text += [f"{verdict.outcome},{verdict.detail}\n" for verdict in verdicts]
            text.append(f".{len(leaves)}\n")
        _write(self._lines, "".join(text).encode())
        self.chunks += len(chunks)

    def verdicts(self) -> Iterator[list[Verdict]]:
        """The verdicts of every whole chunk, in order."""
        chunk: list[Verdict] = []
        known: dict[str, Verdict] = {}
        with (self.folder / "outcomes").open(encoding="utf-8") as lines:
            for line in lines:
                if line[0] == ".":
                    yield chunk
                    chunk = []
                    continue
                verdict = known.get(line)
                if verdict is None:
                    outcome, _, detail = line.rstrip("\n").partition(",")
                    verdict = Verdict(Outcome(outcome), detail)
                    if len(known) < CHUNK:
                        known[line] = verdict
                chunk.append(verdict)

    def leaves(self) -> Iterator[bytes]:
        """Leaves of all accepted rows, in order of the file."""
        with (self.folder / "leaves").open("rb") as rows:
            while leaf := rows.read(LEAF):
                yield leaf

    def close(self) -> None:
        """Let go of the files."""
        self._lines.close()
        self._leaves.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _cut_torn_end(self) -> int:
        """Cut what a crash left half written; how many whole chunks there are."""
        chunks = accepted = end = at = 0
        self._lines.seek(0)
        for line in self._lines:
            at += len(line)
            if line[:1] == b"." and line[-1:] == b"\n":
                chunks, end, accepted = chunks + 1, at, accepted + int(line[1:])
        self._lines.truncate(end)
        if self._leaves.seek(0, os.SEEK_END) < accepted * LEAF:
            raise JournalDamaged(folder=self.folder)
        self._leaves.truncate(accepted * LEAF)
        return chunks


class Lock:
    """Only one import at a time runs over one home: taken before the dossiers are opened, which only one can."""

    def __init__(self, folder: Path) -> None:
        make_private_folder(folder)
        self._file = (folder / "lock").open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise ImportRunning(folder=folder) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


def folder_of(imports: Path, number: Identifier) -> Path:
    """Where the journal of an import lies."""
    return imports / number.hex()


def numbers_of(imports: Path) -> list[Identifier]:
    """Ids of the imports that have a journal here."""
    folders = sorted(file.parent.name for file in imports.glob("*/about.json"))
    return [bytes.fromhex(name) for name in folders if _NUMBER.fullmatch(name)]


def source_of(about: About) -> Hash:
    """The keyed hash of the journal's file."""
    return bytes.fromhex(about.source)


def read_about(folder: Path) -> About:
    """The head of the journal in a folder; raises `JournalDamaged`."""
    try:
        return msgspec.json.decode((folder / "about.json").read_bytes(), type=About)
    except (OSError, msgspec.DecodeError) as error:
        raise JournalDamaged(folder=folder) from error


def _write(file: BinaryIO, raw: bytes) -> None:
    """Append; durable on return."""
    file.write(raw)
    file.flush()
    os.fdatasync(file.fileno())
