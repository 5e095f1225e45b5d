"""The page on running a network does what it says, copied in order."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from kerege.node.network.layout import is_network

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/how-to/run-a-network.md"


@pytest.mark.engine
def test_every_command_works_in_order(tmp_path):
    for name in (".venv", ".tools", "Makefile", "tools", "src"):
        (tmp_path / name).symlink_to(ROOT / name)
    commands = re.findall(r"^\$ (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(commands) > 10
    settings = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    try:
        for command in commands:
            if not command.startswith("make engine"):  # tests/house/test_engine.py
                done = subprocess.run(
                    ["bash", "-c", command], cwd=tmp_path, env=settings, capture_output=True, text=True, check=False
                )
                assert done.returncode == 0, (command, done.stdout[-1_000:], done.stderr[-1_000:])
                check(command, done.stdout)
            if "kerege.testing.demo" in command:
                again = subprocess.run(
                    ["bash", "-c", command], cwd=tmp_path, env=settings, capture_output=True, text=True, check=False
                )
                assert again.returncode == 2
                assert "play it again on a fresh ledger" in again.stderr
    finally:
        if is_network(tmp_path / "var/network"):
            down = [".venv/bin/kerege", "network", "down", "--home", "var/network"]
            subprocess.run(down, cwd=tmp_path, env=settings, check=False, capture_output=True)


def check(command: str, said: str) -> None:
    """What the page says that one sees."""
    if "network logs" in command:
        assert re.search(r"supervisor \| .* warning [a-z-]+: its application ended; both parts start again in", said)
    elif "checkpoint" in command:
        assert said.count("— kerege/") >= 3
    elif "/health/ready" in command:
        assert '"status": "ready"' in said
