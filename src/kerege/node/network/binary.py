"""Where the engine's program is: the variable, the project's `.tools`, beside this Python, or the path of the shell."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from kerege.node.home import HomeError

VERSION = "v0.38.25"
"""The engine that Kerege runs on: `make engine` builds it from source and checks its hash."""
VARIABLE = "KEREGE_ENGINE"
_PROJECT = Path(__file__).resolve().parents[4]


def find_engine() -> Path:
    """The engine's program; raises `HomeError` where there is none that runs."""
    named = os.environ.get(VARIABLE)
    installed = [_PROJECT / ".tools" / f"cometbft-{VERSION}" / "cometbft", Path(sys.executable).with_name("cometbft")]
    found = [Path(named)] if named else [*installed, _on_the_path()]
    for candidate in found:
        if candidate is not None and candidate.is_file():
            _check(candidate)
            return candidate
    reason = (
        f"CometBFT {VERSION} is not on this machine: run `make engine`, or name it with {VARIABLE}=/path/to/cometbft."
    )
    raise HomeError(reason)


def _on_the_path() -> Path | None:
    found = shutil.which("cometbft")
    return None if found is None else Path(found)


def _check(path: Path) -> None:
    """It runs. Its version is told by nobody but `make engine`: v0.40.0 says of itself that it is 0.39.0."""
    try:
        done = subprocess.run([path, "version"], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = f"{path} does not run ({error}): run `make engine` again."
        raise HomeError(reason) from None
    if done.returncode:
        reason = f"{path} does not run ({done.stderr.strip()[:200]}): run `make engine` again."
        raise HomeError(reason)
