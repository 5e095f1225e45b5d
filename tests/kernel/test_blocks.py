"""Blocks: what time does in them, what they leave in log and state, and what is proven of them."""

from dataclasses import replace
from hashlib import sha256

import pytest

from kerege import proofs
from kerege.consensus import rows
from kerege.consensus.checkpoints import CheckpointKey, OwnCheckpoints, Unprovable, origin_of
from kerege.consensus.prover import Prover
from kerege.consensus.trees import dump_trees, open_trees
from kerege.kernel import merkle
from kerege.kernel.codec import decode, encode
from kerege.kernel.errors import KernelFault, NotATransaction, NotCanonical, NotEntitled
from kerege.kernel.genesis import Genesis, genesis_hash
from kerege.kernel.log import Log
from kerege.kernel.machine import app_hash, broken_invariants, module_leaf, next_due, state_root
from kerege.kernel.module import Modules
from kerege.kernel.receipts import ONE_OPERATOR, BlockReceipt, BlockRecord
from kerege.kernel.tick import Tick
from kerege.kernel.tree import EMPTY_ROOT, verify_path
from kerege.storage.memory import MemoryStore
from kerege.storage.port import Area
from tests.kernel import toy
from tests.kernel.bench import (
    LEDGER,
    PREFIX,
    START,
    Bench,
    address,
    genesis,
    known,
    machine_on,
    receipt_of,
    tile_reader,
)

PAY = toy.Pay(address("bob"), "KGS", 5)
KEY = CheckpointKey(f"{origin_of(LEDGER)}/operator", sha256(b"checkpoint").digest())


@pytest.fixture
def bench() -> Bench:
    return Bench()


def later(due, number, amount=7):
    return toy.Later(due, number.to_bytes(16, "big"), address("erlan"), amount)


# What time does


def test_what_is_due_happens_once_and_is_receipted_in_the_block_s_own_receipt(bench):
    bench.one("alice", later(START + 100, 1))
    assert bench.balance("erlan") == 0
    block = bench.run(bench.tx("alice", PAY), time=START + 100)
    assert bench.balance("erlan") == 7
    told = decode(block.stored.leaves[1], BlockReceipt)
    assert (told.height, told.time) == (2, START + 100)
    assert told.events == [["purse.Paid", address("erlan"), 7]]
    assert receipt_of(block).events == [["purse.Moved", address("alice"), address("bob"), "KGS", 5]]
    again = bench.run(bench.tx("alice", PAY), time=START + 200)
    assert len(again.stored.leaves) == 2
    assert bench.balance("erlan") == 7


def test_what_is_due_is_bounded_per_block(bench):
    for number in range(8):
        bench.one("alice", later(START + 100, number))
    done = []
    for height in range(4):
        block = bench.run(time=START + 200 + height)
        done.append(sum(len(decode(leaf, BlockReceipt).events) for leaf in block.stored.leaves[:-1]))
    assert done == [3, 3, 2, 0]
    assert bench.balance("erlan") == 56


@pytest.mark.parametrize("amount", [13, 14], ids=["refused", "unforeseen"])
def test_a_schedule_that_goes_wrong_is_rolled_back_alone(bench, amount):
    """Thirteen is refused in the middle of the run, after another payment was made."""
    bench.one("alice", later(START + 100, 1), later(START + 101, 2, amount))
    before = bench.state()
    block = bench.run(bench.tx("alice", PAY), time=START + 200)
    assert [("schedule of purse" in alarm) for alarm in block.executed.alarms] == [True]
    assert receipt_of(block).code == ""
    assert len(block.stored.leaves) == 2
    assert bench.balance("erlan") == 0
    assert [k for k in before if k.startswith(b"purse.due")] == [k for k in bench.state() if k.startswith(b"purse.due")]


def test_the_earliest_due_time_wakes_the_gateway(bench):
    context = bench.machine.context
    assert next_due(toy.MODULES, context()) is None
    bench.one("alice", later(START + 500, 1), later(START + 400, 2))
    assert next_due(toy.MODULES, context()) == START + 400
    assert bench.one("alice", Tick()).code == NotEntitled.code
    bench.one("alice", toy.Enact("council", encode(toy.Grant(address("bob"), "gateway"))))
    block = bench.run(bench.tx("bob", Tick()), time=START + 450)
    assert receipt_of(block).code == ""
    assert bench.balance("erlan") == 7
    assert next_due(toy.MODULES, context()) == START + 500


# Log and hashes


def test_the_last_leaf_of_a_block_ties_the_log_to_the_state(bench):
    block = bench.run(bench.tx("alice", PAY), bench.tx("bob", PAY), b"junk")
    record = decode(block.stored.leaves[-1], BlockRecord)
    assert record == BlockRecord(1, START + 1, block.head.state_root, ONE_OPERATOR)
    assert len(block.stored.leaves) == 3
    assert block.head.log_size == 1 + 3, "genesis has a record too"
    assert block.stored.first_leaf == 1
    leaves = [leaf for stored in rows.read_blocks(bench.store) for leaf in stored.leaves]
    assert merkle.root(merkle.leaf_hashes(leaves)) == block.head.log_root


def test_hashes_are_the_documented_ones(bench):
    head = bench.run(bench.tx("alice", PAY)).head
    trees = {}
    for module in toy.MODULES.names:
        rows_of = [(k, v) for k, v in bench.state().items() if k.startswith(f"{module}.".encode())]
        pairs = [(sha256(k).digest(), sha256(v).digest()) for k, v in rows_of]
        trees[module] = naive_root(sorted(pairs), 0)
    leaves = [bytes([len(n)]) + n.encode() + trees[n] for n in toy.MODULES.names]
    assert head.module_roots == list(trees.values())
    assert head.state_root == merkle.root([sha256(b"\0" + leaf).digest() for leaf in leaves])
    assert head.app_hash == sha256(b"kerege/app/1" + head.state_root + head.log_root).digest()
    assert head.state_root == state_root(toy.MODULES.names, head.module_roots)
    assert head.app_hash == app_hash(head.state_root, head.log_root)
    assert leaves[0] == module_leaf("wallets", trees["wallets"])


def naive_root(pairs, depth):
    """The Jellyfish Merkle tree by its definition."""
    if not pairs:
        return EMPTY_ROOT
    if len(pairs) == 1:
        return sha256(b"JMT::LeafNode" + pairs[0][0] + pairs[0][1]).digest()
    right = [p for p in pairs if p[0][depth // 8] >> (7 - depth % 8) & 1]
    left = pairs[: len(pairs) - len(right)]
    return sha256(b"JMT::IntrnalNode" + naive_root(left, depth + 1) + naive_root(right, depth + 1)).digest()


def test_an_empty_block_changes_no_hash(bench):
    first = bench.run(bench.tx("alice", PAY))
    empty = bench.run(time=bench.now + 1_000)
    refused = bench.run(b"junk", b"")
    for block in (empty, refused):
        assert block.head.app_hash == first.head.app_hash
        assert block.head.log_size == first.head.log_size
        assert block.executed.empty
    assert bench.run(bench.tx("alice", PAY)).head.app_hash != first.head.app_hash


def test_a_refused_transaction_changes_the_hash(bench):
    first = bench.run(bench.tx("alice", PAY))
    assert bench.run(bench.tx("erlan", PAY)).head.app_hash != first.head.app_hash


# Genesis


def test_genesis_hash_is_of_its_bytes():
    given = genesis()
    assert genesis_hash(given) == sha256(encode(given)).digest()
    assert decode(encode(given), Genesis) == given
    assert genesis_hash(Genesis("kg-other", PREFIX, START, given.modules)) != genesis_hash(given)


def test_genesis_writes_block_zero(bench):
    block = known(rows.read_block(bench.store, 0))
    assert decode(block.leaves[0], BlockRecord).height == 0
    assert (block.transactions, block.head.log_size) == ([], 1)
    assert bench.balance("alice") == 1_000
    assert rows.read_genesis(bench.store) == encode(genesis())


def test_a_ledger_of_nothing_has_a_block_zero():
    bench = Bench(begin=Genesis(LEDGER, PREFIX, START, []))
    assert bench.head.log_size == 1
    assert bench.head.module_roots == [EMPTY_ROOT] * 3


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ({"ledger": "kg-other"}, KernelFault),
        ({"prefix": "kz"}, KernelFault),
        ({"modules": genesis().modules[::-1]}, NotCanonical),
        ({"modules": [("nothing", b"")]}, NotCanonical),
        ({"modules": genesis().modules[:1] * 2}, NotCanonical),
        ({"modules": [("wallets", b"\x90")]}, NotCanonical),
        ({"modules": [("wallets", genesis().modules[0][1] + b"\0")]}, NotCanonical),
    ],
)
def test_a_genesis_that_does_not_fit_begins_nothing(changed, kind):
    given = genesis()
    wrong = Genesis(**{**{f: getattr(given, f) for f in given.__struct_fields__}, **changed})
    machine = machine_on(MemoryStore())
    with pytest.raises(kind):
        machine.begin(wrong)
    assert machine.head is None
    assert machine.begin(given).head.height == 0


def test_a_ledger_begins_once(bench):
    with pytest.raises(KernelFault):
        bench.machine.begin(genesis())


def test_a_genesis_that_breaks_an_invariant_begins_nothing():
    def load(ctx, given):
        toy.load_purse(ctx, given)
        ctx.use(toy.Purse).forge(address("alice"))

    modules = Modules((toy.WALLETS_MODULE, replace(toy.PURSE_MODULE, load=load), toy.REGISTRIES_MODULE))
    with pytest.raises(KernelFault, match=r"purse\.supply"):
        machine_on(MemoryStore(), modules).begin(genesis())


def test_full_invariants_read_everything(bench):
    assert bench.machine.full_invariants() == []
    bench.one("alice", PAY)
    assert broken_invariants(toy.MODULES, bench.machine.context()) == []
    bench.machine.context().use(toy.Purse).forge(address("bob"))
    assert bench.machine.full_invariants() == ["purse.supply"]


# Candidates that are not kept


def picture(bench):
    """All that a machine remembers of where it stands."""
    machine = bench.machine
    roots = [(tree.root, tree.height, len(tree)) for tree in machine.trees]
    return machine.head, machine.last, roots, machine.log.size, machine.log.root(), bench.state()


@pytest.mark.parametrize("sealed", [False, True])
def test_a_discarded_candidate_leaves_nothing_behind(bench, sealed):
    twin = Bench()
    for each in (bench, twin):
        each.run(*[each.tx("alice", PAY) for _ in range(300)])
    raws = [
        [b.tx("bob", toy.Pay(address("erlan"), "KGS", 3)), b.tx("alice", PAY), b.tx("alice", later(5, 1))]
        for b in (bench, twin)
    ]
    before = picture(bench)
    for time in (7, 8, 9):
        executed = bench.machine.execute(2, START + time, bench.machine.prepare(raws[0][: time - 6]))
        candidate = bench.machine.seal(executed) if sealed else executed
        bench.machine.discard(candidate)
        assert picture(bench) == before
    kept, other = bench.run(*raws[0], time=START + 10), twin.run(*raws[1], time=START + 10)
    assert kept.head == other.head
    assert kept.stored == other.stored
    assert (kept.state, kept.undo, kept.tiles) == (other.state, other.undo, other.tiles)
    assert bench.run(bench.tx("alice", PAY)).head == twin.run(twin.tx("alice", PAY)).head


def test_only_the_newest_candidate_can_be_discarded(bench):
    first = bench.machine.apply_block(1, START + 1, [bench.tx("alice", PAY)])
    executed = bench.machine.execute(2, START + 2, bench.machine.prepare([bench.tx("alice", PAY)]))
    with pytest.raises(KernelFault):
        bench.machine.discard(first)
    second = bench.machine.seal(executed)
    with pytest.raises(KernelFault):
        bench.machine.discard(second)  # the one before it is not durable: its tiles are nowhere but in the log
    for block in (first, second):
        bench.store.write(rows.batch_of(block, 0))
        bench.machine.durable(block)
    with pytest.raises(KernelFault):
        bench.machine.discard(second)
    with pytest.raises(KernelFault):
        bench.machine.durable(second)


def test_blocks_execute_ahead_of_the_store(bench):
    """Three blocks pending, then stored: as if each had been stored at once."""
    twin = Bench()
    for height in range(6):
        heads = []
        for each, commit in ((bench, height % 3 == 2), (twin, True)):
            raws = [each.tx("alice", PAY), each.tx("bob", toy.Note("n", 2, "x")), each.tx("carol", toy.Erase("n"))]
            heads.append(each.run(*raws, commit=commit).head)
        assert heads[0] == heads[1]
    assert bench.state() == twin.state()


def test_what_is_declared_is_fetched_in_one_call_where_the_cache_misses():
    """And what cannot be a key is left to the handler."""
    bench, twin = Bench(cache_limit=1), Bench()
    asked: list[int] = []
    reader = bench.machine.state._reader
    many = reader.multi_get

    def counted(keys):
        asked.append(len(keys))
        return many(keys)

    vars(reader)["multi_get"] = counted
    for round_ in range(6):
        blocks = []
        for each in (bench, twin):
            raws = [each.tx(n, toy.Pay(address("carol"), "KGS", 1)) for n in ("alice", "bob", "dina", "wallet")]
            bad = each.tx("carol", toy.Note("a\0b", 1, "x"))
            block = each.run(*raws, bad, each.tx("alice", toy.Note("n", 1, "x")), b"junk")
            each.machine.state.forget_cached()
            blocks.append(block.head)
        assert blocks[0] == blocks[1], round_
    assert len(asked) >= 5
    assert sum(asked) > 60


def test_a_table_whose_rows_are_mostly_in_memory_is_not_looked_at_ahead():
    """What many transactions miss is fetched; a single row of another table is read when it is asked for."""
    bench, asked = Bench(), list[list[bytes]]()
    state, reader = bench.machine.state, bench.machine.state._reader
    many, alone = reader.multi_get, toy.BALANCES.encode_key((address("carol"), "KGS"))

    def listed(keys):
        asked.append(keys)
        return many(keys)

    vars(reader)["multi_get"] = listed
    for round_ in range(6):
        for key in [key for key in state.cells.young if key.startswith(toy.WALLETS.prefix) or key == alone]:
            if round_ > 1:  # before, everything is met for the first time
                del state.cells.young[key]
        senders = [(name, lane) for name in ("alice", "bob", "dina", "wallet") for lane in (0, 1)]
        bench.run(*[bench.tx(name, toy.Pay(address("carol"), "KGS", 1), lane=lane) for name, lane in senders])
    assert len(asked) >= 2
    assert all(key.startswith(toy.WALLETS.prefix) for keys in asked for key in keys)


# Proofs


def state_proof_holds(prover, head, key, value) -> bool:
    """Walk a state proof with `kerege.proofs` alone: row, module, state root, record, log, checkpoint."""
    proof = prover.state(key, head)
    assert proof.value == value
    if value is None:
        module_root = proofs.tree.root_of_absent(key, proof.other, proof.siblings)
    else:
        module_root = proofs.tree.root_of_present(key, value, proof.siblings)
    module = toy.MODULES.names[proof.module_position]
    sides = proofs.sides(proof.module_position, proof.module_count)
    root = proofs.merkle.root_of_sides(proofs.paths.module_leaf(module, module_root), sides, proof.module_path)
    return bool(root == head.state_root)


def prover_of(bench, trees=None):
    return Prover(toy.MODULES, bench.store, lambda: trees or bench.machine.trees, LEDGER, OwnCheckpoints(LEDGER, [KEY]))


def grown(blocks=140):
    """A ledger in which every block changes something; what each row held at each height."""
    bench = Bench()
    history = [bench.state()]
    for height in range(1, blocks + 1):
        raws = [bench.tx("alice", toy.Pay(address("bob"), "KGS", 1), lane=height % 16)]
        if height % 3 == 0:
            raws.append(bench.tx("dina", toy.Note("n", 2, f"at {height}")))
        if height % 10 == 0:
            raws.append(bench.tx("dina", toy.Erase("n")))
        bench.run(*raws)
        history.append(bench.state())
    return bench, history


@pytest.fixture(scope="module")
def long():
    return grown()


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("kind", ["", "plain"])
def test_presence_and_absence_at_any_of_the_last_128_heights(long, tmp_path_factory, restarted, kind):
    bench, history = long
    trees = bench.machine.trees
    head = bench.head
    folder = tmp_path_factory.mktemp("trees")
    if restarted or kind:
        dump_trees(toy.MODULES, bench.store, trees, folder)
        trees = open_trees(toy.MODULES, bench.store, head, folder, lambda *_: None, kind)
        assert all(tree.heights() == (head.height - 127, head.height) for tree in trees)
    prover = prover_of(bench, trees)
    keys = [toy.NOTES.encode_key(("n", number)) for number in (0, 1, 3, 5, 99)]
    keys += [toy.BALANCES.encode_key((address("bob"), "KGS")), toy.CERTIFICATES.encode_key(b"x" * 16)]
    for height in [*range(head.height - 127, head.height + 1, 9), head.height]:
        old = known(rows.read_summary(bench.store, height)).head
        for key in keys:
            assert state_proof_holds(prover, old, key, history[height].get(key)), (height, key)
    gone = known(rows.read_summary(bench.store, head.height - 128)).head
    with pytest.raises(Unprovable):
        prover.state(keys[0], gone)
    with pytest.raises(Unprovable):
        prover.state(b"nothing", head)


def test_receipts_and_records_are_in_the_log_at_every_later_size(long):
    bench, _ = long
    blocks = list(rows.read_blocks(bench.store))
    for block in (blocks[1], blocks[70], blocks[-2]):
        for later_block in (blocks[-1], blocks[block.height + 1]):
            head = later_block.head
            log = Log(head.log_size, tile_reader(bench.store))
            path = log.inclusion_path(block.first_leaf)
            leaf = proofs.merkle.leaf_hash(block.leaves[0])
            reached, _ = proofs.merkle.fold({block.first_leaf: leaf}, head.log_size, path)
            assert reached == head.log_root


def trust_of(bench):
    key = proofs.TrustedKey(KEY.name, KEY.public, START, None)
    return proofs.trust.make(
        ledger=LEDGER, genesis=genesis_hash(genesis()), origin=origin_of(LEDGER), threshold=1, keys=[key]
    )


def test_bundles_of_certificates_present_changed_and_gone():
    """One file from a receipt: valid; revoked later: exit 3; as of an older height: valid again; gone: not current."""
    bench, trust = Bench(), trust_of(None)
    certificate, blind = b"c" * 16, b"b" * 16
    key = toy.CERTIFICATES.encode_key(certificate)
    raw = bench.tx("alice", toy.Issue(certificate, blind))
    identifier = toy.MODULES.decoder.transaction(raw).id
    prover = prover_of(bench)

    def verdict(height=None):
        bundle = prover.bundle(prover.place(identifier), key=key, height=height)
        return proofs.verify(bundle, trust, now=bench.now)

    bench.run(raw)
    for _ in range(3):
        bench.one("bob", toy.Pay(address("alice"), "KGS", 1))
    assert verdict().exit is proofs.Exit.VALID, verdict()
    assert verdict(1).exit is proofs.Exit.VALID
    bench.one("alice", toy.Revoke(certificate, forget=False))
    assert verdict().exit is proofs.Exit.NOT_CURRENT
    assert verdict(4).exit is proofs.Exit.VALID
    bench.one("alice", toy.Revoke(certificate, forget=True))
    assert verdict().exit is not proofs.Exit.VALID
    assert verdict(5).exit is proofs.Exit.NOT_CURRENT
    bench.run()
    assert verdict().exit is not proofs.Exit.VALID, "an empty block has no record of its own"
    plain = prover.bundle(prover.place(identifier))
    assert proofs.verify(plain, trust, now=bench.now).exit in {proofs.Exit.VALID, proofs.Exit.NOT_CURRENT}


def test_what_cannot_be_proven_is_said(long):
    bench, _ = long
    prover = prover_of(bench)
    with pytest.raises(Unprovable):
        prover.place(b"x" * 32)
    with pytest.raises(Unprovable):
        prover_of(bench).bundle(prover.place(first_transaction(bench, 100)), height=50)
    with pytest.raises(Unprovable):
        prover.bundle(prover.place(first_transaction(bench, 100)), height=5_000)
    with pytest.raises(Unprovable):
        prover.bundle(prover.place(first_transaction(bench, 100)), key=toy.CERTIFICATES.encode_key(b"x" * 16))


def first_transaction(bench, height):
    block = known(rows.read_block(bench.store, height))
    return toy.MODULES.decoder.transaction(block.transactions[0]).id


def test_kernel_paths_verify_too(bench):
    block = bench.run(bench.tx("alice", PAY))
    key = toy.BALANCES.encode_key((address("bob"), "KGS"))
    path = bench.machine.trees[1].prove(sha256(key).digest())
    value = bench.store.get(Area.STATE, key)
    root = block.head.module_roots[1]
    assert verify_path(root, sha256(key).digest(), sha256(value).digest(), path.siblings, path.other)


def test_admission_sees_what_was_executed(bench):
    raw = bench.tx("alice", PAY)
    bench.machine.execute(1, START + 1, bench.machine.prepare([raw]))
    with pytest.raises(NotATransaction):
        bench.machine.check_transaction(raw, START + 1)
