"""Extracts as files, and their truth."""

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import TextIO

from kerege.testing.extracts.book import Book
from kerege.testing.extracts.chance import Chance
from kerege.testing.extracts.damage import ENCODINGS, FORMS, Damage, Wear
from kerege.testing.extracts.damage import USUAL as USUAL_DAMAGE
from kerege.testing.extracts.generator import USUAL as USUAL_SHARES
from kerege.testing.extracts.generator import Made, Shares, make_rows


def generate(
    size: int,
    seed: int,
    *,
    form: str = "codes",
    encoding: str | None = None,
    shares: Shares = USUAL_SHARES,
    damage: Damage = USUAL_DAMAGE,
    earlier: Book | None = None,
    today: date | None = None,
) -> Iterator[Made]:
    """Rows as they are written, each with its outcome and its detail.

    People and truth follow from size, seed, shares, today and the earlier files alone: the same in every form,
    encoding and damage. `earlier` is the book of the files imported before, and is continued as rows are taken; with
    it, some rows repeat acts of those files. `today` is the day of the import: with it, some rows are registered on
    it and some, rejected, on the day after. Raises `ValueError` for what cannot be made.
    """
    if form not in FORMS:
        raise ValueError(f"a form is one of {', '.join(FORMS)}")
    encoding = encoding or FORMS[form].encoding
    if encoding not in ENCODINGS:
        raise ValueError(f"an encoding is one of {', '.join(ENCODINGS)}")
    rows = make_rows(size, 2 * seed, shares=shares, book=Book() if earlier is None else earlier, today=today)
    wear = Wear(FORMS[form], encoding, damage, Chance(2 * seed + 1))
    return ((wear.apply(cells), outcome, detail) for cells, outcome, detail in rows)


def write(
    path: Path,
    truth_path: Path,
    size: int,
    seed: int,
    *,
    form: str = "codes",
    encoding: str | None = None,
    delimiter: str = ";",
    shares: Shares = USUAL_SHARES,
    damage: Damage = USUAL_DAMAGE,
    earlier: Book | None = None,
    today: date | None = None,
) -> Counter[str]:
    """Write a file of `generate` and its truth (`row,outcome,detail`); how many rows of each outcome there are."""
    made = generate(
        size, seed, form=form, encoding=encoding, shares=shares, damage=damage, earlier=earlier, today=today
    )
    counts: Counter[str] = Counter()
    with _open(path, encoding or FORMS[form].encoding, damage) as file, truth_path.open("w", encoding="utf-8") as truth:
        writer = csv.writer(file, delimiter=delimiter, lineterminator=damage.line_end)
        writer.writerow((*FORMS[form].header, *[""] * damage.empty_column))
        truth.write("row,outcome,detail\n")
        for number, (cells, outcome, detail) in enumerate(made, start=1):
            writer.writerow(cells)
            truth.write(f"{number},{outcome},{detail}\n")
            counts[outcome] += 1
        file.write(damage.line_end * damage.blank_lines)
    return counts


def _open(path: Path, encoding: str, damage: Damage) -> TextIO:
    codec = "utf-8-sig" if encoding == "utf-8" and damage.mark else encoding
    return path.open("w", encoding=codec, newline="")
