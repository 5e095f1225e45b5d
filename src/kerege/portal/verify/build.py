"""Making the page: one file, nothing to fetch, every script and style named by its hash in the policy."""

import base64
import dataclasses
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from kerege.proofs.texts import LANGUAGES, TEXTS

FOLDER = Path(__file__).parent
SCRIPTS = (
    *("outcome", "bytes", "sha2", "ed25519", "canonical", "msgpack", "merkle"),
    *("note", "trust", "commit", "bundle", "subject", "paths", "verify", "words", "page"),
)
"""The parts of the script, each after those that it uses."""


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def page_texts(lang: str) -> Mapping[str, Any]:
    """Return the page's own texts in `lang`; those of the three lines are the verifier's."""
    texts: dict[str, Any] = json.loads(_read(f"texts/{lang}.json"))
    return texts


def _constant(name: str, value: object) -> str:
    """Write a constant of the script; `<` as its code, so that no text can end the script's element."""
    data = json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return f"const {name} = {data};\n"


@cache
def _script() -> str:
    lines = {lang: dataclasses.asdict(TEXTS[lang]) for lang in LANGUAGES}
    pages = {lang: page_texts(lang) for lang in LANGUAGES}
    constants = _constant("LINE_TEXTS", lines) + _constant("PAGE_TEXTS", pages)
    parts = "\n".join(_read(f"script/{name}.js") for name in SCRIPTS)
    return f'\n"use strict";\n(() => {{\n{constants}\n{parts}}})();\n'


@cache
def _style() -> str:
    return "\n" + _read("style.css")


def _source(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


@cache
def _policy() -> str:
    """Return what the page may do: run its own script, wear its own style, and nothing else."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {_source(_script())}",
            f"style-src {_source(_style())}",
            "img-src data:",  # the empty icon that keeps browsers from asking for one
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
        )
    )


def build_page(trust: bytes | None = None) -> bytes:
    """Return the page; with the trust file of the ledger that serves it, where one is given.

    The trust file is data, not script: the policy's hashes are the same with and without it.
    """
    parts = {
        "@POLICY@": _policy(),
        "@STYLE@": _style(),
        "@SCRIPT@": _script(),
        "@TRUST@": "" if trust is None else base64.b64encode(trust).decode(),
    }
    page = _read("page.html")
    for mark, part in parts.items():
        before, _, after = page.partition(mark)
        page = before + part + after
    return page.encode()


def headers() -> Mapping[str, str]:
    """Return the headers to serve the page with; the policy stands in the page, too, for when it is a file."""
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": f"{_policy()}; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-cache",
    }
