"""No byte of a bundle may change: every alternative of every byte, every truncation, appended bytes."""

import pytest

from kerege import proofs
from tests.proofs.naive import NOW, PLAIN, TRANSFER, Signer, World, noise
from tests.proofs.votes import Votes, seat

TWO = (Signer("a"), Signer("b"))
VOTES = Votes({"a": 1})
THREE = (Signer("a", power=2), Signer("b"), Signer("c"))
BUNDLES = {
    "certificate with state": World(size=3, index=1, other_keys=1),
    "certificate with fields, two signatures": PLAIN.but(size=2, index=0, shown=("born",), signers=TWO),
    "absent certificate": World(size=2, index=0, row=None, other_keys=1),
    "replicated, three of four powers": World(size=2, index=0, other_keys=1, validators=noise("v"), signers=THREE),
    "transfer with record": TRANSFER.but(size=3, index=0, with_record=True),
    "transfer with an engine's commit": TRANSFER.but(
        size=2, index=0, with_record=True, validators=VOTES.set_hash, signers=(seat("a"),), commit=VOTES
    ),
}


@pytest.mark.parametrize("name", BUNDLES)
def test_every_alternative_of_every_byte_is_refused(name):
    world = BUNDLES[name]
    bundle, trust = world.bundle, proofs.trust.parse(world.trust)
    assert proofs.verify_with(bundle, trust, now=NOW).exit in (0, 3)
    accepted = []
    changed = bytearray(bundle)
    for at, original in enumerate(bundle):
        for other in range(256):
            if other == original:
                continue
            changed[at] = other
            if proofs.verify_with(bytes(changed), trust, now=NOW).exit not in (1, 2):
                accepted.append((at, other))
        changed[at] = original
    assert accepted == []


@pytest.mark.parametrize("name", BUNDLES)
def test_every_truncation_and_appendix_is_unusable(name):
    world = BUNDLES[name]
    bundle, trust = world.bundle, proofs.trust.parse(world.trust)
    for size in range(len(bundle)):
        assert proofs.verify_with(bundle[:size], trust, now=NOW).exit == 2
        assert proofs.verify_with(bundle[size:][:-1], trust, now=NOW).exit == 2
    for byte in range(256):
        assert proofs.verify_with(bundle + bytes([byte]), trust, now=NOW).exit == 2
        assert proofs.verify_with(bytes([byte]) + bundle, trust, now=NOW).exit == 2
    assert proofs.verify_with(bundle + bundle, trust, now=NOW).exit == 2


def test_inserted_and_doubled_bytes_are_unusable_or_not_valid():
    world = BUNDLES["certificate with state"]
    bundle, trust = world.bundle, proofs.trust.parse(world.trust)
    for at in range(len(bundle)):
        for inserted in (b" ", b"0", b"A", bundle[at : at + 1]):
            changed = bundle[:at] + inserted + bundle[at:]
            assert proofs.verify_with(changed, trust, now=NOW).exit in (1, 2)
        assert proofs.verify_with(bundle[:at] + bundle[at + 1 :], trust, now=NOW).exit in (1, 2)
