"""What a module is made of, read from its folder: files, page, imports."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
MODULES = ROOT / "src/kerege/modules"
VECTORS = ROOT / "tests/vectors"

# Blueprint §3: a file may be absent when empty; a name never varies. A name may also be a folder, where one file
# would be too long: its `__init__.py` then says what the file would have said.
NAMES = (
    "types",
    "state",
    "messages",
    "handlers",
    "rules",
    "schedule",
    "events",
    "errors",
    "keeper",
    "invariants",
    "genesis",
    "views",
    "projection",
)
FILES = {"README.md", "__init__.py", *(f"{name}.py" for name in NAMES)}

# The order of dependency (blueprint §3): a module imports only from those before it.
# fmt: off
ORDER = (
    "accounts", "authority", "policy", "bank", "identity", "registries", "services", "disclosure", "treasury",
    "licensing", "reserve", "stablecoin", "som", "compliance", "exchange", "ramps", "remittance", "sovereign",
    "council", "learning", "ballot", "bridge",
)
# fmt: on

HEADINGS = (
    "Purpose", "Concepts", "State", "Messages", "On schedule", "Invariants", "Parameters", "Legal basis",
)  # fmt: skip
MESSAGE_PARTS = ("who may send", "refused when", "changes", "announces")

# What one module may import of another.
OPEN_TO_OTHERS = ("keeper", "types")

# Who may import the interfaces that create money or pass a freeze, with the reason. Bank's own files need no entry.
MONEY_DOORS: dict[str, dict[str, str]] = {
    "Supply": {},
    "Enforcement": {},
}


class Import(NamedTuple):
    """One import inside `kerege.modules`: the file, what it names of which module's file."""

    path: Path
    line: int
    module: str
    file: str
    names: tuple[str, ...]


def folders() -> list[Path]:
    """The folder of every module, by name."""
    if not MODULES.is_dir():
        return []
    return sorted(path for path in MODULES.iterdir() if path.is_dir() and not path.name.startswith("_"))


def unknown_files(folder: Path) -> list[str]:
    """Names in a module's folder that the anatomy does not have."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.name == "__pycache__" or path.name in FILES:
            continue
        if not (path.is_dir() and path.name in NAMES and (path / "__init__.py").is_file()):
            found.append(path.name)
    return found


def imports_of_modules(folder: Path) -> Iterator[Import]:
    """Every import of another module's parts in a module's files."""
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("kerege.modules"):
                parts = node.module.split(".")[2:]
                names = tuple(alias.name for alias in node.names)
                for module, file, named in _resolved(parts, names):
                    if module != folder.name:
                        yield Import(path, node.lineno, module, file, named)
            elif isinstance(node, ast.Import):
                for alias in node.names:
                    parts = alias.name.split(".")
                    if parts[:2] == ["kerege", "modules"] and parts[2:3] != [folder.name]:
                        yield Import(path, node.lineno, ".".join(parts[2:3]), ".".join(parts[3:4]), ())


def _resolved(parts: list[str], names: tuple[str, ...]) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    if len(parts) > 1:
        yield parts[0], parts[1], names
    elif parts:
        for name in names:
            yield parts[0], name, ()
    else:
        for name in names:
            yield name, "", ()


def headings(text: str, level: int) -> list[str]:
    """The headings of one level in a Markdown page, in order, outside code blocks."""
    outside = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(rf"^#{{{level}}} +(.+?) *#*$", outside, flags=re.MULTILINE)


def section(text: str, heading: str, level: int) -> str:
    """The text below a heading, up to the next of its level or above; empty where there is none."""
    match = re.search(
        rf"^#{{{level}}} +{re.escape(heading)} *\n(.*?)(?=^#{{1,{level}}} |\Z)", text, flags=re.MULTILINE | re.DOTALL
    )
    return match.group(1) if match else ""


def snake(name: str) -> str:
    """`PlaceHold` → `place_hold`: the handler of a message has its name."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
