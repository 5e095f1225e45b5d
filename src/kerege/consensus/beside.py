"""Reads of the store on a thread beside the one that executes: RocksDB looks up without the interpreter lock."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")


def reading_beside() -> Callable[[Callable[[], _T]], Callable[[], _T]]:
    """Begins reads on one thread of its own, which ends with the last reference to this."""
    reader = ThreadPoolExecutor(1, thread_name_prefix="reader")

    def begin(read: Callable[[], _T]) -> Callable[[], _T]:
        return reader.submit(read).result

    return begin
