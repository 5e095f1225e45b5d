"""What no command can work with: one sentence with the cure, exit code 2, no traceback, nothing half done."""

import json
import shutil
import socket
from pathlib import Path

import pytest

from kerege.node.wiring import NodeWiring
from kerege.storage.rocks import RocksStore
from tests.cli.program import REFUSED, REGISTRAR, UNUSABLE, kerege, leaves, look, process, running, write_message

OF_MESSAGES = "bank transfer"
OWN = [
    *(name for name in leaves() if name.split()[0] in {"show", "dossiers", "readmodel", "import"}),
    *("submit", "resend", "prove", "trust", "checkpoint", "export", "verify-ledger", "up", OF_MESSAGES),
]
"""The commands that are written by hand, and one that is made of a message."""


@pytest.fixture
def files(tmp_path) -> dict[str, str]:
    """Good values for what a command asks for, so that only the home is wrong."""
    (tmp_path / "births.csv").write_text("a,b\n")
    return {
        "message": str(write_message(tmp_path / "message.json", look("11" * 16))),
        "births": str(tmp_path / "births.csv"),
        "out": str(tmp_path / "out" / "file"),
    }


def words_of(name: str, home: Path, files: dict[str, str]) -> list[str]:
    """A command with everything that it requires, on this home."""
    words = [*name.split(), "--home", str(home)]
    for parameter in leaves()[name].params:
        if parameter.param_type_name == "argument" and parameter.required:
            named = {"submit": files["message"], "import births": files["births"]}
            words.append(named.get(name) or _id(name))
        elif parameter.required:
            words += [parameter.opts[0], files["out"] if parameter.opts[0] == "--out" else "00"]
    if "--as" in {option for parameter in leaves()[name].params for option in parameter.opts}:
        words += ["--as", REGISTRAR]
    if name == "dossiers backup":
        words += ["--rows", files["out"]]
    return words


def _id(name: str) -> str:
    if name == "show parameter":
        return "disclosure.access_hours"
    return "00" * (32 if name in {"prove", "show transaction"} else 16)


# The home


@pytest.mark.parametrize("words", [["--home", ""], ["--home="], ["--home", " "]], ids=repr)
@pytest.mark.parametrize("name", [name for name in leaves() if any("--home" in p.opts for p in leaves()[name].params)])
def test_an_empty_name_is_not_the_current_folder(name, words, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    kerege(*name.split(), *words).one_sentence("empty name", "`.` for the current one")
    assert not list(tmp_path.iterdir())


def test_a_home_that_is_compared_has_a_name_too(tmp_path):
    for homes in (("", tmp_path), (tmp_path, "")):
        kerege("diff-state", *homes).one_sentence("empty name")


@pytest.mark.parametrize("name", OWN)
def test_no_home(name, tmp_path, files):
    missing = tmp_path / "missing"
    kerege(*words_of(name, missing, files)).one_sentence(str(missing), "kerege init")
    assert not missing.exists()


@pytest.mark.parametrize("name", ["show head", "up", "verify-ledger"])
def test_a_file_is_no_home(name, tmp_path, files):
    (tmp_path / "file").write_text("")
    kerege(*words_of(name, tmp_path / "file", files)).one_sentence("is not a home of a ledger")


@pytest.mark.parametrize("name", OWN)
def test_a_home_of_another_version(name, tmp_path, files):
    (tmp_path / "home").mkdir()
    (tmp_path / "home/home.json").write_text('{"format": 99}')
    kerege(*words_of(name, tmp_path / "home", files)).one_sentence("format 99", "use the release that made it")


@pytest.mark.parametrize("name", ["show head", "submit", "export", "resend"])
@pytest.mark.parametrize(("content", "told"), [("{", "restore it"), ("[]", "format None"), ("", "restore it")])
def test_a_damaged_home(name, content, told, tmp_path, files):
    (tmp_path / "home").mkdir()
    (tmp_path / "home/home.json").write_text(content)
    kerege(*words_of(name, tmp_path / "home", files)).one_sentence(told)


@pytest.mark.parametrize("name", ["show head", "export", "dossiers check", "submit", "readmodel rebuild"])
def test_a_home_that_holds_nothing_more(name, home, files):
    shutil.rmtree(home / "store")
    kerege(*words_of(name, home, files)).one_sentence(str(home))


@pytest.mark.parametrize("name", ["show head", "export", "dossiers check", "submit", "checkpoint", "prove"])
def test_a_locked_home(name, home, files):
    with RocksStore(home):
        kerege(*words_of(name, home, files)).one_sentence(str(home), "in use by process")


@pytest.mark.parametrize("name", ["show head", "up", "submit"])
@pytest.mark.parametrize(
    ("seed", "told"),
    [(bytes(31), "holds 31 bytes where a key has 32"), (b"", "holds 0 bytes"), (bytes(32), "another ledger's?")],
    ids=["short", "empty", "of another ledger"],
)
def test_a_wrong_checkpoint_key(name, seed, told, home, files):
    (home / "node/checkpoint.key").write_bytes(seed)
    kerege(*words_of(name, home, files)).one_sentence(str(home / "node/checkpoint.key"), told, "estore")


def test_a_ledger_is_begun_once(home):
    before = (home / "home.json").read_bytes()
    kerege("init", "--home", home, "--dev").one_sentence("a home already")
    assert (home / "home.json").read_bytes() == before


def test_an_import_without_a_key_misses_the_home_first(tmp_path, files):
    done = kerege("import", "births", files["births"], "--home", tmp_path / "missing")
    done.one_sentence("is not a home of a ledger", "kerege init")


def test_a_home_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    kerege("init", "--home", tmp_path / "file" / "home", "--dev").one_sentence("--home")
    for nation in ("atlantis", "../../proofs", "/", ".", "KG", "kg/texts"):
        done = kerege("init", "--home", tmp_path / "home", "--nation", nation, "--dev")
        done.one_sentence(f"no pack of the nation {nation}: choose one of kg.")
    assert not (tmp_path / "home").exists()


def test_a_home_whose_name_is_no_text(tmp_path):
    home = tmp_path / "\udcff"
    kerege("init", "--home", home, "--dev").one_sentence("no name in UTF-8")
    assert not home.exists()


# Files


@pytest.mark.parametrize(
    "words",
    [
        ("submit", "{missing}", "--as", REGISTRAR),
        ("submit", "{folder}", "--as", REGISTRAR),
        ("submit", "{binary}", "--as", REGISTRAR),
        ("import", "births", "{missing}"),
        ("import", "births", "{folder}"),
        ("import", "births", "{binary}"),
        ("import", "births", "{message}", "--profile", "{missing}"),
        ("bank", "transfer", "--currency", "@{missing}", "--amount", "1", "--to", "kg1x"),
        ("prove", "00", "--out", "{folder}/x"),
        ("trust", "--out", "{folder}"),
        ("trust", "--out", "{missing}/x"),
        ("dossiers", "backup"),
        ("dossiers", "backup", "--rows", "{folder}/a", "--keys", "{folder}/a/b"),
        ("dossiers", "backup", "--rows", "{message}/rows"),
    ],
)
def test_a_file_that_is_none(words, home, files, tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\xd8" * 10)
    places = {"missing": tmp_path / "missing", "folder": tmp_path, "binary": tmp_path / "binary", **files}
    kerege(*(word.format(**places) for word in words), "--home", home).one_sentence()


@pytest.mark.parametrize(
    "words",
    [
        ("--outcomes", "{folder}/births.csv"),
        ("--report", "{folder}/../{name}/births.csv"),
        ("--outcomes", "{folder}/linked.csv"),
        ("--report", "{folder}/hard.csv"),
        ("--outcomes", "{folder}/new", "--report", "{folder}/new"),
        ("--outcomes", "{folder}/new", "--report", "{folder}/inside/../new"),
        ("--outcomes", "{folder}/new", "--report", "{folder}/dangling"),
        ("--profile", "{folder}/births.csv"),
        ("--profile", "{folder}/form.json", "--outcomes", "{folder}/form.json"),
    ],
)
def test_an_import_that_would_write_over_its_own_files(words, home, files, tmp_path):
    births = Path(files["births"])
    (tmp_path / "inside").mkdir()
    (tmp_path / "form.json").write_text("{}")
    (tmp_path / "linked.csv").symlink_to("births.csv")
    (tmp_path / "hard.csv").hardlink_to(births)
    (tmp_path / "dangling").symlink_to(tmp_path / "inside" / ".." / "new")
    before = {each.name: each.read_bytes() for each in tmp_path.iterdir() if each.is_file()}
    told = [word.format(folder=tmp_path, name=tmp_path.name) for word in words]
    kerege("import", "births", births, *told, "--home", home).one_sentence("a name of its own")
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir() if each.is_file()} == before


@pytest.mark.parametrize("option", ["--outcomes", "--report"])
def test_a_dash_is_no_name_for_the_results_of_an_import(option, home, files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kerege("import", "births", files["births"], option, "-", "--home", home).one_sentence("names other than -")
    assert not (tmp_path / "-").exists()


@pytest.mark.parametrize("words", [("{missing}", "--trust", "{missing}"), ("{folder}", "--trust", "{binary}")])
def test_a_bundle_that_is_none(words, tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    places = {"missing": tmp_path / "missing", "folder": tmp_path, "binary": tmp_path / "binary"}
    command = ("verify", *(word.format(**places) for word in words))
    for done in (kerege(*command), kerege(*command, "--json")):
        assert (done.code, done.err) == (UNUSABLE, ""), done


@pytest.mark.parametrize(
    "content",
    [
        *('{"type": "bank.Nothing"}', '{"type": 5}', "5", '"bank.Transfer"', "[]", "[[]]", "[5]", "{}", ""),
        *("[" * 100_000, '{"type": "bank.Transfer"}', json.dumps({**look("11" * 16), "more": 1})),
        json.dumps(look("11" * 15)),
    ],
    ids=lambda content: content[:20],
)
def test_what_is_no_message(content, home, tmp_path):
    (tmp_path / "message.json").write_text(content)
    words = ("submit", tmp_path / "message.json", "--home", home, "--as", REGISTRAR)
    kerege(*words).one_sentence("kerege schema")
    kerege(*words, "--dry-run").one_sentence("kerege schema")


@pytest.mark.parametrize("place", ["home.json", "trust.json", "store/CURRENT", "keys/new", "dossiers/x/y", "linked"])
@pytest.mark.parametrize(
    "words",
    [
        ("export", "--out", "{place}"),
        ("trust", "--out", "{place}"),
        ("prove", "00" * 32, "--out", "{place}"),
        ("import", "births", "{births}", "--outcomes", "{place}"),
        ("import", "births", "{births}", "--report", "{place}"),
    ],
    ids=" ".join,
)
def test_a_result_that_would_take_the_place_of_the_ledger(words, place, home, files, tmp_path):
    target = home / place
    if place == "linked":
        target = tmp_path / "linked"
        target.symlink_to(home / "store" / "CURRENT")
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    kerege(*(word.format(place=target, **files) for word in words), "--home", home).one_sentence(
        "belongs to the ledger"
    )
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_a_result_beside_the_ledger_is_written(home):
    assert kerege("export", "--home", home, "--out", home / "state.jsonl").code == 0


def test_a_witness_alone_witnesses_nothing(files):
    done = kerege("verify", files["message"], "--trust", files["message"], "--witness", "http://127.0.0.1:1")
    done.one_sentence("--witness", "--rpc")


# What is asked for


@pytest.mark.parametrize("name", ["case", "record", "certificate"])
def test_an_id_without_a_row(name, home):
    kerege("show", name, "00" * 16, "--home", home).one_sentence("check the id and the home", code=REFUSED)
    kerege("show", name, "00" * 15, "--home", home).one_sentence("is not an id")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("show", "transaction", "00" * 32), REFUSED),
        (("show", "transaction", "00"), UNUSABLE),
        (("show", "account", "kg1nobody"), UNUSABLE),
        (("show", "parameter", "no.such"), REFUSED),
        (("show", "parameter", ""), REFUSED),
        (("show", "parameter", "a\0b"), UNUSABLE),
        (("show", "parameter", "disclosure.access_hours", "--on", "2026-13-01"), UNUSABLE),
        (("show", "parameter", "disclosure.access_hours", "--known", "today"), UNUSABLE),
        (("prove", "00" * 32, "--out", "x"), REFUSED),
        (("prove", "zz", "--out", "x"), UNUSABLE),
        (("dossiers", "erase", "00" * 16), REFUSED),
        (("dossiers", "erase", "00"), UNUSABLE),
        (("dossiers", "check", "--as", "nobody"), UNUSABLE),
        (("import", "births", "x.csv", "--with-values"), UNUSABLE),
        (("keys", "address", "nobody"), UNUSABLE),
    ],
)
def test_what_is_not_there(words, code, home):
    kerege(*words, "--home", home).one_sentence(code=code)


@pytest.mark.parametrize("words", [("schema", "bank.Nothing"), ("keys", "new", "x", "--nation", "atlantis")])
def test_what_no_ledger_knows(words):
    kerege(*words).one_sentence()


@pytest.mark.parametrize(
    "words", [("nothing",), ("show", "nothing"), ("show", "head", "--nothing"), ("submit",), ("up", "--port", "0")]
)
def test_words_that_are_no_command(words):
    done = kerege(*words)
    assert (done.code, done.out) == (UNUSABLE, "")
    assert "Usage: kerege" in done.err
    assert "Traceback" not in done.err


# A node


def test_a_port_that_is_in_use(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        process("up", "--home", home, "--port", port).one_sentence(f"port {port}", "another --port")


def test_a_second_node_on_a_home(home):
    with running(home):
        process("up", "--home", home).one_sentence(str(home), "in use by process")
        assert kerege("show", "head", "--home", home).code == 0


def test_no_traceback_for_what_nobody_foresaw(home, monkeypatch):
    """An error of our own: the program tells how to report it."""
    monkeypatch.setattr(NodeWiring, "check_dossiers", lambda *_: 1 // 0)
    done = kerege("dossiers", "check", "--home", home, "--as", REGISTRAR)
    assert done.code == UNUSABLE
    assert "Traceback" not in done.err
    assert "KEREGE_TRACEBACK=1" in done.err


def test_a_home_that_does_not_say_which_ledger_it_is(home):
    (home / "home.json").write_text('{"format": 1}')
    kerege("show", "head", "--home", home).one_sentence("home.json", "restore")
