"""A command loads what it uses: what all of them load is paid for at every start."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_group

from kerege.cli import words
from tests.cli.program import environment

LOADED = """
import sys
from kerege.node.__main__ import main
code = main()
print(*sys.modules, file=sys.stderr)
sys.exit(code)
"""
RARE = {"http.client", "yaml", "sqlalchemy", "litestar", "google.protobuf", "kerege.dossiers.controller"}
RARE |= {"kerege.gateways.extracts.importer", "kerege.node.network.commands", "kerege.node.pack", "kerege.cli.people"}
"""What only some commands use; the last draws tables, which are not for programs."""
LEDGER = {"kerege.kernel.module", "kerege.modules", "kerege.consensus.door", "kerege.node.wiring", "msgspec"}


@pytest.mark.parametrize("module", sorted(set(words.COMMANDS.values())))
def test_every_command_of_a_module_is_a_word(module):
    """One that the list does not name would be in the code and nowhere else."""
    app = importlib.import_module(f"kerege.cli.{module}").app
    assert get_group(app).commands.keys() == {word for word, where in words.COMMANDS.items() if where == module}


def test_every_module_with_commands_is_known():
    folder = Path(words.__file__).parent
    with_commands = {file.stem for file in folder.glob("*.py") if "\napp = typer.Typer(" in file.read_text("utf-8")}
    assert with_commands - {"app"} == {*words.COMMANDS.values(), *words.GROUPS.values()}


def loaded(*asked: str) -> set[str]:
    """Modules there are after a command that went well."""
    command = [sys.executable, "-c", LOADED, *asked]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_the_version_needs_neither_a_ledger_nor_a_proof():
    assert not loaded("--version") & {*RARE - {"kerege.cli.people"}, *LEDGER, "kerege.proofs", "cryptography"}


def test_a_proof_needs_no_ledger(demo):
    asked = ("verify", str(demo / "certificate.json"), "--trust", str(demo / "trust.json"))
    assert not loaded(*asked) & {*RARE, *LEDGER, "rich"}


@pytest.mark.parametrize("asked", [("show", "head", "--json"), ("checkpoint",)])
def test_a_question_to_the_ledger_loads_nothing_rare(home, asked):
    assert not loaded(*asked, "--home", str(home)) & RARE
