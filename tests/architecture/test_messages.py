"""Every message has a handler of its name, a vector, an entry in its module's page, a schema and a command."""

import inspect
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import typer.main
import yaml

from kerege.kernel.forms import field_types, json_schema
from kerege.kernel.messages import Message, Senders, tag_of
from kerege.modules import MODULES
from tools import anatomy

MESSAGES = [(module, kind) for module in MODULES for kind in module.handlers]
by_message = pytest.mark.parametrize(
    ("module", "kind"), MESSAGES, ids=[tag_of(kind) for _, kind in MESSAGES]
)  # fmt: skip


def declared(module) -> Iterator[type[Message]]:
    """Message classes that the files of a module define."""
    stack = list(Message.__subclasses__())
    while stack:
        kind = stack.pop()
        stack += kind.__subclasses__()
        if kind.__module__.startswith(f"kerege.modules.{module.name}."):
            yield kind


def sent_tags(module) -> set[str]:
    """Tags of the messages that the vectors of a module send."""
    tags: set[str] = set()
    for path in sorted((anatomy.VECTORS / module.name).glob("*.yaml")):
        for vector in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            sent = [*vector.get("messages", []), vector.get("message", {})]
            tags |= {tag for message in sent for tag in message}
    return tags


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_every_message_has_a_handler(module):
    unhandled = [kind for kind in declared(module) if kind not in module.handlers]
    assert unhandled == []


@by_message
def test_names_agree(module, kind):
    """First word of a name = folder; second = class in messages; same word in snake case = function in handlers."""
    module_name, name, *version = tag_of(kind).split(".")
    assert module_name == module.name
    assert kind.__name__ == name + "".join(version)
    assert kind.__module__.startswith(f"kerege.modules.{module.name}.messages")
    handler = module.handlers[kind]
    assert handler.__name__ == anatomy.snake(kind.__name__)
    assert handler.__module__.startswith(f"kerege.modules.{module.name}.handlers")


@by_message
def test_a_message_says_what_it_asks_and_who_may_ask(module, kind):
    assert inspect.getdoc(kind)
    assert isinstance(kind.SENDERS, Senders)
    assert Senders() != kind.SENDERS, "nobody may send it"
    assert kind.WEIGHT >= 1
    for name, annotation in field_types(kind).items():
        metas = [meta for meta in getattr(annotation, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]
        assert any(meta.description for meta in metas), f"{tag_of(kind)}.{name} has no description"


@by_message
def test_a_message_has_a_vector(module, kind):
    assert tag_of(kind) in sent_tags(module), f"no file in tests/vectors/{module.name}/ sends it"


@by_message
def test_a_message_is_told_in_the_page_of_its_module(module, kind):
    page = (anatomy.MODULES / module.name / "README.md").read_text(encoding="utf-8")
    told = anatomy.section(anatomy.section(page, "Messages", 2), kind.__name__, 3).lower()
    assert [part for part in anatomy.MESSAGE_PARTS if part not in told] == []


@by_message
def test_a_message_has_a_schema(module, kind):
    schema = json_schema(kind)
    assert schema["properties"]["type"] == {"const": tag_of(kind)}
    assert set(schema["properties"]) == {"type", *kind.__struct_fields__}
    assert schema["additionalProperties"] is False
    for name, form in schema["properties"].items():
        assert form, f"{tag_of(kind)}.{name} may be anything"


@by_message
def test_a_message_has_a_command(module, kind):
    """`kerege bank place-hold`: one word runs through a feature."""
    from kerege.cli import app  # noqa: PLC0415 - the command line needs more than the other tests

    group: Any = typer.main.get_command(app)
    group = group.commands[module.name]
    name = anatomy.snake(kind.__name__).replace("_", "-")
    command = group.commands[name]
    options = {option for parameter in command.params for option in parameter.opts}
    assert options >= {"--" + field.replace("_", "-") for field in kind.__struct_fields__}
