"""Public vectors: what CometBFT and tendermint-rs publish about hashes, sign bytes and light-client verdicts."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from kerege.proofs import Malformed, light
from kerege.proofs.light import moments, wire, zip215
from kerege.proofs.light.block import BlockId, Header, Validator, Validators, sign_bytes
from tests.proofs.light import published

SPECCHECK = published.FOLDER.parent / "ed25519" / "speccheck.json"


def tmhash(text: str) -> bytes:
    return sha256(text.encode()).digest()


def test_header_hash():
    """CometBFT v0.38.25, `types/block_test.go`, TestHeaderHash."""
    header = Header(
        version=1,
        app_version=2,
        chain="chainId",
        height=3,
        time=moments.parse("2019-10-13T16:14:44Z", ""),
        last_block=BlockId(bytes(32), 6, bytes(32)),
        last_commit_hash=tmhash("last_commit_hash"),
        data_hash=tmhash("data_hash"),
        validators_hash=tmhash("validators_hash"),
        next_validators_hash=tmhash("next_validators_hash"),
        consensus_hash=tmhash("consensus_hash"),
        app_hash=tmhash("app_hash"),
        last_results_hash=tmhash("last_results_hash"),
        evidence_hash=tmhash("evidence_hash"),
        proposer=tmhash("proposer_address")[:20],
    )
    assert header.hash.hex().upper() == "F740121F553B5418C3EFBD343C2DBFE9E007BB67B0D020A0741374BAB65242A4"


def test_validator_set_hash():
    """tendermint-rs a38e9f5, `tendermint/src/validator.rs`, test_validator_set (made there by the engine's Go code)."""
    members = (  # their order is the engine's backwards: most power first
        ("30a33784e793e6a3389e7fdab38bd467da597a7ee55854302000b9ae3f48cb34", 148_151_478_422_287_875),
        ("36fdae99794a91b46f10d630c16d688637a29710b6727d8720c3ecf840704a65", 158_095_448_483_785_107),
        ("b6cd0d56931b4131a0760bb47523ce2344131bad455ccce0c833f951698070f4", 770_561_664_770_006_272),
    )
    made = Validators(tuple(Validator(bytes.fromhex(key), power) for key, power in reversed(members)))
    assert made.hash.hex() == "0b406b04ea51e84bccc7a072e561f35f76d511163954477ac8a9c0fc2994dfb4"


ZERO_TIME = "2a0b088092b8c398feffffff01"


@pytest.mark.parametrize(
    ("chain", "height", "round_", "kind", "expected"),
    [
        ("", 0, 0, 0, "0d" + ZERO_TIME),
        ("", 1, 1, 2, "21 0802 110100000000000000 190100000000000000" + ZERO_TIME),
        ("", 1, 1, 1, "21 0801 110100000000000000 190100000000000000" + ZERO_TIME),
        ("", 1, 1, 0, "1f 110100000000000000 190100000000000000" + ZERO_TIME),
        (
            *("test_chain_id", 1, 1, 0),
            "2e 110100000000000000 190100000000000000" + ZERO_TIME + "320d746573745f636861696e5f6964",
        ),
    ],
)
def test_vote_sign_bytes(chain, height, round_, kind, expected):
    """CometBFT v0.38.25, `types/vote_test.go`, TestVoteSignBytesTestVectors."""
    made = sign_bytes(chain, height, round_, BlockId(), moments.NEVER, kind=kind)
    assert made == bytes.fromhex(expected)


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 2**63 - 1, -1, -(2**63)])
def test_numbers_as_the_engine_encodes_them(number):
    assert wire.number(1, number) == Timestamp(seconds=number).SerializeToString()


@pytest.mark.skipif(not SPECCHECK.is_file(), reason="../shared/vectors/ed25519 is absent")
def test_edge_cases_of_ed25519():
    """The twelve cases of ed25519-speccheck: ZIP 215 accepts 0 to 5 and 9 to 11 (its repository, table of results)."""
    verdicts = [
        zip215.is_signed(*(bytes.fromhex(case[part]) for part in ("pub_key", "message", "signature")))
        for case in json.loads(SPECCHECK.read_text(encoding="utf-8"))
    ]
    assert verdicts == [True] * 6 + [False] * 3 + [True] * 3


# Single steps: one block after another, each with the verdict of the model (or of the engine)


@pytest.mark.parametrize("path", published.cases(), ids=lambda path: path.stem)
def test_single_steps(path: Path):
    case = published.case(path)
    rules = light.Rules(int(case["initial"]["trusting_period"]), moments.SECOND)
    trusted = light.Trusted(
        published.header(case["initial"]["signed_header"]["header"]),
        published.validators(case["initial"]["next_validator_set"]),
    )
    for step in case["input"]:
        now = moments.parse(step["now"], "now")
        if step["verdict"] == "SUCCESS":
            trusted = light.check_step(trusted, published.block(step["block"]), rules, now)
            continue
        with pytest.raises((light.NotFollowed, Malformed)) as refused:
            light.check_step(trusted, published.block(step["block"]), rules, now)
        if not isinstance(refused.value, Malformed):  # a set of nobody: refused by whoever reads it
            enough = not isinstance(refused.value, light.NotEnoughTrust)
            assert enough == (step["verdict"] == "INVALID"), refused.value


def test_single_steps_are_there():
    if not published.FOLDER.is_dir():
        pytest.skip("../shared/vectors/cometbft-light is absent")
    assert len(published.cases()) >= 21
