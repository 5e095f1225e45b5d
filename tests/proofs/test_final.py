"""What a file proves is final by the engine's votes, or it is not; whoever signed its checkpoint."""

import json
from dataclasses import dataclass, replace

import pytest

from kerege import proofs
from kerege.proofs import Malformed, final, light
from kerege.proofs.light import Header
from kerege.proofs.light.moments import DAY, MILLISECOND
from tests.proofs.light.chain import CHAIN, Chain
from tests.proofs.light.ledger import FOUR, NEWEST, SETS, Ledger
from tests.proofs.naive import PLAIN, Signer, World, log_root, noise, replicated, sha, trust

NOBODY = (Signer("nobody"),)
WORLD = World(height=9, validators=noise("v"), signers=NOBODY)


@dataclass
class Voted(Chain):
    """A chain whose validators voted for a naive ledger's block 9."""

    world: World = WORLD

    def header(self, height: int) -> Header:
        roots = self.world.state_root, log_root(self.world.leaves)
        made = super().header(height)
        return replace(made, app_hash=sha(b"kerege/app/1", *roots)) if 10 <= height <= 12 else made


def trusted(chain: Chain, height: int = 1) -> proofs.Trust:
    header = chain.header(height)
    named = {"id": CHAIN, "height": height, "hash": header.hash.hex(), "time": header.time // MILLISECOND}
    return proofs.trust.parse(replicated([Signer("a")], chain=named | {"period": DAY // MILLISECOND}))


def confirm(world=WORLD, chain=None, height=1, data=None, **witnesses):
    chain = chain or Voted()
    fetches = {name: each.fetch for name, each in witnesses.items()}
    return final.confirm(data or world.bundle, trusted(chain, height), chain.fetch, chain.now, witnesses=fetches)


def test_a_history_nobody_voted_for_is_not_final():
    for other in (WORLD.but(salt_of_log=1), WORLD.but(row=None), WORLD.but(time=WORLD.time + 1), WORLD.but(height=8)):
        with pytest.raises(final.NotFinal, match="another history"):
            confirm(other)


def test_a_file_whose_paths_do_not_hold():
    with pytest.raises(final.NotFinal, match="another-root"):
        confirm(WORLD.but(changes={"index": 3}))


def test_another_ledger():
    for other in (WORLD.but(ledger="kg-other"), WORLD.but(origin="elsewhere")):
        with pytest.raises(final.NotFinal, match="another ledger"):
            confirm(other)


def test_what_shows_no_block_or_is_no_file():
    for data in (PLAIN.bundle, b"", b"{}", WORLD.bundle[:-1]):
        with pytest.raises(Malformed):
            confirm(data=data or b" ")
    with pytest.raises(Malformed, match="one operator"):
        final.confirm(WORLD.bundle, proofs.trust.parse(trust([Signer("a")])), Voted().fetch, Voted().now)


def test_older_than_the_trusted_header():
    with pytest.raises(final.NotFinal, match="an older trust file reaches it"):
        confirm(height=13)
    assert confirm(height=12).height == 12, "nothing happened since"
    assert confirm(height=10).height == 10
    with pytest.raises(final.NotFinal, match="another history"):
        confirm(WORLD.but(row=None), height=10)


def test_votes_and_witnesses_are_checked():
    with pytest.raises(light.Invalid):
        confirm(chain=Voted(silent={10: "ab"}))
    with pytest.raises(light.Forked):
        confirm(twin=Voted(salt="another"))
    with pytest.raises(light.NotShown):
        confirm(chain=Voted(length=9))


def test_what_was_voted_for_is_final():
    assert confirm(witness=Voted()).height == 10
    assert confirm(WORLD.but(signers=(Signer("x"), Signer("y")))).height == 10


def test_state_proofs_too():
    ledger = Ledger(sets={1: FOUR, 12: FOUR | {"a": 12}})
    for table, key in ((NEWEST, "newest"), (SETS, 12)):
        assert confirm(chain=ledger, data=ledger.prove(table, key)).height == 11
    changed = json.loads(ledger.prove(SETS, 12))
    changed["record"]["height"] += 1
    data = json.dumps(changed, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    with pytest.raises(final.NotFinal, match="another-root"):
        confirm(chain=ledger, data=data)
