"""The program `kerege`: in this process, which is quick, or in one of its own, where signals and sockets matter."""

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import typer
from typer.testing import CliRunner

from kerege.cli import app, main
from kerege.cli.wiring import Wiring
from kerege.node.wiring import NodeWiring

ROOT = Path(__file__).parents[2]
REGISTRAR, ACCEPTOR = "ЗАГС-708203/registrar", "ЦОН-708203/acceptor"
REFUSED, UNUSABLE, SUPERSEDED = 1, 2, 3


_commands = cache(typer.main.get_command)
"""A hundred commands are made from their messages once, not anew for each run in this process."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """All of standard output, which is one JSON document."""
        return json.loads(self.out)

    def one_sentence(self, *told: str, code: int = UNUSABLE) -> None:
        """It could not go on, and said so in one line that holds these words, and nothing else."""
        assert self.code == code, self
        assert self.err.count("\n") == 1, self.err
        assert self.err.rstrip().endswith("."), self.err
        assert "Traceback" not in self.err
        assert "error of the program itself" not in self.err, self.err
        assert all(word in self.err for word in told), self.err
        assert not self.out, self.out


def kerege(
    *words: str | Path, env: Mapping[str, str] | None = None, given: str = "", wiring: Wiring | None = None
) -> Done:
    """Run the program in this process."""
    argv = ["kerege", *map(str, words)]
    with (
        CliRunner().isolation(given, env) as (out, err, _),
        mock.patch.object(sys, "argv", argv),
        mock.patch.object(typer.main, "get_command", _commands),
        mock.patch.object(gc, "collect"),  # a ledger that opens collects all that pytest holds, each time
    ):
        code = main(lambda: wiring or NodeWiring())
        sys.stdout.flush()
        sys.stderr.flush()
        return Done(code, out.getvalue().decode(), err.getvalue().decode())


def _command(words: tuple[str | Path, ...]) -> list[str]:
    return [sys.executable, "-m", "kerege.node", *map(str, words)]


def environment() -> dict[str, str]:
    """Variables under which a process of its own runs this tree."""
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8"}


def process(*words: str | Path) -> Done:
    """Run the program in a process of its own."""
    done = subprocess.run(_command(words), capture_output=True, text=True, check=False, env=environment(), timeout=60)
    return Done(done.returncode, done.stdout, done.stderr)


@contextmanager
def running(home: Path, *words: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """A node on a home, and what it said when it was there."""
    command = _command(("up", "--home", home, "--no-read-model", *words))
    node = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert node.stdout is not None
    try:
        said = node.stdout.readline()
        assert (home / "run/ledger.sock").exists()
        yield node, said
        if node.poll() is None:
            node.send_signal(signal.SIGINT)
            assert node.wait(20) == 0
    finally:
        if node.poll() is None:
            node.kill()
        node.wait()
        node.stdout.close()


def leaves() -> dict[str, Any]:
    """Every command that does something, by its words."""
    return dict(_leaves("", _commands(app)))


def _leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for word, each in inner.items():
        yield from _leaves(f"{name} {word}".strip(), each)


def look(access: str, case: str = "22" * 16, reference: str = "33" * 32) -> dict[str, Any]:
    """A message that any registrar may send: a request to see data, denied where there is no such case."""
    return {
        "type": "disclosure.RequestAccess",
        "access": access,
        "case": case,
        "office": REGISTRAR.partition("/")[0],
        "ground": "curiosity",
        "references": [reference],
        "fields": ["child.surname"],
        "blind": "44" * 16,
    }


def write_message(path: Path, message: Any) -> Path:
    """A file for `kerege submit`."""
    path.write_text(json.dumps(message), encoding="utf-8")
    return path
