"""`make up`: a fictitious raion to look at, within a minute: pages, API, a certificate to verify, commands to copy."""

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from urllib.parse import urlencode

import msgspec
from rich.console import Console

from kerege.cli.wiring import CommandError
from kerege.dossiers.errors import DossiersLocked
from kerege.node import follower
from kerege.node.faults import in_one_sentence
from kerege.node.home import Home, HomeError
from kerege.node.ledger import Ledger, remove_home
from kerege.node.running import run_node
from kerege.node.web import HOST, check_port
from kerege.testing.raion import Raion, notify, seed

EVERY = 5
"""Seconds between two ordinary transactions of the raion."""
MARK = "raion.json"


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with the ledger's home and, beside it, what shows names to the visitor."""

    folder: Path

    @property
    def home(self) -> Home:
        """The ledger's home, in which no file shows a value."""
        return Home(self.folder / "home")

    @property
    def public(self) -> Path:
        """The visitor's files: a certificate, the trust file, what to look at."""
        return self.folder / "public"


def main() -> int:
    """`python -m kerege.testing.first_minute [--folder DIR] [--port N] [--fresh]`."""
    parser = argparse.ArgumentParser(description="A fictitious raion on a ledger of your own, to look at.")
    parser.add_argument("--folder", type=Path, default=Path("var/up"))
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--fresh", action="store_true", help="make the raion anew")
    wanted = parser.parse_args()
    console = Console(stderr=True, highlight=False)
    try:
        check_port(wanted.port)
        place = Place(wanted.folder)
        with in_one_sentence():
            raion = _raion(place, console, fresh=wanted.fresh)
        chance, last = Random(), [0.0]

        def live(ledger: Ledger) -> None:
            if time.monotonic() - last[0] >= EVERY:
                last[0] = time.monotonic()
                with suppress(DossiersLocked):  # a command works on them: the raion goes on when it is done
                    notify(ledger.home, ledger, chance)

        _run(place, wanted.port, raion, live)
    except (HomeError, CommandError) as fault:
        console.print(f"kerege: {str(fault).replace('--port', 'PORT, as in `make up PORT=8081`')}")
        return 2
    return 0


def _raion(place: Place, console: Console, *, fresh: bool) -> Raion:
    """The raion of a folder, made where it is not there whole."""
    mark = place.public / MARK
    if not fresh and mark.is_file() and place.home.about.is_file():
        return msgspec.json.decode(mark.read_bytes(), type=Raion)
    remove_home(place.folder, place.home)
    started = time.monotonic()
    with console.status("making sixty days of a raion") as status:
        raion = seed(place.home, place.public, lambda text: status.update(f"making sixty days of a raion: {text}"))
    mark.write_bytes(msgspec.json.encode(raion))
    console.print(f"sixty days of a fictitious raion made in {time.monotonic() - started:.0f} s, throw-away keys")
    return raion


def _run(place: Place, port: int, raion: Raion, live: Callable[[Ledger], None]) -> None:
    url, home, public = f"http://{HOST}:{port}", place.home, place.public
    query = urlencode({"word": raion.name})

    def ready(sentence: str) -> None:
        lines = (
            sentence,
            f"  look     {url}/",
            f"  a case   {url}/cases/{raion.case}",
            f"  verify   {url}/verify, with {public}/certificate.json; or offline:",
            f"           .venv/bin/kerege verify {public}/certificate.json --trust {public}/trust.json",
            f"  find     the child's name {raion.name}: {url}/?{query}  → 0 hits",
            f"  ask      curl {url}/api/v1/ledger ; .venv/bin/kerege show looks --home {home.path}",
            "  stop     Ctrl-C",
        )
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()

    run_node(home, ready, port, [live], {"the read model": lambda: follower.running(home, None)}, public)


if __name__ == "__main__":
    sys.exit(main())
