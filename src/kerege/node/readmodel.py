"""The read model of a home: where it is kept, and the ledger's store as its source."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

from kerege.consensus import rows
from kerege.consensus.whole import BeingRestored, check_whole
from kerege.kernel.block import StoredBlock
from kerege.kernel.genesis import Genesis
from kerege.kernel.module import Modules
from kerege.modules import MODULES
from kerege.node.home import Home
from kerege.node.ledger import open_reader, read_genesis
from kerege.node.tuning import steady_work
from kerege.readmodel.database import Database, open_database
from kerege.readmodel.projector import Progress, Projector
from kerege.readmodel.schema import make_schema
from kerege.storage.secondary import SecondaryStore

PAUSE = 0.25
"""Seconds between two looks at a ledger in which nothing happens."""
GATHERING = 0.25
"""Seconds between two looks at one in which much does; where no block came in between, nothing is waited for."""
REST, LONGEST = 8, 2.0
"""While blocks go on coming, it rests so many times as long as it wrote, and so many seconds at most: what comes
together touches the same pages, and a page is written once a batch. Behind 400,000 imported records a row costs 38 µs
with 3,000 of them a batch, 30 with 10,000."""
RESTORING = 1.0
"""Seconds between two looks at a store that is being filled from a snapshot."""


class StoreSource:
    """Blocks of a home, also while a node writes it. A context manager."""

    def __init__(self, home: Home) -> None:
        self._store: SecondaryStore = open_reader(home)[1]
        self._height = 0

    def genesis(self) -> Genesis:
        """See `Source`."""
        return read_genesis(self._store)

    def height(self) -> int:
        """See `Source`: catches up with the node first. Raises `BeingRestored`."""
        self._store.catch_up()
        check_whole(self._store)
        head = rows.read_head(self._store)
        self._height = 0 if head is None else head.height
        return self._height

    def block(self, height: int) -> StoredBlock | None:
        """See `Source`."""
        return rows.read_block(self._store, height)

    def blocks(self, after: int) -> Iterator[StoredBlock]:
        """See `Source`."""
        return rows.read_blocks(self._store, after + 1, self._height + 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()


def default_url(home: Home) -> str:
    """SQLite in a folder of the home."""
    folder = home.path.resolve() / "readmodel"
    folder.mkdir(mode=0o700, exist_ok=True)
    return f"sqlite:///{folder}/readmodel.sqlite"


@contextmanager
def open_projector(home: Home, url: str | None) -> Iterator[tuple[Projector, Database, StoreSource]]:
    """A home's ledger and the database for its read model. Raises `ReadModelError` and what the store raises."""
    prefix = home.read_about()["prefix"]
    engine = open_database(url or default_url(home))
    try:
        with StoreSource(home) as source:
            modules = Modules(MODULES)
            database = Database(engine, make_schema(modules, prefix))
            yield Projector(modules, source, database), database, source
    finally:
        engine.dispose()


def rebuild(home: Home, url: str | None, progress: Progress) -> dict[str, Any]:
    """Build the tables anew from the ledger's first block."""
    with open_projector(home, url) as (projector, database, source), steady_work():
        projector.rebuild(progress)
        return _told(projector, database, source)


def status(home: Home, url: str | None) -> dict[str, Any]:
    """How far the tables are behind the ledger."""
    with open_projector(home, url) as (projector, database, source):
        return _told(projector, database, source)


def follow(home: Home, url: str | None, progress: Progress, goes_on: Callable[[], bool]) -> dict[str, Any]:
    """Keep the tables where the ledger is for as long as `goes_on`; a snapshot that is being restored is waited for."""
    while True:
        try:
            with open_projector(home, url) as (projector, database, source), steady_work():
                _follow(projector, source, progress, goes_on)
                return _told(projector, database, source)
        except BeingRestored:
            if not goes_on():
                raise
            time.sleep(RESTORING)


def _follow(projector: Projector, source: StoreSource, progress: Progress, goes_on: Callable[[], bool]) -> None:
    place = projector.build()
    seen, rested = place.height, 0.0
    while goes_on():
        before, seen, began = seen, source.height(), time.monotonic()
        if seen == place.height:
            time.sleep(PAUSE)
            continue
        if seen == before or began >= rested:
            place = projector.catch_up(progress)
            seen, wrote = place.height, time.monotonic()
            rested = wrote + min(LONGEST, REST * (wrote - began))
        time.sleep(GATHERING)


def _told(projector: Projector, database: Database, source: StoreSource) -> dict[str, Any]:
    head, place = source.height(), projector.check()
    return {
        "database": database.name,
        "ledger": place.ledger,
        "height": place.height,
        "ledger_height": head,
        "behind": head - place.height,
    }
