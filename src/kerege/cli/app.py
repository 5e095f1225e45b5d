"""The program `kerege`: its commands and how it ends.

Exit codes: 0 done · 1 refused or not valid · 2 unusable input · 3 genuine but superseded, revoked or stale.
"""

from collections.abc import Callable
from typing import Annotated

import typer

from kerege import __version__
from kerege.cli.output import open_streams, say
from kerege.cli.program import INTERRUPTED, Program, lost_output
from kerege.cli.wiring import Wiring, hold

app = typer.Typer(
    cls=Program,
    help="Kerege: the shared ledger under a digital state.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _tell_version(wanted: bool) -> None:
    if wanted:
        say(f"kerege {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version and end.")
    ] = False,
) -> None:
    """Kerege: the shared ledger under a digital state."""


def main(make: Callable[[], Wiring]) -> int:
    """Run the command line with what makes a node's wiring where a command asks for it; returns the exit code."""
    hold(make)
    open_streams()
    try:
        result = app(prog_name="kerege", standalone_mode=False)  # also as `python -m`: completion needs a name
    except typer.Abort:
        return INTERRUPTED
    except SystemExit as end:
        return int(end.code or 0)
    except OSError as error:  # of the help, which is printed before any command runs
        return lost_output(error)
    except Exception as error:  # a wrong option: the program has told every other fault
        shown = getattr(error, "show", None)
        if shown is None:
            raise
        shown()
        return int(getattr(error, "exit_code", 2))
    return result if isinstance(result, int) else 0
