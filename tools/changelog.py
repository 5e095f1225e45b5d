"""Gather the fragments of changelog.d into CHANGELOG.md at a release.

python -m tools.changelog VERSION DATE
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("state-breaking", "proof-breaking", "interface-breaking", "security", "added", "changed", "fixed")
UNRELEASED = "## Unreleased\n\nSee the fragments.\n"


def fragments(folder: Path) -> dict[str, list[Path]]:
    """Fragment files by kind; raises `ValueError` for a name that has none."""
    found: dict[str, list[Path]] = {kind: [] for kind in KINDS}
    for path in sorted(folder.glob("*.md")):
        if path.name == "README.md":
            continue
        kind = path.stem.rpartition(".")[2]
        if kind not in found:
            raise ValueError(f"{path.name}: the kind is one of {', '.join(KINDS)}")
        found[kind].append(path)
    return found


def section(version: str, date: str, by_kind: dict[str, list[Path]]) -> str:
    """The release's section of the changelog."""
    parts = [f"## {version}, {date}\n"]
    for kind, paths in by_kind.items():
        if paths:
            lines = "".join(f"- {' '.join(path.read_text(encoding='utf-8').split())}\n" for path in paths)
            parts.append(f"### {kind.replace('-', ' ').capitalize()}\n\n{lines}")
    return "\n".join(parts)


def main(arguments: list[str]) -> int:
    """Write the release and remove its fragments."""
    version, date = arguments
    found = fragments(ROOT / "changelog.d")
    changelog = ROOT / "CHANGELOG.md"
    text = changelog.read_text(encoding="utf-8")
    changelog.write_text(text.replace(UNRELEASED, f"{UNRELEASED}\n{section(version, date, found)}"), encoding="utf-8")
    for paths in found.values():
        for path in paths:
            path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
