"""Prepared, signed and submitted; answered when durable; proven offline; each request done once."""

import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from kerege.kernel import addresses
from kerege.kernel.transaction import Witness, seal
from kerege.proofs import cli as verifier
from tests.api.serving import OCTETS, bytes_of, job, text_of
from tests.api.test_refusals import is_problem


def submit(client, raw, **headers):
    return client.post("/transactions", content=raw, headers={**OCTETS, **headers})


def test_messages_are_prepared_signed_and_submitted_by_their_names_alone(client, api):
    signer = api.signer()
    forms = [{"type": "disclosure.StartJob", "job": os.urandom(16).hex(), "kind": "check"} for _ in range(2)]
    prefix = client.get("/ledger").json()["prefix"]
    known = [row["key"][0] for row in client.get("/state/accounts/account", params={"limit": 500}).json()["rows"]]
    address = addresses.encode(prefix, signer.address)
    assert address in known
    prepared = client.post("/messages/prepare", json={"sender": address, "messages": forms}).json()
    signature = signer._secret.sign(bytes_of(prepared["sign"]["ed25519"])).signature
    parts = {"body": prepared["body"], "kind": 1, "key": text_of(signer.key), "signature": text_of(signature)}
    told = client.post("/transactions", json=parts).json()
    assert (told["outcome"], told["transaction"]) == ("applied", prepared["transaction"])
    again = client.get(f"/transactions/{told['transaction']}").json()
    assert again == told
    raw = seal(bytes_of(prepared["body"]), Witness(1, signer.key, signature))
    assert submit(client, raw).json() == told, "sent again it is recorded once"


def test_a_wrongly_signed_copy_of_a_recorded_transaction_is_refused_as_if_it_were_new(client, api):
    prefix = client.get("/ledger").json()["prefix"]
    signer, forms = api.signer(), [{"type": "disclosure.StartJob", "job": os.urandom(16).hex(), "kind": "check"}]
    asked = {"sender": addresses.encode(prefix, signer.address), "messages": forms}
    prepared = client.post("/messages/prepare", json=asked).json()
    signature = signer._secret.sign(bytes_of(prepared["sign"]["ed25519"])).signature
    good = {"body": prepared["body"], "kind": 1, "key": text_of(signer.key), "signature": text_of(signature)}
    forged, strange = {**good, "signature": text_of(b"x" * 64)}, {**good, "key": text_of(b"k" * 32)}
    first = client.post("/transactions", json=good).json()
    assert first["outcome"] == "applied"
    for bad, code in ((forged, "kernel.28"), (strange, "kernel.26")):
        told = is_problem(client.post("/transactions", json=bad), "not-a-transaction", 422)
        assert told["code"] == code
        raw = seal(bytes_of(bad["body"]), Witness(1, bytes_of(bad["key"]), bytes_of(bad["signature"])))
        outcomes = client.post("/transactions/batch", json={"transactions": [text_of(raw)]}).json()["outcomes"]
        assert [(each["outcome"], each["code"]) for each in outcomes] == [("not a transaction", code)]
    assert client.post("/transactions", json=good).json() == first


def test_a_receipt_is_proven_and_verified_offline(client, api, tmp_path):
    told = submit(client, api.sign(job())).json()
    bundle, trust = tmp_path / "bundle.json", tmp_path / "trust.json"
    place = f"/transactions/{told['transaction']}/proof"
    refused = is_problem(client.get(place, params={"commit": "with"}), "not-provable", 422)
    assert "one operator runs this ledger" in refused["detail"]
    assert refused["detail"].endswith("leave out commit.")  # asking again later would not help
    for hostile in (
        "commit=yes",
        "commit=",
        "commit=1",
        "commit=WITH",
        "commit=with&commit=with",
        "commit",
        "Commit=with",
    ):
        is_problem(client.get(f"{place}?{hostile}"), "malformed", 400)
    bundle.write_bytes(client.get(place, params={"commit": "without"}).content)
    trust.write_bytes(client.get("/trust").content)
    assert verifier.main([str(bundle), "--trust", str(trust), "--json"]) == 0
    raw = bundle.read_text()
    middle = len(raw) // 2
    bundle.write_text(raw[:middle] + ("A" if raw[middle] != "A" else "B") + raw[middle + 1 :])
    assert verifier.main([str(bundle), "--trust", str(trust), "--json"]) in {1, 2}


def test_two_hundred_in_one_request_are_judged_one_by_one(client, api):
    raws = [api.sign(job(), ahead=at) for at in range(200)]
    raws[100] = b"\x00"
    answer = client.post("/transactions/batch", json={"transactions": [text_of(raw) for raw in raws]})
    outcomes = answer.json()["outcomes"]
    assert len(outcomes) == 200
    assert [each["outcome"] for each in outcomes[:100]] == ["applied"] * 100
    assert {each["outcome"] for each in outcomes[100:]} == {"not a transaction"}, "the rest came out of turn"
    assert outcomes[101]["facts"]["expected"] == outcomes[101]["facts"]["sequence"] - 1


def test_the_same_key_with_the_same_body_gets_the_same_answer(client, api):
    raw, key = api.sign(job()), f'"{os.urandom(8).hex()}"'
    first = submit(client, raw, **{"idempotency-key": key})
    assert submit(client, raw, **{"idempotency-key": key}).content == first.content
    is_problem(submit(client, api.sign(job()), **{"idempotency-key": key}), "idempotency-key-reused", 422)
    is_problem(submit(client, raw, **{"idempotency-key": "not allowed: {}"}), "malformed", 400)


def test_a_refused_request_is_remembered_as_well(client):
    key = os.urandom(8).hex()
    first = submit(client, b"\x00", **{"idempotency-key": key})
    is_problem(first, "not-a-transaction", 422)
    assert submit(client, b"\x00", **{"idempotency-key": key}).content == first.content


def test_a_batch_of_which_something_came_too_early_is_not_remembered(client, api):
    """What came in its turn is recorded once all the same: its receipt is found again."""
    first, third = api.sign(job()), api.sign(job(), ahead=2)
    second = api.sign(job(), ahead=1)
    asked = {"json": {"transactions": [text_of(first), text_of(third)]}, "headers": {"idempotency-key": "early-batch"}}
    early = client.post("/transactions/batch", **asked).json()["outcomes"]
    assert [each.get("code", "") for each in early] == ["", "kernel.27"]
    assert submit(client, second).json()["outcome"] == "applied"
    outcomes = client.post("/transactions/batch", **asked).json()["outcomes"]
    assert [each["outcome"] for each in outcomes] == ["applied", "applied"]
    assert outcomes[0] == early[0]
    again = client.post("/transactions/batch", **asked)
    assert again.json()["outcomes"] == outcomes


def test_of_many_requests_with_one_key_one_is_done(api):
    raw, key = api.sign(job()), os.urandom(8).hex()
    before = api.ledger.door.head().log_size

    def send(_number):
        with api.client() as client:
            return submit(client, raw, **{"idempotency-key": key})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(24)))
    statuses = {answer.status_code for answer in answers}
    assert statuses <= {200, 409}
    assert len({answer.content for answer in answers if answer.status_code == 200}) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert is_problem(answer, "idempotency-key-in-use", 409)
            assert answer.headers["retry-after"]
    assert api.ledger.door.head().log_size == before + 2, "one receipt and its block's record"


def test_what_is_submitted_by_many_at_once_is_recorded_once_each(api):
    """Each of eight clients has a sender of its own."""
    roles = ("acceptor", "registrar", "import-officer", "data-protection-officer")
    before = api.ledger.door.head().height

    def send(role):
        with api.client() as client:
            return [submit(client, api.sign(job(), role=role)).json() for _ in range(10)]

    with ThreadPoolExecutor(len(roles)) as pool:
        told = [each for some in pool.map(send, roles) for each in some]
    assert {each["outcome"] for each in told} <= {"applied", "refused"}
    assert len({each["transaction"] for each in told}) == 10 * len(roles)
    assert len({each["leaf"] for each in told}) == 10 * len(roles)
    assert api.ledger.door.head().height > before


@pytest.mark.parametrize("kind", ["application/json", "application/octet-stream"])
def test_a_transaction_is_found_in_its_block(client, api, kind):
    raw = api.sign(job())
    content = raw if kind.endswith("stream") else json.dumps({"transaction": text_of(raw)}).encode()
    told = client.post("/transactions", content=content, headers={"content-type": kind}).json()
    block = client.get(f"/blocks/{told['height']}").json()
    assert text_of(raw) in block["transactions"]
    assert told["transaction"] in {each["transaction"] for each in block["receipts"]}
