"""A ledger that institutions run together: signatures of more than two thirds of the power, and no fewer."""

import json

import pytest

from kerege import proofs
from kerege.proofs import Malformed
from kerege.proofs.trust import Chain, TrustedKey
from tests.proofs.naive import (
    CHAIN,
    DAY,
    LOG_KEY,
    NOW,
    ORIGIN,
    TIME,
    TRANSFER,
    Signer,
    World,
    log_root,
    noise,
    note,
    replicated,
    trust,
    url,
)

A, B, C, D = (Signer(name) for name in "abcd")
FOUR = (A, B, C, D)
SHARED = World(validators=noise("validators"), signers=(A, B, C))


def judge(world, trust_file, **asked):
    return proofs.verify(world.bundle, trust_file, **({"now": NOW} | asked))


def outcome(world, trusted=FOUR, **asked):
    verdict = judge(world, replicated(list(trusted)), **asked)
    if verdict.failing is None:
        return "good"
    return (int(verdict.exit), str(verdict.failing.check), str(verdict.failing.reason))


TOO_FEW = (1, "threshold", "too-few")


# Refusals


def test_the_engine_of_trust_file_and_ledger_must_be_the_same():
    """A record with a validators hash under one operator, one without under many: each is another ledger's."""
    other = (1, "ledger", "another-engine")
    verdict = judge(SHARED, trust(list(SHARED.signers), 3))
    assert (int(verdict.exit), str(verdict.failing.check), verdict.failing.reason) == other
    assert outcome(SHARED.but(validators=bytes(32))) == other


def test_two_thirds_is_not_more_than_two_thirds():
    assert outcome(SHARED.but(signers=(A, B)), trusted=(A, B, C)) == TOO_FEW
    assert outcome(SHARED.but(signers=(A, B))) == TOO_FEW
    assert outcome(SHARED.but(signers=(A, B, C))) == "good"


def heavy(signer, power):
    return Signer(signer.name, signer.since, signer.until, signer.seed, power)


def test_power_counts_and_not_heads():
    powers = [heavy(A, 7), B, C, D]
    assert outcome(SHARED.but(signers=(B, C, D)), powers) == TOO_FEW
    assert outcome(SHARED.but(signers=(A,)), powers) == "good"
    assert outcome(SHARED.but(signers=(A,)), [heavy(A, 6), B, C, D]) == TOO_FEW
    limit = 10**15 - 3
    assert outcome(SHARED.but(signers=(A,)), [heavy(A, limit), B, C, D]) == "good"


def test_every_signature_present_must_be_good_however_many_there_are():
    forged = Signer("d", seed=1)
    assert outcome(SHARED.but(signers=(A, B, C, forged))) == (1, "signatures", "unknown-key")
    assert outcome(SHARED.but(signers=(B, A, C))) == (1, "signatures", "not-sorted")
    assert outcome(SHARED.but(signers=(A, A, B, C))) == (1, "signatures", "repeated")
    good = SHARED.but(signers=FOUR)
    assert outcome(good) == "good"
    lines = note(ORIGIN, SHARED.size, log_root(SHARED.leaves), list(FOUR)).splitlines(keepends=True)
    lines[-1] = D.line(b"another note")
    changed = good.but(changes={"checkpoint": {"note": "".join(lines)}})
    assert outcome(changed) == (1, "signatures", "bad-signature")


def test_keys_count_while_they_were_valid():
    """`e` took the place of `d` at the block's time; the one that had left cannot sign, nor weigh, any more."""
    gone, came = Signer("d", until=TIME), Signer("e", since=TIME)
    trusted = (A, B, C, gone, came)
    assert outcome(SHARED.but(signers=(A, B, came)), trusted) == "good"
    assert outcome(SHARED.but(signers=(A, B)), trusted) == TOO_FEW
    assert outcome(SHARED.but(signers=(A, B, gone)), trusted) == (1, "signatures", "key-not-valid-then")


def test_keys_that_were_never_valid_together_do_not_add_up():
    """Without a block record the time of signing is not shown: it must still have been one time."""
    world = TRANSFER.but(signers=(A, B, C))
    moved = TIME + DAY
    early, late = (Signer(n, until=moved) for n in "ab"), (Signer(n, since=moved) for n in "cd")
    others = (Signer("e", until=moved), Signer("f", since=moved))
    assert outcome(world, (*early, *late, *others)) == TOO_FEW
    assert outcome(world, (A, B, C, Signer("d", until=moved), Signer("e", since=moved))) == "good"
    later = (Signer("a", since=moved), Signer("b", since=moved), Signer("c", since=moved), D)
    assert outcome(world, later) == "good", "three of the four that were valid from then on"


def test_a_holder_whose_power_changed_has_one_key_with_two_times():
    changed = (Signer("a", until=TIME, power=9), Signer("a", since=TIME), B, C, D)
    assert outcome(SHARED.but(signers=(A, B)), changed) == TOO_FEW
    assert outcome(SHARED.but(signers=(A, B), time=TIME - 1), changed) == "good"


def test_a_newer_checkpoint_needs_the_same_power():
    root = noise("grown")
    few, enough = (note(ORIGIN, 9, root, list(signers)).encode() for signers in ((A, B), (A, B, C)))
    assert outcome(SHARED, checkpoint=few)[:2] == (2, "checkpoint-file")
    assert outcome(SHARED, checkpoint=enough) == (3, "newer-checkpoint", "newer-exists")
    forked = note(ORIGIN, SHARED.size, root, [A, B, C]).encode()
    assert outcome(SHARED, checkpoint=forked) == (1, "fork", "two-roots-of-one-size")


KEY = {"name": "k", "key": url(LOG_KEY.public), "from": 0, "until": None, "power": 1}
OTHER = {"name": "l", "key": url(A.public), "from": 0, "until": None, "power": 1}


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": 1},
        {"threshold": "more than 1/2 of the power"},
        {"engine": "one operator"},
        {"engine": "tendermint"},
        {"engine": None},
        {"keys": []},
        {"keys": [{name: value for name, value in KEY.items() if name != "power"}]},
        {"keys": [KEY | {"power": 0}]},
        {"keys": [KEY | {"power": -1}]},
        {"keys": [KEY | {"power": "1"}]},
        {"keys": [KEY | {"power": 1.5}]},
        {"keys": [KEY | {"power": 10**15}, OTHER]},
        {"keys": [KEY, KEY | {"name": "l"}]},
        {"keys": [KEY | {"until": 5}, KEY | {"name": "l", "from": 5}]},
        {"keys": [KEY, KEY]},
        {"keys": [KEY | {"until": 5}, KEY | {"from": 4}]},
        {"keys": [KEY, OTHER | {"name": "k"}]},
        {"chain": None},
        {"chain": {name: value for name, value in CHAIN.items() if name != "period"}},
        {"chain": CHAIN | {"more": 1}},
        {"chain": CHAIN | {"id": ""}},
        {"chain": CHAIN | {"id": "x" * 51}},
        {"chain": CHAIN | {"id": "a\nb"}},
        {"chain": CHAIN | {"id": 5}},
        {"chain": CHAIN | {"height": 0}},
        {"chain": CHAIN | {"hash": "AB" * 32}},
        {"chain": CHAIN | {"hash": "ab" * 31}},
        {"chain": CHAIN | {"time": -1}},
        {"chain": CHAIN | {"period": 0}},
        {"chain": CHAIN | {"period": True}},
    ],
)
def test_a_replicated_trust_file_that_could_mislead_is_unusable(changes):
    verdict = judge(SHARED, replicated(list(FOUR), **changes))
    assert verdict.failing is not None
    assert (verdict.exit, verdict.failing.check) == (2, "trust-file")


def test_one_operator_has_neither_chain_nor_power():
    for changes in ({"chain": CHAIN}, {"keys": [KEY]}):
        assert judge(World(), trust([LOG_KEY], **changes)).exit == 2


# Good ones


def test_the_signers_are_told():
    verdict = judge(SHARED, replicated(list(FOUR)))
    assert verdict.exit == 0
    assert verdict.facts.signers == ("a", "b", "c")
    assert verdict.facts.engine == "cometbft"
    assert "several institutions" in verdict.lines("en")[0]


def test_a_replicated_trust_file_is_written_as_it_is_read():
    chain = Chain("kg-chain", 5, noise("header"), TIME, DAY)
    keys = (
        TrustedKey("a", A.public, 0, 5, 2),
        TrustedKey("a", A.public, 5, None, 3, noise("a key of a good form")),
        TrustedKey("b", B.public, 0, None),
    )
    data = proofs.trust.make_replicated(ledger="kg", genesis=bytes(32), origin="o", chain=chain, keys=keys)
    read = proofs.trust.parse(data)
    assert (read.chain, read.keys, read.threshold) == (chain, keys, None)
    assert proofs.trust.write(read) == data
    assert json.loads(data)["threshold"] == "more than 2/3 of the power"
    with pytest.raises(Malformed):
        proofs.trust.make_replicated(ledger="kg", genesis=bytes(32), origin="o", chain=chain, keys=())
