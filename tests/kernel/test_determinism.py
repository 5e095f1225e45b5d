"""Equal bytes give equal hashes: whatever the hash seed, the process, the code behind, the cache, the disk's delay."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kerege.kernel.machine import Machine
from tests.kernel import toy
from tests.kernel.bench import Bench, genesis
from tests.kernel.scenario import BLOCKS, LISTED, history, run

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def expected() -> list[str]:
    told = run("first")
    assert len({line.split()[1] for line in told}) > BLOCKS // 2, "the history does something"
    assert sum(int(line.split()[3]) for line in told) > 3, "and something goes wrong in it"
    return told


@pytest.mark.parametrize(
    ("way", "seed"),
    [("first", "0"), ("first", "1"), ("plain", "2"), ("late", "3"), ("tiny", "random"), ("admitted", "5")],
)
def test_other_processes_come_to_the_same(expected, way, seed):
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.kernel.scenario", way], cwd=ROOT, env=environment, capture_output=True, check=True
    )
    assert done.stdout.decode().splitlines() == expected


def test_one_by_one_or_together_the_state_is_the_same():
    """The log differs (a record per block); state, receipts and their order do not."""
    together, single = (Bench(begin=genesis(parameters=LISTED)) for _ in range(2))
    for time, raws in history():
        light = [raw for raw in raws if b"purse.Heavy" not in raw]  # budgets are a block's
        block = together.run(*light, time=time)
        singles = [single.run(raw, time=time) for raw in light]
        assert together.head.state_root == single.head.state_root
        codes = [type(o.reason) for o in block.executed.outcomes]
        assert codes == [type(b.executed.outcomes[0].reason) for b in singles]


def test_a_candidate_executed_twice_comes_to_the_same():
    """As where a proposal is processed, its round fails, and it comes again."""
    bench = Bench(begin=genesis(parameters=LISTED))
    machine: Machine = bench.machine
    for height, (time, raws) in enumerate(history(seed=11), start=1):
        first = machine.apply_block(height, time, raws)
        machine.discard(first)
        machine.discard(machine.apply_block(height, time, raws[::2]))
        again = machine.apply_block(height, time, raws)
        assert again.head == first.head
        bench.pending.append(again)
        bench.commit()
    assert machine.full_invariants() == []
    assert toy.MODULES.names == machine.modules.names
