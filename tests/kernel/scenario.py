"""One fixed history of the toy ledger, run in one of several ways; prints what it comes to. `python -m` it."""

import sys
from random import Random
from typing import Any

from kerege.kernel import cells, crypto, merkle, scan
from kerege.kernel.errors import NotATransaction
from kerege.kernel.messages import Message
from kerege.kernel.tree import make_tree
from kerege.storage.memory import MemoryStore
from tests.kernel import toy
from tests.kernel.bench import HOUR, NAMES, START, Bench, address, genesis

BLOCKS = 25
LISTED = [("kernel.webauthn_origins", ["https://portal.gov.kg"]), ("kernel.webauthn_rp_ids", ["portal.gov.kg"])]


def history(seed: int = 7) -> list[tuple[int, list[bytes]]]:
    """(time, transactions) of every block: good, refused, broken, replayed and junk ones of all kinds of key."""
    bench, random = Bench(begin=genesis(parameters=LISTED)), Random(seed)
    blocks: list[tuple[int, list[bytes]]] = []
    time = START
    for _ in range(BLOCKS):
        raws = [_one(bench, random) for _ in range(random.randrange(12))]
        raws += random.choices(raws, k=2) if raws else []
        raws.append(random.randbytes(random.randrange(300)))
        time += random.choice([0, 1, 900, HOUR // 4])
        blocks.append((time, raws))
    return blocks


def _one(bench: Bench, random: Random) -> bytes:
    name = random.choice([*NAMES, "passkey", "wallet"])
    to, amount = address(random.choice(NAMES)), random.randrange(400)
    choices: list[list[Message]] = [
        [toy.Pay(to, "KGS", amount)],
        [toy.Mint(to, "KGS", amount)],
        [toy.Note(random.choice("abc"), random.randrange(9), "текст")],
        [toy.Erase(random.choice("abc"))],
        [toy.Later(START + random.randrange(HOUR), random.randbytes(16), to, amount % 20)],
        [toy.Break(random.choice(["invariant", "error", "found"]))],
        [toy.Issue(random.randbytes(16), random.randbytes(16))],
        [toy.Heavy()],
    ]
    several: list[Message] = [toy.Pay(to, "KGS", 1), toy.Note("a", 1, "x"), toy.Erase("a")]
    messages = random.choice(choices if name == "wallet" else [*choices, several])
    return bench.tx(name, *messages, lane=random.randrange(2), valid_until=START + 20 * HOUR)


def bench_of(way: str) -> Bench:
    """plain: no native code at all; tiny: nothing stays cached; the rest as it comes."""
    options: dict[str, Any] = {}
    if way == "plain":
        vars(scan)["_scan"] = scan.scan_plain
        vars(cells)["native"] = None
        vars(merkle)["_leaf_hashes"] = merkle.leaf_hashes_plain
        options = {"trees": [make_tree("plain") for _ in toy.ALL], "verifier": crypto.Verifier(kind="plain")}
    if way == "tiny":
        options = {"cache_limit": 2}
    return Bench(MemoryStore(), begin=genesis(parameters=LISTED), **options)


def run(way: str) -> list[str]:
    """App hash and receipts' root after each block."""
    bench, told = bench_of(way), []
    for time, raws in history():
        if way == "admitted":  # as where a pool checked them first
            for raw in raws:
                try:
                    bench.machine.check_transaction(raw, time)
                except NotATransaction:
                    continue
        block = bench.run(*raws, time=time, commit=way != "late" or bench.machine.last[0] % 5 == 4)
        told.append(
            f"{block.head.height} {block.head.app_hash.hex()} {block.head.log_size} {len(block.executed.alarms)}"
        )
    assert bench.machine.full_invariants() == []
    return told


if __name__ == "__main__":
    sys.stdout.write("\n".join(run(sys.argv[1])))
