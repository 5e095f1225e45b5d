"""Every plain field of every message and event, read from the types: what it is, who can read it, why it is plain.

A field says so itself, beside its description:

    Annotated[str, Meta(description="…", extra={"plain": "why", "readers": "everyone"})]

A type whose meaning settles the question (an address, a commitment) has a default below. Everything else must say.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec
from msgspec import Struct

from kerege.kernel.forms import field_types
from kerege.kernel.messages import tag_of

EVERYONE = "everyone"

# Why a field of this form may stand in the open without saying so itself. A day has no default: it may be a birthday.
# A `count` counts steps, versions and heights.
DEFAULTS = {
    "address": "an account is a pseudonym; who is behind it is a commitment",
    "hash": "a digest of public bytes, or a commitment whose salt stays in the dossier",
    "commitment": "says nothing without the salt, which stays in the dossier",
    "identifier": "16 random bytes, linked to a person only in the dossiers",
    "blind": "random bytes that make a leaf unguessable",
    "time": "a moment of the procedure, set or bounded by block time; never a date of a life",
    "amount": "sums are checked by everyone; whose they are is a pseudonym",
    "count": "counts steps, versions and blocks",
    "code": "a name from a public list; never a word about a person",
    "key": "a public key is made to be read",
}


CLOSED_LIST = "one word of a closed list that the code names; never a word about a person"


@dataclass(frozen=True, slots=True)
class Field:
    """One plain field: where it stands, what it is, who reads it, why it is plain (empty where nobody said)."""

    owner: str
    path: str
    kind: str
    description: str
    readers: str
    reason: str


def fields_of(kind: type[Struct]) -> Iterator[Field]:
    """The plain fields of a message or event, nested structs opened."""
    for name, annotation in field_types(kind).items():
        yield from _leaves(tag_of(kind), name, annotation, "", {})


def _leaves(owner: str, path: str, annotation: Any, description: str, extra: dict[str, Any]) -> Iterator[Field]:  # noqa: ANN401 - any annotation
    annotation, described, said = _opened(annotation)
    description, extra = described or description, {**said, **{k: v for k, v in extra.items() if k != "form"}}
    parts = _parts(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Struct):
        for name, inner in field_types(annotation).items():
            yield from _leaves(owner, f"{path}.{name}", inner, "", {})
    elif parts is not None:
        for step, each in parts:
            yield from _leaves(owner, path + step, each, description, extra)
    else:
        form = extra.get("form", "")
        closed = isinstance(annotation, type) and issubclass(annotation, Enum)
        reason = extra.get("plain", CLOSED_LIST if closed else DEFAULTS.get(form, ""))
        words = ", ".join(str(each.value) for each in annotation) if closed else ""
        kind = form or words or getattr(annotation, "__name__", str(annotation))
        yield Field(owner, path, kind, description, extra.get("readers", EVERYONE), reason)


def _opened(annotation: Any) -> tuple[Any, str, dict[str, Any]]:  # noqa: ANN401 - any annotation
    """An annotation without its metadata, and what the metadata says."""
    description = ""
    extra: dict[str, Any] = {}
    while get_origin(annotation) is Annotated:
        annotation, *metas = get_args(annotation)
        for meta in metas:
            if isinstance(meta, msgspec.Meta):
                description = meta.description or description
                extra |= meta.extra or {}
    return annotation, description, extra


def _parts(annotation: Any) -> list[tuple[str, Any]] | None:  # noqa: ANN401 - any annotation
    """How the path goes on into a container, and what is there; None for a leaf."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is list or (origin is tuple and inside[-1] is Ellipsis):
        return [("[]", inside[0])]
    if origin is tuple:
        return [(f"[{index}]", each) for index, each in enumerate(inside)]
    if origin in {Union, UnionType}:
        return [("", each) for each in inside if each is not NoneType]
    return None
