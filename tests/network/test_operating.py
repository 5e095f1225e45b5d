"""The pages for operators tell what is there: commands, figures, words of the engine and of the application."""

import importlib.util
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer.main

from kerege.cli.app import app
from tools.engine import binary

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs/operating").glob("*.md"))
TEXTS = {page.name: page.read_text(encoding="utf-8") for page in PAGES}
SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src/kerege").rglob("*.py"))


def commands(program: str) -> set[str]:
    """What follows a program's name wherever a page writes it as code."""
    found = set()
    for text in TEXTS.values():
        for span in re.findall(r"`([^`\n]+)`|^ +(\S.*)$", text, re.MULTILINE):
            words = re.search(rf"(?:^| ){program} ([a-z][^|;]*)", span[0] or span[1])
            if words is not None and (span[0] or program in span[1].split()[:2]):
                found.add(words[1])
    return found


def test_every_command_is_one():
    told = commands("kerege")
    assert len(told) > 8
    for words in told:
        command: Any = typer.main.get_command(app)
        for word in words.split():
            if hasattr(command, "commands"):
                assert word in command.commands, f"kerege {words}"
                command = command.commands[word]
            elif word.startswith("--"):
                known = {option for parameter in command.params for option in parameter.opts}
                assert word in known, f"kerege {words}"


def test_every_program_of_python_is_one():
    named = {name for text in TEXTS.values() for name in re.findall(r"python -m ([\w.]+)", text)}
    assert named
    assert [name for name in named if importlib.util.find_spec(name) is None] == []


@pytest.mark.engine
def test_every_command_of_the_engine_is_one():
    listed = subprocess.run([binary(), "--help"], capture_output=True, text=True, check=True).stdout
    named = {words.split()[0] for words in commands("cometbft")}
    assert named >= {"gen-node-key"}
    assert [name for name in named if f"  {name} " not in listed] == []


def first_column(heading: str) -> list[str]:
    """What stands in code in the first column of the table under a heading of the page on recovery."""
    section = TEXTS["recover.md"].split(f"## {heading}\n")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)`", section, re.MULTILINE)


def pieces(words: str) -> list[str]:
    """What of them is written in a program: not what stands for a value."""
    return [piece.strip() for piece in re.split(r"…|\(0\)", words) if len(piece.strip(" :()")) > 2]


@pytest.mark.engine
def test_the_words_of_the_engine_are_its_own():
    program = binary().read_bytes()
    told = first_column("Words of the engine")
    assert len(told) > 7
    assert [piece for words in told for piece in pieces(words) if piece.encode() not in program] == []


def test_the_words_of_the_application_are_ours():
    told = first_column("Words of the application")
    assert len(told) > 6
    assert [piece for words in told for piece in pieces(words) if piece not in SOURCES] == []


def test_every_folder_and_key_is_in_the_table_of_secrets():
    text = TEXTS["index.md"]
    for name in ("checkpoint.key", "priv_validator_key.json", "node_key.json", "dossiers/", "keys/", "dev-keys/"):
        assert name in text
