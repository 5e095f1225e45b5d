"""`--json` everywhere: one document on standard output, and the same end as without it."""

import json
import signal

import pytest

from tests.cli.conftest import PASSPHRASE
from tests.cli.program import (
    ACCEPTOR,
    REFUSED,
    REGISTRAR,
    SUPERSEDED,
    kerege,
    leaves,
    look,
    running,
    write_message,
)


def test_every_command_has_it():
    without = [
        name
        for name, command in leaves().items()
        if "--json" not in {option for parameter in command.params for option in parameter.opts}
    ]
    assert without == []


ON_A_NEW_LEDGER = {
    "checkpoint": (("checkpoint",), 0),
    "dossiers backup": (("dossiers", "backup", "--rows", "{folder}/rows", "--keys", "{folder}/keys"), 0),
    "dossiers check": (("dossiers", "check"), 0),
    "dossiers rotate": (("dossiers", "rotate"), 0),
    "export": (("export", "--out", "{folder}/state.jsonl"), 0),
    "keys address": (("keys", "address", REGISTRAR), 0),
    "keys list": (("keys", "list"), 0),
    "resend": (("resend",), 0),
    "show head": (("show", "head"), 0),
    "show looks": (("show", "looks"), 0),
    "show parameter": (("show", "parameter", "disclosure.access_hours"), 0),
    "submit": (("submit", "{folder}/message.json", "--as", REGISTRAR), 0),
    "submit refused": (("submit", "{folder}/refused.json", "--as", REGISTRAR), REFUSED),
    "submit dry": (("submit", "{folder}/message.json", "--dry-run"), 0),
    "trust": (("trust", "--out", "{folder}/trust.json"), 0),
    "verify-ledger": (("verify-ledger",), 0),
}


@pytest.mark.parametrize(("words", "code"), ON_A_NEW_LEDGER.values(), ids=ON_A_NEW_LEDGER)
def test_one_document_and_the_same_end(words, code, home, tmp_path):
    to = kerege("keys", "address", ACCEPTOR, "--home", home).out.strip()
    refused = {"type": "bank.Transfer", "currency": "KGS", "amount": "5", "to": to}
    for number, end in enumerate(((), ("--json",))):
        folder = tmp_path / str(number)
        folder.mkdir()
        write_message(folder / "message.json", look(f"{number:02x}" * 16))
        write_message(folder / "refused.json", refused)
        done = kerege(*(word.format(folder=folder) for word in words), "--home", home, *end)
        assert done.code == code, done
        if end:
            assert isinstance(done.json, dict | list)
            assert not done.err


@pytest.mark.parametrize("bundle", ["certificate.json", "superseded.json", "trust.json"])
def test_verify(bundle, demo):
    words = ("verify", demo / bundle, "--trust", demo / "trust.json")
    plain, done = kerege(*words), kerege(*words, "--json")
    assert (
        plain.code == done.code == done.json["exit"] == {"superseded.json": SUPERSEDED, "trust.json": 2}.get(bundle, 0)
    )


def test_what_stands_on_a_ledger_with_a_birth(copy):
    case = kerege("show", "looks", "--home", copy, "--json").json[0]["case"]
    assert kerege("show", "case", case, "--home", copy).code == 0
    assert kerege("show", "case", case, "--home", copy, "--json").json["service"]


def test_new_keys():
    done = kerege("keys", "new", "x", "--json", env={"KEREGE_PASSPHRASE": PASSPHRASE})
    assert (done.code, set(done.json)) == (0, {"name", "address", "public", "file"})


def test_prove_a_transaction_and_show_it(home, tmp_path):
    file = write_message(tmp_path / "message.json", look("11" * 16))
    told = kerege("submit", file, "--home", home, "--as", REGISTRAR, "--json").json
    shown = kerege("show", "transaction", told["transaction"], "--home", home, "--json").json
    assert shown == told
    asked = ("prove", told["transaction"], "--out", tmp_path / "bundle.json", "--home", home)
    kerege(*asked, "--with-commit").one_sentence("one operator runs this ledger", "leave out --with-commit", code=1)
    done = kerege(*asked, "--json")
    assert done.json == {"file": str(tmp_path / "bundle.json"), "bytes": (tmp_path / "bundle.json").stat().st_size}
    verified = kerege("verify", tmp_path / "bundle.json", "--trust", home / "trust.json", "--json")
    assert verified.code == verified.json["exit"]


def test_the_tables(home):
    kerege("readmodel", "status", "--home", home, "--json").one_sentence("kerege readmodel rebuild")
    assert kerege("readmodel", "rebuild", "--home", home, "--json").json["behind"] == 0
    assert kerege("readmodel", "status", "--home", home).code == 0
    assert kerege("readmodel", "status", "--home", home, "--json").json["behind"] == 0


def test_import(home, tmp_path):
    (tmp_path / "empty.csv").write_text("")
    kerege("import", "births", tmp_path / "empty.csv", "--home", home, "--json").one_sentence()


@pytest.mark.parametrize("words", [("schema",), ("schema", "bank.Transfer")])
def test_schema(words):
    assert kerege(*words).code == 0
    assert kerege(*words, "--json").json


def test_a_fault_is_a_sentence_also_with_json(tmp_path):
    kerege("show", "head", "--home", tmp_path / "missing", "--json").one_sentence("kerege init")


def test_a_node_tells_lines_of_json(home):
    with running(home, "--json") as (node, said):
        assert str(home) in json.loads(said)["said"]
        node.send_signal(signal.SIGTERM)
        assert node.wait(20) == 0
        assert node.stdout is not None
        assert [json.loads(line) for line in node.stdout] == []
