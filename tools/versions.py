"""The same blocks give the same state root on every Python that this machine has, under several hash seeds.

Each version gets an environment of its own from `uv.lock`, without `native/`; the environment of `make setup` runs
too, with `native/` where it is built. One differing root fails.

    python -m tools.versions
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.setup import PYTHON, ROOT, TOOLS, Stop, make_environment, version_of

VERSIONS = ((3, 11), (3, 12), (3, 13))
SEEDS = ("0", "1", "4242")
SCENARIO = ("-m", "kerege.testing.scenario", "--root")


def candidates() -> Iterator[str]:
    """Where a Python may be: on the path, under pyenv, in the system's folders."""
    for major, minor in VERSIONS:
        name = f"python{major}.{minor}"
        if found := shutil.which(name):
            yield found
        pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
        yield from map(str, sorted(pyenv.glob(f"versions/{major}.{minor}.*/bin/{name}")))
        yield from (str(folder / name) for folder in (Path("/usr/local/bin"), Path("/usr/bin")))


def interpreters() -> dict[tuple[int, ...], str]:
    """One working interpreter of each version that Kerege runs on."""
    found: dict[tuple[int, ...], str] = {}
    for path in candidates():
        version = version_of(path)
        if version in VERSIONS:
            found.setdefault(version, path)
    return found


def root(python: Path, seed: str) -> str:
    """The state root at the end of the scenario, as that interpreter prints it."""
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([python, *SCENARIO], env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Stop(f"the scenario failed under {python}: {done.stderr.strip()[-2000:]}")
    return done.stdout.strip()


def environments() -> Iterator[tuple[str, Path]]:
    """Names and interpreters of the environments to compare."""
    yield "make setup", PYTHON
    for version, interpreter in sorted(interpreters().items()):
        name = "python" + ".".join(map(str, version))
        make_environment(TOOLS / name, interpreter, ("--no-default-groups",), os.environ)
        yield name, TOOLS / name / "bin" / "python"


def main() -> int:
    """Print a root per environment and seed; return 1 where they are not all one."""
    roots: dict[str, list[str]] = {}
    try:
        for name, python in environments():
            for seed in SEEDS:
                found = root(python, seed)
                roots.setdefault(found, []).append(name)
                print(f"versions: {name:12} hash seed {seed:>4}: {found}")
    except Stop as stop:
        print(f"versions: {stop}", file=sys.stderr)
        return 1
    if len(roots) != 1:
        print(f"versions: {len(roots)} different roots: the state depends on what it must not see.", file=sys.stderr)
        return 1
    print(f"versions: one root under {sum(map(len, roots.values()))} runs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
