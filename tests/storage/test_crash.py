"""Kill −9 at random moments: what was acknowledged is there, whole; nothing is torn."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from kerege.storage.rocks import RocksStore
from kerege.storage.secondary import SecondaryStore
from tests.storage.numbered import check_whole

ROOT = Path(__file__).parents[2]
KILLS = 20


def start_writer(home: Path) -> subprocess.Popen[str]:
    """A process that writes numbered batches into `home` and acknowledges each on its standard output."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.storage.numbered", str(home)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        stdout=subprocess.PIPE,
        text=True,
    )


def kill_after(writer: subprocess.Popen[str], seconds: float) -> int:
    """Kill the writer `seconds` after its first acknowledgement; the last number it acknowledged."""
    assert writer.stdout is not None
    acknowledged = int(writer.stdout.readline())
    timer = threading.Timer(seconds, writer.kill)
    timer.start()
    for line in writer.stdout:
        if line.endswith("\n"):
            acknowledged = int(line)
    assert writer.wait() == -signal.SIGKILL
    writer.stdout.close()
    return acknowledged


def test_kill_loses_and_tears_nothing(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    seed = random.randrange(1 << 32)
    record_property("seed", seed)
    chance = random.Random(seed)
    RocksStore(tmp_path, create=True).close()
    acknowledged = 0
    for _ in range(KILLS):
        acknowledged = kill_after(start_writer(tmp_path), chance.uniform(0.0, 0.08))
        with SecondaryStore(tmp_path) as reader:  # also without an owner, on what the killed one left
            check_whole(reader, acknowledged)
    with RocksStore(tmp_path) as store:
        assert check_whole(store, acknowledged) >= KILLS


def test_a_secondary_reads_whole_blocks_while_another_process_writes(tmp_path: Path) -> None:
    RocksStore(tmp_path, create=True).close()
    writer = start_writer(tmp_path)
    assert writer.stdout is not None
    heads = []
    try:
        with SecondaryStore(tmp_path) as reader:
            for _ in range(25):
                acknowledged = int(writer.stdout.readline())
                reader.catch_up()
                heads.append(check_whole(reader, acknowledged))
                assert check_whole(reader, acknowledged) == heads[-1]  # nothing moves between two catch-ups
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()
    assert heads == sorted(heads)
    assert heads[0] < heads[-1]


def test_a_secondary_follows_an_owner_that_starts_again(tmp_path: Path) -> None:
    RocksStore(tmp_path, create=True).close()
    with SecondaryStore(tmp_path) as reader:
        for _ in range(3):
            acknowledged = kill_after(start_writer(tmp_path), 0.05)
            reader.catch_up()
            check_whole(reader, acknowledged)
            RocksStore(tmp_path).close()  # replays the log, writes tables, deletes the log the reader looked at
            reader.catch_up()
            check_whole(reader, acknowledged)
