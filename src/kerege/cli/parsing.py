"""JSON of a file or an option, of which two readers take the same meaning."""

import json
from typing import Any

from kerege.kernel.forms import is_deeper, named_once

DEEPEST = 32
"""Nested arrays and objects of what is read: twice what any form of the ledger has."""


def read_json(raw: str | bytes) -> Any:  # noqa: ANN401 - JSON
    """What a text says; raises `ValueError` in plain words, `JSONDecodeError` where it is no JSON at all."""
    coded = raw.encode(errors="replace") if isinstance(raw, str) else raw
    if is_deeper(coded, DEEPEST):  # where the recursion limit was raised, the parser would end the process
        sentence = f"nested deeper than {DEEPEST}"
        raise ValueError(sentence)
    return json.loads(raw, object_pairs_hook=named_once, parse_int=_integer)


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:  # longer than the interpreter converts
        sentence = f"a number has {len(digits.lstrip('-'))} digits: none of the ledger has so many"
        raise ValueError(sentence) from None
