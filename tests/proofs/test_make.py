"""The maker: what it makes is what the naive ledger makes, and it never makes what would not verify."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerege import proofs
from kerege.proofs import merkle
from tests.proofs.naive import (
    CERTIFICATE_EVENT,
    COMMITMENTS,
    FIELDS,
    MODULES,
    NOW,
    PLAIN,
    TRANSFER,
    VALUES,
    Signer,
    World,
    log_path,
    noise,
    note,
    receipt,
    salt,
    sha,
    state_key,
    tree_path,
)

GOOD = World()


def parts(world):
    """The parts of a bundle as a node holds them."""
    position = MODULES.index("registries")
    siblings, found = tree_path(world.rows, sha(state_key(world.certificate)))
    state = proofs.StateProof(
        module_position=position,
        module_count=len(MODULES),
        module_path=log_path({position}, world.module_leaves),
        siblings=siblings,
        value=world.row,
        other=found if world.row is None else None,
    )
    return {
        "ledger": world.ledger,
        "receipt": world.receipt,
        "index": world.index,
        "note": world.note,
        "path": world.path,
        "record": world.record if world.with_record else None,
        "state": state if world.with_state else None,
        "disclosures": [
            proofs.Disclosure(
                field=name,
                value=VALUES[name],
                salt=salt(name),
                position=FIELDS.index(name),
                count=len(FIELDS),
                path=log_path({FIELDS.index(name)}, COMMITMENTS),
            )
            for name in reversed(world.shown)
        ],
        "certificate": world.certificate if world.with_state else None,
    }


@pytest.mark.parametrize(
    "world",
    [
        GOOD,
        PLAIN,
        TRANSFER,
        GOOD.but(row=None),
        GOOD.but(row=None, other_keys=0),
        GOOD.but(with_state=False),
        GOOD.but(validators=noise("v")),
        GOOD.but(shown=("born", "given", "place", "sex", "surname")),
        GOOD.but(signers=(Signer("a"), Signer("b"), Signer("c"))),
    ],
)
def test_the_maker_makes_the_same_bytes_as_the_naive_ledger(world):
    assert proofs.make(**parts(world)) == world.bundle


@pytest.mark.parametrize("other_keys", [40, 200, 1000])
def test_state_paths_with_placeholders(other_keys):
    world = GOOD.but(other_keys=other_keys)
    assert proofs.make(**parts(world)) == world.bundle
    assert proofs.verify(world.bundle, world.trust, now=NOW).exit == 0


def test_one_of_several_certificates_is_named():
    second = [CERTIFICATE_EVENT[0], noise("second")[:16], *CERTIFICATE_EVENT[2:]]
    world = GOOD.but(receipt=receipt([CERTIFICATE_EVENT, second]), certificate=second[1])
    assert proofs.make(**parts(world)) == world.but(event=1).bundle
    assert proofs.verify(proofs.make(**parts(world)), world.trust, now=NOW).exit == 0
    with pytest.raises(proofs.CannotMake):
        proofs.make(**(parts(world) | {"certificate": None}))
    with pytest.raises(proofs.CannotMake):
        proofs.make(**(parts(world) | {"certificate": noise("third")[:16]}))


@pytest.mark.parametrize(
    "changes",
    [
        {"receipt": receipt([])},
        {"receipt": b""},
        {"index": 1},
        {"index": 7},
        {"index": -1},
        {"path": GOOD.path[:-1]},
        {"path": [h[:31] for h in GOOD.path]},
        {"note": note("kerege.test/log", 7, noise("x"), list(GOOD.signers))},
        {"note": "no note"},
        {"note": GOOD.note.replace("kerege", "\ud800")},
        {"ledger": "\ud800"},
        {"record": None},
        {"record": b"\x90"},
        {"record": GOOD.but(height=8).record},
        {"state": None, "record": GOOD.but(time=1).record},
        {"certificate": noise("x")[:16]},
        {"disclosures": [proofs.Disclosure("surname", "Other", salt("surname"), 0, 5, log_path({0}, COMMITMENTS))]},
        {"disclosures": [proofs.Disclosure("surname", "Асанова", salt("surname"), 5, 5, [])]},
        {"disclosures": [proofs.Disclosure("surname", "Асанова", b"short", 0, 5, log_path({0}, COMMITMENTS))]},
    ],
)
def test_parts_that_would_not_verify_are_refused(changes):
    with pytest.raises(proofs.CannotMake):
        proofs.make(**(parts(GOOD) | changes))


@given(st.integers(2, 30).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 2))), st.integers(0, 20))
def test_the_log_part_reads_as_a_c2sp_proof(place, other_keys):
    size, index = place
    world = GOOD.but(size=size, index=index, other_keys=other_keys)
    head, checkpoint = proofs.tlog_proof(world.bundle).split("\n\n", 1)
    first, second, *hashes = head.split("\n")
    assert first == "c2sp.org/tlog-proof@v1"
    assert second == f"index {index}"
    path = [base64.b64decode(line) for line in hashes]
    assert path == log_path({index}, world.leaves)
    assert checkpoint == world.note
    root = proofs.note.parse_checkpoint(checkpoint).root
    assert merkle.root_of_path(merkle.leaf_hash(world.receipt), index, size, path) == root


def test_no_c2sp_proof_of_what_is_not_in_the_log():
    with pytest.raises(proofs.Malformed):
        proofs.tlog_proof(GOOD.but(changes={"index": 3}).bundle)
