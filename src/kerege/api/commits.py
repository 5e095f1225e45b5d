"""Asking for a proof that rests on the engine's commit, too, and the answer where there is none."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from kerege.api.problems import NOT_PROVABLE, Problem
from kerege.consensus.checkpoints import NoCommit


class CommitQuery(Struct, forbid_unknown_fields=True):
    """What a proof rests on beside the checkpoint's signatures."""

    commit: Annotated[
        Literal["with", "without"],
        Meta(description="With the engine's commit, the votes by which it is final: of a network's ledger only."),
    ] = "without"

    @property
    def is_wanted(self) -> bool:
        """Whether the commit is."""
        return self.commit == "with"


def no_commit(fault: NoCommit) -> Problem:
    """The answer where it cannot be had."""
    return Problem(NOT_PROVABLE, f"{str(fault).rstrip('.')}; leave out commit.")
