"""Write docs/reference from the code: messages, events, tables, refusals, parameters, commands.

python -m tools.reference [--check]
"""

import ast
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import typer.main

import kerege.kernel
import kerege.modules
from kerege.api.app import ROOT as API_ROOT
from kerege.api.app import describe
from kerege.api.problems import KINDS, URN
from kerege.kernel.errors import NotATransaction, Refused
from kerege.kernel.messages import tag_of
from kerege.modules import MODULES
from tools.fields import fields_of
from tools.pages import ROOT, table, write_or_check

FOLDER = ROOT / "docs/reference"
NOTE = "<!-- Written by `make docs` from the code. Change the code, not this page. -->\n"


def pages() -> dict[Path, str]:
    """Every generated page under docs/reference."""
    return {
        FOLDER / "messages.md": _messages(),
        FOLDER / "events.md": _events(),
        FOLDER / "tables.md": _tables(),
        FOLDER / "refusals.md": _refusals(),
        FOLDER / "parameters.md": _parameters(),
        FOLDER / "commands.md": _commands(),
        FOLDER / "api.md": _api(),
    }


def _messages() -> str:
    parts = ["# Messages\n", NOTE, "What a transaction may ask for, module by module, in order of dependency.\n"]
    for module in MODULES:
        parts.append(f"## {module.name}\n")
        for kind in module.handlers:
            parts += [f"### {tag_of(kind)}\n", _doc(kind), f"Who may send: {kind.SENDERS}. Weight: {kind.WEIGHT}.\n"]
            parts.append(_fields(kind))
    return "\n".join(parts)


def _events() -> str:
    parts = ["# Events\n", NOTE, "What receipts announce. Everything outside the ledger is built from these.\n"]
    for module in MODULES:
        if module.events:
            parts.append(f"## {module.name}\n")
        for kind in module.events:
            parts += [f"### {tag_of(kind)}\n", _doc(kind), _fields(kind)]
    return "\n".join(parts)


def _fields(kind: type[Any]) -> str:
    rows = [(f"`{field.path}`", field.kind, field.description) for field in fields_of(kind)]
    return table(("field", "form", "what it is"), rows) if rows else "No fields.\n"


def _api() -> str:
    """The API's operations and the kinds of its problems; the whole of it is its own OpenAPI document."""
    nowhere: Any = SimpleNamespace(ledger="", prefix="", submit=None)  # describing asks nobody
    document = describe(nowhere)
    parts = [
        "# API\n",
        NOTE,
        f"Addresses begin with `{API_ROOT}`; `GET {API_ROOT}/openapi.json` has all forms and bounds (OpenAPI 3.1).\n",
    ]
    rows = [
        (f"`{method.upper()} {path.removeprefix(API_ROOT)}`", operation["summary"], _statuses(operation))
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    parts += [table(("request", "what it is for", "answers"), rows), "## Problems\n"]
    parts.append(f"Answers that are not good are RFC 9457 problem details; `type` is `{URN}` and the name.\n")
    told = [(f"`{kind.name}`", str(int(kind.status)), kind.title) for kind in KINDS]
    parts.append(table(("name", "status", "meaning"), told))
    return "\n".join(parts)


def _statuses(operation: dict[str, Any]) -> str:
    return ", ".join(sorted(operation["responses"]))


def _tables() -> str:
    opening = (
        "State by table. A key is the table's name, a zero byte and the parts in order; a value is its schema number "
        "and MessagePack. *Personal*: random keys, and a blind in every value. *Derived*: not rebuilt from events.\n"
    )
    parts = ["# Tables\n", NOTE, opening]
    for module in MODULES:
        rows = [
            (f"`{one.name}`", _type(one.key), _type(one.value), str(one.schema), _marks(one), one.doc)
            for one in module.tables
        ]
        parts += [f"## {module.name}\n", table(("table", "key", "value", "schema", "marks", "what it holds"), rows)]
    return "\n".join(parts)


def _marks(one: Any) -> str:  # noqa: ANN401 - a Table of any key and value
    return ", ".join(word for word, true in (("personal", one.personal), ("derived", one.derived)) if true)


def _type(annotation: Any) -> str:  # noqa: ANN401 - any annotation
    if isinstance(annotation, tuple):
        return ", ".join(_type(part) for part in annotation)
    for meta in getattr(annotation, "__metadata__", ()):
        form = (getattr(meta, "extra", None) or {}).get("form")
        if form:
            return str(form)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(str(each.value) for each in annotation)
    return str(getattr(annotation, "__name__", annotation))


def _refusals() -> str:
    refused = (
        "An expected *no*: rolled back, the sequence consumed, a receipt with the number and the facts. A number never "
        "changes its meaning. Texts for people live with the nation's texts.\n"
    )
    outside = "Bytes that never enter the ledger: no receipt, no state change. Answered by admission with the number.\n"
    parts = ["# Refusals\n", NOTE, refused, _numbered(Refused), "## Not a transaction\n", outside]
    return "\n".join([*parts, _numbered(NotATransaction)])


def _numbered(base: type[Any]) -> str:
    def order(kind: type[Any]) -> tuple[Any, ...]:
        owner, _, number = kind.code.partition(".")
        position = [module.name for module in MODULES].index(owner) if owner != "kernel" else -1
        return position, not number.isdecimal(), int(number) if number.isdecimal() else number

    kinds = sorted({kind for kind in _subclasses(base) if kind.__module__.startswith("kerege.")}, key=order)
    rows = [
        (f"`{kind.code}`", kind.__name__, _doc(kind), ", ".join(f"`{name}`" for name in inspect.get_annotations(kind)))
        for kind in kinds
    ]
    return table(("number", "name", "when", "facts"), rows)


def _subclasses(base: type[Any]) -> Iterator[type[Any]]:
    for package in (kerege.kernel, kerege.modules):
        _import_all(package)
    for kind in base.__subclasses__():
        yield kind
        yield from _subclasses(kind)


def _import_all(package: ModuleType) -> None:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(found.name)


def _parameters() -> str:
    opening = (
        "Dated values of `policy` that the rules read, with the places that read them. The pack gives the values.\n"
    )
    read: dict[str, list[str]] = {}
    for folder in (ROOT / "src/kerege/kernel", ROOT / "src/kerege/modules"):
        for path in sorted(folder.rglob("*.py")):
            for name in parameters_in(path.read_text(encoding="utf-8")):
                place = f"`{path.relative_to(ROOT / 'src/kerege').as_posix()}`"
                places = read.setdefault(name, [])
                if place not in places:
                    places.append(place)
    rows = [(f"`{name}`", ", ".join(places)) for name, places in sorted(read.items())]
    return "\n".join(["# Parameters\n", NOTE, opening, table(("parameter", "read in"), rows)])


ASKING = ("parameter", "authority_of")
"""Calls whose first argument names a parameter."""


def parameters_in(source: str) -> Iterator[str]:
    """Names that a file passes to `parameter(…)` or `authority_of(…)`, as text or as a constant of the same file."""
    tree = ast.parse(source)
    constants = {
        target.id: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in ASKING:
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.value
                elif isinstance(argument, ast.Name) and argument.id in constants:
                    yield constants[argument.id]


def _commands() -> str:
    from kerege.cli import app  # noqa: PLC0415 - the other pages need no command line

    command = typer.main.get_command(app)
    return "\n".join(["# Commands\n", NOTE, *_command("kerege", command)])


def _command(name: str, command: Any) -> Iterator[str]:  # noqa: ANN401 - typer's own copy of click
    yield f"## {name}\n"
    yield inspect.cleandoc(command.help or "") + "\n"
    rows = [_parameter(parameter) for parameter in command.params if parameter.name != "help"]
    if rows:
        yield table(("argument", "what it is"), rows)
    for word, inner in sorted(getattr(command, "commands", {}).items()):
        yield from _command(f"{name} {word}", inner)


def _parameter(parameter: Any) -> tuple[str, str]:  # noqa: ANN401 - typer's own copy of click
    spelled = ", ".join(parameter.opts) if parameter.param_type_name == "option" else str(parameter.name).upper()
    return f"`{spelled}`", str(getattr(parameter, "help", None) or "")


def _doc(kind: type[Any]) -> str:
    return (inspect.getdoc(kind) or "") + "\n"


def broken_links(page: Path) -> list[str]:
    """Relative links of a Markdown page that lead to no file."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)", text)
    return [one for one in targets if "://" not in one and not (page.parent / one).exists()]


if __name__ == "__main__":
    sys.exit(write_or_check(pages(), sys.argv[1:]))
