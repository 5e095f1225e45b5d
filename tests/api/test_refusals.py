"""What has not the documented form is answered with a problem of a stable type, and changes nothing."""

import json
import re
import socket

import httpx
import pytest

from kerege.api.problems import KINDS
from tests.api.serving import OCTETS, job, listening, text_of

URN = "urn:kerege:problem:"


def is_problem(answer, name, status):
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told = answer.json()
    assert (told["type"], told["status"], answer.status_code) == (URN + name, status, status), told
    assert len(told["detail"]) > 20
    assert told["title"]
    return told


async def broken(scope, receive, send):
    """An application that fails at every request."""
    if scope["type"] != "lifespan":
        raise RuntimeError("a disk fell off")
    for _ in range(2):
        await send({"type": f"{(await receive())['type']}.complete"})


def test_only_what_fails_here_is_printed_not_what_a_client_sends(api, client, caplog):
    upgrade = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
    assert client.get("/ledger", headers=upgrade).status_code == 200
    with socket.create_connection(("127.0.0.1", api.port)) as garbage:
        garbage.sendall(b"\x16\x03\x01 no HTTP at all\r\n\r\n")
        assert garbage.recv(1024).startswith(b"HTTP/1.1 400 ")
    assert [each.getMessage() for each in caplog.records if each.name.startswith("uvicorn")] == []
    with listening(broken) as (port, _):
        assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 500
    assert "a disk fell off" in caplog.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/transactions", b""),
        ("/transactions", b"{"),
        ("/transactions", b"[]"),
        ("/transactions", b"\xff\xfe"),
        ("/transactions", b'{"transaction": 5}'),
        ("/transactions", b'{"transaction": "AA", "unknown": 1}'),
        ("/transactions", b'{"transaction": "AA=="}'),
        ("/transactions", b'{"transaction": "+/"}'),
        ("/transactions", b'{"body": "AA"}'),
        ("/transactions", b'{"transaction": "AA", "body": "AA"}'),
        ("/transactions", b'{"transaction": "AA", "transaction": "AA"}'),
        ("/transactions", b'{"transaction": "AA", "transact\\u0069on": "AA"}'),
        ("/transactions/batch", b'{"transactions": ["AA"], "transactions": ["AA"]}'),
        ("/messages/prepare", b'{"sender": "kg1", "messages": [{"type": "bank.Transfer", "type": "bank.Transfer"}]}'),
        ("/transactions/batch", b'{"transactions": ["AA"], "transact\\u0069ons": ["AA", "AA", "AA"]}'),
        ("/transactions/batch", b'{"transactions": ["AA", "AB"]}'),
        ("/transactions/batch", b'{"transactions": ["AA", "AA=="]}'),
        ("/transactions/batch", b'{"transactions": ["AA", "AA+/"]}'),
        ("/transactions/batch", b'{"transactions": ["AA", "A"]}'),
        ("/transactions/batch", b'{"transactions": []}'),
        ("/transactions/batch", b'{"transactions": "AA"}'),
        ("/transactions/batch", json.dumps({"transactions": ["AA"] * 501}).encode()),
        ("/messages/prepare", b'{"sender": "kg1", "messages": []}'),
        ("/messages/prepare", b'{"sender": 1, "messages": [{}]}'),
        ("/messages/prepare", b"[" * 10_000),
        ("/messages/prepare", b'{"a":' * 5_000 + b"1" + b"}" * 5_000),
        ("/messages/prepare", b"NaN"),
    ],
)
def test_a_body_of_another_form_is_malformed(client, api, path, body):
    height = api.ledger.door.head().height
    answer = client.post(path, content=body, headers={"content-type": "application/json"})
    is_problem(answer, "malformed", 400)
    assert api.ledger.door.head().height == height


@pytest.mark.parametrize("kind", ["", "text/plain", "application/xml", "multipart/form-data; boundary=x"])
def test_a_body_of_another_kind_is_not_read(client, kind):
    headers = {"content-type": kind} if kind else {}
    told = is_problem(client.post("/transactions", content=b"x", headers=headers), "media-type", 415)
    assert "application/json" in told["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"content-encoding": "gzip"},
        {"content-encoding": "identity, br"},
        {"content-type": "application/json; charset=windows-1251"},
        {"content-type": 'application/json; x=1; Charset="utf-16"'},
    ],
)
@pytest.mark.parametrize("path", ["/transactions", "/transactions/batch", "/messages/prepare"])
def test_a_body_that_is_packed_or_no_utf_8_is_not_read(client, path, headers):
    sent = {"content-type": "application/json", **headers}
    is_problem(client.post(path, content=b"{}", headers=sent), "media-type", 415)


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", 'application/json;charset="UTF-8"'])
def test_a_body_that_says_it_is_utf_8_is_read(client, kind):
    headers = {"content-type": kind, "content-encoding": "identity"}
    is_problem(client.post("/transactions", content=b"{", headers=headers), "malformed", 400)


@pytest.mark.parametrize(("path", "size"), [("/transactions", 400_000), ("/transactions/batch", 5_000_000)])
def test_a_body_beyond_the_bound_is_too_large(client, path, size):
    headers = {"content-type": "application/json"}
    is_problem(client.post(path, content=b"x" * size, headers=headers), "too-large", 413)

    def chunks():
        for _ in range(size // 10_000 + 1):
            yield b"x" * 10_000

    is_problem(client.post(path, content=chunks(), headers=headers), "too-large", 413)


@pytest.mark.parametrize("path", ["/nothing", "/state/bank/nothing", "/transactions/" + "0" * 64, "/blocks/99999999"])
def test_what_is_not_there_is_not_found(client, path):
    is_problem(client.get(path), "not-found", 404)


@pytest.mark.parametrize(
    "path",
    [
        "/ledger?x=1",
        "/transactions/XYZ",
        "/transactions/" + "A" * 64,
        "/blocks/-1",
        "/blocks/1.0",
        "/blocks/" + "9" * 40,
        "/receipts?limit=0",
        "/receipts?limit=501",
        "/receipts?limit=1&limit=2",
        "/receipts?%ff",
        "/receipts?unknown=1",
        "/state/bank/balance?limit=ten",
        "/state/bank/balance/kg1",
        "/state/registries/record/00",
        "/state/registries/record/" + "Z" * 32,
    ],
)
def test_a_path_or_query_of_another_form_is_malformed(client, path):
    is_problem(client.get(path), "malformed", 400)


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/ledger"), ("GET", "/transactions"), ("PUT", "/transactions")]
)
def test_a_method_that_an_address_does_not_know(client, method, path):
    answer = client.request(method, path)
    is_problem(answer, "method-not-allowed", 405)
    assert answer.headers["allow"] == ("OPTIONS, POST" if path == "/transactions" else "GET, HEAD, OPTIONS")
    assert client.options(path).headers["allow"] == answer.headers["allow"]


@pytest.mark.parametrize(
    "path", ["/ledger", "/openapi.json", "/receipts?limit=1", "/blocks/1", "/health/live", "/events"]
)
def test_the_head_of_what_can_be_got(client, path):
    with client.stream("GET", path) as full:
        pass
    head = client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == full.headers["content-type"]
    assert client.head(path).status_code == 200, "the connection is as good as before"


def test_the_head_of_what_cannot(client):
    assert (client.head("/nothing").status_code, client.head("/transactions").status_code) == (404, 405)


def test_bytes_that_are_no_transaction_are_told_with_the_ledgers_number(client, api):
    height = api.ledger.door.head().height
    for raw in (b"\x00", b"\x94" + b"\x00" * 40, api.sign(job())[:-1], api.sign(job()) + b"\x00"):
        told = is_problem(client.post("/transactions", content=raw, headers=OCTETS), "not-a-transaction", 422)
        assert re.fullmatch(r"kernel\.\d+", told["code"])
    assert api.ledger.door.head().height == height


def test_a_wrong_signature_and_a_wrong_turn_are_told(client, api):
    raw = bytearray(api.sign(job()))
    raw[-5] ^= 1
    is_problem(client.post("/transactions", content=bytes(raw), headers=OCTETS), "not-a-transaction", 422)
    told = is_problem(
        client.post("/transactions", content=api.sign(job(), ahead=3), headers=OCTETS), "wrong-sequence", 409
    )
    assert told["facts"]["sequence"] == told["facts"]["expected"] + 3


def test_a_refusal_of_the_ledger_is_a_receipt_in_the_language_asked_for(client, api):
    """Refused by the rules, it is recorded: no problem, but an outcome with number, facts and a text."""
    texts = set()
    for language in ("ky", "ru", "en"):
        raw = api.sign(job(), role="acceptor")
        answer = client.post("/transactions", content=raw, headers={**OCTETS, "accept-language": language})
        told = answer.json()
        assert (answer.status_code, told["outcome"]) == (200, "refused")
        assert told["code"]
        texts.add(told["text"])
    assert len(texts) == 3


def test_every_answer_carries_the_headers_of_an_api_that_no_page_may_misuse(client):
    for path in ("/ledger", "/nothing", "/openapi.json"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "server" not in headers


def test_types_of_problems_are_distinct():
    assert len({kind.name for kind in KINDS}) == len(KINDS) > 10


def test_a_form_that_breaks_a_messages_bounds_names_the_field(client, api):
    sender = client.get("/state/accounts/account", params={"limit": 1}).json()["rows"][0]["key"][0]
    form = {"type": "disclosure.StartJob", "job": "00", "kind": "check"}
    answer = client.post("/messages/prepare", json={"sender": sender, "messages": [form]})
    assert "$.messages[0]" in is_problem(answer, "bad-form", 422)["detail"]
    unknown = {"sender": sender, "messages": [{"type": "bank.Steal"}]}
    is_problem(client.post("/messages/prepare", json=unknown), "bad-form", 422)
    assert text_of(b"\xff") == "_w"
