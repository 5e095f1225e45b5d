"""Pages written from code are up to date, and no field of a message or event is missing from the privacy page."""

import pytest

from tools import privacy, reference
from tools.pages import ROOT, stale


def test_every_plain_field_says_why_it_is_plain():
    assert privacy.unexplained() == []


def test_every_field_is_on_the_privacy_page():
    text = privacy.PAGE.read_text(encoding="utf-8")
    assert [field for field in privacy.every() if f"| `{field.path}` |" not in text] == []
    assert stale({privacy.PAGE: privacy.page()}) == [], "make docs"


def test_the_reference_is_what_the_code_says():
    assert stale(reference.pages()) == [], "make docs"


@pytest.mark.parametrize("path", sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(path):
    assert reference.broken_links(path) == []


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_links_of_the_front_pages_lead_somewhere(name):
    assert reference.broken_links(ROOT / name) == []
