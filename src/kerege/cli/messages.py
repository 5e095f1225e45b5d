"""One command for every message of every module, made from its fields."""

import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from msgspec import inspect as types

from kerege.cli.output import show
from kerege.cli.sending import read_form, send
from kerege.cli.wiring import wiring
from kerege.kernel.forms import field_types, json_schema
from kerege.kernel.messages import Message, tag_of
from kerege.kernel.module import Module

Home = Annotated[Path, typer.Option("--home", help="Folder of the ledger.")]
As = Annotated[str, typer.Option("--as", help="Whose key signs: office/role of a throw-away key, or a keystore file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the message, send nothing.")]


def kebab(name: str) -> str:
    """`PlaceHold` → `place-hold`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def module_app(module: Module) -> typer.Typer:
    """The commands of a module."""
    group = typer.Typer(help=f"Messages of the module {module.name}.", no_args_is_help=True)
    for kind in module.handlers:
        group.command(kebab(kind.__name__), help=inspect.getdoc(kind))(_command(kind))
    return group


def _command(kind: type[Message]) -> Callable[..., None]:
    """A function whose signature has one option for every field of the message."""
    fields = types.type_info(kind).fields  # type: ignore[attr-defined]
    annotations = field_types(kind)

    def run(**given: Any) -> None:  # noqa: ANN401 - options by name
        home, name, as_json, dry = given.pop("home"), given.pop("as_"), given.pop("json_"), given.pop("dry_run")
        form = {f.name: _form(given[f.name], f.type) for f in fields if given[f.name] is not None}
        if dry:
            show({"type": tag_of(kind), **form}, as_json=True)
            return
        with wiring().open_door(home) as door:
            prefix = door.prefix
        show(send(home, name, [read_form(json.dumps(form), kind, prefix)]), as_json=as_json)

    signature = inspect.Signature(
        [*(_parameter(name, annotation) for name, annotation in annotations.items()), *_COMMON]
    )
    vars(run)["__signature__"] = signature
    run.__name__ = kind.__name__
    run.__annotations__ = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    return run


def _parameter(name: str, annotation: Any) -> inspect.Parameter:  # noqa: ANN401 - a field's annotation
    schema = json_schema(annotation)
    optional = {"type": "null"} in schema.get("anyOf", [])
    option = typer.Option(f"--{name.replace('_', '-')}", help=schema.get("description", ""))
    default = None if optional else inspect.Parameter.empty
    kind: Any = Annotated[str | None if optional else str, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def _form(text: str, kind: Any) -> Any:  # noqa: ANN401 - JSON
    """A plain text where the field is text, bytes or an amount; JSON for everything else."""
    while isinstance(kind, types.Metadata):
        form = (kind.extra or {}).get("form")
        if form in {"amount", "day"}:
            return text
        kind = kind.type
    if isinstance(kind, types.StrType | types.BytesType | types.EnumType | types.LiteralType):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


_COMMON = [
    inspect.Parameter("home", inspect.Parameter.KEYWORD_ONLY, default=Path("var/home"), annotation=Home),
    inspect.Parameter("as_", inspect.Parameter.KEYWORD_ONLY, default="", annotation=As),
    inspect.Parameter("json_", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=AsJson),
    inspect.Parameter("dry_run", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=DryRun),
]
