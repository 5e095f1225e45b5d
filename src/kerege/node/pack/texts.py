"""Texts of a pack: one id, one whole sentence per language."""

import re
from string import Formatter

from kerege.node.pack.errors import KeyTwice, WrongValue
from kerege.node.pack.sources import Folder

MAXIMUM_TEXT = 1_000
_ID = re.compile(r"[a-z][a-z-]*(\.[0-9A-Za-z_/-]+){1,6}\Z")


def read_texts(folder: Folder, name: str) -> tuple[str, dict[str, str]]:
    """(file, texts by id) of a file of sections: `roles: {registrar: …}` is the id `roles.registrar`.

    Raises `WrongValue` for what is not a section of texts, or a text that is empty, too long or glued from pieces.
    """
    document = folder.yaml(name)
    if not isinstance(document.data, dict):
        raise WrongValue(name, document.where(()), "needs sections of texts")
    texts: dict[str, str] = {}
    for section, entries in document.data.items():
        if not isinstance(entries, dict):
            raise WrongValue(name, document.where((section,)), "needs texts by id")
        for key, text in entries.items():
            where = document.where((section, key))
            if not isinstance(text, str) or not text.strip() or len(text) > MAXIMUM_TEXT:
                raise WrongValue(name, where, f"needs a text of 1 to {MAXIMUM_TEXT} letters")
            if not _ID.match(f"{section}.{key}"):
                raise WrongValue(name, where, f"not an id: {section}.{key}")
            _check_placeholders(name, where, text)
            texts[f"{section}.{key}"] = text
    return name, texts


def merge_texts(files: list[tuple[str, dict[str, str]]]) -> dict[str, str]:
    """All texts of one language; raises `KeyTwice` for an id that two files have."""
    merged: dict[str, str] = {}
    for name, texts in files:
        for key, text in texts.items():
            if key in merged:
                raise KeyTwice(name, key, key)
            merged[key] = text
    return merged


def placeholders(text: str) -> frozenset[str]:
    """Names of the facts that a text shows."""
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def _check_placeholders(file: str, where: str, text: str) -> None:
    """Only `{name}`: no attribute, index, conversion or format, which would run code or fail when shown."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError as error:
        raise WrongValue(file, where, error) from error
    for _, name, form, conversion in parts:
        if name is not None and (not name.isidentifier() or form or conversion):
            raise WrongValue(file, where, f"not a plain placeholder: {{{name}}}")
