"""How a member joins a large ledger: `python -m benchmarks.state_sync`, after `make engine`; takes minutes.

One validator with a real engine opens the accounts, 64 a transaction, and goes on making blocks. Its snapshot is made
beside that; then a fresh member joins by state sync and comes to the same app hash. In a smaller run a third one
replays every block, for comparison. All on one machine.
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any

from benchmarks.common import run, say
from kerege.consensus.snapshots.making import make_snapshot
from kerege.consensus.snapshots.shelf import Shelf
from kerege.kernel.genesis import Genesis
from kerege.kernel.transaction import MAXIMUM_MESSAGES, Body
from kerege.modules.accounts.messages import Open
from kerege.modules.accounts.state import ACCOUNTS
from kerege.modules.accounts.types import AccountKind
from kerege.storage.secondary import SecondaryStore
from kerege.testing import names
from kerege.testing.cometbft import Rpc
from kerege.testing.country import found
from kerege.testing.members import Member, standing, wait_for
from kerege.testing.signers import Ed25519Signer
from tools.engine import DEFAULT, binary

OFFICE, CLERK = "ЦОН-1", "clerk"
RULES = {"accounts.office_rate_burst": 10**9, "accounts.rate_burst": 10**9, "bank.minimum_balance_per_entry": 0}
IN_FLIGHT = 2_000
"""Transactions in the pool at most."""
PATIENCE = 1_200.0
EVERY = 100
REPLAYED_MAX = 100_000
"""Accounts up to which a member also joins by blocks."""
HOUR = 3_600_000


def measure(quick: bool, size: int | None) -> dict[str, Any]:  # noqa: FBT001 - the benchmarks' one signature
    """All figures of one run."""
    accounts = size or (50_000 if quick else 1_000_000)
    figures: dict[str, Any] = {"quick": quick, "engine": f"CometBFT {DEFAULT}", "accounts": accounts}
    folder = Path(tempfile.mkdtemp(prefix="kerege-bench-"))
    try:
        return figures | _measure(folder, accounts)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _measure(folder: Path, accounts: int) -> dict[str, Any]:
    now = time.time_ns() // 1_000_000
    modules = found([CLERK], {CLERK: ("acceptor", OFFICE)}, money={CLERK: 10**9}, rules=RULES)
    genesis = Genesis("kg-bench", "kg", now - HOUR, modules)
    first = Member(folder / "first", binary(DEFAULT), genesis)
    with ExitStack() as stack:
        rpc = stack.enter_context(first.running(snapshot_every=EVERY))
        sender = _Sender(rpc, now)
        opened = _seconds(lambda: sender.open_accounts(accounts))
        say(f"{accounts} accounts opened in {opened:.0f} s, height {standing(rpc)[0]}")
        _await_snapshot(first, sender, standing(rpc)[0])
        snapshot = Shelf(first.home.snapshots).all()[0]
        chunks = snapshot.manifest
        say(f"snapshot of height {chunks.height}: {chunks.chunks} chunks")
        joined, memory = _join(stack, folder / "joined", genesis, first, rpc)
        replayed = None
        if accounts <= REPLAYED_MAX:
            replayed = round(_join(stack, folder / "replayed", genesis, first, None)[0], 1)
    size = sum(path.stat().st_size for path in snapshot.folder.iterdir())
    return {
        "blocks_of_the_ledger": chunks.head.height,
        "history_chunks": chunks.history,
        "state_chunks": chunks.state,
        "state_mib": size >> 20,
        "opened_per_s": round(accounts / opened),
        "snapshot_s": round(_seconds(lambda: _make_again(first, chunks.height, folder / "again")), 1),
        "joined_s_by_state_sync": round(joined, 1),
        "joined_memory_mib": memory,
        "joined_s_by_blocks": replayed,
        "reasons": {} if replayed else {"joined_s_by_blocks": f"measured up to {REPLAYED_MAX} accounts: it takes long"},
    }


class _Sender:
    """A clerk who opens accounts, as fast as the pool takes them."""

    def __init__(self, rpc: Rpc, now: int) -> None:
        self._rpc = rpc
        self._signer = names.signer(CLERK)
        self._until = now + 20 * HOUR
        self._sequence = 0

    def open_accounts(self, count: int) -> None:
        """Return once they are committed."""
        for start in range(0, count, MAXIMUM_MESSAGES):
            numbers = range(start, min(start + MAXIMUM_MESSAGES, count))
            if self.send(*map(_opening, numbers)) % 200 == 0:
                wait_for(lambda: self._waiting() < IN_FLIGHT, PATIENCE)
        wait_for(lambda: self.is_open(count - 1), PATIENCE)

    def is_open(self, number: int) -> bool:
        """Whether an account is in the committed state."""
        key = ACCOUNTS.encode_key(_holder(number).address)
        return bool(self._rpc.query("state", key)["value"])

    def send(self, *messages: Open) -> int:
        """One transaction; its number."""
        body = Body("kg-bench", self._signer.address, 0, self._sequence, self._until, bytes(16), list(messages))
        code = self._rpc.submit(self._signer.transaction(body))
        if code:
            reason = f"transaction {self._sequence} was refused with {code}"
            raise RuntimeError(reason)
        self._sequence += 1
        return self._sequence

    def _waiting(self) -> int:
        return int(self._rpc.call("num_unconfirmed_txs")["total"])


def _opening(number: int) -> Open:
    """The message that opens an account."""
    holder = _holder(number)
    return Open(OFFICE, AccountKind.PERSON, holder.kind, holder.key, sponsored=True)


def _holder(number: int) -> Ed25519Signer:
    return Ed25519Signer(sha256(b"%d" % number).digest())


def _await_snapshot(first: Member, sender: _Sender, after: int) -> None:
    """Blocks go on until there is a snapshot of all accounts."""
    shelf, number = Shelf(first.home.snapshots), 0
    while max(shelf.heights(), default=0) < after:
        number += 1
        sender.send(_opening(-number))
        time.sleep(0.1)


def _make_again(first: Member, height: int, folder: Path) -> None:
    """The same snapshot once more from the beginning, by a secondary of the store."""
    with SecondaryStore(first.home.path) as store:
        store.catch_up()
        make_snapshot(store, Shelf(folder), height)


def _join(stack: ExitStack, folder: Path, genesis: Genesis, first: Member, rpc: Rpc | None) -> tuple[float, int]:
    """Seconds until a fresh member has the app hash, and the peak memory of its application."""
    new = Member(folder, binary(DEFAULT), genesis, first, rpc)
    at_first = Rpc(f"unix://{first.engine.home}/rpc")
    started = time.perf_counter()
    joined = stack.enter_context(new.running())
    wait_for(lambda: standing(joined) == standing(at_first), PATIENCE)
    seconds = time.perf_counter() - started
    say(f"{folder.name} after {seconds:.1f} s")
    if new.application is None:
        return seconds, 0
    status = Path(f"/proc/{new.application.pid}/status").read_text(encoding="utf-8")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return seconds, int(peak.split()[1]) // 1024


def _seconds(action: Callable[[], None]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def main() -> None:
    """Run from the command line."""
    run("state_sync", measure)


if __name__ == "__main__":
    main()
