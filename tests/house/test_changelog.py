"""Fragments have a known kind, and a release gathers them in the order that matters to an operator."""

import pytest

from tools import changelog


def test_every_committed_fragment_has_a_kind():
    changelog.fragments(changelog.ROOT / "changelog.d")
    assert changelog.UNRELEASED in (changelog.ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_an_unknown_kind_is_refused(tmp_path):
    (tmp_path / "x.nice.md").write_text("Nice.", encoding="utf-8")
    with pytest.raises(ValueError, match=r"x\.nice\.md"):
        changelog.fragments(tmp_path)


def test_what_breaks_comes_first(tmp_path):
    (tmp_path / "a.added.md").write_text("A thing.\n", encoding="utf-8")
    (tmp_path / "b.state-breaking.md").write_text("Another\nthing.\n", encoding="utf-8")
    text = changelog.section("1.0", "2026-12-01", changelog.fragments(tmp_path))
    assert text == "## 1.0, 2026-12-01\n\n### State breaking\n\n- Another thing.\n\n### Added\n\n- A thing.\n"
