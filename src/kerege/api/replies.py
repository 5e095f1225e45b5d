"""Answers as bytes, with the headers that every one of them carries."""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar.response.base import ASGIResponse

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
OCTETS = "application/octet-stream"
TEXT = "text/plain; charset=utf-8"

SECURITY: tuple[tuple[str, str], ...] = (
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cache-control", "no-store"),
)
"""Nothing of the API is a page: no script, no frame, no cache, no cookie, no other origin."""

_encode = msgspec.json.Encoder().encode


def encode_json(content: Any) -> bytes:  # noqa: ANN401 - whatever msgspec encodes
    """JSON bytes."""
    return _encode(content)


def reply(
    body: bytes, media_type: str = JSON, status: int = 200, headers: Mapping[str, str] | None = None
) -> ASGIResponse:
    """An answer of given bytes."""
    listed = [*SECURITY, ("content-type", media_type)]
    if headers:
        listed += headers.items()
    return ASGIResponse(body=body, status_code=status, media_type=media_type, headers=listed)


def json_reply(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> ASGIResponse:  # noqa: ANN401
    """An answer in JSON."""
    return reply(_encode(content), JSON, status, headers)
