"""Which of the nation's languages an `Accept-Language` asks for."""

import re
from collections.abc import Iterable

DEFAULT = "en"
MAXIMUM_HEADER = 256
"""Characters of the header that are looked at: more than any browser sends."""

_RANGE = re.compile(r"([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9]{1,8})*(?:\s*;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?))?", re.ASCII)


def choose(header: str, known: Iterable[str]) -> str:
    """The best of the known languages; `DEFAULT` where none fits. What is malformed counts as not said."""
    languages = set(known)
    best, weight = DEFAULT, 0.0
    for part in header[:MAXIMUM_HEADER].split(","):
        found = _RANGE.fullmatch(part.strip())
        if found is None:
            continue
        language, quality = found[1].lower(), float(found[2] or 1)
        if language in languages and quality > weight:
            best, weight = language, quality
    return best
