"""In CI a skip fails unless ../shared is absent: a green run has looked at everything."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parent.parent / "conftest.py"


def run(folder: Path, reason: str, ci: str) -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(CONFTEST.read_text(encoding="utf-8"), encoding="utf-8")
    test = f"import pytest\n\n@pytest.mark.skip(reason={reason!r})\ndef test_it():\n    pass\n"
    (folder / "test_it.py").write_text(test, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)]
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(CONFTEST.parents[1])}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=folder)


@pytest.mark.parametrize(
    ("reason", "ci", "code"),
    [
        ("no database here", "true", 1),
        ("../shared/vectors/jmt is absent", "true", 0),
        ("no database here", "", 0),
    ],
)
def test_a_skip_in_ci_fails_unless_shared_is_absent(tmp_path, reason, ci, code):
    assert run(tmp_path, reason, ci).returncode == code
