"""Rows, receipts and the description: every page once and in order, cursors that are of their list or nothing."""

import base64
import json
import time

import pytest
from openapi_spec_validator import validate

from kerege.api.octets import from_base64url
from kerege.kernel.messages import tag_of
from kerege.modules import MODULES
from kerege.proofs import Exit, entry
from tests.api.serving import OCTETS, job
from tests.api.test_refusals import is_problem


def pages(client, path, limit, **query):
    """All items of a list, page by page."""
    found, cursor, count = [], "", 0
    while True:
        page = client.get(path, params={**query, "limit": limit, "cursor": cursor}).json()
        items = page["rows"] if "rows" in page else page["receipts"]
        assert len(items) <= limit
        found += items
        cursor, count = page["next"], count + 1
        if not cursor:
            return found, count


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_pages_give_each_row_once_and_in_the_order_of_keys(client, limit):
    found, count = pages(client, "/state/authority/role", limit)
    whole = client.get("/state/authority/role", params={"limit": 500}).json()["rows"]
    assert found == whole
    assert count >= len(whole) // limit
    assert len({tuple(row["key"]) for row in whole}) == len(whole) > 10


def test_rows_of_a_prefix_are_all_that_begin_with_it(client):
    whole, _ = pages(client, "/state/policy/revision", 500)
    name = whole[0]["key"][0]
    some, _ = pages(client, "/state/policy/revision", 2, prefix=name)
    assert some == [row for row in whole if row["key"][0] == name]


def test_a_row_is_found_under_its_key(client):
    for row in client.get("/state/authority/office", params={"limit": 5}).json()["rows"]:
        assert client.get("/state/authority/office/" + "/".join(map(str, row["key"]))).json() == row


def test_receipts_come_newest_first_and_none_twice_while_new_ones_come(client, api):
    first = client.get("/receipts", params={"limit": 10}).json()
    client.post("/transactions", content=api.sign(job()), headers=OCTETS)
    second = client.get("/receipts", params={"limit": 10, "cursor": first["next"]}).json()
    leaves = [each["leaf"] for each in first["receipts"] + second["receipts"]]
    assert leaves == sorted(set(leaves), reverse=True)
    assert len(leaves) == 20


def test_cursors_of_other_lists_forged_or_cut_are_refused(client):
    cursor = client.get("/state/authority/role", params={"limit": 1}).json()["next"]
    forged = base64.urlsafe_b64encode(b"x" * 40).rstrip(b"=").decode()
    for path, bad in (
        ("/state/authority/office", cursor),
        ("/receipts", cursor),
        ("/state/authority/role", cursor[:-4]),
        ("/state/authority/role", cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")),
        ("/state/authority/role", forged),
        ("/state/authority/role", "%%%"),
    ):
        is_problem(client.get(path, params={"cursor": bad}), "bad-cursor", 400)
    assert client.get("/state/authority/role", params={"cursor": cursor, "limit": 1}).status_code == 200


def test_a_cursor_goes_on_where_its_row_was_whatever_has_happened_since(client, api):
    cursor = client.get("/state/disclosure/job", params={"limit": 1}).json()["next"]
    before, _ = pages(client, "/state/disclosure/job", 500)
    client.post("/transactions", content=api.sign(job()), headers=OCTETS)
    rest = client.get("/state/disclosure/job", params={"cursor": cursor, "limit": 500}).json()["rows"]
    assert [row for row in rest if row in before] == before[1:]


def test_the_description_is_openapi_and_has_every_message(client):
    document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    validate(document)
    raw = json.dumps(document, ensure_ascii=False)
    for module in MODULES:
        for kind in module.handlers:
            assert f'"{tag_of(kind)}"' in raw, kind
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert operation["summary"], (method, path)
            assert {"200"} < set(operation["responses"]), (method, path)


def test_messages_and_tables_are_those_of_the_modules(client):
    messages = {each["type"]: each for each in client.get("/messages").json()["messages"]}
    assert set(messages) == {tag_of(kind) for module in MODULES for kind in module.handlers}
    assert all(each["senders"] and each["json_schema"]["properties"] for each in messages.values())
    tables = {each["table"] for each in client.get("/tables").json()["tables"]}
    assert tables == {table.name for module in MODULES for table in module.tables}


def test_no_personal_value_is_in_any_answer(client):
    """The raion's children have names; the ledger shows none of them."""
    raw = json.dumps(
        [pages(client, f"/state/{t.replace('.', '/')}", 500)[0] for t in ("registries.record", "services.case")]
    )
    assert "surname" not in raw
    assert not any("\u0400" <= letter <= "\u04ff" and word.islower() for word in raw.split('"') for letter in word[:1])


def test_any_row_and_any_absence_is_proven(client, raion):
    """What the state says is verified by the files alone, and so is that it says nothing."""
    trusted = raion.trust.read_bytes()
    row = client.get("/state/authority/office", params={"limit": 1}).json()["rows"][0]
    proof = client.get("/proofs/authority/office/" + "/".join(map(str, row["key"])))
    judged = entry.judge(proof.content, trusted, now=time.time_ns() // 1_000_000)
    assert (judged.exit, judged.to_json()["value"]) == (Exit.VALID, from_base64url(row["stored"]).hex())
    absent = client.get(f"/proofs/registries/record/{'00' * 16}")
    judged = entry.judge(absent.content, trusted, now=time.time_ns() // 1_000_000)
    assert (absent.status_code, judged.to_json()["value"]) == (200, None)
    assert client.get(f"/proofs/registries/record/{'00' * 16}", params={"commit": "with"}).status_code == 422
    assert client.get("/proofs/registries/record/none").status_code in {400, 422}
    assert client.get("/proofs/registries/nothing/00").status_code == 404
