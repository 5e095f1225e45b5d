"""A command loads what it uses: what all of them load is paid for at every start."""

import subprocess
import sys

import pytest

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


def loaded(*words: str) -> set[str]:
    """Modules there are after a command that went well."""
    command = [sys.executable, "-c", LOADED, *words]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_the_version_needs_neither_a_ledger_nor_a_proof():
    assert not loaded("--version") & {*RARE - {"kerege.cli.people"}, *LEDGER, "kerege.proofs", "cryptography"}


def test_a_proof_needs_no_ledger(demo):
    words = ("verify", str(demo / "certificate.json"), "--trust", str(demo / "trust.json"))
    assert not loaded(*words) & {*RARE, *LEDGER, "rich"}


@pytest.mark.parametrize("words", [("show", "head", "--json"), ("checkpoint",)])
def test_a_question_to_the_ledger_loads_nothing_rare(home, words):
    assert not loaded(*words, "--home", str(home)) & RARE
