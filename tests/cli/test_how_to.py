"""The page on the command line does what it says, copied in order."""

import re
import subprocess
import sys

from tests.cli.conftest import PASSPHRASE
from tests.cli.program import ROOT, kerege, process

PAGE = ROOT / "docs/how-to/use-the-command-line.md"


def test_every_command_works_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    monkeypatch.setenv("KEREGE_PASSPHRASE", PASSPHRASE)
    commands = re.findall(
        r"^\$ \.venv/bin/(\w+) (.*?)(?: > (\S+))?$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    assert len(commands) > 15
    for program, rest, target in commands:
        listed = subprocess.run(["bash", "-c", f"printf '%s\\0' {rest}"], capture_output=True, text=True, check=True)
        words = listed.stdout.rstrip("\0").split("\0")
        if program == "python":
            subprocess.run([sys.executable, *words], check=True, capture_output=True)
            continue
        done = process(*words) if words[0] == "import" else kerege(*words)  # an import starts a node of its own
        assert done.code == 0, (words, done)
        if target:
            (tmp_path / target).write_text(done.out, encoding="utf-8")
