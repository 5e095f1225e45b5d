"""How the program ends: every fault is one sentence with the cure on standard error, and an exit code."""

import os
from typing import Any

import typer
from typer.core import TyperGroup

from kerege.cli.output import complain
from kerege.cli.wiring import CommandError
from kerege.cli.words import Words
from kerege.storage.errors import StorageError

TRACEBACK = "KEREGE_TRACEBACK"
INTERRUPTED = 130
UNUSABLE = 2


class Program(TyperGroup):
    """The root of the commands: no traceback leaves it."""

    def __init__(self, **given: Any) -> None:  # noqa: ANN401 - whatever typer has for a group
        super().__init__(**given | {"commands": Words()})

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - typer's own copy of click
        """Every word; without what stands behind it."""
        return list(self.commands)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer's own copy of click
        """Run a command; what goes wrong becomes a sentence and `typer.Exit`."""
        try:
            return super().invoke(ctx)
        except CommandError as error:
            complain(str(error))
            raise typer.Exit(error.code) from None
        except StorageError as error:
            complain(str(error))
            raise typer.Exit(UNUSABLE) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except OSError as error:
            raise typer.Exit(lost_output(error)) from None
        except Exception as error:
            if _ours(error) or os.environ.get(TRACEBACK):
                raise
            complain(
                f"an error of the program itself ({type(error).__name__}: {error}): run it again with {TRACEBACK}=1 "
                "and report what it prints."
            )
            raise typer.Exit(UNUSABLE) from None


def lost_output(error: OSError) -> int:
    """Tell what the system refused, where anybody listens; returns the exit code."""
    if isinstance(error, BrokenPipeError):
        return INTERRUPTED
    complain(f"{error.filename or 'the system'}: {error.strerror or error}: check the path, rights and space.")
    return UNUSABLE


def _ours(error: Exception) -> bool:
    """Whether typer means this exception for itself: an exit, an abort, a wrong option."""
    return isinstance(error, typer.Exit | typer.Abort) or hasattr(error, "exit_code")
