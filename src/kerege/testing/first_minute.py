"""`make up`: a fictitious raion to look at, within a minute: pages, API, a certificate to verify, commands to copy."""

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import msgspec
from rich.console import Console

from kerege.cli.wiring import CommandError
from kerege.node import follower
from kerege.node.home import Home, HomeError
from kerege.node.ledger import Ledger
from kerege.node.web import HOST, check_port
from kerege.node.wiring import NodeWiring
from kerege.testing.raion import Raion, notify, seed

EVERY = 5
"""Seconds between two ordinary transactions of the raion."""
MARK = "raion.json"


def main() -> int:
    """`python -m kerege.testing.first_minute [--home DIR] [--port N] [--fresh]`."""
    parser = argparse.ArgumentParser(description="A fictitious raion on a ledger of your own, to look at.")
    parser.add_argument("--home", type=Path, default=Path("var/up"))
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--fresh", action="store_true", help="make the raion anew")
    wanted = parser.parse_args()
    console = Console(stderr=True, highlight=False)
    try:
        check_port(wanted.port)
        raion = _raion(Home(wanted.home), console, fresh=wanted.fresh)
        chance, last = Random(), [0.0]

        def live(ledger: Ledger) -> None:
            if time.monotonic() - last[0] >= EVERY:
                last[0] = time.monotonic()
                notify(ledger.home, ledger, chance)

        _run(wanted.home, wanted.port, raion, live)
    except (HomeError, CommandError) as fault:
        console.print(f"kerege: {str(fault).replace('--port', 'PORT, as in `make up PORT=8081`')}")
        return 2
    return 0


def _raion(home: Home, console: Console, *, fresh: bool) -> Raion:
    """The raion of a home, made where it is not there whole."""
    mark = home.path / "public" / MARK
    if not fresh and mark.is_file():
        return msgspec.json.decode(mark.read_bytes(), type=Raion)
    shutil.rmtree(home.path, ignore_errors=True)
    started = time.monotonic()
    with console.status("making sixty days of a raion") as status:
        raion = seed(home, lambda text: status.update(f"making sixty days of a raion: {text}"))
    mark.write_bytes(msgspec.json.encode(raion))
    console.print(f"sixty days of a fictitious raion made in {time.monotonic() - started:.0f} s, throw-away keys")
    return raion


def _run(home: Path, port: int, raion: Raion, live: Callable[[Ledger], None]) -> None:
    url = f"http://{HOST}:{port}"

    def ready(sentence: str) -> None:
        lines = (
            sentence,
            f"  look     {url}/",
            f"  a case   {url}/cases/{raion.case}",
            f"  verify   {url}/verify, with {home}/public/certificate.json; or offline:",
            f"           .venv/bin/kerege verify {home}/public/certificate.json --trust {home}/public/trust.json",
            f"  find     the child's name {raion.name}: {url}/?word={raion.name}  → 0 hits",
            f"  ask      curl {url}/api/v1/ledger ; .venv/bin/kerege show looks --home {home}",
            "  stop     Ctrl-C",
        )
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()

    NodeWiring().run_node(Home(home), ready, port, [live], [follower.running(Home(home), None)])


if __name__ == "__main__":
    sys.exit(main())
