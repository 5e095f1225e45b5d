"""Signatures checked in a process beside: the same verdicts, whatever becomes of the process."""

import os

import pytest
from nacl.signing import SigningKey

from kerege.consensus.checking import CheckedBeside, verdicts

KEY = SigningKey(bytes(32))
GOOD = [(bytes(KEY.verify_key), bytes([n]), KEY.sign(bytes([n])).signature) for n in range(100)]
CLAIMS = [
    *GOOD[:70],
    (GOOD[0][0], b"another payload", GOOD[0][2]),
    (GOOD[0][0], GOOD[0][1], GOOD[0][2][:63]),
    (b"short", b"", b""),
    *GOOD[70:],
]
EXPECTED = bytes([*[1] * 70, 0, 0, 0, *[1] * 30])


@pytest.fixture
def beside():
    made = CheckedBeside()
    yield made
    made.close()


def test_bad_ones_are_found_in_their_places_and_a_ticket_is_collected_once(beside):
    first, second = beside.submit(CLAIMS), beside.submit(GOOD)
    assert beside.collect(second) == bytes([1] * 100)
    assert beside.done(first)
    assert beside.collect(first) == EXPECTED
    with pytest.raises(LookupError):
        beside.collect(first)


def test_a_process_that_is_gone_costs_no_verdict(beside):
    assert beside.collect(beside.submit(CLAIMS)) == EXPECTED
    process = beside._process
    assert process is not None
    process.kill()
    process.wait()
    assert beside.collect(beside.submit(CLAIMS)) == EXPECTED
    assert beside.collect(beside.submit(GOOD)) == bytes([1] * 100)


def test_the_process_ends_with_what_asked_it():
    beside = CheckedBeside()
    beside.collect(beside.submit(GOOD))
    process = beside._process
    assert process is not None
    beside.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_in_line_they_are_judged_alike():
    assert verdicts(CLAIMS) == EXPECTED
