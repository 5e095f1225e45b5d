"""The page on running a network does what it says, copied in order."""

import os
import re
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from kerege.node.network.layout import is_network
from kerege.testing.members import wait_for

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/how-to/run-a-network.md"


@pytest.mark.engine
def test_every_command_works_in_order(tmp_path):
    for name in (".venv", ".tools", "Makefile", "tools", "src"):
        (tmp_path / name).symlink_to(ROOT / name)
    commands = re.findall(r"^\$ (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(commands) > 10
    settings = {**os.environ, "PYTHONPATH": str(ROOT / "src")}

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, cwd=tmp_path, env=settings, capture_output=True, text=True, check=False)

    try:
        for command in commands:
            if "/health/ready" in command:  # a part that was killed before is catching up with the others
                wait_for(partial(is_ready, run, command))
            elif not command.startswith("make engine"):  # tests/house/test_engine.py
                done = run("bash", "-c", command)
                assert done.returncode == 0, (command, done.stdout[-1_000:], done.stderr[-1_000:])
                check(command, done.stdout)
            if "kerege.testing.demo" in command:
                again = run("bash", "-c", command)
                assert again.returncode == 2
                assert "play it again on a fresh ledger" in again.stderr
    finally:
        if is_network(tmp_path / "var/network"):
            run(".venv/bin/kerege", "network", "down", "--home", "var/network")


def is_ready(run: Callable[..., subprocess.CompletedProcess[str]], command: str) -> bool:
    """Whether it says that the part is."""
    return '"status": "ready"' in run("bash", "-c", command).stdout


def check(command: str, said: str) -> None:
    """What the page says that one sees."""
    if "network logs" in command:
        assert re.search(r"supervisor \| .* warning [a-z-]+: its application ended; both parts start again in", said)
    elif "checkpoint" in command:
        assert said.count("— kerege/") >= 3
