"""The published JSON Schemas accept what the verifier reads, and name every member."""

import json
from pathlib import Path

import jsonschema
import pytest

from kerege.proofs import bundle, commit
from kerege.proofs import trust as files
from tests.proofs.naive import (
    CERTIFICATE_EVENT,
    CHAIN,
    PLAIN,
    TRANSFER,
    Signer,
    World,
    noise,
    receipt,
    replicated,
    trust,
)
from tests.proofs.votes import VOTED, Votes

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "proof-bundle.md"


def validator(name):
    schema = json.loads((ROOT / "docs" / "reference" / "schemas" / name).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


BUNDLE, TRUST = validator("proof-bundle.schema.json"), validator("trust-file.schema.json")
GOOD = World()
SECOND = [CERTIFICATE_EVENT[0], noise("second")[:16], *CERTIFICATE_EVENT[2:]]


@pytest.mark.parametrize(
    "world",
    [
        GOOD,
        PLAIN,
        TRANSFER,
        GOOD.but(row=None),
        GOOD.but(row=None, other_keys=0),
        GOOD.but(with_state=False),
        GOOD.but(validators=noise("v"), shown=("born", "place")),
        GOOD.but(signers=(Signer("a"), Signer("b"))),
        GOOD.but(event=1, receipt=receipt([CERTIFICATE_EVENT, SECOND]), certificate=SECOND[1]),
        GOOD.but(size=2, index=0),
        VOTED,
        VOTED.but(commit=Votes(silent="a")),
    ],
)
def test_genuine_files_fit_their_schemas(world):
    BUNDLE.validate(json.loads(world.bundle))
    TRUST.validate(json.loads(world.trust))


@pytest.mark.parametrize(
    "changes",
    [{"note": ""}, {"index": -1}, {"event": 0, "state": None}, {"disclosures": []}, {"checkpoint": {"note": "x"}}],
)
def test_other_files_do_not(changes):
    assert not BUNDLE.is_valid(GOOD.members() | changes)


def test_state_needs_a_record():
    assert not BUNDLE.is_valid({name: value for name, value in GOOD.members().items() if name != "record"})


@pytest.mark.parametrize(
    "changes",
    [
        {"votes": []},
        {"votes": [None]},
        {"parts": -1},
        {"round": "0"},
        {"time": "01"},
        {"time": 1},
        {"hash": ""},
        {"x": 1},
    ],
)
def test_other_commits_do_not(changes):
    assert not BUNDLE.is_valid(json.loads(VOTED.but(commit=Votes(changes=changes)).bundle))


def test_a_commit_needs_a_record():
    assert not BUNDLE.is_valid(json.loads(VOTED.but(with_record=False, with_state=False).bundle))


@pytest.mark.parametrize("changes", [{"engine": "validators"}, {"genesis": "AB" * 32}, {"keys": []}, {"more": 1}])
def test_other_trust_files_do_not(changes):
    assert not TRUST.is_valid(json.loads(trust([Signer("a")], **changes)))


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": 3},
        {"threshold": "most"},
        {"chain": None},
        {"chain": CHAIN | {"more": 1}},
        {"keys": json.loads(trust([Signer("a")]))["keys"]},
        {"engine": "one operator"},
    ],
)
def test_other_trust_files_of_many_do_not(changes):
    assert TRUST.is_valid(json.loads(replicated([Signer("a")])))
    assert not TRUST.is_valid(json.loads(replicated([Signer("a")], **changes)))
    assert not TRUST.is_valid({n: v for n, v in json.loads(replicated([Signer("a")])).items() if n != "chain"})


def test_schema_and_page_name_every_member_of_trust_files():
    properties, page = TRUST.schema["properties"], PAGE.read_text()
    assert set(properties) == files._MEMBERS | {"chain"}
    assert set(properties["keys"]["items"]["properties"]) == files._WEIGHED_MEMBERS | {"consensus"}
    assert set(properties["chain"]["properties"]) == files._CHAIN_MEMBERS
    assert all(f"`{member}`" in page for member in files._MEMBERS | files._WEIGHED_MEMBERS | {"consensus"})
    assert all(f"`chain.{member}`" in page for member in files._CHAIN_MEMBERS)


def test_schema_and_page_name_every_member_that_the_reader_knows():
    properties = BUNDLE.schema["properties"]
    assert set(properties) == bundle._REQUIRED | bundle._OPTIONAL
    assert set(properties["state"]["properties"]) == bundle._STATE | {"other", "value"}
    assert set(properties["disclosures"]["items"]["properties"]) == bundle._DISCLOSURE
    assert set(properties["checkpoint"]["properties"]) == {"note", "commit"}
    assert set(properties["checkpoint"]["properties"]["commit"]["properties"]) == commit._MEMBERS
    page = PAGE.read_text()
    assert all(f"`commit.{member}`" in page for member in commit._MEMBERS)
    for member in bundle._REQUIRED | bundle._OPTIONAL | bundle._STATE | bundle._DISCLOSURE:
        assert f"`{member}`" in page or f".{member}`" in page
