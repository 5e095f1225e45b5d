"""A replicated ledger as its engine's chain and its nodes' state proofs show it; trees built whole, as in `naive`."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from kerege.proofs.light import Header, NotShown
from kerege.proofs.light.moments import DAY, MILLISECOND
from tests.proofs.light.chain import CHAIN, FOUR, Chain, public, validators
from tests.proofs.naive import (
    LEDGER,
    MODULES,
    ORIGIN,
    Signer,
    canonical,
    log_path,
    log_root,
    naive_sides,
    noise,
    note,
    pack,
    packed,
    replicated,
    sha,
    tree_path,
    tree_root,
    url,
)

SETS, NEWEST = "authority.validators", "authority.validators_newest"


def signer(name: str, seed: int = 0) -> Signer:
    """An institution's checkpoint key."""
    return Signer(f"{ORIGIN}/{name}", seed=seed)


def row_key(table: str, of: int | str) -> bytes:
    return table.encode() + b"\0" + (of.to_bytes(8, "big") if isinstance(of, int) else of.encode() + b"\0")


@dataclass
class Ledger(Chain):
    """Something happens in block 1 and in the second block before each new set; other blocks are empty."""

    seeds: dict[int, dict[str, int]] = field(default_factory=dict)
    """Which checkpoint key an institution has from a height on, where it is not its first."""
    at: int | None = None
    """Block after which the node proves; None: the one before the newest, whose effect the newest header shows."""

    def busy(self, block: int) -> int:
        """The last block up to this one in which something happened."""
        return max([1, *(h - 2 for h in self.sets if h - 2 <= block)])

    def rows(self, block: int) -> dict[bytes, bytes]:
        """The state after a block."""
        heights = [h for h in sorted(self.sets) if h <= max(block + 2, 1)]
        rows, before = {}, None
        for height in heights:
            since = 0 if height == 1 else height
            seats = [
                [n, public(n), self.checkpoint_key(n, height).public, power]
                for n, power in sorted(self.sets[height].items())
            ]
            rows[row_key(SETS, since)] = b"\x01" + pack([seats, validators(**self.sets[height]).hash, before])
            before = since
        rows[row_key(NEWEST, "newest")] = b"\x01" + pack(before)
        return rows | {row_key(SETS, 10**6 + i): noise("other", i) for i in range(3)}

    def checkpoint_key(self, name: str, height: int) -> Signer:
        seeds = [self.seeds[h][name] for h in sorted(self.seeds) if h <= height and name in self.seeds[h]]
        return signer(name, seeds[-1] if seeds else 0)

    def module_leaves(self, block: int) -> list[bytes]:
        tree = {sha(k): sha(v) for k, v in self.rows(block).items()}
        roots = {name: noise("module", name) for name in MODULES} | {"authority": tree_root(tree)}
        return [bytes([len(name)]) + name.encode() + roots[name] for name in MODULES]

    def leaves(self, block: int) -> list[bytes]:
        """The log after a block, its last leaf the record of the last one in which something happened."""
        last = self.busy(block)
        time = self.time(last)
        record = pack(["block", last, time, log_root(self.module_leaves(block)), self.set(last).hash])
        return [*(noise("leaf", i) for i in range(last + 2)), record]

    def time(self, block: int) -> int:
        return super().header(block).time // MILLISECOND

    def header(self, height: int) -> Header:
        made = super().header(height)
        if height == 1:
            return made
        roots = log_root(self.module_leaves(height - 1)), log_root(self.leaves(height - 1))
        return replace(made, app_hash=sha(b"kerege/app/1", *roots))

    def prove(self, table: str, of: int | str, signers: Sequence[Signer] = ()) -> bytes:
        """A state proof, as a node writes it."""
        block = self.length - 1 if self.at is None else self.at
        wanted, rows, leaves = row_key(table, of), self.rows(block), self.leaves(block)
        if wanted not in rows:
            raise NotShown(f"no row {table} {of}")
        position, last = MODULES.index("authority"), self.busy(block)
        siblings, _ = tree_path({sha(k): sha(v) for k, v in rows.items()}, sha(wanted))
        state = {
            "modules": url(b"".join(log_path({position}, self.module_leaves(block)))),
            "sides": naive_sides(position, len(MODULES)),
            "siblings": packed(siblings),
            "value": url(rows[wanted]),
        }
        return canonical(
            {
                "checkpoint": {"note": note(ORIGIN, len(leaves), log_root(leaves), list(signers) or [signer("a")])},
                "format": "kerege-state/1",
                "key": url(wanted),
                "ledger": LEDGER,
                "path": url(b"".join(log_path({len(leaves) - 1}, leaves))),
                "record": {"height": last, "time": self.time(last), "validators": url(self.set(last).hash)},
                "state": state,
            }
        )

    def trust(self, height: int = 3, **changes: object) -> bytes:
        """The trust file that names the header of a height, and the keys of who signs then."""
        header = self.header(height)
        signers = [
            replace(self.checkpoint_key(n, height), power=power, since=1, consensus=public(n))
            for n, power in self.powers(height).items()
        ]
        chain = {"id": CHAIN, "height": height, "hash": header.hash.hex(), "time": header.time // MILLISECOND}
        return replicated(signers, **({"chain": chain | {"period": 14 * DAY // MILLISECOND}} | changes))


__all__ = ["FOUR", "NEWEST", "SETS", "Ledger", "signer"]
