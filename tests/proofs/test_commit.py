"""An engine's commit in a bundle: what the votes are not for is not valid, whoever signed the checkpoint."""

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import yaml

from kerege import proofs
from tests.proofs.naive import (
    CHAIN,
    DAY,
    LOG_KEY,
    NOW,
    TIME,
    TRANSFER,
    World,
    canonical,
    log_root,
    noise,
    replicated,
    sha,
    trust,
    url,
)
from tests.proofs.votes import FOUR, TRUSTED, VOTED, Votes, public, seat

GOOD = Votes()


def judge(world, trusted=TRUSTED, **asked):
    return proofs.verify(world.bundle, trusted, **({"now": NOW} | asked))


def outcome(world, trusted=TRUSTED):
    verdict = judge(world, trusted)
    if verdict.failing is None:
        return "good"
    return (int(verdict.exit), str(verdict.failing.check), str(verdict.failing.reason))


def final(reason):
    return (1, "final", reason)


def voted(**changes):
    return VOTED.but(commit=GOOD.but(**changes))


def shown(**changes):
    """The good commit with members of it changed afterwards."""
    return voted(changes=changes)


MEMBERS = GOOD.members(VOTED)
VOTES = MEMBERS["votes"]
"""Of three of four, in the engine's order: the fourth is not needed."""


# Refusals


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"after": 0}, "another-header"),
        ({"after": 2}, "another-header"),
        ({"chain": "kg-other"}, "another-header"),
        ({"app_hash": noise("another state")}, "another-header"),
        ({"kind": 1}, "bad-signature"),
        ({"kind": 32}, "bad-signature"),
        ({"powers": dict.fromkeys("abce", 1)}, "unknown-validators"),
        ({"powers": dict.fromkeys("abc", 1)}, "unknown-validators"),
        ({"powers": dict.fromkeys("abcd", 2)}, "unknown-validators"),
        ({"silent": "ab"}, "too-few"),
        ({"silent": "bcd"}, "too-few"),
        ({"all_shown": True}, "more-than-needed"),
    ],
)
def test_a_commit_of_something_else_is_not_valid(changes, reason):
    """Of another height, another chain, another state; of votes that do not commit; by others; by too few; by all."""
    if "silent" in changes:
        changes = changes | {"changes": {"votes": until_the_last(voted(**changes))}}
    assert outcome(voted(**changes)) == final(reason)


def until_the_last(world):
    """The votes there are: a list that ends with one."""
    votes = world.commit.members(world)["votes"]
    return votes[: max(at for at, vote in enumerate(votes) if vote) + 1]


def test_a_commit_of_another_bundle_is_not_valid():
    """The same validators voted, for the history that the other bundle leads to."""
    others = (VOTED.but(row=None), VOTED.but(salt_of_log=1), VOTED.but(height=8), VOTED.but(size=9))
    for other in others:
        assert outcome(other) in {"good", (3, "status", "missing")}
        assert outcome(VOTED.but(commit=GOOD.but(changes=GOOD.members(other)))) == final("another-header")


@pytest.mark.parametrize(
    ("votes", "reason"),
    [
        ([VOTES[0], VOTES[0], VOTES[2]], "bad-signature"),
        ([VOTES[0], VOTES[0], VOTES[1], VOTES[2]], "more-than-needed"),
        ([VOTES[0], VOTES[1], None, VOTES[2]], "bad-signature"),
        ([VOTES[0], VOTES[1]], "too-few"),
        ([None, VOTES[1], VOTES[2]], "too-few"),
        ([*VOTES, VOTES[0]], "more-than-needed"),
        ([*VOTES, None, VOTES[0]], "unknown-validators"),
    ],
)
def test_votes_that_stand_elsewhere_or_twice(votes, reason):
    assert outcome(shown(votes=votes)) == final(reason)


def test_votes_in_another_order():
    for order in permutations(VOTES):
        assert outcome(shown(votes=list(order))) == ("good" if list(order) == VOTES else final("bad-signature"))


def parts_of(vote):
    data = proofs.text.from_base64url(vote, "a vote")
    return data[:8], data[8:]


def changed_vote(at, *, time=None, signature=None):
    kept = parts_of(VOTES[at])
    votes = list(VOTES)
    votes[at] = url((time or kept[0]) + (signature or kept[1]))
    return votes


def test_an_altered_vote():
    order = 2**252 + 27742317777372353535851937790883648493
    for at in range(3):
        time, signature = parts_of(VOTES[at])
        later = (int.from_bytes(time, "big") + 1).to_bytes(8, "big")
        scalar = int.from_bytes(signature[32:], "little") + order
        for votes in (
            changed_vote(at, time=later),
            changed_vote(at, time=b"\xff" * 8),
            changed_vote(at, signature=signature[:32] + scalar.to_bytes(32, "little")),
            changed_vote(at, signature=bytes(64)),
            changed_vote(at, signature=b"\x01" + bytes(63)),
        ):
            assert outcome(shown(votes=votes)) == final("bad-signature")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"hash": url(noise("x"))}, "another-header"),
        ({"time": str(int(MEMBERS["time"]) + 1)}, "another-header"),
        ({"time": "0"}, "another-header"),
        ({"validators": url(noise("x"))}, "unknown-validators"),
        ({"path": ""}, "malformed-path"),
        ({"path": MEMBERS["path"][:-43] + url(noise("x"))}, "another-header"),
        ({"path": MEMBERS["path"] + url(bytes(96))}, "malformed-path"),
        ({"parts": 2}, "bad-signature"),
        ({"parts": 0}, "bad-signature"),
        ({"parts_hash": url(noise("x"))}, "bad-signature"),
        ({"round": 1}, "bad-signature"),
    ],
)
def test_each_altered_member_of_a_commit(changes, reason):
    assert outcome(shown(**changes)) == final(reason)


FORMS: dict[str, list[Any]] = {
    "hash": ["", url(bytes(31)), url(bytes(33)), 5, None, MEMBERS["hash"] + "="],
    "parts": [-1, 2**32, "1", True, None],
    "parts_hash": ["", url(bytes(31)), None],
    "path": [url(bytes(31)), "*", None, []],
    "round": [-1, 2**31, "0", False],
    "time": [1, "", "01", "-1", "+1", " 1", "1.0", "1e9", str(2**63), "9" * 30, "١", None],
    "validators": ["", url(bytes(20)), None],
    "votes": [
        *([], [None], [*VOTES, None], None, "", {}, [5], [""], [{}], [url(bytes(71))], [url(bytes(73))]),
        *([VOTES[0] + "A"], [None] * 10_000 + [VOTES[0]]),
    ],
    "more": [1],
}


@pytest.mark.parametrize("changes", [{name: value} for name, values in FORMS.items() for value in values])
def test_what_is_no_commit_is_unusable(changes):
    verdict = judge(shown(**changes))
    assert (verdict.exit, verdict.failing.check) == (2, "bundle-file")


def test_a_commit_that_lacks_a_member_is_unusable():
    for name in MEMBERS:
        rest = {member: value for member, value in MEMBERS.items() if member != name}
        checkpoint = {"note": VOTED.note, "commit": rest}
        assert judge(VOTED.but(commit=None, changes={"checkpoint": checkpoint})).exit == 2
    others: list[Any] = [None, [], "", 1, {}]
    for commit in others:
        assert judge(VOTED.but(changes={"checkpoint": {"note": VOTED.note, "commit": commit}})).exit == 2


def test_a_commit_needs_the_block_record():
    verdict = judge(VOTED.but(with_record=False, with_state=False))
    assert (verdict.exit, verdict.failing.reason) == (2, "an engine's commit needs the block record")


def test_a_trust_file_that_does_not_know_who_votes():
    """One of one operator, one from before consensus keys, one that knows only some, one of another chain."""
    lone = VOTED.but(validators=bytes(32), signers=(LOG_KEY,), commit=GOOD)
    assert outcome(lone, trust([LOG_KEY])) == final("unknown-validators")
    nobody = [seat(name) for name in "abc"]
    without = json.loads(TRUSTED)
    for key in without["keys"]:
        del key["consensus"]
    assert outcome(VOTED, json.dumps(without).encode()) == final("unknown-validators")
    without["keys"][:3] = json.loads(replicated(nobody))["keys"]
    assert outcome(VOTED, json.dumps(without).encode()) == final("unknown-validators")
    assert outcome(VOTED, replicated(list(FOUR), chain=CHAIN | {"id": "kg-other"})) == final("another-header")


def test_who_may_vote_is_who_did_at_the_time_of_the_header():
    """`d` gave its place to `e` between block and header: who signs the checkpoint is another matter."""
    header = TIME + GOOD.late // 10**6
    gone, came = seat("d", until=header), seat("e", since=header)
    changed = replicated([*FOUR[:3], gone, came])
    assert outcome(VOTED, changed) == final("unknown-validators")
    assert outcome(voted(powers=dict.fromkeys("abce", 1)), changed) == "good"
    later = replicated([*FOUR[:3], seat("d", until=header + 1), seat("e", since=header + 1)])
    assert outcome(VOTED, later) == "good"
    heavier = [seat("a", until=header), seat("a", since=header, power=9), *FOUR[1:]]
    assert outcome(VOTED, replicated(heavier)) == final("unknown-validators")
    assert outcome(voted(powers={"a": 9, "b": 1, "c": 1, "d": 1}), replicated(heavier)) == "good"


KEY = {"name": "k", "key": url(LOG_KEY.public), "from": 0, "until": None, "power": 1, "consensus": url(public("a"))}
OTHER = KEY | {"name": "l", "key": url(FOUR[0].public)}


@pytest.mark.parametrize(
    "keys",
    [
        *([KEY | {"consensus": value}] for value in (None, "", 5, url(bytes(31)), url(bytes(32)), url(b"\xff" * 32))),
        [KEY, OTHER],
        [KEY | {"until": 5}, OTHER | {"from": 5}],
    ],
)
def test_a_trust_file_with_a_bad_consensus_key_is_unusable(keys):
    verdict = judge(VOTED, replicated(list(FOUR), keys=keys))
    assert (verdict.exit, verdict.failing.check) == (2, "trust-file")


def test_one_operator_names_no_consensus_keys():
    key = {"name": LOG_KEY.name, "key": url(LOG_KEY.public), "from": 0, "until": None, "consensus": url(public("a"))}
    assert judge(World(), trust([LOG_KEY], keys=[key])).exit == 2


# What is final


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"silent": "a"},
        {"silent": "b"},
        {"silent": "c"},
        {"silent": "d"},
        {"round": 3},
        {"late": 1},
        {"late": 10**15},
        {"changes": {}},
    ],
)
def test_what_more_than_two_thirds_voted_for_is_final(changes):
    verdict = judge(voted(**changes))
    assert verdict.exit == 0, verdict.failing
    header = log_root(GOOD.but(**changes).fields(VOTED))
    assert verdict.facts.final == proofs.Final("kg-chain", 10, header)
    assert verdict.lines("en")[-1].startswith("FINAL: header 10 of kg-chain")
    assert verdict.to_json()["facts"]["final"] == {"chain": "kg-chain", "height": 10, "hash": header.hex()}


def test_votes_weigh_what_their_validators_weigh():
    powers = {"a": 7, "b": 1, "c": 1, "d": 1}
    trusted = replicated([seat(name, power) for name, power in powers.items()])
    heavy = voted(powers=powers)
    assert outcome(heavy, trusted) == "good"
    assert len(heavy.commit.members(heavy)["votes"]) == 1
    assert outcome(voted(powers=powers, silent="a"), trusted) == final("too-few")


def test_what_has_no_state_part_or_no_certificate():
    for world in (VOTED.but(with_state=False), TRANSFER.but(with_record=True)):
        ready = world.but(validators=GOOD.set_hash, signers=FOUR, commit=GOOD)
        assert judge(ready).facts.final is not None
        assert judge(ready.but(commit=None)).facts.final is None


def test_without_a_commit_nothing_is_said_of_it():
    verdict = judge(VOTED.but(commit=None))
    assert verdict.exit == 0
    assert verdict.to_json()["facts"]["final"] is None
    assert {c.check: c.result for c in verdict.checks}["final"] == "absent"
    assert len(verdict.lines("en")) == 3


def test_an_engine_that_was_asked_besides():
    """`--rpc`: its word stands where the bundle's own commit would."""
    offline = judge(VOTED.but(commit=None))
    told = offline.confirmed(proofs.Final("kg-chain", 10, noise("header")))
    assert (told.exit, told.to_json()["facts"]["final"]["height"]) == (0, 10)
    assert {c.check: c.result for c in told.checks}["final"] == "passed"
    assert told.lines("en")[:3] == offline.lines("en")
    refused = offline.unconfirmed(proofs.Exit.NOT_VALID, "not-final")
    assert (refused.exit, refused.facts, refused.failing.check) == (1, None, "final")
    dated = offline.unconfirmed(proofs.Exit.NOT_CURRENT, "expired")
    assert (dated.exit, dated.facts, dated.lines("en")) == (3, offline.facts, offline.lines("en"))
    assert refused.lines("en")[0].startswith(
        "NOT VALID: it is not shown that the validators voted for this (not-final)"
    )


def test_what_is_final_may_be_stale_or_superseded():
    assert judge(VOTED, now=NOW + 40 * DAY, max_age_days=30).exit == 3
    missing = judge(VOTED.but(row=None))
    assert (missing.exit, missing.failing.reason) == (3, "missing")
    assert missing.facts.final is not None


def test_a_bundle_is_written_as_it_is_read():
    for world in (VOTED, voted(silent="a"), voted(round=7)):
        assert proofs.bundle.encode(proofs.bundle.parse(world.bundle)) == world.bundle


def test_the_app_hash_is_of_both_roots():
    """So that neither the state nor the log can be another one under the same votes."""
    roots = VOTED.state_root, log_root(VOTED.leaves)
    assert outcome(voted(app_hash=sha(b"kerege/app/1", *roots))) == "good"
    assert outcome(voted(app_hash=sha(b"kerege/app/1", *roots[::-1]))) == final("another-header")


# A certificate of a network of four real engines


VECTORS = Path(__file__).parent / "vectors" / "commit"
REAL, REAL_TRUST = ((VECTORS / name).read_bytes() for name in ("bundle.json", "trust.json"))
REFUSALS = yaml.safe_load((VECTORS / "refusals.yaml").read_text())


def place(file, path):
    """The list or object of a dotted path, and the last step."""
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps:
        file = file[step]
    return file, last


def change(data, changes):
    """A file with the members of a vector changed; what is copied is of the file as it was."""
    before, after = json.loads(data), json.loads(data)
    for path, new in changes.items():
        held, last = place(after, path)
        match new:
            case {"copy": other}:
                source, member = place(before, other)
                held[last] = source[member]
            case {"drop": True}:
                del held[last]
            case {"turn": at}:
                octets = bytearray(proofs.text.from_base64url(held[last], "what is turned"))
                octets[at] ^= 1
                held[last] = url(bytes(octets))
            case {"moment": later}:
                held[last] = int(json.loads(REAL)["checkpoint"]["commit"]["time"]) // 10**6 + later
            case _:
                held[last] = new
    return canonical(after)


def judge_real(bundle=REAL, trusted=REAL_TRUST):
    return proofs.verify(bundle, trusted, now=json.loads(REAL)["record"]["time"] + DAY)


@pytest.mark.parametrize("vector", REFUSALS, ids=lambda vector: vector["about"])
def test_what_is_refused_of_a_real_commit(vector):
    verdict = judge_real(change(REAL, vector.get("bundle", {})), change(REAL_TRUST, vector.get("trust", {})))
    told = {"exit": int(verdict.exit), "check": str(verdict.failing.check), "reason": verdict.failing.reason}
    assert told == {name: vector[name] for name in told}


def test_a_real_commit_is_final():
    verdict, members = judge_real(), json.loads(REAL)
    assert verdict.exit == 0
    assert verdict.facts.final.height == members["record"]["height"] + 1
    assert url(verdict.facts.final.hash) == members["checkpoint"]["commit"]["hash"]
    assert judge_real(trusted=change(REAL_TRUST, {"keys.2.until": {"moment": 1}})).exit == 0
