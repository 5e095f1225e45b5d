"""Writes an extract and its truth: `python -m kerege.testing.extracts --rows 5000 --seed 1 --out F --truth T`."""

import argparse
from collections import deque
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from kerege.testing.extracts.book import Book
from kerege.testing.extracts.damage import ENCODINGS, FORMS, NONE, Damage
from kerege.testing.extracts.files import generate, write
from kerege.testing.extracts.generator import USUAL, Shares


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the two files; a value that cannot be had is said as the command's usage."""
    parser = _parser()
    given = parser.parse_args(arguments)
    shares = Shares(duplicate=given.duplicate, review=given.review, rejected=given.rejected)
    damage = Damage(
        spaces=NONE.spaces if given.undamaged else Damage().spaces,
        breaks=NONE.breaks if given.undamaged else Damage().breaks,
        mark=not given.no_mark,
        line_end="\n" if given.lf else "\r\n",
        empty_column=given.empty_column,
        blank_lines=given.blank_lines,
    )
    book = Book()
    try:
        for before in given.after:
            seed, _, rows = before.partition(":")
            size = int(rows or given.rows)
            deque(generate(size, int(seed), shares=shares, earlier=book, today=given.today), maxlen=0)
        counts = write(
            given.out,
            given.truth,
            given.rows,
            given.seed,
            form=given.form,
            encoding=given.encoding,
            delimiter=given.delimiter,
            shares=shares,
            damage=damage,
            earlier=book,
            today=given.today,
        )
    except (ValueError, OSError) as error:
        parser.error(str(error))
    print(", ".join(f"{counts[outcome]} {outcome}" for outcome in ("accepted", "duplicate", "review", "rejected")))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kerege.testing.extracts", description=__doc__)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True, help="the extract")
    parser.add_argument("--truth", type=Path, required=True, help="row,outcome,detail of each of its rows")
    parser.add_argument("--form", choices=tuple(FORMS), default="codes")
    parser.add_argument("--encoding", choices=ENCODINGS, help="by default the one that the form is usually in")
    parser.add_argument("--delimiter", choices=(";", ",", "\t", "|"), default=";")
    parser.add_argument(
        "--after",
        nargs="*",
        default=(),
        metavar="SEED[:ROWS]",
        help="files imported before, in this order, of the same shares and day; each made after those before it",
    )
    parser.add_argument(
        "--today", type=date.fromisoformat, help="day of the import: rows of this day and the next are made too"
    )
    for share in ("duplicate", "review", "rejected"):
        parser.add_argument(f"--{share}", type=float, default=getattr(USUAL, share), help="part of all rows")
    parser.add_argument("--undamaged", action="store_true", help="no spaces around values, no breaks within")
    parser.add_argument("--no-mark", action="store_true", help="UTF-8 without its byte order mark")
    parser.add_argument("--lf", action="store_true", help="lines end with a line feed alone")
    parser.add_argument("--empty-column", action="store_true", help="a column without a name at the end")
    parser.add_argument("--blank-lines", type=int, default=0, help="at the end of the file")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
