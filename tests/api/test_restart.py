"""A node that goes away is told in one sentence, and is found again when it is back."""

import shutil

from kerege.api import create_app
from kerege.node.async_wire import AsyncSubmitter
from kerege.node.home import Home
from kerege.node.ledger import open_ledger
from kerege.node.wire import SocketDoor
from kerege.node.workplace import read_nation
from tests.api.serving import OCTETS, Api, job, listening
from tests.api.test_refusals import is_problem


def test_the_api_outlives_its_node(raion, tmp_path):
    home = Home(tmp_path / "home")
    shutil.copytree(raion.path, home.path)
    with open_ledger(home) as ledger:
        ledger.serve()
        door = SocketDoor(home.socket)
        texts, trust = read_nation("kg").texts, home.trust.read_bytes()
        app = create_app(lambda: door, texts, trust, submitter=AsyncSubmitter(home.socket))
        context = listening(app)
        port, server = context.__enter__()
        api = Api(port, home, ledger, server)
        raw = api.sign(job())
        with api.client() as client:
            assert client.post("/transactions", content=api.sign(job()), headers=OCTETS).status_code == 200
            raw = api.sign(job())
    with api.client() as client:
        is_problem(client.post("/transactions", content=raw, headers=OCTETS), "no-node", 503)
        is_problem(client.get("/ledger"), "no-node", 503)
        assert client.get("/health/live").status_code == 200
        assert client.get("/health/ready").status_code == 503
    with open_ledger(home) as ledger:
        ledger.serve()
        with api.client() as client:
            assert client.get("/ledger").status_code == 200
            assert client.post("/transactions", content=raw, headers=OCTETS).json()["outcome"] == "applied"
            assert client.get("/health/ready").status_code == 200
    door.close()
    context.__exit__(None, None, None)
