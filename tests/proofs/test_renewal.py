"""A trust file is brought up to date by votes and proofs alone; nobody who answers is believed."""

import json
from dataclasses import replace
from typing import Any

import pytest

from kerege import proofs
from kerege.proofs import Malformed, light, renewal
from kerege.proofs.light.moments import DAY, MILLISECOND
from tests.proofs.light.ledger import FOUR, NEWEST, SETS, Ledger, signer
from tests.proofs.naive import LOG_KEY, World, noise, trust, url

WITHOUT_D = {"a": 10, "b": 10, "c": 10, "e": 10}
STILL = Ledger()
MOVED = Ledger(sets={1: FOUR, 12: WITHOUT_D})


def renew(ledger, trusted=None, *, prove=True, now=None, **witnesses):
    return renewal.renew(
        proofs.trust.parse(trusted or ledger.trust()),
        ledger.fetch,
        now or ledger.now,
        witnesses={name: each.fetch for name, each in witnesses.items()},
        prove=(ledger.prove if prove is True else prove) or None,
    )


def keys(done, *, of=None):
    return [(k.name[-1], k.since, k.until, k.power) for k in done.trust.keys if of in {None, k.name[-1]}]


# Refusals


def test_one_operator_has_no_engine():
    with pytest.raises(Malformed, match="one operator"):
        renew(STILL, trust([LOG_KEY]))


def test_the_file_names_one_header_and_no_other():
    chain = {"id": "kg-test", "height": 3, "hash": STILL.header(3).hash.hex()}
    dated = chain | {"time": STILL.time(3), "period": DAY // MILLISECOND}
    for wrong in ({"height": 4}, {"hash": noise("x").hex()}, {"time": STILL.time(3) + 1}, {"id": "kg-other"}):
        with pytest.raises(light.Invalid):
            renew(STILL, STILL.trust(chain=dated | wrong))
    renew(STILL, STILL.trust(chain=dated))


def test_a_file_that_is_too_old_or_a_forked_ledger():
    with pytest.raises(light.Expired):
        renew(STILL, now=STILL.now + 20 * DAY)
    with pytest.raises(light.Forked):
        renew(STILL, twin=replace(STILL, salt="another", salted_from=10))


def test_changed_validators_need_a_proof():
    with pytest.raises(renewal.Unprovable, match="height 20"):
        renew(MOVED, prove=False)


class Liar(Ledger):
    """A node that shows a state of its own making, whole and consistent, but not the one that was agreed on."""

    def header(self, height):
        return MOVED.header(height)


def test_a_state_that_was_not_agreed_on_proves_nothing():
    liar = Liar(sets=MOVED.sets, seeds={12: {"e": 1}})
    assert liar.prove(SETS, 12) != MOVED.prove(SETS, 12)
    with pytest.raises(light.Invalid, match="another-app-hash"):
        renew(MOVED, prove=liar.prove)


def test_an_older_state_cannot_hide_a_change():
    """A node that shows the ledger as it was: genuine, and no longer true at the newest header."""
    rotated = Ledger(sets={1: FOUR, 12: FOUR}, seeds={12: {"d": 1}})
    assert rotated.header(20).validators_hash == rotated.header(3).validators_hash
    with pytest.raises(light.Invalid, match="another-app-hash"):
        renew(rotated, prove=replace(rotated, at=5).prove)
    assert [(k.since, k.until) for k in renew(rotated).trust.keys if k.name.endswith("/d")] == [
        (1, rotated.time(12)),
        (rotated.time(12), None),
    ]


def test_who_votes_next_is_not_for_the_one_who_tells_to_say():
    """The trusted header shown again, with the teller's own validators after it, and a state that only they signed."""
    honest, strangers = Ledger(length=3), dict.fromkeys("wxyz", 10)
    forger = Ledger(length=9, sets={1: FOUR, 4: strangers, 8: strangers}, seeds={1: dict.fromkeys(FOUR, 9)})
    trusted = honest.trust()

    def fetch(height):
        true = honest.block(height or 3) if height in {0, 1, 2, 3} else forger.block(height)
        return replace(true, next_validators=forger.set(4)) if height == 0 else true

    with pytest.raises(light.Invalid):
        renewal.renew(proofs.trust.parse(trusted), fetch, forger.now, prove=forger.prove)


def test_each_row_must_be_the_one_asked_for():
    def swapped(_table, _key):
        return MOVED.prove(SETS, 0)

    with pytest.raises(light.Invalid, match="another row"):
        renew(MOVED, prove=swapped)
    good, far = MOVED.prove(SETS, 12), b'"height":10,'
    assert far in good
    for bad in (
        b"",
        b"{}",
        good[:-1],
        good.replace(far, b'"height":9007199254740000,'),
        good.replace(far, b'"height":9,'),
    ):
        with pytest.raises(light.NotFollowed):
            renew(MOVED, prove=lambda _table, _key, bad=bad: bad)


def test_every_changed_byte_of_a_proof_is_noticed():
    good = MOVED.prove(SETS, 12)

    def mixed(data):
        return lambda table, key: data if (table, key) == (SETS, 12) else MOVED.prove(table, key)

    expected = renew(MOVED)
    signatures = good.index("\u2014".encode())
    for at in range(0, len(good), 3):
        changed = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        try:
            assert renew(MOVED, prove=mixed(changed)) == expected
        except light.NotFollowed:
            continue
        assert at > signatures, "only the checkpoint's signatures are not looked at: the engine's votes stand for them"


@pytest.mark.parametrize(
    "value", [b"\x01\x90", b"\x01\x93\x90\xc4\x00\xc0", b"\x01\xc0", b"\x01\x93\x91\x90\xc4\x00\xc0", b""]
)
def test_rows_that_are_none(value):
    with pytest.raises(Malformed):
        renewal.read_term(5, value)


def test_too_many_changes_are_not_half_told(monkeypatch):
    """Where some of them were left out, a key that ended with them would seem to have been good for longer."""
    monkeypatch.setattr(renewal, "CHANGES_LIMIT", 2)
    with pytest.raises(light.Invalid, match="more than 2 validator sets"):
        renew(Ledger(sets={1: FOUR, 6: WITHOUT_D, 9: FOUR, 12: WITHOUT_D}))
    assert renew(Ledger(sets={1: FOUR, 12: WITHOUT_D})).changes == (12,)


# What is followed


def test_where_nothing_changed_only_the_header_moves():
    before = proofs.trust.parse(STILL.trust())
    for prove in (True, False):
        done = renew(STILL, prove=prove)
        assert done.changes == ()
        assert done.trust == replace(before, chain=done.trust.chain)
        assert (done.trust.chain.height, done.trust.chain.hash) == (20, STILL.header(20).hash)
        assert done.trust.chain.time == STILL.time(20)
        assert renew(STILL, proofs.trust.write(done.trust), prove=prove).trust == done.trust


def test_who_leaves_ends_and_who_comes_begins_when_they_do():
    done = renew(MOVED, witness=MOVED)
    when = MOVED.time(12)
    assert done.changes == (12,)
    assert keys(done) == [
        ("a", 1, None, 10),
        ("b", 1, None, 10),
        ("c", 1, None, 10),
        ("d", 1, when, 10),
        ("e", when, None, 10),
    ]
    new = proofs.trust.write(done.trust)
    for time, by, good in (
        (when - 1, "abd", True),
        (when, "abd", False),
        (when, "abe", True),
        (when - 1, "abe", False),
    ):
        world = World(time=time, validators=MOVED.set(12).hash, signers=tuple(map(signer, by)))
        world = world.but(receipt=World().receipt, ledger=World().ledger)
        verdict = proofs.verify(world.bundle, new, now=when + 1)
        assert (verdict.exit == 0) == good, (by, verdict.failing)


def test_several_changes_on_the_way():
    """Power, seat and checkpoint key; then one that is decided and does not sign yet."""
    heavier = FOUR | {"a": 12}
    ledger = Ledger(sets={1: FOUR, 6: heavier, 9: WITHOUT_D | {"a": 12}, 15: FOUR, 22: heavier}, seeds={15: {"b": 7}})
    done = renew(ledger)
    six, nine, fifteen = (ledger.time(h) for h in (6, 9, 15))
    assert done.changes == (6, 9, 15)
    assert keys(done, of="a") == [("a", 1, six, 10), ("a", six, fifteen, 12), ("a", fifteen, None, 10)]
    assert keys(done, of="d") == [("d", 1, nine, 10), ("d", fifteen, None, 10)]
    assert keys(done, of="e") == [("e", nine, fifteen, 10)]
    assert [k.key for k in done.trust.keys if k.name.endswith("/b")] == [signer("b").public, signer("b", 7).public]
    assert proofs.trust.parse(proofs.trust.write(done.trust)) == done.trust
    longer = replace(ledger, length=30)
    later = renew(longer, proofs.trust.write(done.trust))
    assert later.changes == (22,)
    straight = renew(longer)
    assert set(later.trust.keys) == set(straight.trust.keys)
    assert later.trust.chain == straight.trust.chain


def test_a_node_ahead_of_the_newest_header_is_waited_for():
    """The state after the newest block is proven by the next header, which may not be there yet."""
    ledger = Ledger(length=10, sets={1: FOUR, 12: WITHOUT_D}, at=10)
    with pytest.raises(light.NotShown):
        renew(ledger)
    shown = replace(ledger, length=11)

    def fetch(height):
        return shown.fetch(height or 10)

    trusted = proofs.trust.parse(ledger.trust())
    assert renewal.renew(trusted, fetch, shown.now, prove=ledger.prove).followed.block.header.height == 10


def test_the_keys_by_which_blocks_are_voted_for_are_renewed_too():
    """By them, and from when on, an engine's commit is checked offline."""
    done = renew(MOVED)
    for height in (4, 11, 12, 20):
        assert done.trust.validators_at(MOVED.time(height)).hash == MOVED.set(height).hash


def test_a_file_from_before_such_keys_gets_them_from_its_header_on():
    old = json.loads(STILL.trust())
    for key in old["keys"]:
        del key["consensus"]
    done = renew(STILL, json.dumps(old).encode())
    assert keys(done, of="a") == [("a", 1, STILL.time(3), 10), ("a", STILL.time(3), None, 10)]
    assert done.trust.validators_at(STILL.time(2)) is None
    assert done.trust.validators_at(STILL.time(3)).hash == STILL.set(3).hash
    assert renew(STILL, json.dumps(old).encode(), prove=False).trust.validators_at(STILL.time(20)) is None


def test_keys_that_the_state_never_named_end_at_the_trusted_header():
    """A file made by hand: from its header on the state decides who signs."""
    done = renew(
        STILL, STILL.trust(keys=[{"name": "x", "key": url(LOG_KEY.public), "from": 0, "until": None, "power": 1}])
    )
    assert keys(done)[0] == ("x", 0, STILL.time(3), 1)
    assert keys(done)[1:] == [(name, STILL.time(3), None, 10) for name in "abcd"]


def test_the_tables_are_those_of_the_law():
    from kerege.modules.authority import state  # noqa: PLC0415 - two branches that meet later

    tables: dict[str, Any] = {table.name: table for table in state.TABLES}
    if SETS not in tables:
        pytest.skip("the module authority has no validators yet")
    assert tables[SETS].encode_key(12) == SETS.encode() + b"\0" + (12).to_bytes(8, "big")
    assert tables[NEWEST].encode_key("newest") == NEWEST.encode() + b"\0newest\0"
