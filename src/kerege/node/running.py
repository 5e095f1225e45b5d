"""A node in the foreground: its ledger, what runs beside it, and what is due each second."""

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from types import MappingProxyType

from kerege.cli.signing import KeySigner
from kerege.cli.wiring import CommandError, Signer
from kerege.consensus.whole import BeingRestored
from kerege.node import devkeys, web
from kerege.node.chores import Chore
from kerege.node.clock import SteadyClock, behind
from kerege.node.faults import in_one_sentence
from kerege.node.home import Home
from kerege.node.interrupts import interrupted
from kerege.node.kept import Kept, Start
from kerege.node.ledger import Ledger, open_ledger
from kerege.node.ticking import Ticker
from kerege.node.tuning import TURN
from kerege.turns import turns_of

GATEWAY = "/gateway"
TICK_EVERY = 1.0
"""Seconds between two looks at what is due."""


def run_node(
    home: Home,
    ready: Callable[[str], None],
    port: int | None,
    chores: Sequence[Callable[[Ledger], None]],
    beside: Mapping[str, Start] = MappingProxyType({}),
    public: Path | None = None,
    opened: Callable[[threading.Event], AbstractContextManager[Ledger]] | None = None,
) -> None:
    """Run a node, with a web worker where a port is given, until it is interrupted.

    `chores` run each second, and a failure of theirs is told; `beside` are processes, by what they do, that live
    as long as the node and are started again where they end by themselves; `public` holds files that the pages
    offer, None: the home's own folder of that name. `opened` opens the ledger where it is not this home's alone;
    it is given what is set when the node is told to stop.
    """
    stop = interrupted()
    with in_one_sentence(), ExitStack() as stack:
        if port is not None:
            web.check_port(port)
        own = partial(open_ledger, home, clock=SteadyClock(_warn), alarm=ready)
        if opened is None:  # the blocks are made in this process
            stack.enter_context(turns_of(TURN))
        ledger = stack.enter_context(own() if opened is None else opened(stop))
        ledger.serve()
        starts = dict(beside)
        if port is not None:
            starts["the web worker"] = lambda: web.web_worker(home, port, public)
        kept = [stack.enter_context(Kept(name, start, _warn)) for name, start in starts.items()]
        where = f"socket {ledger.home.socket}"
        if port is not None:
            where = f"{web.address_of(port)} · {where}"
        ticker, guarded = Ticker(_warn), [Chore(each, _warn) for each in chores]
        ready(f"{ledger.machine.ledger} {_standing(ledger)}, {where}; Ctrl-C stops")
        while not stop.wait(TICK_EVERY):
            if ledger.engine.failure is not None:
                sentence = f"the ledger stopped: {ledger.engine.failure}"
                raise CommandError(sentence, 1)
            ticker.tick(ledger, lambda: gateway(ledger.home))
            for chore in guarded:
                chore(ledger)
            for each in kept:
                each.tend()


def gateway(home: Home) -> Signer | None:
    """Who ticks for this node: the account of its gateway, where it holds its key."""
    with in_one_sentence():
        name = next((n for n, _ in devkeys.list_keys(home) if n.endswith(GATEWAY)), None)
        return None if name is None else KeySigner(devkeys.read_key(home, name).seed)


def _standing(ledger: Ledger) -> str:
    """Where a node begins, in words; a clock that is behind is told on standard error."""
    try:
        head = ledger.door.head()
    except BeingRestored:
        return "is being restored from a snapshot"
    late = behind(head.time, ledger.engine.now())
    if late:
        _warn(late)
    return f"at height {head.height}"


def _warn(text: str) -> None:
    """Tell whoever runs the node, on standard error."""
    sys.stderr.write(f"kerege: {text}\n")
    sys.stderr.flush()
