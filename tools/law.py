"""Count the legal bases of the nation packs: read in the act, or not verified yet. None is made up.

python -m tools.law [--list]
"""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
NATIONS = ROOT / "src/kerege/nations"


def bases(form: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:  # noqa: ANN401 - any data file
    """Every legal basis inside a data file, with the path to it."""
    if isinstance(form, dict):
        if "act" in form or form.get("unverified") is True:
            yield path, form
        for key, value in form.items():
            yield from bases(value, f"{path}/{key}")
    elif isinstance(form, list):
        for index, value in enumerate(form):
            yield from bases(value, f"{path}/{index}")


def is_verified(basis: dict[str, Any]) -> bool:
    """Whether somebody read it: the act, the article, where and on which day."""
    return basis.get("unverified") not in {True, "true"} and all(
        basis.get(key) for key in ("act", "article", "url", "read_on")
    )


def read(path: Path) -> Any:  # noqa: ANN401 - any data file
    """The content of a data file; a table is a list of rows."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as table:
            return list(csv.DictReader(table))
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)


def main(arguments: list[str]) -> int:
    """Print the counts per nation, and with `--list` each place that waits for somebody to read the act."""
    for nation in sorted(path for path in NATIONS.iterdir() if path.is_dir()):
        files = sorted(path for path in nation.rglob("*") if path.suffix in {".json", ".yaml", ".csv"})
        found = [(path, place, basis) for path in files for place, basis in bases(read(path))]
        waiting = [(path, place) for path, place, basis in found if not is_verified(basis)]
        print(f"{nation.name}: {len(found)} legal bases, {len(waiting)} unverified")
        if "--list" in arguments:
            for path, place in waiting:
                print(f"  {path.relative_to(ROOT)} {place}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
