"""Whether a node's store holds a whole ledger: while a snapshot is restored into it, what is there is of none yet.

Rows come in before anybody knows what they are, and a lie is found out with the last one: who reads meanwhile is
refused, and so is who submits, for a transaction would be looked at against them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from kerege.consensus import rows
from kerege.kernel.codec import decode
from kerege.storage.port import Area, Store

RETRY_AFTER = 5
"""Seconds after which it may be asked again."""

P = ParamSpec("P")
T = TypeVar("T")


class BeingRestored(Exception):
    """Refused: this node's ledger is not whole yet. Nothing was told, and nothing was accepted."""

    def __init__(self, height: int | None, retry_after: int = RETRY_AFTER) -> None:
        what = f"a snapshot of height {height} is being restored" if height is not None else "no ledger is here yet"
        super().__init__(f"{what}, try again after {retry_after} s")
        self.height = height
        """Of the snapshot; None before one was accepted, or after one turned out wrong."""
        self.retry_after = retry_after


def check_whole(store: Store) -> None:
    """Raise `BeingRestored` where the store holds no whole ledger: its head is written with the last row."""
    if store.get(Area.META, rows.HEAD) is None:
        raw = store.get(Area.META, rows.RESTORING)
        raise BeingRestored(None if raw is None else decode(raw, int))


@contextmanager
def whole(store: Store) -> Iterator[None]:
    """What is read inside is of a whole ledger, or `BeingRestored` is raised: also where a restoring overtook it."""
    check_whole(store)
    try:
        yield
    finally:
        check_whole(store)


class _OverStore(Protocol):
    store: Store


Owner = TypeVar("Owner", bound=_OverStore)


def of_whole(read: Callable[Concatenate[Owner, P], T]) -> Callable[Concatenate[Owner, P], T]:
    """A method that reads its owner's store, inside `whole`."""

    @wraps(read)
    def told(owner: Owner, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with whole(owner.store):
            return read(owner, *args, **kwargs)

    return told
