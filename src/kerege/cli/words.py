"""The first words of the program; what stands behind one is loaded when somebody asks for it.

Whoever verifies a proof needs no ledger, and whoever asks a ledger needs none of the hundred messages' commands.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import chain
from types import MappingProxyType
from typing import Any

from typer.main import get_group

COMMANDS = MappingProxyType(
    {
        "export": "exporting",
        "follow": "following",
        "diff-state": "diffing",
        "verify-export": "exports",
        "init": "homes",
        "up": "homes",
        "verify": "verifying",
        "verify-ledger": "homes",
        "submit": "submitting",
        "resend": "submitting",
        "schema": "submitting",
        "prove": "proving",
        "trust": "homes",
        "checkpoint": "proving",
    }
)
"""Commands, and in which module's `app` each is."""
GROUPS = MappingProxyType(
    {
        "dossiers": "dossiers",
        "import": "importing",
        "keys": "keys",
        "network": "network",
        "readmodel": "readmodel",
        "show": "asking",
    }
)
"""Groups of commands, and which module's `app` each is; the modules of the ledger, with their messages, follow."""


class Words(Mapping[str, Any]):
    """Commands and groups of commands by their word, each made once."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, word: str) -> Any:  # noqa: ANN401 - typer's own copy of click
        if word not in self._made:
            self._made[word] = _make(word)
        return self._made[word]

    def __iter__(self) -> Iterator[str]:
        return chain(COMMANDS, GROUPS, _load("messages").GROUPS)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _make(word: str) -> Any:  # noqa: ANN401 - typer's own copy of click
    """What a word stands for; raises `KeyError`."""
    if word in COMMANDS:
        return get_group(_load(COMMANDS[word]).app).commands[word]
    if word in GROUPS:
        group = get_group(_load(GROUPS[word]).app)
    else:
        messages = _load("messages")
        group = get_group(messages.module_app(messages.GROUPS[word]))
    group.name = word
    return group


def _load(module: str) -> Any:  # noqa: ANN401 - a module
    return import_module(f"kerege.cli.{module}")
