"""The event stream: each block once, in order, also after the client has gone and come again."""

import json
import threading
import time
from typing import Any

import pytest

from tests.api.serving import OCTETS, job
from tests.api.test_refusals import is_problem


def events(answer, count):
    """The first events of a stream: (kind, id, data)."""
    found: list[tuple[str, str, Any]] = []
    event: dict[str, str] = {}
    for line in answer.iter_lines():
        name, _, value = line.partition(": ")
        if line == "" and "event" in event:
            found.append((event["event"], event["id"], json.loads(event["data"])))
            event = {}
            if len(found) == count:
                return found
        elif name:
            event[name] = value
    return found


def send(api, times):
    with api.client() as client:
        return [client.post("/transactions", content=api.sign(job()), headers=OCTETS).json() for _ in range(times)]


def test_a_stream_tells_each_block_once_and_goes_on_where_it_ended(api, client):
    start = api.ledger.door.head().height
    with client.stream("GET", "/events", headers={"last-event-id": str(start)}) as stream:
        sender = threading.Thread(target=lambda: sent.extend(send(api, 5)))
        sent: list[dict[str, object]] = []
        sender.start()
        (opened, *told) = events(stream, 4)
        sender.join()
    assert opened[0] == "open"
    with client.stream("GET", "/events", headers={"last-event-id": told[-1][1]}) as stream:
        told += events(stream, 3)[1:]
    heights = [data["height"] for _, _, data in told]
    assert heights == list(range(start + 1, start + 6))
    assert [each["transaction"] for _, _, data in told for each in data["receipts"]] == [s["transaction"] for s in sent]


def test_without_an_id_a_stream_begins_now(api, client):
    with client.stream("GET", "/events") as stream:
        threading.Thread(target=send, args=(api, 1)).start()
        opened, first = events(stream, 2)
    assert first[2]["height"] == int(opened[1]) + 1


@pytest.mark.parametrize("name", ["x", "-1", "1.5.2", "9" * 30, "01", "1.0", "1.05", "1.", ".1"])
def test_an_id_that_is_none_is_refused(client, name):
    is_problem(client.get("/events", headers={"last-event-id": name}), "malformed", 400)


@pytest.mark.parametrize("part", [1, 999])
def test_a_part_that_its_block_does_not_have_is_refused(api, client, part):
    """A block of one event has no parts: nothing would be told of it."""
    send(api, 1)
    newest = client.get("/ledger").json()["height"]
    is_problem(client.get("/events", headers={"last-event-id": f"{newest}.{part}"}), "bad-cursor", 400)


def test_clients_that_go_away_leave_nothing_behind(api):
    for _ in range(20):
        with api.client() as client, client.stream("GET", "/events") as stream:
            events(stream, 1)
    send(api, 1)
    until, metrics = time.monotonic() + 10, ""
    with api.client() as client:
        while time.monotonic() < until:
            metrics = client.get("/metrics").text
            if "kerege_api_streams 0.0" in metrics:
                return
            time.sleep(0.2)
    pytest.fail(f"streams are still open: {metrics}")
