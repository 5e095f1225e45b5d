"""A member whose program is wrong: the engine finds out, its state is kept by itself, and compared to the row."""

import time
from contextlib import ExitStack

import pytest

from kerege.kernel.genesis import Genesis
from kerege.node.comparing import compare_homes
from kerege.node.divergence import Watch, is_divergence
from kerege.node.home import Home
from kerege.testing.members import SECONDS, wait_for
from tests.consensus.members import member, send
from tests.consensus.test_replica import GENESIS, HOUR

WRONG = """
from kerege.modules.bank import MODULE
from kerege.modules.bank.messages import Transfer

right = MODULE.handlers[Transfer]

def wrong(ctx, message):
    right(ctx, message)
    if ctx.height > 5:
        right(ctx, message)

MODULE.handlers[Transfer] = wrong
from kerege.node.replica import main
raise SystemExit(main())
"""


def test_other_lines_of_an_engine_are_none():
    assert not is_divergence('E[2026] failed to verify  err="wrong Block.Header.LastResultsHash"')
    assert is_divergence("panic: state.AppHash does not match AppHash after replay. Got\n")


@pytest.mark.engine
def test_a_wrong_member_is_found_out_and_its_state_kept(tmp_path):
    now = time.time_ns() // 1_000_000
    genesis = Genesis("kg-test", "kg", now - HOUR, GENESIS.modules)
    good = member(tmp_path / "good", genesis)
    bad = member(tmp_path / "bad", genesis, good)
    watch = Watch(bad.home)
    with ExitStack() as stack:
        rpc = stack.enter_context(good.running())
        stack.enter_context(bad.running("-c", WRONG))
        send(rpc, range(8), now)

        def diverged() -> bool:
            for line in bad.engine.log.read_text().splitlines():
                watch.line(line)
            return bad.home.divergence.is_dir() and any(bad.home.divergence.glob("[0-9]*"))

        wait_for(diverged)
        watch.wait(SECONDS)
        (folder,) = bad.home.divergence.glob("[0-9]*")
        told = compare_homes(good.home, Home(folder), None, 10)
    assert told["first_different_block"] > 5
    assert set(told["module_roots"]) >= {"bank"}
    assert {row["table"] for row in told["rows"]} >= {"bank.balance"}
