"""`dossiers check`: verdicts over every commitment of the ledger, also after a restore."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kerege.dossiers import errors
from kerege.dossiers.controller import Controller
from kerege.dossiers.jobs import Committed
from kerege.dossiers.ports import Change, Shelf
from kerege.dossiers.store import CheckReport, Written
from tests.dossiers.support import Ledger, draft, open_controller


def commitments(written: tuple[Written, ...]) -> Iterator[Committed]:
    for one in written:
        yield Committed(one.record, one.version, one.root)
        for name in one.fields:
            yield Committed(one.record, one.version, one.commitment(name), field=name)


@pytest.mark.parametrize("kind", [None, "compare"])
def test_a_run_needs_its_own_start_on_the_ledger(controller: Controller, ledger: Ledger, kind: str | None) -> None:
    job = os.urandom(16) if kind is None else ledger.start(kind)
    with pytest.raises(errors.JobNotOnLedger):
        controller.dossiers.check([], job)


def test_no_job_comes_from_outside_the_list(controller: Controller, ledger: Ledger) -> None:
    with pytest.raises(errors.JobNotOnLedger):
        controller.dossiers.run("show-me", ledger.start("show-me"), [])


def test_a_start_serves_one_run(controller: Controller, ledger: Ledger) -> None:
    job = ledger.start("check")
    controller.dossiers.check([], job)
    with pytest.raises(errors.JobSpent):
        controller.dossiers.check([], job)


def test_a_start_is_spent_over_a_restart(home: Path, ledger: Ledger) -> None:
    job = ledger.start("check")
    with Controller.create(home, ledger, clock=lambda: ledger.now) as first:
        first.dossiers.check([], job)
    with open_controller(home, ledger) as second, pytest.raises(errors.JobSpent):
        second.dossiers.check([], job)


def test_after_its_end_a_run_opens_nothing(controller: Controller, ledger: Ledger) -> None:
    written = draft()
    controller.dossiers.write([written])
    run = controller.keys.begin(ledger.start("check"), "check")
    controller.keys.end(run)
    with pytest.raises(errors.JobNotOnLedger):
        controller.keys.open_for_job(run, written.record, 1, None)


def test_every_kind_of_verdict(controller: Controller, ledger: Ledger, home: Path) -> None:
    right = controller.dossiers.write([draft(), draft(purpose="adoption"), draft(purpose="requests")])
    gone, told = draft(purpose="requests"), draft(purpose="import-staging")
    erased = controller.dossiers.write([gone, told])
    controller.dossiers.erase(gone.subject, "requests")
    ledger.tombstones.add(controller.dossiers.erase(told.subject, "import-staging"))
    wrong = Committed(right[0].record, 1, os.urandom(32))
    foreign = Committed(right[0].record, 1, right[1].commitment("surname"), field="surname")
    unnamed = Committed(right[0].record, 1, right[0].commitments[0], field="nickname")
    missing = Committed(os.urandom(16), 1, os.urandom(32))
    items = [*commitments(right), *commitments(erased), wrong, foreign, unnamed, missing]
    report = controller.dossiers.check(items, ledger.start("check"))
    assert report == CheckReport(total=24, missing=1, wrong=3, erased=4, unannounced=4)


def test_a_damaged_row_is_wrong_and_the_check_goes_on(controller: Controller, ledger: Ledger) -> None:
    written = controller.dossiers.write([draft(), draft()])
    locator = controller.keys.locate(written[0].record, 1, "acts")
    row = controller._rows.get(Shelf.DOSSIERS, locator)
    assert row is not None
    controller._rows.apply([Change(Shelf.DOSSIERS, locator, row[:-1] + bytes([row[-1] ^ 1]))])
    report = controller.dossiers.check(commitments(written), ledger.start("check"))
    assert (report.total, report.wrong, report.missing) == (8, 4, 0)


def test_dossiers_whose_list_of_fields_is_gone_are_wrong_and_the_check_goes_on(
    controller: Controller, home: Path, ledger: Ledger
) -> None:
    written = controller.dossiers.write([draft()])
    (gone,) = [locator for locator, _ in controller._rows.scan(Shelf.LISTS)]
    written += controller.dossiers.write([draft(("child.surname", "Асанова"))])
    controller._rows.apply([Change(Shelf.LISTS, gone, None)])
    controller.close()
    with open_controller(home, ledger) as again:
        report = again.dossiers.check(commitments(written), ledger.start("check"))
        assert (report.total, report.wrong, report.missing) == (6, 4, 0)


@pytest.mark.parametrize("together", [False, True])
def test_a_comparison_says_other_of_what_is_damaged_or_not_there(
    controller: Controller, ledger: Ledger, *, together: bool
) -> None:
    act = (("child.surname", "Асанова"), ("child.given_names", "Айгүл"), ("birth.date", "1999-05-01"))
    drafts = [draft(*act, ("child.pin", "")) for _ in range(3)]
    controller.dossiers.write(drafts)
    locator = controller.keys.locate(drafts[1].record, 1, "acts")
    row = controller._rows.get(Shelf.DOSSIERS, locator)
    assert row is not None
    records = [*(each.record for each in drafts), os.urandom(16)]
    with controller.dossiers.comparison(ledger.start("compare")) as comparison:
        assert comparison.same(drafts[1].record, dict(act), {})
        controller._rows.apply([Change(Shelf.DOSSIERS, locator, row[:-1] + bytes([row[-1] ^ 1]))])
        at_hand = comparison.look_up(records) if together else {}
        assert [comparison.same(record, dict(act), at_hand) for record in records] == [True, False, True, False]
        assert not comparison.same(drafts[0].record, dict(act) | {"birth.date": "1999-05-02"}, at_hand)
    with pytest.raises(errors.JobNotOnLedger):
        comparison.look_up(records)


def test_rows_cannot_change_places(controller: Controller, ledger: Ledger) -> None:
    subject = os.urandom(16)
    first, second = draft(subject=subject), draft(subject=subject)
    controller.dossiers.write([first, second])
    places = [controller.keys.locate(one.record, 1, "acts") for one in (first, second)]
    rows = [controller._rows.get(Shelf.DOSSIERS, place) for place in places]
    controller._rows.apply([Change(Shelf.DOSSIERS, places[0], rows[1]), Change(Shelf.DOSSIERS, places[1], rows[0])])
    for one in (first, second):
        with pytest.raises(errors.StoreDamaged):
            controller.dossiers.read(ledger.grant(one, "surname"))


def test_after_a_restore_nothing_is_missing(home: Path, ledger: Ledger, tmp_path: Path) -> None:
    with Controller.create(home, ledger, clock=lambda: ledger.now) as controller:
        written = controller.dossiers.write([draft() for _ in range(5)])
        controller.backup(tmp_path / "copy")
        gone = draft(purpose="requests")
        controller.dossiers.write([gone])
        ledger.tombstones.add(controller.dossiers.erase(gone.subject, "requests"))
        controller.keys.rotate_epoch()
    shutil.rmtree(home / "dossiers")
    shutil.copytree(tmp_path / "copy", home / "dossiers")
    with open_controller(home, ledger) as restored:
        report = restored.dossiers.check(commitments(written), ledger.start("check"))
    assert report == CheckReport(total=20, missing=0, wrong=0, erased=0, unannounced=0)
