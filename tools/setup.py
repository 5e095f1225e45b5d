"""Make `.venv` from `uv.lock` on a machine that has nothing but Python: no venv, no pip, no Rust.

Standard library only. `uv` itself is fetched as the wheel that `uv.lock` pins, from the package index that pip is
configured for, and checked against the SHA-256 in the lock before it is unpacked. Every failure that a person can
cure ends in one sentence with the cure.

    python tools/setup.py           everything
    python tools/setup.py native    only the Rust crate, and here a failure is a failure
"""

import configparser
import contextlib
import errno
import hashlib
import html.parser
import io
import json
import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
TOOLS = ROOT / ".tools"
PYTHON = VENV / "bin" / "python"
NETWORK_SECONDS = 60

NO_NETWORK = (
    "the package index at {index} cannot be reached; connect this machine, or name an index that it reaches with "
    "PIP_INDEX_URL."
)
DISK_FULL = "the disk under {path} is full; free about 600 MB and run 'make setup' again."
NOT_WRITABLE = "{path} cannot be written; run 'make setup' as the owner of this folder, or clone where you may write."
NO_RUST = "no Rust toolchain: the plain Python versions are used, slower; install Rust and run 'make native' for speed."
NATIVE_FAILED = "native/ was not built ({why}): the plain Python versions are used, slower; {log} has the whole story."


class Stop(Exception):
    """Set-up cannot go on; the text is one sentence that ends in the cure."""


class Wheel(NamedTuple):
    """One file of a pinned package: its name, the SHA-256 it must have, where the public index keeps it."""

    name: str
    sha256: str
    url: str


# --- what pip is configured for -------------------------------------------------------------------------------------


class PipConfiguration(NamedTuple):
    """The settings of pip that uv does not read by itself: index, further indexes, local wheels, certificates."""

    index_url: str | None
    extra_indexes: str | None
    find_links: str | None
    certificates: str | None


def pip_configuration(environment: Mapping[str, str]) -> PipConfiguration:
    """Read pip's environment variables and, where they are silent, its configuration files (later files win)."""
    home = Path(environment.get("HOME", "/nonexistent"))
    files = [
        Path("/etc/pip.conf"),
        Path("/etc/xdg/pip/pip.conf"),
        home / ".pip" / "pip.conf",
        Path(environment.get("XDG_CONFIG_HOME", home / ".config")) / "pip" / "pip.conf",
    ]
    if named := environment.get("PIP_CONFIG_FILE"):
        files = [] if named == os.devnull else [*files, Path(named)]
    parser = configparser.RawConfigParser()
    parser.read(files)

    def setting(name: str) -> str | None:
        spoken = environment.get("PIP_" + name.upper().replace("-", "_"))
        for section in ("install", "global"):
            if not spoken and parser.has_option(section, name):
                spoken = parser.get(section, name)
        return " ".join(spoken.split()) if spoken else None

    return PipConfiguration(setting("index-url"), setting("extra-index-url"), setting("find-links"), setting("cert"))


def uv_environment(environment: Mapping[str, str], pip: PipConfiguration) -> dict[str, str]:
    """Hand pip's settings to uv, unless uv has its own."""
    result = dict(environment)
    if pip.index_url and "UV_INDEX_URL" not in result:
        result.setdefault("UV_DEFAULT_INDEX", pip.index_url)
    if pip.extra_indexes and "UV_EXTRA_INDEX_URL" not in result:
        result.setdefault("UV_INDEX", pip.extra_indexes)
    links = [link for link in (pip.find_links or "").split() if "://" in link or Path(link).is_dir()]
    if links:
        result.setdefault("UV_FIND_LINKS", ",".join(links))
    if pip.certificates:
        result.setdefault("SSL_CERT_FILE", pip.certificates)
    result.setdefault("UV_SYSTEM_CERTS", "1")  # as Python and the browser: an office's own authority is known there
    result["UV_PYTHON_DOWNLOADS"] = "never"
    result["UV_NO_PROGRESS"] = "1"
    result.pop("VIRTUAL_ENV", None)
    return result


# --- uv, fetched by its pin -----------------------------------------------------------------------------------------


def pinned_uv() -> tuple[str, list[Wheel]]:
    """Return the version of uv in `uv.lock` and its wheels."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    package = next(package for package in lock["package"] if package["name"] == "uv")
    wheels = [
        Wheel(entry["url"].rsplit("/", 1)[1], entry["hash"].removeprefix("sha256:"), entry["url"])
        for entry in package["wheels"]
    ]
    return package["version"], wheels


def wheel_for(wheels: list[Wheel], system: str, machine: str, libc: str) -> Wheel:
    """Choose the wheel for a system (`linux`, `darwin`), machine and C library (`glibc`, `musl`)."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine.lower(), machine.lower())
    if system == "darwin":
        wanted = r"macosx_\d+_\d+_" + {"aarch64": "arm64"}.get(machine, machine)
    else:
        wanted = {"glibc": r"manylinux_\d+_\d+_", "musl": r"musllinux_\d+_\d+_"}[libc] + machine
    matching = [wheel for wheel in wheels if re.search(rf"[.-]{wanted}[.-]", wheel.name)]
    if system not in {"linux", "darwin"} or not matching:
        raise Stop(f"there is no uv for {system} on {machine}; use Linux or macOS on x86_64 or arm64.")
    return matching[0]


class Links(html.parser.HTMLParser):
    """Collects the targets of a simple index page in its HTML form (PEP 503)."""

    def __init__(self) -> None:
        """Start with no links."""
        super().__init__()
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the target of each anchor."""
        self.targets += [value for name, value in attrs if tag == "a" and name == "href" and value]


def links_of(page: str, content_type: str, base: str) -> Iterator[str]:
    """Yield the absolute file addresses of a simple index page, JSON (PEP 691) or HTML (PEP 503)."""
    if "json" in content_type:
        targets = [entry["url"] for entry in json.loads(page)["files"]]
    else:
        links = Links()
        links.feed(page)
        targets = links.targets
    for target in targets:
        yield urllib.parse.urldefrag(urllib.parse.urljoin(base, target)).url


class Index:
    """The package index that pip is configured for, or the public one where the lock says the files are."""

    def __init__(self, pip: PipConfiguration) -> None:
        """Use the certificates pip is configured for; proxies come from the environment by themselves."""
        self._index = pip.index_url
        self._find_links = pip.find_links
        with _one_sentence_about_certificates(pip.certificates):
            self._tls = ssl.create_default_context(cafile=pip.certificates)

    def fetch(self, package: str, wheel: Wheel) -> bytes:
        """Return the bytes of a wheel, checked against its pinned SHA-256."""
        content = self._local(wheel) or self._read(self._address(package, wheel))[0]
        if hashlib.sha256(content).hexdigest() != wheel.sha256:
            raise Stop(
                f"{wheel.name} from the package index is not the file that uv.lock pins (its SHA-256 differs); "
                "use another index with PIP_INDEX_URL and tell whoever runs this one."
            )
        return content

    def _local(self, wheel: Wheel) -> bytes | None:
        for folder in (self._find_links or "").split():
            path = Path(folder.removeprefix("file://")) / wheel.name
            if path.is_file():
                return path.read_bytes()
        return None

    def _address(self, package: str, wheel: Wheel) -> str:
        if self._index is None:
            return wheel.url
        page, content_type, address = self._page(f"{self._index.rstrip('/')}/{package}/")
        for link in links_of(page, content_type, address):
            if urllib.parse.unquote(link.rsplit("/", 1)[1]) == wheel.name:
                return link
        raise Stop(f"the package index at {_bare(self._index)} has no {wheel.name}; name another with PIP_INDEX_URL.")

    def _page(self, address: str) -> tuple[str, str, str]:
        content, content_type, final = self._read(address)
        return content.decode(), content_type, final

    def _read(self, address: str) -> tuple[bytes, str, str]:
        address, credentials = _without_credentials(address)
        headers = {"Accept": "application/vnd.pypi.simple.v1+json, text/html;q=0.5, */*;q=0.1", **credentials}
        if not address.startswith(("https://", "http://", "file://")):
            raise Stop(f"{address} is no address of a package index; set PIP_INDEX_URL to one that begins with https.")
        try:
            request = urllib.request.Request(address, headers=headers)
            with urllib.request.urlopen(request, timeout=NETWORK_SECONDS, context=self._tls) as answer:
                return answer.read(), answer.headers.get("content-type", ""), answer.geturl()
        except urllib.error.HTTPError as error:
            raise Stop(
                f"the package index answered {error.code} for {address}; check PIP_INDEX_URL and its password."
            ) from error
        except OSError as error:
            raise Stop(NO_NETWORK.format(index=_bare(self._index or address))) from error


def _without_credentials(address: str) -> tuple[str, dict[str, str]]:
    """Move `user:password@` of an address into a header, where urllib looks for it."""
    parts = urllib.parse.urlsplit(address)
    if parts.username is None:
        return address, {}
    import base64  # noqa: PLC0415 - only for an index with a password

    secret = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
    header = {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}
    return urllib.parse.urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])), header


def _bare(address: str) -> str:
    """Return the scheme and host of an address: a sentence on a screen shows no password."""
    parts = urllib.parse.urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


@contextlib.contextmanager
def _one_sentence_about_certificates(path: str | None) -> Iterator[None]:
    try:
        yield
    except (OSError, ssl.SSLError) as error:
        raise Stop(f"the certificates at {path} cannot be read; set PIP_CERT to a file that can.") from error


def uv(environment: Mapping[str, str]) -> Path:
    """Return the pinned uv, fetching it on first use."""
    version, wheels = pinned_uv()
    path = TOOLS / f"uv-{version}" / "uv"
    if path.is_file():
        return path
    libc = "glibc" if platform.libc_ver()[0] == "glibc" else "musl"
    wheel = wheel_for(wheels, sys.platform, platform.machine(), libc)
    content = Index(pip_configuration(environment)).fetch("uv", wheel)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        binary = archive.read(next(name for name in archive.namelist() if name.endswith("/scripts/uv")))
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and renamed: an interrupted set-up leaves no half of a uv behind.
    aside = path.with_suffix(".part")
    aside.write_bytes(binary)
    aside.chmod(0o755)
    aside.rename(path)
    return path


# --- the environment ------------------------------------------------------------------------------------------------

# What uv prints, and the sentence that helps. First match wins.
_KNOWN_FAILURES = (
    (r"No space left on device|os error 28|Disk quota exceeded|File too large", DISK_FULL.format(path=ROOT)),
    (r"Permission denied|Read-only file system|os error (13|30)", NOT_WRITABLE.format(path=ROOT)),
    (r"Hash mismatch", "a package is not the file that uv.lock pins; use another index with PIP_INDEX_URL."),
    (
        r"dns error|error sending request|Failed to fetch|Could not connect|Request failed|timed out|tcp connect",
        NO_NETWORK.format(index="its address"),
    ),
)


def run_uv(*arguments: str, environment: Mapping[str, str]) -> str:
    """Run uv and return what it printed; a failure becomes one sentence."""
    pip = pip_configuration(environment)
    command = [str(uv(environment)), "--quiet", *arguments]
    # Signals stay as Python set them: a file-size limit then is an error that uv tells, like a full disk.
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=uv_environment(environment, pip),
        capture_output=True,
        text=True,
        check=False,
        restore_signals=False,
    )
    if done.returncode == 0:
        return done.stdout
    for pattern, sentence in _KNOWN_FAILURES:
        if re.search(pattern, done.stderr):
            raise Stop(sentence)
    words = " ".join(done.stderr.split())[:600]
    raise Stop(f"uv {arguments[0]} failed, and in its own words: {words}; mend that and run 'make setup' again.")


def make_environment(venv: Path, interpreter: str, groups: tuple[str, ...], environment: Mapping[str, str]) -> None:
    """Create a virtual environment and install exactly what the lock names, each file checked by its hash.

    `groups` are the options of `uv export` that choose what is installed beside the run-time packages.
    """
    python = venv / "bin" / "python"
    if not (python.exists() and version_of(python) == version_of(interpreter)):
        run_uv("venv", "--clear", "--python", interpreter, str(venv), environment=environment)
    # An export has hashes and names no index, so any mirror that has the same files will do.
    plain = ("--no-emit-project", "--no-annotate", "--no-header")
    locked = run_uv("export", "--frozen", *groups, *plain, environment=environment)
    pins = TOOLS / f"{venv.name.lstrip('.')}.txt"
    pins.write_text(locked, encoding="utf-8")
    # Compiled once, as pip does: where Python may write no bytecode, each process would compile its packages anew.
    target = ("--python", str(python), "--compile-bytecode")
    run_uv("pip", "sync", *target, "--require-hashes", "--only-binary", ":all:", str(pins), environment=environment)


def install_project(environment: Mapping[str, str]) -> None:
    """Put Kerege itself into `.venv`; its build tool is in the lock too, so nothing is fetched without a hash."""
    target = ("--python", str(PYTHON))
    run_uv("pip", "install", *target, "--no-deps", "--no-build-isolation", "--editable", ".", environment=environment)


def version_of(python: str | Path) -> tuple[int, ...]:
    """Return the version that an interpreter reports, as (3, 11); nothing where it does not run."""
    try:
        script = "import sys; print(*sys.version_info[:2])"
        done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=False)
    except OSError:
        return ()
    return tuple(int(part) for part in done.stdout.split())


# --- the Rust crate -------------------------------------------------------------------------------------------------


def has_rust(environment: Mapping[str, str]) -> bool:
    """Tell whether a Cargo that works is on the path (a rustup shim without a toolchain does not)."""
    cargo = shutil.which("cargo", path=environment.get("PATH"))
    if cargo is None:
        return False
    return subprocess.run([cargo, "--version"], capture_output=True, check=False, env=dict(environment)).returncode == 0


def build_native(environment: Mapping[str, str]) -> str | None:
    """Build `native/` and install it; return one sentence where that was not possible."""
    crate = ROOT / "native"  # where Cargo finds the crate's own settings too
    if not has_rust(environment):
        return NO_RUST
    wheels = TOOLS / "native"
    shutil.rmtree(wheels, ignore_errors=True)
    command: list[str | Path] = [VENV / "bin" / "maturin", "build", "--release", "--locked"]
    command += ["--interpreter", PYTHON, "--out", wheels]
    log = TOOLS / "native.log"
    done = subprocess.run(command, cwd=crate, env=dict(environment), capture_output=True, text=True, check=False)
    log.write_text(done.stdout + done.stderr, encoding="utf-8")
    if done.returncode != 0:
        return NATIVE_FAILED.format(why=_why_native_failed(done.stderr), log=log.relative_to(ROOT))
    wheel = next(wheels.glob("*.whl"))
    run_uv("pip", "install", "--python", str(PYTHON), "--no-deps", "--reinstall", str(wheel), environment=environment)
    return None


def _why_native_failed(words: str) -> str:
    if "linker" in words and "not found" in words:
        return "no C linker; Debian: apt-get install gcc"
    if re.search(r"download|resolve host|network|index", words):
        return "the registry of crates cannot be reached"
    return "the compiler refused it"


# --- what a person sees ---------------------------------------------------------------------------------------------


def set_up(environment: Mapping[str, str]) -> None:
    """Do everything, telling each step."""
    began = time.monotonic()
    TOOLS.mkdir(exist_ok=True)
    _tell(f"Python {platform.python_version()} at {sys.executable}")
    _tell(f"uv {pinned_uv()[0]}, by its SHA-256")
    uv(environment)
    make_environment(VENV, sys.executable, ("--all-extras", "--all-groups"), environment)
    install_project(environment)
    _tell("packages of uv.lock, each by its SHA-256")
    if (ROOT / "native" / "Cargo.toml").is_file():
        _tell(build_native(environment) or "native/ built")
    _tell(f"ready in {time.monotonic() - began:.0f} s; next: make demo")


def _tell(line: str) -> None:
    print(f"setup: {line}", flush=True)


def _sentence(error: OSError) -> str:
    path = error.filename or ROOT
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return DISK_FULL.format(path=path)
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return NOT_WRITABLE.format(path=path)
    if error.errno in {errno.EEXIST, errno.ENOTDIR}:
        return f"{path} is in the way of a folder that set-up makes; move it away and run 'make setup' again."
    return f"{error.strerror or error} ({path}); mend that and run 'make setup' again."


def main(arguments: list[str]) -> int:
    """Return 0 when the environment stands, 1 after one sentence on what to do."""
    environment = dict(os.environ)
    try:
        if arguments == ["native"]:
            sentence = build_native(environment)
            _tell(sentence or "native/ built")
            return 1 if sentence else 0
        set_up(environment)
    except Stop as stop:
        print(f"setup: {stop}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"setup: {_sentence(error)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
