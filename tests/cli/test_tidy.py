"""`kerege dossiers tidy`: what time makes due is done, once, and nothing else."""

import os

from kerege.dossiers.controller import Controller
from kerege.dossiers.store import Draft
from kerege.node.home import Home
from kerege.node.ledger import open_ledger
from kerege.node.ledger_view import DoorView
from tests.cli.program import kerege


def leave_behind(home, expires, *, erased=False):
    """A dossier for a transaction that was never sent."""
    with open_ledger(Home(home)) as ledger, Controller.open(home, DoorView(ledger.door)) as controller:
        draft = Draft(
            record=os.urandom(16),
            version=1,
            subject=os.urandom(16),
            purpose="requests",
            names=("child.surname",),
            values=("Асанова",),
            expires=expires,
        )
        controller.dossiers.write([draft])
        if erased:
            controller.dossiers.erase(draft.subject, "requests")
        return draft.record


def test_what_no_transaction_can_commit_to_any_more_is_destroyed(home):
    gone = leave_behind(home, 1)
    young = leave_behind(home, 2**52)
    told = kerege("dossiers", "tidy", "--home", home, "--json").json
    assert (told["confirmed"], told["collected"]) == (0, 1)
    assert kerege("dossiers", "tidy", "--home", home, "--json").json["collected"] == 0
    with open_ledger(Home(home)) as ledger, Controller.open(home, DoorView(ledger.door)) as controller:
        assert not controller.dossiers.holds(gone, 1, "requests")
        assert controller.dossiers.holds(young, 1, "requests")


def test_what_is_on_the_ledger_stays(copy):
    """The demo's ledger, later: every commitment still opens."""
    before = kerege("dossiers", "check", "--home", copy, "--json").json
    told = kerege("dossiers", "tidy", "--home", copy, "--json").json
    after = kerege("dossiers", "check", "--home", copy, "--json").json
    assert told["collected"] == 0
    assert (after["missing"], after["wrong"], after["total"]) == (0, 0, before["total"])


def test_an_epoch_of_keys_ends_before_the_erasures_under_it_are_due(home, monkeypatch):
    leave_behind(home, 2**52, erased=True)
    told = kerege("dossiers", "tidy", "--home", home, "--json").json
    assert told["epoch"] is None
    assert told["rotation_due"] is not None
    monkeypatch.setattr("kerege.node.upkeep.ROTATION_AHEAD", 31 * 24 * 3_600_000)
    assert kerege("dossiers", "tidy", "--home", home, "--json").json["epoch"] == 2
    assert kerege("dossiers", "tidy", "--home", home, "--json").json == {
        **told,
        "rotation_due": None,
        "epoch": None,
        "confirmed": 0,
        "collected": 0,
    }
