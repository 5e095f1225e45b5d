"""What an engine answers to a node that hands in transactions: an answer that is none stops nobody."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from kerege.consensus.broadcast import LARGE, Broadcaster, Offered
from kerege.consensus.cometbft.rpc import Unreachable
from tests.consensus.answering import answering


@contextmanager
def engine(answer: Any) -> Iterator[Broadcaster]:
    """An engine that gives one answer to everything."""
    with answering(lambda _asked: json.dumps(answer).encode()) as url:
        broadcaster = Broadcaster(url)
        try:
            yield broadcaster
        finally:
            broadcaster.close()


@pytest.mark.parametrize(
    "answer",
    [
        {"jsonrpc": "2.0", "id": -1, "error": {"code": -32600, "message": "Invalid Request", "data": "batch"}},
        {"jsonrpc": "2.0", "error": {"code": -32700}},
        [],
        [1],
        "stopping",
        None,
        [{"id": 0, "result": {}}],
        [{"id": 0, "result": {"code": "none"}}],
        [{"id": 0, "error": "no"}],
    ],
)
def test_an_answer_that_is_none_is_as_good_as_no_answer(answer):
    with engine(answer) as broadcaster, pytest.raises(Unreachable):
        broadcaster.offer([b"transaction"])


@pytest.mark.parametrize("answer", [[], [1], "stopping", None, {}, {"result": {}}, {"result": {"code": "none"}}])
def test_nor_is_it_to_a_large_one(answer):
    with engine(answer) as broadcaster, pytest.raises(Unreachable):
        broadcaster.offer([bytes(LARGE)])


def test_each_is_told_what_becomes_of_it():
    answers = [
        {"id": 1, "result": {"code": 0}},
        {"id": 0, "error": {"data": "tx already exists in cache"}},
    ]
    with engine(answers) as broadcaster:
        assert broadcaster.offer([b"one", b"two"]) == [Offered.WAITS, Offered.WAITS]
    with engine([{"id": 0, "error": {"data": "mempool is full: number of txs"}}]) as broadcaster:
        assert broadcaster.offer([b"one"]) == [Offered.LATER]


def test_a_large_one_goes_by_itself():
    with engine({"id": -1, "result": {"code": "0"}}) as broadcaster:
        assert broadcaster.offer([bytes(LARGE)]) == [Offered.WAITS]
        assert broadcaster.offer([bytes(LARGE)] * 3) == [Offered.WAITS] * 3
    with engine({"id": -1, "error": {"data": "tx already exists in cache"}}) as broadcaster:
        assert broadcaster.offer([bytes(LARGE)]) == [Offered.WAITS]
