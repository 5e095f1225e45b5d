"""How much decoded state a process keeps: the machine's part, or what it is told."""

import pytest

from kerege.node import memory
from kerege.node.home import HomeError


@pytest.mark.parametrize("told", ["", "many", "-1", "1.5", "٣"])
def test_what_is_no_number_is_refused_with_the_cure(told):
    with pytest.raises(HomeError, match=r"KEREGE_CACHE_MIB=512"):
        memory.cached_values({memory.VARIABLE: told})


def test_an_operator_s_word_holds():
    assert memory.cached_values({memory.VARIABLE: "512"}) == 512 * 2**20 // memory.VALUE_BYTES
    assert memory.cached_values({memory.VARIABLE: "0"}) == memory.LEAST
    assert memory.share(4, {memory.VARIABLE: "512"}) == {}


@pytest.mark.parametrize("machine", [2**30, 4 * 2**30, 24 * 2**30, 2**40])
def test_members_on_one_machine_take_together_what_one_may(monkeypatch, machine):
    monkeypatch.setattr(memory, "machine_bytes", lambda: machine)
    alone = memory.cached_values({})
    assert memory.LEAST <= alone <= memory.MOST
    assert alone == memory.LEAST or alone * memory.VALUE_BYTES <= machine // memory.PART
    each = memory.cached_values(memory.share(4, {}))
    assert each == memory.LEAST or 4 * each * memory.VALUE_BYTES <= machine // memory.PART
    assert each <= alone


def test_the_machine_has_memory():
    assert memory.machine_bytes() > 2**28
