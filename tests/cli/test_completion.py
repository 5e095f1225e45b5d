"""Completion of words by the shell."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.cli.program import ROOT, process

SHELLS = ("bash", "zsh", "fish")


@pytest.fixture
def program(tmp_path):
    """A program `kerege` on the path."""
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin/kerege"
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}/src" exec "{sys.executable}" -m kerege.node "$@"\n')
    script.chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "HOME": str(tmp_path)}


def printed(env, **more: str) -> str:
    done = subprocess.run(["kerege"], env={**env, **more}, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_of_a_shell_names_the_program(program, shell):
    script = printed(program, _KEREGE_COMPLETE=f"source_{shell}")
    assert "_KEREGE_COMPLETE=complete_" in script
    if shutil.which(shell):
        assert subprocess.run([shell, "-n"], input=script, text=True, check=False).returncode == 0


def test_it_is_printed_and_installed_for_the_shell_one_is_in(program, tmp_path):
    for option in ("--show-completion", "--install-completion"):
        command = ["bash", "-c", f"kerege {option}; exit $?"]
        subprocess.run(command, env=program, capture_output=True, check=True)
    assert str(tmp_path / ".bash_completions/kerege.sh") in (tmp_path / ".bashrc").read_text()


def test_bash_completes_words(program):
    script = printed(program, _KEREGE_COMPLETE="source_bash")
    words = "COMP_WORDS=(kerege sho); COMP_CWORD=1; _kerege_completion kerege; echo ${COMPREPLY[@]}"
    done = subprocess.run(["bash", "-c", f"{script}\n{words}"], env=program, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["show"]


def test_an_unknown_shell(program):
    env = {**program, "_KEREGE_COMPLETE": "source_nothing"}
    done = subprocess.run(["kerege"], env=env, capture_output=True, check=False)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr


def test_the_help_names_it():
    done = process("--help")
    assert (done.code, done.err) == (0, "")
    assert "--install-completion" in done.out
