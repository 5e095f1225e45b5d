"""Lines of logs: objects for programs, sentences for people."""

import io
import json
from contextlib import suppress
from pathlib import Path

import pytest

from kerege.node.logs import Log, readable, text_of

ENGINE = (
    '{"_msg":"CONSENSUS FAILURE!!!","err":"wrong hash","level":"error","module":"consensus",'
    '"ts":"2026-11-21T10:59:08.182458638Z"}'
)


def test_each_line_is_one_object_whatever_is_said():
    out = io.StringIO()
    log = Log("bank", out)
    log.tell("opened")
    log.height = 7
    log.mend("its engine ended", "courts")
    log.alarm('Traceback:\n  line "two"\nбөлүм')
    first, second, third = map(json.loads, out.getvalue().splitlines())
    assert [first["level"], second["level"], third["level"]] == ["info", "warning", "error"]
    assert "height" not in first
    assert (second["member"], second["height"]) == ("courts", 7)
    assert third["text"] == 'Traceback:\n  line "two"\nбөлүм'
    assert all(list(entry)[:3] == ["time", "level", "member"] for entry in (first, second, third))
    assert log.alarms == 1


def test_people_read_time_level_and_text_first():
    out = io.StringIO()
    log = Log("bank", out)
    log.height = 7
    log.alarm("invariant bank.supply does not hold")
    said = readable(out.getvalue().strip())
    assert said.endswith("Z error invariant bank.supply does not hold height=7")
    assert readable(ENGINE) == "2026-11-21T10:59:08Z error CONSENSUS FAILURE!!! err=wrong hash module=consensus"
    assert text_of(ENGINE) == "CONSENSUS FAILURE!!!"


def test_people_read_about_which_member_the_supervisor_speaks():
    out = io.StringIO()
    log = Log("supervisor", out)
    log.mend("its engine ended", "courts")
    log.tell("stopped")
    ended, stopped = (readable(line, "supervisor") for line in out.getvalue().splitlines())
    assert ended.endswith("Z warning courts: its engine ended")
    assert stopped.endswith("Z info stopped")
    assert readable(out.getvalue().splitlines()[0], "courts application").endswith("Z warning its engine ended")


@pytest.mark.parametrize(
    "line", ["", "plain", "{", '{"a": 1', '{"other": 1}', "[1]", "Traceback (most recent call last):"]
)
def test_what_is_no_entry_stays_as_it_is(line):
    assert readable(line) == text_of(line) == line


def test_a_full_disk_ends_nobody_who_has_something_to_say():
    with Path("/dev/full").open("w", encoding="utf-8", buffering=1) as full:
        log = Log("bank", full)
        for say in (log.tell, log.mend, log.alarm):
            say("something")
        assert log.alarms == 1
        with suppress(OSError):
            full.close()
