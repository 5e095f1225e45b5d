"""Who submits chooses what to wait for: `Prefer: respond-async` is answered as soon as the node keeps it."""

from pathlib import Path

import pytest
from litestar.testing import TestClient

from kerege.api import create_app
from kerege.consensus.checkpoints import CheckpointKey, OwnCheckpoints, origin_of
from kerege.consensus.door import LocalDoor
from kerege.consensus.outbox import Outbox
from kerege.consensus.prover import Prover
from tests.api.serving import OCTETS
from tests.consensus.member import LEDGER, Member, genesis, pay

pytestmark = pytest.mark.engine

ASYNC = {**OCTETS, "prefer": "respond-async"}


def test_accepted_now_final_later(tmp_path: Path):
    (folder := tmp_path / "member").mkdir()
    with Member(folder, genesis(["alice", "bob"]), outbox=Outbox(tmp_path / "outbox")) as member:
        machine, store = member.replica.machine, member.store
        key = CheckpointKey(f"{origin_of(LEDGER)}/operator", bytes(32))
        prover = Prover(machine.modules, store, lambda: machine.trees, LEDGER, OwnCheckpoints(LEDGER, [key]))
        door = LocalDoor(machine.modules, store, prover, LEDGER, "kg", member.submitting)
        with TestClient(create_app(lambda: door, {}, b"{}")) as client:
            waited = client.post("/api/v1/transactions", content=pay("alice", "bob"), headers=OCTETS)
            assert (waited.status_code, waited.json()["outcome"]) == (200, "applied")
            member.engine.kill()
            raw = pay("alice", "bob", 1)
            accepted = client.post("/api/v1/transactions", content=raw, headers=ASYNC)
            assert (accepted.status_code, accepted.json()["outcome"]) == (202, "accepted")
            place = accepted.headers["location"]
            assert client.get(place).status_code == 404
            forged = client.post("/api/v1/transactions", content=raw[:-1] + bytes([raw[-1] ^ 1]), headers=ASYNC)
            assert forged.status_code == 422
            member.restart_engine()
            member.submitting.send(raw)
            assert client.get(place).json()["transaction"] == accepted.json()["transaction"]
