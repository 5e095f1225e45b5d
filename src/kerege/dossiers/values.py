"""Canonical values: one byte string per meaning, so that a commitment can be opened years later by another program.

A text is NFC. A structured value (a place, a parent's identifier, a list of papers) is the RFC 8785 form of JSON made
of text, integers, booleans, null, lists and objects; fractions are written as text, as everywhere on the ledger.
"""

import json
import unicodedata
from collections.abc import Mapping, Sequence

from kerege.dossiers.errors import NotCanonical

Json = str | int | bool | None | Sequence["Json"] | Mapping[str, "Json"]

_MAXIMUM_INTEGER = 2**53 - 1
"""RFC 8785 §3.2.2.3: beyond this a number does not survive in every reader."""


def canonical_text(text: str) -> str:
    """Give the NFC form of a text; raises `NotCanonical` where it has no UTF-8 form (lone surrogates).

    Composition never changes what a person reads; letters are not replaced, cases not folded, spaces not trimmed.
    """
    normal = unicodedata.normalize("NFC", text)
    check_canonical(normal)
    return normal


def check_canonical(text: str) -> None:
    """Raise `NotCanonical` unless the text is NFC and has a UTF-8 form."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise NotCanonical(reason="lone surrogate", position=error.start) from None
    if not unicodedata.is_normalized("NFC", text):
        raise NotCanonical(reason="not NFC")


def check_all_canonical(texts: Sequence[str]) -> None:
    """Raise as `check_canonical` for the first text that is not canonical."""
    try:
        # A line feed composes with nothing: joined by it the texts are NFC when each of them is.
        check_canonical("\n".join(texts))
    except NotCanonical:
        for text in texts:
            check_canonical(text)
        raise


def canonical_json(value: Json) -> str:
    """Give the RFC 8785 form of a structured value; raises `NotCanonical` for what has none here.

    Members are sorted by UTF-16 code units, only what JSON demands is escaped, every text is made NFC.
    """
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _ordered(value: Json) -> Json:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return canonical_text(value)
    if isinstance(value, int):
        if abs(value) > _MAXIMUM_INTEGER:
            raise NotCanonical(reason="integer beyond 2**53 - 1")
        return value
    if isinstance(value, Mapping):
        members = {canonical_text(name): _ordered(member) for name, member in value.items()}
        if len(members) != len(value):
            raise NotCanonical(reason="two members with one name")
        return {name: members[name] for name in sorted(members, key=lambda name: name.encode("utf-16-be"))}
    if isinstance(value, list | tuple):
        return [_ordered(member) for member in value]
    raise NotCanonical(reason="type", type=type(value).__name__)
