"""What went wrong, as RFC 9457 problem details with types that never change their meaning."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from litestar import Response
from litestar.response.base import ASGIResponse
from msgspec import Struct

from kerege.api.replies import PROBLEM_JSON, SECURITY, encode_json, reply

URN = "urn:kerege:problem:"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of problem: its name in the type URI, its status and its title."""

    name: str
    status: int
    title: str


MALFORMED = Kind("malformed", HTTPStatus.BAD_REQUEST, "The request does not have the documented form")
BAD_CURSOR = Kind("bad-cursor", HTTPStatus.BAD_REQUEST, "The cursor is not one of this list as it stands now")
NOT_FOUND = Kind("not-found", HTTPStatus.NOT_FOUND, "There is nothing here")
NO_METHOD = Kind("method-not-allowed", HTTPStatus.METHOD_NOT_ALLOWED, "This address does not know the method")
NOT_ACCEPTED = Kind("media-type", HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body is of a kind that is not read here")
TOO_LARGE = Kind("too-large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is longer than the bound")
BAD_FORM = Kind("bad-form", HTTPStatus.UNPROCESSABLE_ENTITY, "A field does not hold what the ledger's rules ask for")
NO_TRANSACTION = Kind("not-a-transaction", HTTPStatus.UNPROCESSABLE_ENTITY, "The ledger takes this for no transaction")
OUT_OF_ORDER = Kind("wrong-sequence", HTTPStatus.CONFLICT, "It is not this transaction's turn")
NOT_PROVABLE = Kind("not-provable", HTTPStatus.UNPROCESSABLE_ENTITY, "There is no proof of this")
KEY_REUSED = Kind(
    "idempotency-key-reused", HTTPStatus.UNPROCESSABLE_ENTITY, "The Idempotency-Key was used for another body"
)
KEY_IN_USE = Kind("idempotency-key-in-use", HTTPStatus.CONFLICT, "A request with this Idempotency-Key is under way")
BUSY = Kind("busy", HTTPStatus.SERVICE_UNAVAILABLE, "The ledger has as much waiting as it takes")
TOO_MANY = Kind("too-many-waiting", HTTPStatus.TOO_MANY_REQUESTS, "As much of this sender waits as may of one")
NO_NODE = Kind("no-node", HTTPStatus.SERVICE_UNAVAILABLE, "The ledger's node does not answer")
RESTORING = Kind("restoring", HTTPStatus.SERVICE_UNAVAILABLE, "The node is being filled from a snapshot")
FAILED = Kind("internal", HTTPStatus.INTERNAL_SERVER_ERROR, "The server met an error of its own")
TOO_SLOW = Kind("too-slow", HTTPStatus.REQUEST_TIMEOUT, "The request did not arrive in time")
BAD_HTTP = Kind("not-http", HTTPStatus.BAD_REQUEST, "The bytes are no HTTP request")
HEADERS_TOO_LARGE = Kind(
    "headers-too-large", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The header is longer than the bound"
)

AWAY = (NO_NODE, RESTORING)
"""Of everything that is asked of the node."""
KINDS = tuple(kind for kind in dict(globals()).values() if isinstance(kind, Kind))


class ProblemBody(Struct, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A problem as it is answered (RFC 9457)."""

    type: str
    """Stable URI of the kind of problem."""
    title: str
    """The kind of problem in words."""
    status: int
    """The HTTP status."""
    detail: str
    """What happened, with which values, and what to do."""
    code: str = ""
    """Number of the ledger's refusal, where it is one."""
    facts: dict[str, Any] = {}
    """Facts of the refusal by name."""
    text: str = ""
    """The refusal in the language asked for, as the nation says it."""


class Problem(Exception):
    """Ends a request with a problem."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        code: str = "",
        facts: Mapping[str, Any] | None = None,
        text: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.headers = headers
        self.body = ProblemBody(
            type=URN + kind.name,
            title=kind.title,
            status=int(kind.status),
            detail=detail,
            code=code,
            facts=dict(facts or {}),
            text=text,
        )

    def reply(self) -> ASGIResponse:
        """The answer."""
        return reply(encode_json(self.body), PROBLEM_JSON, self.kind.status, self.headers)

    def response(self) -> Response[bytes]:
        """The same in the form that Litestar takes from its handlers of exceptions."""
        headers = {**dict(SECURITY), **(self.headers or {})}
        status = int(self.kind.status)
        return Response(encode_json(self.body), status_code=status, media_type=PROBLEM_JSON, headers=headers)
