"""Districts and cities of the pack that have an office of civil registration."""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

_PACK = Path(__file__).parents[2] / "nations/kg"
_STATE, _OBLAST = "state", "oblast"


class Place(NamedTuple):
    """Where a child is born."""

    code: str
    name: str
    office: str
    """That registers its births."""


class Territory(NamedTuple):
    """All that an extract needs of the country."""

    codes: frozenset[str]
    places: tuple[Place, ...]
    wide: tuple[Place, ...]
    """The state and its oblasts: codes of the classifier too, seldom written in an act."""


def _read(name: str) -> list[dict[str, str]]:
    with (_PACK / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@cache
def territory() -> Territory:
    """The pack's territory, read once."""
    rows = _read("territory.csv")
    offices = {row["code"] for row in _read("offices.csv")}
    placed = [(row["kind"], Place(row["code"], row["name_ky"], f"ЗАГС-{row['code'][2:8]}")) for row in rows]
    return Territory(
        codes=frozenset(place.code for _, place in placed),
        places=tuple(place for kind, place in placed if kind not in {_STATE, _OBLAST} and place.office in offices),
        wide=tuple(place for kind, place in placed if kind in {_STATE, _OBLAST}),
    )
