"""Killed at any point: what was acknowledged is there, once; nothing is half done; the ledger goes on."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from kerege.consensus import rows
from kerege.consensus.replay import verify_ledger
from kerege.consensus.trees import open_trees
from kerege.storage.memory import MemoryStore
from tests.consensus.crash_writer import transaction
from tests.consensus.support import Opened, rocks
from tests.kernel import toy
from tests.kernel.bench import known

ROOT = Path(__file__).parents[2]
CHOSEN = [
    "seal:1",
    "sealed:1",
    "write:1",
    "written:1",
    "seal:4",
    "sealed:5",
    "write:6",
    "written:7",
    "dump:1",
    "dump:2",
]
AT_RANDOM = 8


def run_until_killed(home: Path, point: str, seconds: float) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    command = [sys.executable, "-m", "tests.consensus.crash_writer", str(home), point]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() in {b"ready\n", b""}  # none where it died before
        if point == "none":
            time.sleep(seconds)
            process.send_signal(signal.SIGKILL)
        try:
            assert process.wait(60) == -signal.SIGKILL
        finally:
            process.kill()


def acknowledged(home: Path) -> list[tuple[int, int, str]]:
    """(lane, sequence, transaction id); a last line cut off by the kill was not acknowledged to anybody."""
    path = home / "acknowledged"
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return [(int(lane), int(sequence), identifier) for lane, sequence, identifier in map(str.split, lines)]


def check(home: Path, random: Random) -> int:
    """Everything that must hold after a kill; how many were acknowledged."""
    told = acknowledged(home)
    with rocks(home, create=False) as store:
        report = verify_ledger(store, toy.MODULES, MemoryStore())
        assert report.sound, report.difference
        executed = Counter(
            toy.MODULES.decoder.transaction(raw).id.hex() for b in rows.read_blocks(store) for raw in b.transactions
        )
        assert set(executed.values()) <= {1}
        assert [line for line in told if line[2] not in executed] == []
        head = known(rows.read_head(store))
        from_dump, from_state = (
            open_trees(toy.MODULES, store, head, folder, lambda *_: None) for folder in (home / "trees", None)
        )
        assert [t.root for t in from_dump] == [t.root for t in from_state] == head.module_roots
        with Opened(store, home / "trees") as ledger:
            again = random.sample(told, min(len(told), 20))
            answers = ledger.engine.submit([transaction(lane, sequence) for lane, sequence, _ in again]).wait(30)
            assert [a.id.hex() for a in answers] == [identifier for _, _, identifier in again]
            assert all(a.receipt == known(rows.find_receipt(store, a.id))[2] for a in answers)
            assert known(rows.read_head(store)) == head
    return len(told)


@pytest.mark.slow
def test_crash_matrix(tmp_path):
    """One ledger, killed eighteen times: at chosen points, and at random ones (the seed is printed)."""
    seed = int(os.environ.get("KEREGE_SEED", time.time_ns() % 10**6))
    print(f"KEREGE_SEED={seed}")  # noqa: T201 - to run it again
    random = Random(seed)
    points = [*CHOSEN, *["none"] * AT_RANDOM]
    random.shuffle(points)
    counts = []
    for point in points:
        run_until_killed(tmp_path, point, random.random() * 0.6)
        counts.append(check(tmp_path, random))
    assert counts[-1] > 1_000
    assert counts == sorted(counts)


def test_a_kill_between_genesis_and_the_first_block_is_none(tmp_path):
    """Both are one write: a home is empty, or has begun."""
    run_until_killed(tmp_path, "write:1", 0)
    with rocks(tmp_path, create=False) as store:
        assert known(rows.read_head(store)).height == 0
        assert rows.read_genesis(store) is not None
