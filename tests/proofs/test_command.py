"""The command on its own: exit codes, sentences, hostile input, and that the folder needs nothing else."""

import ast
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import kerege.proofs
from kerege.proofs import cli
from tests.proofs.naive import DAY, LOG_KEY, World, log_root, note, row

FOLDER = Path(kerege.proofs.__file__).parent
RECENT = World(time=time.time_ns() // 1_000_000 - 2 * DAY)


@pytest.fixture
def files(tmp_path):
    def write(**contents):
        for name, data in contents.items():
            (tmp_path / name).write_bytes(data)
        return [str(tmp_path / name) for name in contents]

    return write


@pytest.mark.parametrize(
    ("world", "arguments", "code", "words"),
    [
        (RECENT, [], 0, "VALID since"),
        (RECENT, ["--max-age", "1"], 3, "TOO OLD"),
        (RECENT, ["--max-age", "3"], 0, "VALID since"),
        (RECENT.but(row=row("superseded")), [], 3, "SUPERSEDED"),
        (RECENT.but(changes={"index": 1}), [], 1, "NOT VALID"),
        (RECENT.but(changes={"more": 1}), [], 2, "CANNOT BE CHECKED"),
        (RECENT, ["--lang", "ky"], 0, "ЖАРАКТУУ"),
        (RECENT, ["--lang", "ru"], 0, "ДЕЙСТВУЕТ"),
    ],
)
def test_exit_codes_and_words(files, capfd, world, arguments, code, words):
    bundle, trust = files(bundle=world.bundle, trust=world.trust)
    assert cli.main([bundle, "--trust", trust, *arguments]) == code
    output = capfd.readouterr().out
    assert words in output
    assert len(output.splitlines()) == (1 if code == 2 else 3)


def test_a_newer_checkpoint_on_the_command_line(files, capfd):
    newer = note(RECENT.origin, 8, bytes(32), [LOG_KEY]).encode()
    bundle, trust, checkpoint = files(bundle=RECENT.bundle, trust=RECENT.trust, checkpoint=newer)
    assert cli.main([bundle, "--trust", trust, "--checkpoint", checkpoint]) == 3
    assert "OUT OF DATE" in capfd.readouterr().out
    rival = note(RECENT.origin, 7, log_root([b"rival"] * 7), [LOG_KEY]).encode()
    (checkpoint,) = files(checkpoint=rival)
    assert cli.main([bundle, "--trust", trust, "--checkpoint", checkpoint]) == 1
    assert "two histories" in capfd.readouterr().out


def test_json_output(files, capfd):
    bundle, trust = files(bundle=RECENT.bundle, trust=RECENT.trust)
    assert cli.main([bundle, "--trust", trust, "--json"]) == 0
    answer = json.loads(capfd.readouterr().out)
    assert answer["exit"] == 0
    assert answer["facts"]["status"] == "valid"
    assert cli.main([bundle, "--trust", bundle, "--json"]) == 2
    assert json.loads(capfd.readouterr().out)["verdict"] == "unusable"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"\x00" * 5000,
        b"\xff\xfe",
        b"{" * 1000,
        b"[" * 1_000_000,
        b'{"a":' * 200_000,
        b" " * (1 << 20),
        b"x" * ((1 << 20) + 1),
        b'"' + b"\xed\xa0\x80" + b'"',
        b"1" * 1_000_000,
        b'{"ledger":"' + b"a" * 1_000_000 + b'"}',
    ],
)
@pytest.mark.parametrize("place", ["bundle", "trust", "checkpoint"])
def test_hostile_files_are_answered_with_one_sentence(files, capfd, data, place):
    contents = {"bundle": RECENT.bundle, "trust": RECENT.trust, "checkpoint": RECENT.note.encode()}
    bundle, trust, checkpoint = files(**(contents | {place: data}))
    assert cli.main([bundle, "--trust", trust, "--checkpoint", checkpoint]) == 2
    output = capfd.readouterr()
    assert len(output.out.splitlines()) == 1
    assert "CANNOT BE CHECKED" in output.out
    assert output.err == ""
    assert len(output.out) < 300


@pytest.mark.parametrize("name", ["missing", "", "nul\x00name", ".", "x" * 5000, "bad\udcffname", "a\nb\x1b[2J"])
def test_files_that_cannot_be_read_are_answered_with_one_sentence(files, capfd, name):
    bundle, trust = files(bundle=RECENT.bundle, trust=RECENT.trust)
    for arguments in (
        [name, "--trust", trust],
        [bundle, "--trust", name],
        [bundle, "--trust", trust, "--checkpoint", name],
    ):
        assert cli.main(arguments) == 2
        output = capfd.readouterr().out
        assert len(output.splitlines()) == 1
        assert "\x1b" not in output


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["x"],
        ["--trust", "x"],
        ["x", "--trust", "y", "--max-age", "-1"],
        ["x", "--trust", "y", "--max-age", "1.5"],
        ["x", "--trust", "y", "--max-age", "9" * 5000],
        ["x", "--trust", "y", "--lang", "xx"],
        ["x", "--trust", "y", "--no"],
    ],
)
def test_wrong_arguments_exit_2(capfd, arguments):
    assert cli.main(arguments) == 2
    assert "usage" in capfd.readouterr().err


def test_help_exits_0(capfd):
    assert cli.main(["--help"]) == 0
    assert "Exit codes" in capfd.readouterr().out


def test_the_folder_works_alone_under_any_name(tmp_path, files):
    shutil.copytree(FOLDER, tmp_path / "checker", ignore=shutil.ignore_patterns("__pycache__"))
    bundle, trust = files(bundle=RECENT.bundle, trust=RECENT.trust)
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"LC_ALL": "C", "PYTHONUTF8": "0"}
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-m", "checker", bundle, "--trust", trust, "--lang", "ky"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        check=False,
    )
    assert ran.stderr == b""
    assert ran.returncode == 0
    assert "ЖАРАКТУУ" in ran.stdout.decode()


def test_only_the_standard_library_and_cryptography_are_imported():
    roots = set()
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                roots |= {name.name.split(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                roots.add((node.module or "").split(".")[0])
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 1
    assert roots - sys.stdlib_module_names == {"cryptography"}
    assert not roots & {"socket", "urllib", "http", "ssl", "subprocess", "random", "pickle"}
