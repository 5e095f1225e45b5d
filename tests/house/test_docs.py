"""The pages hold: every link and picture leads somewhere, and every command in them does what is said."""

import os
import re
import shutil
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "src/**/*.md")
    for path in ROOT.glob(pattern)
    if ".venv" not in path.parts and path.name != "CHANGELOG.md"
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TRIED = (
    "README.md",
    "docs/tutorial/first-birth.md",
    "docs/tutorial/one-birth-through-every-file.md",
    "docs/how-to/set-up-a-ledger.md",
    "docs/how-to/check-a-ledger.md",
    "docs/how-to/verify-a-certificate.md",
    "docs/how-to/verify-in-a-browser.md",
    "docs/how-to/import-a-registry.md",
    "docs/how-to/query-with-sql.md",
    "docs/how-to/use-the-command-line.md",
    "docs/how-to/use-the-api.md",
    "docs/how-to/add-a-service.md",
    "docs/how-to/run-your-own-nation.md",
)
"""Pages whose commands are run, in this order, in one folder: what one makes the next may use."""
ELSEWHERE = {
    "make setup": "tests/house/test_setup.py",
    "make up": "tests/portal/pages",
    "make test": "this very run",
    "make check": ".ci/run",
}
"""Commands that are run by other tests."""


def headings(path: Path) -> set[str]:
    """Anchors of a page, as GitHub makes them."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), f"{target} is not there"
        assert not anchor or anchor in headings(path), f"{target}: no such heading"


def commands(page: Path) -> list[str]:
    """What a reader would type, one command each; a block of Python is one command."""
    found = []
    for kind, body in FENCE.findall(page.read_text(encoding="utf-8")):
        if kind == "console":
            lines = body.replace("\\\n", "").splitlines()
            found += [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        elif kind == "python":
            found.append(f".venv/bin/python - <<'END'\n{body}END")
    return found


def test_every_page_with_commands_is_tried() -> None:
    told = {str(page.relative_to(ROOT)) for page in PAGES if page.is_relative_to(ROOT / "docs") and commands(page)}
    others = {"docs/how-to/look-at-a-raion.md", "docs/how-to/set-up-on-a-bare-machine.md"}
    others.add("docs/how-to/run-a-network.md")  # tests/network/test_how_to.py
    assert told - others <= set(TRIED)


def test_commands_are_copied_as_they_stand() -> None:
    """After `make setup` neither `kerege` nor the packages are on anybody's path."""
    bare = re.compile(r"(^|[|;&(] *)(kerege|python3?|pytest) ")
    wrong = {str(page.relative_to(ROOT)): [c for c in commands(page) if bare.search(c)] for page in PAGES}
    assert {name: told for name, told in wrong.items() if told} == {}


def make_clone(made: Path) -> Path:
    """A clone as far as the commands can see."""
    for name in (".venv", "Makefile", "tools", "native", "tests", "docs", "pyproject.toml"):
        (made / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "src", made / "src", ignore=shutil.ignore_patterns("__pycache__"))
    return made


def test_commands_do_what_is_said(tmp_path: Path) -> None:
    """Exit code 0, or what the comment behind the command says: `# exit 3: …`."""
    folder = make_clone(tmp_path)
    variables = {
        **os.environ,
        "PATH": os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if ".venv" not in part),
        "PYTHONPATH": f"{folder}/src:{folder}",
        "KEREGE_PASSPHRASE": "only for this test",
        "KEREGE_KEYS": f"{folder}/keystore",
    }
    variables.pop("CI", None)
    try:
        for name in TRIED:
            for command in commands(ROOT / name):
                if not any(command.startswith(start) for start in ELSEWHERE):
                    run(command, folder, variables)
            for file in ("certificate.json", "trust.json"):  # as if somebody had brought them
                if not (folder / file).exists():
                    shutil.copy(folder / "var/demo" / file, folder / file)
    finally:  # what a page started and, where it failed, did not stop
        for started in (folder / "var").glob("*.pid"):
            with suppress(ProcessLookupError, ValueError):
                os.kill(int(started.read_text()), signal.SIGTERM)


def run(command: str, folder: Path, variables: dict[str, str]) -> None:
    expected = re.search(r"# exit (\d)", command)
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, env=variables, capture_output=True, text=True, timeout=300, check=False
    )
    told = f"{command}\n{done.stdout[-2_000:]}\n{done.stderr[-2_000:]}"
    assert done.returncode == (int(expected[1]) if expected else 0), told
    assert "Traceback" not in done.stderr, told
