"""A node in a process of its own that is killed: `python -m tests.consensus.crash_writer HOME POINT`.

POINT is where it kills itself: «seal:3» in the third block before its roots are made, «sealed:3» after, «write:3»
before the store's write, «written:3» after, «dump:2» within the second tree's dump; «none» waits to be killed. Each
acknowledged transaction is a line of HOME/acknowledged, written before the next one is sent.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kerege.consensus import trees
from kerege.consensus.trees import dump_trees
from tests.consensus.support import Opened, Signing, rocks
from tests.kernel import toy
from tests.kernel.bench import address

LANES = 4
BATCH = 40


def messages(lane: int, sequence: int) -> list[Any]:
    """What a lane's transaction asks for: money moves, rows come and go, some are refused."""
    if sequence % 5 == 3:
        return [toy.Note(f"lane {lane}", 2, str(sequence))]
    if sequence % 11 == 7:
        return [toy.Erase(f"lane {lane}"), toy.Pay(address("bob"), "KGS", 1)]
    if sequence % 7 == 6:
        return [toy.Break("found")]
    return [toy.Pay(address("bob"), "KGS", 1)]


def transaction(lane: int, sequence: int) -> bytes:
    salt = bytes([lane]) * 8 + sequence.to_bytes(8, "big")
    return Signing().tx("dina", *messages(lane, sequence), lane=lane, sequence=sequence, salt=salt)


def dying(times: int, action: Callable[..., Any], *, after: bool) -> Callable[..., Any]:
    """The action, and death at its n-th call, before or after."""
    calls = [0]

    def call(*arguments: Any, **options: Any) -> Any:
        calls[0] += 1
        if calls[0] == times and not after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = action(*arguments, **options)
        if calls[0] == times:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return call


def send(ledger: Opened, lane: int, file: int) -> None:
    """Send a lane's next transactions for ever; note each batch when it is acknowledged."""
    sequence = ledger.door.next_sequence(address("dina"), lane)
    while True:
        raws = [transaction(lane, sequence + n) for n in range(BATCH)]
        answers = ledger.engine.submit(raws).wait()
        assert all(answer.receipt is not None for answer in answers), answers
        os.write(file, b"".join(f"{lane} {sequence + n} {a.id.hex()}\n".encode() for n, a in enumerate(answers)))
        sequence += BATCH


def main(home: Path, point: str) -> None:
    name, _, times = point.partition(":")
    with rocks(home) as store:
        ledger = Opened(store, home / "trees")
        count = int(times or 0)
        if name == "seal":
            vars(ledger.machine)["begin_seal"] = dying(count, ledger.machine.begin_seal, after=False)
        if name == "sealed":
            vars(ledger.machine)["finish_seal"] = dying(count, ledger.machine.finish_seal, after=True)
        if name in {"write", "written"}:
            vars(store)["write"] = dying(count, store.write, after=name == "written")
        file = os.open(home / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        ledger.engine.start()
        for lane in range(LANES):
            threading.Thread(target=send, args=(ledger, lane, file), daemon=True).start()
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        if name == "dump":
            while len(ledger.blocks) < 5:
                threading.Event().wait(0.01)
            vars(trees)["_file"] = dying(count, vars(trees)["_file"], after=True)
        while True:
            threading.Event().wait(0.05)
            if name in {"dump", "none"}:
                dump_trees(toy.MODULES, store, ledger.machine.trees, home / "trees", spare=120)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
