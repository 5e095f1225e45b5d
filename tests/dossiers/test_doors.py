"""One door: no other code path reaches an opened value, and no other package reaches past the store's front."""

import ast
from collections.abc import Iterator
from pathlib import Path

import kerege.dossiers

PACKAGE = Path(kerege.dossiers.__file__).parent
INSIDE = {
    "books",
    "embedded_keys",
    "files",
    "jobs",
    "keybook",
    "keyring",
    "memory_rows",
    "sealing",
    "sheets",
    "rocks_rows",
}
"""What others may not import: whatever holds a key, a sealed row or an opened sheet."""
OPEN = {("jobs", "Committed"), ("embedded_keys", "restore_keys")}
"""What of it they may: the type of what `check` is given, and what runs before anything is open."""


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """(submodule of kerege.dossiers, name) for every import of one."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kerege.dossiers"):
            rest = (node.module or "").removeprefix("kerege.dossiers").strip(".")
            for alias in node.names:
                yield (rest, alias.name) if rest else (alias.name, "")
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("kerege.dossiers"):
                    yield alias.name.removeprefix("kerege.dossiers").strip("."), ""


def test_other_packages_use_the_front_only() -> None:
    for path in sorted(PACKAGE.parent.rglob("*.py")):
        if PACKAGE in path.parents:
            continue
        for module, name in imports(path):
            assert module.split(".")[0] not in INSIDE or (module, name) in OPEN, f"{path}: {module}.{name} is inside"


def test_sheets_are_opened_in_the_store_alone() -> None:
    using = {
        path.name
        for path in sorted(PACKAGE.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Name) and node.id == "OpenSheet"
    }
    assert using == {"store.py"}
