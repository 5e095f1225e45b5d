"""A home that may be read and not written, such as an auditor's copy: its state is shown, nothing is signed."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import NoReturn

from kerege.consensus.checkpoints import Unprovable
from kerege.consensus.door import Door, LocalDoor
from kerege.consensus.prover import Prover
from kerege.kernel.block import Head
from kerege.node.home import Home
from kerege.node.ledger import Ledger, check_same_ledger, open_ledger, open_reader, read_genesis
from kerege.storage.errors import NotWritable

_UNSIGNED = "this home can only be read, and a proof needs a signature of the ledger"


@contextmanager
def open_door(home: Home) -> Iterator[Door]:
    """The ledger of a home, for reading only where the home cannot be written; raises what `open_ledger` does."""
    ledger = _own(home)
    if ledger is None:
        with _reading(home) as door:
            yield door
    else:
        with ledger:
            yield ledger.door


def _own(home: Home) -> Ledger | None:
    """The ledger, opened for writing; None where no file of the home can be written, not only those of its store."""
    try:
        return open_ledger(home)
    except NotWritable:
        if os.access(home.path, os.W_OK):
            raise
        return None


@contextmanager
def _reading(home: Home) -> Iterator[Door]:
    about = home.read_about()
    modules, store = open_reader(home)
    with closing(store):
        check_same_ledger(home, read_genesis(store))
        prover = Prover(modules, store, tuple, about["ledger"], _Unsigned())
        yield LocalDoor(modules, store, prover, about["ledger"], about["prefix"], None)


class _Unsigned:
    """Fills `Checkpoints` where nothing is signed."""

    def covering(self, _head: Head) -> NoReturn:
        """See `Checkpoints`."""
        raise Unprovable(_UNSIGNED)

    def sign(self, _head: Head) -> NoReturn:
        """See `Checkpoints`."""
        raise Unprovable(_UNSIGNED)

    def commit(self, _block: int, _app_hash: bytes) -> NoReturn:
        """See `Checkpoints`."""
        raise Unprovable(_UNSIGNED)
