"""Pages written from code: tables in Markdown, written or compared with what is committed."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a bar or a line break inside a cell is made harmless."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(_cell(cell) for cell in line) + " |\n" for line in lines)


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def stale(pages: Mapping[Path, str]) -> list[Path]:
    """Pages whose committed text is not what the code says."""
    return [path for path, text in pages.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]


def write_or_check(pages: Mapping[Path, str], arguments: list[str]) -> int:
    """Write the pages; with `--check` only compare, and return 1 where one is not up to date."""
    late = stale(pages)
    if "--check" in arguments:
        for path in late:
            print(f"{path.relative_to(ROOT)} is not what the code says: make docs", file=sys.stderr)
        return 1 if late else 0
    for path in late:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(pages[path], encoding="utf-8")
        print(f"{path.relative_to(ROOT)} written")
    return 0
