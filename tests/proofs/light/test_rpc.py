"""The engine's answers are read strictly: one form, bounded."""

import json

import pytest

from kerege.proofs import Malformed
from kerege.proofs.light import light_block, validators_page
from tests.proofs.light.chain import Chain, answer, commit_answer, validators_answer

CHAIN = Chain(silent={5: "b"})
BLOCK = CHAIN.block(5)
COMMIT, NOW, NEXT = commit_answer(BLOCK), validators_answer(CHAIN.set(5)), validators_answer(CHAIN.set(6))


def test_what_the_engine_answers_is_read():
    assert light_block(COMMIT, [NOW], [NEXT]) == BLOCK
    assert validators_page(NOW) == (CHAIN.set(5).members, 4)


def changed(document: bytes, *path: str | int, to: object) -> bytes:
    whole = json.loads(document)
    at = whole
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = to
    return json.dumps(whole).encode()


HEADER = ("result", "signed_header", "header")
SIGNED = ("result", "signed_header", "commit")
VOTE = (*SIGNED, "signatures", 0)
ABSENT = (*SIGNED, "signatures", next(i for i, v in enumerate(BLOCK.commit.votes) if not v.signature))
GIVEN = (*SIGNED, "signatures", next(i for i, v in enumerate(BLOCK.commit.votes) if v.signature))


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("error",), {"code": -1}),
        (("result",), None),
        ((*HEADER, "more"), 1),
        ((*HEADER, "height"), 5),
        ((*HEADER, "height"), "05"),
        ((*HEADER, "height"), "-5"),
        ((*HEADER, "height"), "٥"),
        ((*HEADER, "height"), str(2**63)),
        ((*HEADER, "time"), "2026-11-21T10:00:00+00:00"),
        ((*HEADER, "time"), "2026-13-21T10:00:00Z"),
        ((*HEADER, "time"), "2026-11-21T10:00:00.0000000000Z"),
        ((*HEADER, "validators_hash"), ""),
        ((*HEADER, "data_hash"), "ab" * 32),
        ((*HEADER, "data_hash"), "AB" * 31),
        ((*HEADER, "app_hash"), "AB" * 65),
        ((*HEADER, "proposer_address"), "AB" * 19),
        ((*HEADER, "version"), {"block": 11}),
        ((*HEADER, "last_block_id"), None),
        ((*SIGNED, "round"), -1),
        ((*SIGNED, "round"), 2**31),
        ((*SIGNED, "round"), True),
        ((*SIGNED, "signatures"), None),
        ((*SIGNED, "block_id", "parts", "total"), 2**32),
        ((*VOTE, "block_id_flag"), 0),
        ((*VOTE, "block_id_flag"), 4),
        ((*GIVEN, "block_id_flag"), 1),
        ((*ABSENT, "block_id_flag"), 2),
        ((*ABSENT, "timestamp"), "1970-01-01T00:00:00Z"),
        ((*GIVEN, "signature"), None),
        ((*GIVEN, "signature"), "AB"),
        ((*GIVEN, "signature"), "A" * 100),
    ],
)
def test_other_commits_are_not(path, to):
    with pytest.raises(Malformed):
        light_block(changed(COMMIT, *path, to=to), [NOW], [NEXT])


FIRST = ("result", "validators", 0)


@pytest.mark.parametrize(
    ("path", "to"),
    [
        (("result", "total"), "10001"),
        (("result", "total"), 4),
        (("result", "validators"), []),
        ((*FIRST, "voting_power"), 10),
        ((*FIRST, "voting_power"), "0" * 30),
        ((*FIRST, "address"), "AB" * 20),
        ((*FIRST, "pub_key", "type"), "tendermint/PubKeySecp256k1"),
        ((*FIRST, "pub_key", "value"), "AAAA"),
        ((*FIRST, "power"), "10"),
    ],
)
def test_other_validators_are_not(path, to):
    with pytest.raises(Malformed):
        light_block(COMMIT, [changed(NOW, *path, to=to)], [NEXT])


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b"[" * 1_000, b"1" * 100, answer(None), b" " * 2_000_000])
def test_neither_is_anything_else(data):
    with pytest.raises(Malformed):
        light_block(data, [NOW], [NEXT])
    with pytest.raises(Malformed):
        validators_page(data)
