"""One command for every message of every module, made from its fields."""

import inspect
import os
import re
from collections.abc import Callable
from typing import Annotated, Any

import typer
from msgspec import inspect as types

from kerege.cli.options import DEFAULT_HOME, As, AsJson, DryRun, Home, Lang
from kerege.cli.output import dump
from kerege.cli.sending import parse, read_form, read_input, send, tell
from kerege.cli.wiring import CommandError, wiring
from kerege.kernel.codec import encode
from kerege.kernel.forms import field_types, json_schema, to_json
from kerege.kernel.messages import Message, tag_of
from kerege.kernel.module import Module
from kerege.modules import MODULES

GROUPS: dict[str, Module] = {module.name: module for module in MODULES}
MESSAGES: dict[str, type[Message]] = {tag_of(kind): kind for module in MODULES for kind in module.handlers}
RANDOM = "random"
"""In place of a random id: draw one."""


def kebab(name: str) -> str:
    """`PlaceHold` → `place-hold`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def kind_of(form: Any) -> type[Message]:  # noqa: ANN401 - JSON
    """Which message a form is; raises `CommandError`."""
    tag = form.get("type") if isinstance(form, dict) else None
    if not isinstance(tag, str) or tag not in MESSAGES:
        sentence = f"unknown message {tag}: `kerege schema` lists what can be sent."
        raise CommandError(sentence)
    return MESSAGES[tag]


def module_app(module: Module) -> typer.Typer:
    """The commands of a module."""
    group = typer.Typer(help=f"Messages of the module {module.name}.", no_args_is_help=True)
    for kind in module.handlers:
        group.command(kebab(kind.__name__), help=inspect.getdoc(kind))(_command(kind))
    return group


def _command(kind: type[Message]) -> Callable[..., None]:
    """A function whose signature has one option for every field of the message."""
    fields = {name: types.type_info(annotation) for name, annotation in field_types(kind).items()}

    def run(**given: Any) -> None:  # noqa: ANN401 - options by name
        home, name, as_json, dry, lang = (given.pop(common.name) for common in _COMMON)
        prefix = wiring().prefix(home)
        typed = {field: given[field] for field in fields}
        form = {field: _form(field, text, fields[field], prefix) for field, text in typed.items() if text is not None}
        drawn = {field: _draw(fields[field]) for field, text in typed.items() if text is None and _drawn(fields[field])}
        message = read_form({**form, **drawn}, kind, prefix)
        if dry:
            dump(to_json(message, kind, prefix))
            return
        raise typer.Exit(tell(home, send(home, name, [message]), lang, as_json=as_json))

    parameters = [_parameter(name, annotation, fields[name]) for name, annotation in field_types(kind).items()]
    signature = inspect.Signature([*parameters, *_COMMON])
    vars(run)["__signature__"] = signature
    run.__name__ = kind.__name__
    run.__annotations__ = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    return run


def _parameter(name: str, annotation: Any, kind: types.Type) -> inspect.Parameter:  # noqa: ANN401 - an annotation
    schema = json_schema(annotation)
    drawn = _drawn(kind)
    optional = drawn or {"type": "null"} in schema.get("anyOf", [])
    about = " ".join(filter(None, (schema.get("description", ""), _hint(kind))))
    option = typer.Option(f"--{name.replace('_', '-')}", help=about)
    default = None if optional else inspect.Parameter.empty
    shown: Any = Annotated[str | None if optional else str, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=shown)


def _hint(kind: types.Type) -> str:
    """How the option is filled in, where that is not plain."""
    bare, form = _bare(kind)
    if form == "blind":
        return "Drawn where absent."
    if form == "identifier":
        return f"`{RANDOM}` draws one."
    if isinstance(bare, types.EnumType):
        return f"One of {', '.join(str(each.value) for each in bare.cls)}."
    if _of_messages(bare):
        return "JSON or @FILE: a list of messages, each as `submit` takes it, or its bytes in hex."
    return "JSON, or @FILE." if isinstance(bare, types.ListType | types.VarTupleType | types.StructType) else ""


def _bare(kind: types.Type) -> tuple[types.Type, str]:
    """The kind without its bounds, and how its values are written; of `kind | None` the kind."""
    form = ""
    while True:
        if isinstance(kind, types.Metadata):
            form = (kind.extra or {}).get("form", form)
            kind = kind.type
            continue
        others = [each for each in getattr(kind, "types", ()) if not isinstance(each, types.NoneType)]
        if len(others) != 1:
            return kind, form
        kind = others[0]


def _drawn(kind: types.Type) -> bool:
    return _bare(kind)[1] == "blind"


def _draw(kind: types.Type) -> str:
    bare, _ = _bare(kind)
    length = bare.min_length if isinstance(bare, types.BytesType) else None
    return os.urandom(length or 16).hex()


def _form(field: str, given: str, kind: types.Type, prefix: str) -> Any:  # noqa: ANN401 - JSON
    """The JSON form of what was typed: as it stands for text, bytes, amounts and days, else read as JSON."""
    text = read_input(given)
    bare, form = _bare(kind)
    if text == RANDOM and form in {"identifier", "blind"}:
        return _draw(kind)
    if form in {"amount", "day"} or isinstance(bare, types.StrType | types.BytesType | types.EnumType):
        return text
    try:
        found = parse(text, f"--{field.replace('_', '-')}")
        return [_raw(each, prefix) for each in found] if _of_messages(bare) and isinstance(found, list) else found
    except CommandError:
        if isinstance(bare, types.UnionType):  # a text among others, without its quotes
            return text
        raise


def _of_messages(kind: types.Type) -> bool:
    return isinstance(kind, types.ListType) and _bare(kind.item_type)[1] == "message"


def _raw(form: Any, prefix: str) -> Any:  # noqa: ANN401 - JSON
    """Canonical bytes, in hex, of a message that was typed as `submit` takes it; hex as it stands."""
    return encode(read_form(form, kind_of(form), prefix)).hex() if isinstance(form, dict) else form


_COMMON = [
    inspect.Parameter("home", inspect.Parameter.KEYWORD_ONLY, default=DEFAULT_HOME, annotation=Home),
    inspect.Parameter("as_", inspect.Parameter.KEYWORD_ONLY, default="", annotation=As),
    inspect.Parameter("json_", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=AsJson),
    inspect.Parameter("dry_run", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=DryRun),
    inspect.Parameter("lang", inspect.Parameter.KEYWORD_ONLY, default="en", annotation=Lang),
]
