"""Signatures checked ahead: begun elsewhere when they are first seen, there when a block is executed."""

from collections.abc import Iterable, Sequence
from itertools import islice

from kerege.consensus.entries import Entry
from kerege.kernel.crypto import Ticket
from kerege.kernel.machine import Machine


class Ahead:
    """The checks under way of one machine. What comes out is remembered by the machine's own verifier."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._jobs: dict[bytes, tuple[Ticket, Sequence[Entry]]] = {}
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
        for ticket, entries in self._distinct(self._jobs):
            if self._machine.verifier.is_done(ticket):
                self._take(ticket, entries)
        return len(self._jobs)

    def finish(self, raws: Iterable[bytes]) -> None:
        """Wait for the verdicts on these, whose block is executed now; take those on proposals that nobody decided."""
        for ticket, entries in self._distinct(raws):
            self._take(ticket, entries)
        self.waiting()

    def _distinct(self, raws: Iterable[bytes]) -> list[tuple[Ticket, Sequence[Entry]]]:
        found = {id(job): job for raw in raws if (job := self._jobs.get(raw)) is not None}
        return list(found.values())

    def _take(self, ticket: Ticket, entries: Sequence[Entry]) -> None:
        verdicts = iter(self._machine.verifier.collect(ticket))
        for entry in entries:
            entry.good = list(islice(verdicts, len(entry.transactions)))
            job = self._jobs.get(entry.raw)
            if job is not None and job[0] is ticket:
                del self._jobs[entry.raw]
