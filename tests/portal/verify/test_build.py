"""The file itself: small, whole, its policy exact, its languages complete."""

import base64
import hashlib
import html.parser
import json
import re

import pytest

from kerege.portal.verify import build, build_page, headers, page_texts
from kerege.proofs import Check, Result
from kerege.proofs.texts import LANGUAGES

LIMIT = 120_000
TRUST = b'{"format":"kerege-trust/1","origin":"</script><b>@SCRIPT@"}'


class Reader(html.parser.HTMLParser):
    """Elements and their attributes, and the text inside of scripts and styles."""

    def __init__(self, page):
        super().__init__()
        self.elements = []
        self.inside = []
        self.feed(page.decode())

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        if self.elements and self.elements[-1][0] in ("script", "style") and data.strip():
            self.inside.append((self.elements[-1], data))


def test_the_page_is_small():
    assert len(build_page()) < LIMIT
    assert len(build_page(b"x" * 4000)) < LIMIT


def test_nothing_is_fetched_and_nothing_is_an_inline_handler():
    for tag, attributes in Reader(build_page(TRUST)).elements:
        assert "src" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        for name in ("href", "action", "data"):
            assert attributes.get(name, "#").startswith(("#", "data:,")), (tag, attributes)
    assert not re.search(rb"https?://|@import|\burl\(", build_page())


def test_the_script_writes_no_markup_and_asks_nobody():
    script = "".join(path.read_text() for path in (build.FOLDER / "script").glob("*.js"))
    forbidden = (
        r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|\bFunction\(|fetch\(|XMLHttp|WebSocket|import\("
    )
    storage = r"|localStorage|sessionStorage|indexedDB|cookie|sendBeacon|Worker|postMessage|window\.open"
    assert re.findall(forbidden + storage, script) == []


def test_the_policy_names_the_script_and_the_style_by_their_hashes():
    for trust in (None, TRUST):
        page = Reader(build_page(trust))
        policy = next(a["content"] for tag, a in page.elements if a.get("http-equiv") == "Content-Security-Policy")
        assert headers()["Content-Security-Policy"] == f"{policy}; frame-ancestors 'none'"
        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        assert rules["default-src"] == "'none'"
        assert "unsafe" not in policy
        for (tag, attributes), text in page.inside:
            if attributes.get("type") == "text/plain":
                assert base64.b64decode(text) == trust
                continue
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert rules[f"{tag}-src"] == f"'sha256-{digest}'"


def test_every_part_of_the_script_is_built_in():
    assert {path.stem for path in (build.FOLDER / "script").glob("*.js")} == set(build.SCRIPTS)


def shape(texts):
    return {name: shape(value) if isinstance(value, dict) else None for name, value in texts.items()}


def marks(texts):
    return {
        name: marks(value) if isinstance(value, dict) else sorted(re.findall(r"\{\w+\}", value))
        for name, value in texts.items()
    }


@pytest.mark.parametrize("lang", LANGUAGES)
def test_languages_have_the_same_texts(lang):
    texts, english = page_texts(lang), page_texts("en")
    assert shape(texts) == shape(english)
    assert marks(texts) == marks(english)
    assert "" not in texts.values()
    assert list(texts["checks"]) == [str(check) for check in Check]
    assert set(texts["results"]) == {str(result) for result in Result}


def test_every_text_is_used():
    sources = build.FOLDER / "script/page.js", build.FOLDER / "page.html"
    used = " ".join(path.read_text() for path in sources)
    names = json.loads((build.FOLDER / "texts/en.json").read_text())
    unused = [name for name in names if f"texts().{name}" not in used and f'data-text="{name}"' not in used]
    assert unused == []
