"""What can be wrong with a read model, each with its cure."""

from typing import ClassVar


class ReadModelError(Exception):
    """The read model cannot be used as asked; the text is one sentence with the cure."""

    cure: ClassVar[str] = "Run `kerege readmodel rebuild`."

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        told = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.items())
        what = (type(self).__doc__ or "").splitlines()[0].rstrip(".")
        super().__init__(f"{what} ({told}). {self.cure}" if told else f"{what}. {self.cure}")


class NoDatabase(ReadModelError):
    """This is no address of a database that can hold the read model."""

    cure = "Give sqlite:///FILE or postgresql://USER@HOST/NAME."


class DatabaseFailed(ReadModelError):
    """The database did not do what it was asked."""

    cure = "Look at the database's own log; the same command goes on where it stopped."


class NotBuilt(ReadModelError):
    """The read model has not been built yet."""


class OfAnotherLedger(ReadModelError):
    """The database holds the read model of another ledger."""

    cure = "Use another database, or `kerege readmodel rebuild` to replace what it holds."


class OfAnotherRelease(ReadModelError):
    """The tables were made by another release."""


class AheadOfLedger(ReadModelError):
    """The read model has a block that the ledger has not, or another one of that height."""
