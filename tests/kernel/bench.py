"""A toy ledger on a store: makes signed transactions by name, applies blocks, reads receipts and state."""

from hashlib import sha256
from typing import Any, TypeVar

from kerege.consensus import rows
from kerege.consensus.door import CommittedReader
from kerege.kernel import crypto
from kerege.kernel.block import Block, Head
from kerege.kernel.codec import decode, encode
from kerege.kernel.genesis import Genesis
from kerege.kernel.machine import Machine
from kerege.kernel.module import Modules
from kerege.kernel.receipts import Receipt
from kerege.kernel.transaction import Body
from kerege.storage.memory import MemoryStore
from kerege.storage.port import Area
from kerege.testing.signers import Ed25519Signer, PasskeySigner, Signer, WalletSigner
from tests.kernel import toy

T = TypeVar("T")

LEDGER = "kg-toy"
PREFIX = "kg"
START = 1_700_000_000_000
HOUR = 3_600_000
NAMES = ("alice", "bob", "carol", "dina", "erlan")


def signer(name: str) -> Ed25519Signer:
    return Ed25519Signer(sha256(name.encode()).digest())


PASSKEY = PasskeySigner(sha256(b"passkey").digest())
WALLET = WalletSigner(sha256(b"wallet").digest())
SIGNERS: dict[str, Signer] = {**{name: signer(name) for name in NAMES}, "passkey": PASSKEY, "wallet": WALLET}


def address(name: str) -> bytes:
    return SIGNERS[name].address


def genesis(names=tuple(SIGNERS), *, balance: int = 1_000, parameters=()) -> Genesis:
    """All names open; carol is a minter, dina is sponsored, everybody but erlan holds money."""
    wallets = [(address(n), toy.Wallet(SIGNERS[n].kind, SIGNERS[n].key, n == "dina")) for n in names]
    given = {
        "wallets": toy.WalletsGenesis(wallets, [(address("carol"), "minter")], list(parameters)),
        "purse": toy.PurseGenesis([(address(n), "KGS", balance) for n in names if n != "erlan"]),
    }
    return Genesis(LEDGER, PREFIX, START, [(name, encode(value)) for name, value in given.items()])


def known(value: T | None) -> T:
    """What must be there."""
    assert value is not None
    return value


def tile_reader(store):
    def read(level, index):
        tile = store.get(Area.LOG, rows.tile_key(level, index))
        if tile is None:
            raise LookupError(f"tile {level}/{index}")
        return tile

    return read


def machine_on(store, modules: Modules = toy.MODULES, **options) -> Machine:
    """A machine over a store, from its head."""
    return Machine(
        modules,
        ledger=LEDGER,
        prefix=PREFIX,
        reader=CommittedReader(store),
        read_tile=tile_reader(store),
        head=rows.read_head(store),
        verifier=options.pop("verifier", None) or crypto.Verifier(threads=1),
        **options,
    )


class Bench:
    """A toy ledger; `commit` off leaves blocks pending, as while the disk is slow."""

    def __init__(self, store=None, *, begin=None, modules: Modules = toy.MODULES, **options) -> None:
        self.store = store if store is not None else MemoryStore()
        self.machine = machine_on(self.store, modules, **options)
        self.sequences: dict[tuple[bytes, int], int] = {}
        self.pending: list[Block] = []
        self.salts = 0
        if self.machine.head is None:
            first = begin or genesis()
            block = self.machine.begin(first)
            self.store.write(rows.batch_of(block, 0, encode(first)))
            self.machine.durable(block)

    @property
    def head(self) -> Head:
        """The newest sealed block."""
        return known(self.machine.head)

    @property
    def now(self) -> int:
        return self.machine.last[1]

    def body(self, name, *messages, lane=0, **changed) -> Body:
        """The next body of a sender; what is changed by name does not count its sequence."""
        sender = SIGNERS[name]
        self.salts += 1
        place = (sender.address, lane)
        sequence = self.sequences.get(place, 0)
        if "sequence" not in changed:
            self.sequences[place] = sequence + 1
        values = {
            "ledger": LEDGER,
            "sender": sender.address,
            "lane": lane,
            "sequence": sequence,
            "valid_until": self.now + HOUR,
            "salt": self.salts.to_bytes(16, "big"),
            "messages": list(messages),
        }
        return Body(**{**values, **changed})

    def tx(self, name, *messages, signed_by=None, **changed) -> bytes:
        return SIGNERS[signed_by or name].transaction(self.body(name, *messages, **changed))

    def run(self, *raws, time=None, commit=True) -> Block:
        """One block of these transactions, committed to the store."""
        block = self.machine.apply_block(self.machine.last[0] + 1, self.now + 1 if time is None else time, list(raws))
        self.pending.append(block)
        if commit:
            self.commit()
        return block

    def commit(self) -> None:
        """Write what is pending."""
        for block in self.pending:
            self.store.write(rows.batch_of(block, block.head.height - rows.KEPT_HEIGHTS + 1))
            self.machine.durable(block)
        self.pending.clear()

    def one(self, name, *messages, **options) -> Receipt:
        """Run one transaction in a block of its own; its receipt."""
        block = self.run(self.tx(name, *messages, **options))
        assert block.executed.outcomes[0].reason is None, block.executed.outcomes[0].reason
        return receipt_of(block)

    def state(self) -> dict[bytes, bytes]:
        """Committed state."""
        return dict(self.store.scan(Area.STATE))

    def value(self, table, key):
        """A committed value."""
        raw = self.store.get(Area.STATE, table.encode_key(key))
        return None if raw is None else table.decode_value(raw)

    def balance(self, name, currency="KGS"):
        return self.value(toy.BALANCES, (address(name), currency)) or 0


def receipt_of(block: Block, position: int = 0) -> Receipt:
    return decode(known(block.executed.outcomes[position].receipt), Receipt)


def facts_of(refused) -> tuple[str, dict[str, Any]]:
    """Number and facts of a refusal, of a receipt or of a reason."""
    if isinstance(refused, Receipt):
        return refused.code, dict(refused.facts)
    return refused.code, dict(refused.facts())
