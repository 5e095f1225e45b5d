"""The kernel and the verifier are twins: what the one commits to and proves, the other verifies."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerege import proofs
from kerege.kernel import commitments, machine, merkle, receipts, tree
from kerege.kernel.log import Log
from tests.proofs.naive import (
    CERTIFICATE,
    CERTIFICATE_EVENT,
    DAY,
    FIELDS,
    LEDGER,
    LOG_KEY,
    MODULES,
    NOW,
    ORIGIN,
    RECORD,
    TIME,
    VALUES,
    World,
    noise,
    note,
    row,
    salt,
    sha,
    state_key,
)

POSITION = MODULES.index("registries")
COMMITMENTS = [commitments.commitment(name, salt(name), VALUES[name]) for name in FIELDS]
TRUST = World().trust


def packed(struct):
    return msgspec.msgpack.encode(struct)


def exported(size, index, *, held, status="valid", shown=(), keys=40):
    """A bundle made of what the kernel gives, with the log and the tree of that size."""
    event = [*CERTIFICATE_EVENT[:5], commitments.content_root(COMMITMENTS), *CERTIFICATE_EVENT[6:]]
    receipt = packed(receipts.Receipt(noise("tx"), noise("witness"), 3, TIME - DAY, "", [], [event]))
    state = tree.make_tree("plain")
    value, key_hash = row(status), sha(state_key(CERTIFICATE))
    rows = [(sha(state_key(noise(i)[:16])), noise("value", i)) for i in range(keys)]
    state.update_hashed([*rows, (key_hash, sha(value))] if held else rows)
    state.commit(9)
    roots = [state.root if name == "registries" else noise(name) for name in MODULES]
    record = packed(receipts.BlockRecord(9, TIME, machine.state_root(MODULES, roots), receipts.ONE_OPERATOR))
    tiles: dict[tuple[int, int], bytes] = {}
    log = Log(0, lambda level, number: tiles[level, number])
    leaves = [noise("leaf", i) for i in range(size - 1)] + [merkle.leaf_hash(record)]
    leaves[index] = merkle.leaf_hash(receipt)
    log.append(leaves)
    found = state.prove(key_hash)
    module_leaves = [merkle.leaf_hash(machine.module_leaf(n, r)) for n, r in zip(MODULES, roots, strict=True)]
    return proofs.make(
        LEDGER,
        receipt,
        index,
        note(ORIGIN, size, log.root(), [LOG_KEY]),
        log.multi_path([index, size - 1]),
        record=record,
        state=proofs.StateProof(
            module_position=POSITION,
            module_count=len(MODULES),
            module_path=merkle.inclusion_path(module_leaves, POSITION),
            siblings=[found.siblings[i : i + 32] for i in range(0, len(found.siblings), 32)],
            value=value if held else None,
            other=None if found.other is None else (found.other[:32], found.other[32:]),
        ),
        disclosures=[
            proofs.Disclosure(
                name,
                VALUES[name],
                salt(name),
                FIELDS.index(name),
                len(FIELDS),
                commitments.inclusion_path(COMMITMENTS, FIELDS.index(name)),
            )
            for name in shown
        ],
    )


@pytest.mark.parametrize("size", [2, 3, 7, 256, 257, 1000])
def test_what_the_kernel_proves_verifies(size):
    for index in {0, size // 3, size - 2}:
        bundle = exported(size, index, held=True, shown=("surname", "born"))
        verdict = proofs.verify(bundle, TRUST, now=NOW)
        assert verdict.facts is not None
        assert verdict.facts.issued is not None
        assert (verdict.exit, verdict.facts.issued.record) == (0, RECORD)
        assert dict(verdict.facts.disclosed) == {name: VALUES[name] for name in ("surname", "born")}


@pytest.mark.parametrize("keys", [0, 1, 2, 40])
def test_absence_proved_by_the_kernel_verifies(keys):
    facts = proofs.verify(exported(9, 4, held=False, keys=keys), TRUST, now=NOW).facts
    assert facts is not None
    assert facts.status == "missing"


def test_a_superseded_row_of_the_kernel_is_understood():
    assert proofs.verify(exported(9, 4, held=True, status="superseded"), TRUST, now=NOW).exit == 3


@given(st.text(min_size=1, max_size=60), st.binary(min_size=32, max_size=32), st.text())
def test_field_commitments_are_equal(field, some_salt, value):
    assert proofs.field_commitment(field, some_salt, value) == commitments.commitment(field, some_salt, value)


@given(st.integers(1, 300), st.data())
def test_consistency_paths_of_the_kernel_verify(size, data):
    old = data.draw(st.integers(1, size))
    hashes = [noise(i) for i in range(size)]
    path = merkle.consistency_path(hashes, old)
    assert proofs.is_consistent(old, size, merkle.root(hashes[:old]), merkle.root(hashes), path)
    assert not proofs.is_consistent(old, size, noise("x"), merkle.root(hashes), path)
