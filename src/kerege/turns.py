"""How long one thread of a process may compute before another gets its turn; for every layer with threads."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def turns_of(seconds: float) -> Iterator[None]:
    """Let threads take turns after so many seconds, in place of the interpreter's own 5 ms."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(seconds)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
