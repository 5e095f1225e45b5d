"""The tables equal the state, are built anew, and go on from where they were: each block once, whoever writes."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from sqlalchemy import func, select

from kerege.kernel.module import Modules
from kerege.modules import MODULES
from kerege.node.ledger import open_ledger
from kerege.node.readmodel import open_projector, rebuild, status
from kerege.readmodel.database import Database, open_database
from kerege.readmodel.errors import (
    AheadOfLedger,
    DatabaseFailed,
    NoDatabase,
    NotBuilt,
    OfAnotherLedger,
    OfAnotherRelease,
)
from kerege.readmodel.projector import Projector
from kerege.testing.raion import notify
from tests.readmodel.reading import plain, rows_of, state_of, tables_of


def quiet(_done, _of):
    """No progress."""


def equal(home, url):
    expected, schema = state_of(home)
    found = tables_of(url, schema)
    assert {name: plain(rows) for name, rows in found.items()} == {name: plain(rows) for name, rows in expected.items()}
    return expected


def test_every_table_equals_the_state(raion, url):
    told = rebuild(raion, url, quiet)
    assert told["behind"] == 0
    assert told["height"] == told["ledger_height"] > 50
    expected = equal(raion, url)
    assert sum(map(len, expected.values())) > 1_000
    assert len(expected["registries.record"]) > 150
    assert expected["services.case"]


def test_blocks_transactions_and_events_are_told_in_full(raion, url):
    rebuild(raion, url, quiet)
    with open_ledger(raion) as ledger:
        head = ledger.prover.head()
        found_blocks = [ledger.door.block(height) for height in range(head.height + 1)]
    blocks = [block for block in found_blocks if block is not None]
    modules = Modules(MODULES)
    with open_projector(raion, url) as (_, database, _source):
        schema = database.schema
    found = rows_of(url, schema.blocks, "height", "time", "app_hash")
    assert found == [(b.height, b.time, b.head.app_hash) for b in blocks]
    sent = rows_of(url, schema.transactions, "height", "code", "messages")
    assert len(sent) == sum(count for _, count in rows_of(url, schema.blocks, "height", "transactions"))
    assert len(sent) == sum(len(block.transactions) for block in blocks)
    kinds = {kind for _, _, messages in sent for kind in messages.split(" ")}
    assert kinds >= {"services.Open", "services.Act", "registries.ImportRecords", "disclosure.RequestAccess"}
    happened = {kind for _, kind in rows_of(url, schema.events, "leaf", "kind")}
    assert happened <= {kind.__struct_config__.tag for kind in modules.projections}
    assert len(happened) > 15


def test_tables_go_on_from_where_they_were(living, url):
    before = rebuild(living, url, quiet)["height"]
    with open_ledger(living) as ledger:
        for _ in range(3):
            notify(living, ledger, Random(7))
    assert status(living, url)["behind"] >= 3
    with open_projector(living, url) as (projector, _, source):
        assert projector.catch_up(quiet).height == source.height() >= before + 3
    equal(living, url)
    assert status(living, url)["behind"] == 0


def test_two_writers_at_once_apply_each_block_once(raion, url, monkeypatch):
    """Both read the same place first; small batches make them meet all the time."""
    monkeypatch.setattr("kerege.readmodel.projector.BATCH_LEAVES", 3)
    with open_projector(raion, url) as (projector, _, _source):
        projector.build()

    def run(_number):
        with open_projector(raion, url) as (projector, _, _source):
            return projector.catch_up(quiet).height

    with ThreadPoolExecutor(3) as pool:
        heights = set(pool.map(run, range(3)))
    assert heights == {status(raion, url)["ledger_height"]}
    equal(raion, url)


def test_of_two_writers_of_one_batch_the_second_changes_nothing(raion, url, monkeypatch):
    with open_projector(raion, url) as (projector, database, _source):
        projector.build()
        taken = []
        advance = database.advance

        def twice(before, batch):
            taken.append((advance(before, batch), advance(before, batch)))
            return taken[-1][0]

        monkeypatch.setattr(database, "advance", twice)
        projector.catch_up(quiet)
    assert taken
    assert set(taken) == {(True, False)}
    equal(raion, url)


def test_killed_at_any_point_it_goes_on(living, url):
    """`kerege readmodel rebuild`, then followers, each killed at another moment."""
    command = [sys.executable, "-m", "kerege.node", "readmodel"]
    words = ["--home", str(living.path), "--database", url]
    subprocess.run([*command, "rebuild", *words], check=True, capture_output=True)
    engine = open_database(url)
    for after in (0.5, 0.7, 0.9, 1.1):
        follower = subprocess.Popen([*command, "follow", *words], stdout=subprocess.DEVNULL)
        with open_ledger(living) as ledger:
            until = time.monotonic() + after
            while time.monotonic() < until:
                notify(living, ledger, Random(3))
        os.kill(follower.pid, signal.SIGKILL)
        follower.wait()
    engine.dispose()
    with open_projector(living, url) as (projector, _, _source):
        projector.catch_up(quiet)
    equal(living, url)


# What is refused


@pytest.mark.parametrize(
    "address", ["", "file.sqlite", "mysql://user:word@host/x", "postgresql+nothing://h/x", "redis://h", "://"]
)
def test_an_address_of_no_known_database_is_refused_without_telling_a_password(raion, address):
    with pytest.raises(NoDatabase) as refused, open_projector(raion, address or "x"):
        pass
    assert "word" not in str(refused.value)
    assert "sqlite:///FILE" in str(refused.value)


def test_a_database_that_does_not_answer_is_told_without_the_password(raion):
    with pytest.raises(DatabaseFailed, match=r"127\.0\.0\.1") as failed:
        rebuild(raion, "postgresql://me:secretword@127.0.0.1:1/none", quiet)
    assert "secretword" not in str(failed.value)


def test_a_database_without_tables_is_told(raion, url):
    with pytest.raises(NotBuilt, match="kerege readmodel rebuild"):
        status(raion, url)


def _change_place(url, database, **values):
    with database.engine.begin() as connection:
        connection.execute(database.schema.place.update().values(**values))


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"genesis": bytes(32)}, OfAnotherLedger),
        ({"fingerprint": "0"}, OfAnotherRelease),
        ({"app_hash": bytes(32)}, AheadOfLedger),
        ({"height": 10_000_000}, AheadOfLedger),
    ],
)
def test_tables_that_do_not_belong_to_the_ledger_are_left_alone_until_rebuilt(raion, url, values, kind):
    rebuild(raion, url, quiet)
    with open_projector(raion, url) as (projector, database, _source):
        _change_place(url, database, **values)
        with pytest.raises(kind, match="rebuild"):
            projector.catch_up(quiet)
        with pytest.raises(kind):
            projector.build()
        counted = select(func.count()).select_from(database.schema.held["registries.record"].sql)
        with database.engine.connect() as connection:
            assert connection.execute(counted).scalar_one() > 150
    rebuild(raion, url, quiet)
    equal(raion, url)


def test_a_batch_that_fails_leaves_rows_and_place_as_they_were(raion, url, monkeypatch):
    with open_projector(raion, url) as (projector, database, source):
        place = projector.build()
        before = tables_of(url, database.schema)
        monkeypatch.setattr(Database, "_append", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            projector.catch_up(quiet)
        monkeypatch.undo()
        assert database.place() == place
        assert tables_of(url, database.schema) == before
        assert Projector(Modules(MODULES), source, database).catch_up(quiet).height == source.height()
    equal(raion, url)
