"""Where a member is watched, on the command line and off it."""

import argparse
from typing import NamedTuple


class Place(NamedTuple):
    """Where a member is watched, and where its engine is asked."""

    watch: str
    """`host:port` of the page."""
    engine: str
    """`http://host:port` of the engine's RPC."""


def add_words(parser: argparse.ArgumentParser) -> None:
    """The words of the command line that say where a member is watched."""
    parser.add_argument(
        "--watch",
        nargs=2,
        metavar=("HOST:PORT", "http://HOST:PORT"),
        help="where its figures and health are told, and where its engine is asked",
    )


def place_of(wanted: argparse.Namespace) -> Place | None:
    """What was said with these words."""
    return None if wanted.watch is None else Place(*wanted.watch)
