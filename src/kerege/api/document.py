"""The OpenAPI 3.1 document, made of the operations."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from kerege import __version__
from kerege.api.operations import Good, JsonObject, Operation
from kerege.api.problems import FAILED, MALFORMED, NOT_ACCEPTED, TOO_LARGE, URN, Kind, ProblemBody
from kerege.api.replies import PROBLEM_JSON
from kerege.api.shapes import ANSWERS, schema_of

ABOUT = """Prepare, submit, read and prove, generically over the messages and tables of the ledger's modules.

Every error is `application/problem+json` (RFC 9457) with a stable `type`. Nothing here needs a cookie or a password:
who asks for something signs it, and what is read is public by design, for the ledger holds no personal data.
"""


def make_document(operations: Sequence[Operation], root: str) -> JsonObject:
    """The document of operations that stand under a root path."""
    paths: dict[str, JsonObject] = {}
    for operation in operations:
        path = root + operation.path.replace("...}", "}")
        paths.setdefault(path, {})[operation.method.lower()] = _operation(operation)
    _, components = schema_of((*ANSWERS, ProblemBody))
    return {
        "openapi": "3.1.0",
        "info": {"title": "Kerege", "version": __version__, "description": ABOUT, "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": components},
    }


def _operation(operation: Operation) -> JsonObject:
    described: JsonObject = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": list(_parameters(operation)),
        "responses": _responses(operation),
    }
    if operation.bodies:
        content = {media_type: {"schema": schema} for media_type, schema in operation.bodies.items()}
        described["requestBody"] = {"required": True, "content": content}
    return described


def _parameters(operation: Operation) -> Iterable[JsonObject]:
    for where, kind in (("path", operation.parts), ("query", operation.query)):
        if kind is None:
            continue
        properties = _plain(kind)["properties"]
        for name in (f.name for f in msgspec.structs.fields(kind)):
            schema = dict(properties[name])
            about = schema.pop("description", "")
            told = {"name": name, "in": where, "required": where == "path", "schema": schema}
            yield {**told, "description": about} if about else told
    for name, schema in operation.headers.items():
        yield {"name": name, "in": "header", "required": False, "schema": schema}


def _plain(kind: Any) -> JsonObject:  # noqa: ANN401 - a struct
    (reference,), components = schema_of((kind,))
    return components[reference["$ref"].rpartition("/")[2]]


def _responses(operation: Operation) -> JsonObject:
    answers: JsonObject = {"200": _answer(operation.good)}
    if operation.accepted is not None:
        answers["202"] = _answer(operation.accepted)
    for status, kinds in sorted(_problems(operation).items()):
        types = [URN + kind.name for kind in kinds]
        told = {"allOf": [{"$ref": "#/components/schemas/ProblemBody"}, {"properties": {"type": {"enum": types}}}]}
        answers[str(status)] = {
            "description": "; ".join(f"`{kind.name}`: {kind.title}" for kind in kinds) + ".",
            "content": {PROBLEM_JSON: {"schema": told}},
        }
    return answers


def _answer(good: Good) -> JsonObject:
    schema = good.schema if good.shape is None else {"$ref": f"#/components/schemas/{good.shape.__name__}"}
    return {"description": good.description, "content": {good.media_type: {"schema": schema}}}


def _problems(operation: Operation) -> dict[int, list[Kind]]:
    """Which problems an operation answers with, by status."""
    kinds = [MALFORMED, *operation.problems, FAILED]
    if operation.bodies:
        kinds += [NOT_ACCEPTED, TOO_LARGE]
    found: dict[int, list[Kind]] = {}
    for kind in kinds:
        found.setdefault(int(HTTPStatus(kind.status)), []).append(kind)
    return found


def operation_paths(document: JsonObject) -> list[tuple[str, str]]:
    """(method, path) of everything in a document."""
    return [(method, path) for path, item in document["paths"].items() for method in item]
