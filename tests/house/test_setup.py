"""`make setup` on the machines people have: each obstacle ends in one sentence with the cure, and no traceback."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = ("Makefile", "pyproject.toml", "uv.lock", "LICENSE", "README.md", "tools/setup.sh", "tools/setup.py")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The files that set-up reads, as a fresh clone has them, and a package of one file."""
    folder = tmp_path / "kerege"
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    (folder / "src/kerege").mkdir(parents=True)
    shutil.copy(ROOT / "src/kerege/__init__.py", folder / "src/kerege/__init__.py")
    return folder


def make(
    folder: Path, goal: str = "setup", limit: int | None = None, **changes: str
) -> subprocess.CompletedProcess[str]:
    """Run a goal of the Makefile; `limit` bounds the size of any file written."""
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in {"VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"}
    }
    environment |= {"PYTHON": sys.executable, "UV_HTTP_RETRIES": "0"} | changes

    def bound() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        ["make", "--no-print-directory", goal],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=bound,  # in a process without threads
    )


def said(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a failure: what is on stderr beside make's own last line."""
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make:")]
    assert "Traceback" not in done.stdout + done.stderr
    assert done.returncode != 0
    assert len(lines) == 1, done.stderr
    return lines[0]


def fake_python(folder: Path, version: str) -> Path:
    path = folder / "python"
    path.write_text(f'#!/bin/sh\n[ "$1" = -c ] && echo {version}\n', encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def fetched(clone: Path) -> Path:
    """The clone with its pinned uv already there, as after a set-up that stopped later."""
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert uv is not None
    version = subprocess.run([uv, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    (clone / f".tools/uv-{version}").mkdir(parents=True)
    shutil.copy(uv, clone / f".tools/uv-{version}/uv")
    return clone


@pytest.mark.parametrize("version", ["2.7", "3.9", "3.10", "3.14"])
def test_a_python_that_does_not_fit_is_named_with_the_cure(clone, tmp_path, version):
    sentence = said(make(clone, PYTHON=str(fake_python(tmp_path, version))))
    assert f"here is {version}; install one" in sentence
    assert "PYTHON=" in sentence


def test_a_python_that_does_not_run_is_named(clone):
    assert "/nowhere/python does not run" in said(make(clone, PYTHON="/nowhere/python"))


def test_the_first_fitting_python_on_the_path_is_taken(clone, tmp_path):
    """A pyenv shim for a version that is not selected exists and fails: it must not end the search."""
    shims = tmp_path / "shims"
    shims.mkdir()
    broken = shims / "python3.13"
    broken.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    broken.chmod(0o755)
    (shims / "python3.12").symlink_to(fake_python(tmp_path, "3.9"))
    (shims / "python3.11").symlink_to(fake_python(tmp_path, "3.9"))
    (shims / "python3").symlink_to(fake_python(tmp_path, "3.9"))
    (shims / "python").symlink_to(fake_python(tmp_path, "3.9"))
    sentence = said(make(clone, PYTHON="", PATH=f"{shims}:{os.environ['PATH']}"))
    assert "here is 3.9" in sentence


def test_without_a_network_the_fetch_of_uv_says_so(clone):
    sentence = said(make(clone, PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_FIND_LINKS=""))
    assert "package index at http://127.0.0.1:9 cannot be reached; connect this machine" in sentence


def test_without_a_network_the_install_says_so(fetched, tmp_path):
    sentence = said(
        make(
            fetched,
            PIP_INDEX_URL="http://127.0.0.1:9/simple",
            PIP_FIND_LINKS="",
            UV_CACHE_DIR=str(tmp_path / "cache"),
        )
    )
    assert "package index at its address cannot be reached; connect this machine" in sentence


def test_an_index_with_another_uv_is_refused(clone, tmp_path):
    """A file of the right name and other bytes: the pin in uv.lock decides."""
    index = tmp_path / "index" / "uv"
    index.mkdir(parents=True)
    names = [
        line.split("/")[-1].split('"')[0] for line in (ROOT / "uv.lock").read_text().splitlines() if "/uv-" in line
    ]
    for name in names:
        (index / name).write_bytes(b"not uv")
    links = "".join(f'<a href="{name}">{name}</a>' for name in names)
    page = tmp_path / "index.html"
    page.write_text(links, encoding="utf-8")
    sentence = said(make(clone, PIP_INDEX_URL="", PIP_FIND_LINKS=str(index)))
    assert "is not the file that uv.lock pins" in sentence
    assert not list(clone.glob(".tools/uv-*/uv"))


def test_a_full_disk_is_told_while_fetching(clone):
    assert "is full; free about 600 MB" in said(make(clone, limit=100_000))


def test_a_full_disk_is_told_while_installing(fetched, tmp_path):
    done = make(fetched, limit=200_000, UV_CACHE_DIR=str(tmp_path / "cache"))
    assert "is full; free about 600 MB" in said(done)


def test_a_file_in_the_way_is_named(clone):
    (clone / ".tools").write_text("", encoding="utf-8")
    assert f"{clone}/.tools is in the way" in said(make(clone))


def test_a_folder_that_cannot_be_written_is_named(clone):
    """Tests may run as root, who writes anywhere but here, in the kernel's own tree."""
    (clone / ".tools").symlink_to("/sys/kernel")
    sentence = said(make(clone))
    assert "cannot be written; run 'make setup' as the owner" in sentence


def test_without_rust_set_up_goes_on_and_says_that_it_is_slower(clone, tmp_path):
    (clone / "native").mkdir()
    (clone / "native/Cargo.toml").write_text("", encoding="utf-8")
    bare = tmp_path / "bin"
    bare.mkdir()
    for name in ("sh", "make", "dirname"):
        (bare / name).symlink_to(str(shutil.which(name)))

    done = make(clone, PATH=str(bare))

    assert done.returncode == 0, done.stderr
    assert "setup: no Rust toolchain: the plain Python versions are used, slower" in done.stdout
    assert "setup: ready" in done.stdout
    # Asked for by name, a crate that is not built is a failure.
    asked = make(clone, "native", PATH=str(bare))
    assert asked.returncode != 0
    assert "Traceback" not in asked.stderr


def test_a_crate_that_does_not_build_is_told_with_its_log(clone):
    """With Rust there and the crate refused, set-up goes on; the whole story is in a file."""
    (clone / "native/src").mkdir(parents=True)
    (clone / "native/Cargo.toml").write_text('[package]\nname = "broken"\nversion = "0.0.0"\n', encoding="utf-8")
    (clone / "native/src/lib.rs").write_text("this is no Rust", encoding="utf-8")

    done = make(clone)

    assert done.returncode == 0, done.stderr
    assert "the plain Python versions are used, slower" in done.stdout
    assert shutil.which("cargo") is None or (clone / ".tools/native.log").read_text(encoding="utf-8")


def test_a_python_without_venv_and_pip_suffices(clone, tmp_path):
    """As on a bare Debian: venv, ensurepip and pip are not to be had."""
    masks = tmp_path / "masks"
    masks.mkdir()
    for name in ("venv", "ensurepip", "pip"):
        (masks / f"{name}.py").write_text("raise ModuleNotFoundError(__name__)\n", encoding="utf-8")
    done = make(clone, PYTHONPATH=str(masks))
    assert done.returncode == 0, done.stderr
    version = subprocess.run(
        [clone / ".venv/bin/python", "-c", "import kerege, msgspec; print(kerege.__version__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert version.stdout.strip()
    assert list(clone.glob(".tools/uv-*/uv"))
