"""Signatures checked ahead: begun elsewhere when they are first seen, there when a block is executed."""

from collections.abc import Iterable, Sequence
from itertools import islice

from kerege.consensus.entries import Entry
from kerege.kernel.block import Signatures
from kerege.kernel.machine import Machine

_Job = tuple[Signatures, Sequence[Entry]]


class Ahead:
    """The checks under way of one machine. What comes out, the transactions themselves remember."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._jobs: dict[bytes, _Job] = {}
        """By the bytes of the entries."""

    def begin(self, entries: Sequence[Entry]) -> None:
        """Begin with what these bring, on native threads or in a process beside.

        What is under way is not begun again: nobody would take its first verdicts.
        """
        fresh = [entry for entry in entries if entry.raw not in self._jobs]
        if fresh:
            wanted = [transaction for entry in fresh for transaction in entry.transactions]
            job = self._machine.begin_signatures(wanted), fresh
            for entry in fresh:
                self._jobs[entry.raw] = job

    def waiting(self) -> int:
        """How many entries still wait for a verdict; takes those that have come."""
        for job in self._distinct(self._jobs):
            if self._machine.verifier.is_done(job[0].ticket):
                self._take(job)
        return len(self._jobs)

    def finish(self, raws: Iterable[bytes]) -> None:
        """Wait for the verdicts on these, whose block is executed now; take those on proposals that nobody decided."""
        for job in self._distinct(raws):
            self._take(job)
        self.waiting()

    def _distinct(self, raws: Iterable[bytes]) -> list[_Job]:
        found = {id(job): job for raw in raws if (job := self._jobs.get(raw)) is not None}
        return list(found.values())

    def _take(self, job: _Job) -> None:
        signatures, entries = job
        verdicts = iter(self._machine.finish_signatures(signatures))
        for entry in entries:
            entry.good = list(islice(verdicts, len(entry.transactions)))
            if self._jobs.get(entry.raw) is job:
                del self._jobs[entry.raw]
