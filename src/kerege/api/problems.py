"""Errors as RFC 9457 problem details, with stable types."""

from collections.abc import Mapping
from typing import Any

from litestar import Request, Response
from litestar.exceptions import HTTPException

from kerege.consensus.embedded import Busy, Stopped
from kerege.consensus.prover import Unprovable

MEDIA_TYPE = "application/problem+json"
PREFIX = "urn:kerege:problem:"


class Problem(Exception):
    """What a request cannot have: a stable type, the status, and a sentence with values and cure."""

    def __init__(self, kind: str, status: int, detail: str, **members: Any) -> None:  # noqa: ANN401 - JSON
        super().__init__(detail)
        self.kind = kind
        self.status = status
        self.detail = detail
        self.members = members


TITLES: Mapping[str, str] = {
    "bad-request": "The request cannot be read",
    "not-found": "There is no such thing",
    "method-not-allowed": "This address does not take the method",
    "too-large": "The request is too large",
    "not-a-transaction": "This is no transaction of the ledger",
    "key-reused": "The idempotency key was used for another request",
    "key-in-use": "A request with this idempotency key is under way",
    "busy": "The ledger is busy",
    "stopped": "The ledger does not answer",
    "unprovable": "There is no proof of this",
    "unsupported-media-type": "This media type is not taken",
    "internal": "The program met an error of its own",
}
_BY_STATUS = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "unsupported-media-type"}


def to_problem(error: Exception) -> Problem:
    """Any error as a problem; unforeseen ones say nothing of the inside."""
    match error:
        case Problem():
            return error
        case Busy():
            return Problem("busy", 503, str(error), retry_after=error.retry_after)
        case Stopped() | ConnectionError() | FileNotFoundError():
            return Problem("stopped", 503, "The node does not answer: try again when it runs.")
        case Unprovable():
            return Problem("unprovable", 404, f"{str(error).rstrip('.')}: check the id.")
        case HTTPException():
            kind = _BY_STATUS.get(error.status_code, "bad-request" if error.status_code < 500 else "internal")  # noqa: PLR2004
            detail = error.detail or TITLES[kind]
            extra = {"fields": error.extra} if isinstance(error.extra, list) and error.extra else {}
            return Problem(kind, error.status_code, detail, **extra)
        case _:
            return Problem("internal", 500, "An error of the program itself: report it with the time of the request.")


def answer_problem(_request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """The answer to a request that failed."""
    problem = to_problem(error)
    headers = {}
    if "retry_after" in problem.members:
        headers["Retry-After"] = str(max(1, -(-problem.members["retry_after"] // 1000)))
    allowed = getattr(error, "headers", None) or {}
    if "allow" in {name.lower() for name in allowed}:
        headers |= {"Allow": next(value for name, value in allowed.items() if name.lower() == "allow")}
    return Response(
        {
            "type": PREFIX + problem.kind,
            "title": TITLES[problem.kind],
            "status": problem.status,
            "detail": problem.detail,
            **problem.members,
        },
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )
