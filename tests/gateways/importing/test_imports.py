"""Imports over a real ledger with real dossiers: once and only once, whatever happens in between."""

import codecs
import csv
import json
import shutil
from pathlib import Path

import pytest

from kerege.gateways.extracts import keeping
from kerege.gateways.extracts.errors import (
    FormDiffers,
    ImportRefused,
    ImportRunning,
    ImportUnfinished,
    JournalDamaged,
    JournalMissing,
)
from kerege.gateways.extracts.importer import Importer
from kerege.gateways.extracts.index import Index
from kerege.gateways.extracts.journal import CHUNK, Journal, Lock
from kerege.gateways.extracts.sending import Sender
from kerege.gateways.extracts.wanted import Wanted
from kerege.modules.accounts.keeper import Senders
from kerege.modules.disclosure.state import JOBS
from kerege.modules.registries.state import IMPORTS, RECORDS, UNIQUE
from kerege.modules.registries.types import ImportStatus, RecordStatus
from kerege.modules.services.state import CASES
from kerege.node.importing import IMPORTS as IMPORTS_FOLDER
from kerege.node.importing import import_births
from kerege.testing.signers import Ed25519Signer
from tests.gateways.extracts.support import FOLDER
from tests.gateways.importing.desk import ImportDesk, row, rows_of

SHARED = Path(__file__).parents[4] / "shared" / "data" / "civil"


def test_a_file_is_refused_from_anybody_but_an_import_officer(desk):
    path = desk.write("a.csv", rows_of(1, 3))
    for role in ("registrar", "midwife", "data-protection-officer", "judge"):
        with pytest.raises(ImportRefused, match="import officer"):
            desk.bring(path, role=role)
    assert records(desk) == []
    assert desk.bring(path)[0].outcomes["accepted"] == 3


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is absent")
def test_both_shared_extracts_in_order_end_as_their_truth_says(desk):
    for name in ("births-utf8", "births-cp1251"):
        _, lines = bring_shared(desk, name)
        with (SHARED / f"{name}.truth.csv").open(encoding="utf-8", newline="") as truth:
            wanted = [",".join(cells) for cells in list(csv.reader(truth))[1:]]
        assert lines == wanted


def bring_shared(desk: ImportDesk, name: str):
    path = desk.home.path.parent / f"{name}.csv"
    path.write_bytes((SHARED / f"{name}.csv").read_bytes())
    return desk.bring(path)


def records(desk: ImportDesk):
    return [RECORDS.decode_value(raw) for _, raw in desk.workplace.ledger.door.scan(RECORDS.prefix)]


def test_every_accepted_row_is_a_live_record_with_its_provenance_and_holds_its_keys(desk):
    summary, _ = desk.bring(desk.write("a.csv", [*rows_of(1, 5), row(2), row(7, pin="x")]))
    found = records(desk)
    assert len(found) == summary.outcomes["accepted"] == 5
    assert {each.status for each in found} == {RecordStatus.LIVE}
    assert {each.provenance for each in found} == {bytes.fromhex(summary.number)}
    assert len(desk.workplace.ledger.door.scan(UNIQUE.prefix)) == 10
    told = IMPORTS.decode_value(desk.workplace.ledger.door.state(IMPORTS.encode_key(bytes.fromhex(summary.number))))
    assert (told.status, told.accepted, told.duplicate, told.rejected) == (ImportStatus.CLOSED, 5, 1, 1)


def test_the_same_file_again_says_the_same_and_sends_nothing(desk):
    path = desk.write("a.csv", [*rows_of(1, CHUNK + 20), row(3), row(4, surname="Башка")])
    first, lines = desk.bring(path)
    height = desk.workplace.ledger.door.head().height
    desk.reopen()
    second, again = desk.bring(path)
    assert (second.transactions, again, second.outcomes) == (0, lines, first.outcomes)
    assert desk.workplace.ledger.door.head().height == height


def test_a_row_for_review_opens_a_case_at_the_office_of_its_act(desk):
    lines = [*rows_of(1, 2), row(1, act_number="2019/77"), row(3, sex="А"), row(4, sex="А", office="ЗАГС-?")]
    summary, outcomes = desk.bring(desk.write("a.csv", lines))
    assert outcomes[2:] == ["3,review,pin-held", "4,review,pin-sex", "5,review,pin-sex"]
    cases = [CASES.decode_value(raw) for _, raw in desk.workplace.ledger.door.scan(CASES.prefix)]
    assert sorted(case.office for case in cases) == ["ЗАГС-000000", "ЗАГС-703230", "ЗАГС-703230"]
    assert summary.outcomes["review"] == 3


def test_a_row_of_another_file_is_compared_by_the_machine_job_alone(desk):
    desk.bring(desk.write("a.csv", rows_of(1, 3)))
    assert desk.workplace.ledger.door.scan(JOBS.prefix) == []
    lines = [row(1, surname="ырыскeлдиeв"), row(2, given_name="Ай?ек"), row(3, given_name="Бакыт"), row(9)]
    _, outcomes = desk.bring(desk.write("b.csv", lines))
    assert outcomes == ["1,duplicate,file", "2,duplicate,file", "3,review,pin-held", "4,accepted,"]
    assert len(desk.workplace.ledger.door.scan(JOBS.prefix)) == 1


@pytest.mark.parametrize(("together", "at"), [(1, at) for at in range(1, 9)] + [(2, at) for at in range(1, 7)])
def test_an_import_that_is_cut_off_goes_on_where_it_was(desk, monkeypatch, together, at):
    """Cut before each of its steps in turn: every send, every write of the journal, every entry of the index."""
    monkeypatch.setattr(keeping, "TOGETHER", together)
    path = desk.write("a.csv", [*rows_of(1, 2 * CHUNK + 3), row(5), row(3000, sex="А")])
    calls = 0

    def cut(kind, name):
        plain = getattr(kind, name)

        def step(*arguments):
            nonlocal calls
            calls += 1
            if calls == at:
                raise KeyboardInterrupt
            return plain(*arguments)

        monkeypatch.setattr(kind, name, step)

    cut(Journal, "append")
    cut(Index, "add")
    cut(Sender, "send")
    with pytest.raises(KeyboardInterrupt):
        desk.bring(path)
    monkeypatch.undo()
    desk.reopen()
    summary, lines = desk.bring(path)
    assert len(lines) == summary.rows == 2 * CHUNK + 5
    assert (summary.outcomes["accepted"], summary.outcomes["duplicate"], summary.outcomes["review"]) == (
        2 * CHUNK + 3,
        1,
        1,
    )
    assert len(list(all_records(desk))) == 2 * CHUNK + 3
    assert len(desk.workplace.ledger.door.scan(CASES.prefix)) == 1


def all_records(desk: ImportDesk):
    after = b""
    while page := desk.workplace.ledger.door.scan(RECORDS.prefix, after):
        yield from page
        after = page[-1][0]


def test_a_file_that_changed_since_the_cut_is_refused_until_the_first_is_set_aside(desk, monkeypatch):
    path = desk.write("a.csv", rows_of(1, CHUNK + 10))
    bring_all_but_the_end(desk, monkeypatch, path)
    changed = desk.write("a.csv", rows_of(1, CHUNK + 11))
    with pytest.raises(ImportUnfinished, match="--set-aside"):
        desk.bring(changed)
    summary, lines = desk.bring(changed, set_aside=True)
    assert lines[:-1] == [f"{number},duplicate,file" for number in range(1, CHUNK + 11)]
    assert summary.outcomes["accepted"] == 1


def bring_all_but_the_end(desk, monkeypatch, path):
    def cut(_importer, run):
        run.sender.settle()
        raise KeyboardInterrupt

    monkeypatch.setattr(Importer, "_close", cut)
    with pytest.raises(KeyboardInterrupt):
        desk.bring(path)
    monkeypatch.undo()


def test_what_a_set_aside_import_never_sent_holds_nothing_against_later_rows(desk, monkeypatch):
    """Cut between journal and transaction: ten rows are accepted in the journal and are no records."""
    path = desk.write("a.csv", rows_of(1, CHUNK + 10))
    send = Sender.send

    def cut(sender, parts):
        send(sender, parts[:1])  # the first chunk, not the second
        raise KeyboardInterrupt

    monkeypatch.setattr(Sender, "send", cut)
    with pytest.raises(KeyboardInterrupt):
        desk.bring(path)
    monkeypatch.undo()
    assert len(list(all_records(desk))) == CHUNK
    summary, lines = desk.bring(desk.write("a.csv", rows_of(1, CHUNK + 11)), set_aside=True)
    assert lines == [f"{number},duplicate,file" for number in range(1, CHUNK + 1)] + [
        f"{number},accepted," for number in range(CHUNK + 1, CHUNK + 12)
    ]
    assert summary.outcomes["accepted"] == 11
    assert len(list(all_records(desk))) == CHUNK + 11


def test_an_import_waits_for_the_rate_of_its_office(desk, monkeypatch):
    """Of 640 units 60 may be sent at once, then 300 a second; every refusal is entered on the ledger: there are few."""
    monkeypatch.setattr(Senders, "_read_bucket", lambda *_: (60, 300))
    submit, submitted = Sender._submit, []

    def count(sender, parts):
        submitted.append(len(parts))
        return submit(sender, parts)

    monkeypatch.setattr(Sender, "_submit", count)
    summary, _ = desk.bring(desk.write("a.csv", [row(number, sex="А") for number in range(1, 321)]))
    assert summary.outcomes["review"] == 320
    assert len(submitted) > 3, "the rate was not used up"
    assert sum(submitted) < 4 * summary.transactions


def test_two_imports_at_once_are_one_import_and_one_refusal(desk):
    path = desk.write("a.csv", rows_of(1, 3))
    signer = Ed25519Signer(bytes(32))
    with Lock(desk.home.path / IMPORTS_FOLDER), pytest.raises(ImportRunning, match="Wait until"):
        import_births(desk.home, Wanted(file=path), signer, lambda _done, _total: None)


@pytest.mark.parametrize("finished", [False, True])
def test_an_import_is_gone_on_with_and_told_again_in_the_form_it_was_begun_with(desk, monkeypatch, tmp_path, finished):
    """Another encoding, or another order of day and month, would make other acts of the rows that are left."""
    path = desk.write("a.csv", rows_of(1, CHUNK + 10))
    path.write_bytes(path.read_bytes().removeprefix(codecs.BOM_UTF8))
    if finished:
        desk.bring(path)
    else:
        bring_all_but_the_end(desk, monkeypatch, path)
    known = FOLDER / "births-codes.yaml"
    turned = tmp_path / "turned.yaml"
    turned.write_text(known.read_text(encoding="utf-8").replace("DD.MM.YYYY", "MM.DD.YYYY"), encoding="utf-8")
    for given, named in (({"encoding": "cp1251"}, "cp1251"), ({"profile": turned}, "births-codes")):
        with pytest.raises(FormDiffers) as caught:
            desk.bring(path, **given)
        begun, now = map(str, caught.value.facts.values())
        assert begun != now
        assert begun.startswith("utf-8 with ';' by births-codes")
        assert named in now
        assert str(caught.value).endswith(FormDiffers.cure)
    assert desk.bring(path, encoding="UTF-8", profile=known)[0].outcomes["accepted"] == CHUNK + 10


def test_a_file_read_wrongly_is_imported_once_it_is_saved_as_other_bytes(desk):
    path = desk.write("a.csv", rows_of(1, 3))
    path.write_bytes(path.read_bytes().removeprefix(codecs.BOM_UTF8))
    assert desk.bring(path, encoding="cp1251")[0].outcomes["rejected"] == 3
    with pytest.raises(FormDiffers, match="other bytes"):
        desk.bring(path)
    assert desk.bring(desk.write("a.csv", rows_of(1, 3)))[0].outcomes["accepted"] == 3


def test_a_journal_of_before_forms_were_kept_is_gone_on_with(desk, monkeypatch):
    path = desk.write("a.csv", rows_of(1, CHUNK + 10))
    bring_all_but_the_end(desk, monkeypatch, path)
    (about,) = (desk.home.path / IMPORTS_FOLDER).glob("*/about.json")
    kept = json.loads(about.read_bytes())
    del kept["form"]
    about.write_text(json.dumps(kept))
    assert desk.bring(path)[0].outcomes["accepted"] == CHUNK + 10


def test_a_spoilt_journal_of_a_finished_import_stops_no_other(desk):
    first = desk.write("a.csv", rows_of(1, 3))
    summary, _ = desk.bring(first)
    (desk.home.path / IMPORTS_FOLDER / summary.number / "about.json").write_bytes(b"")
    shutil.copytree(desk.home.path / IMPORTS_FOLDER / summary.number, desk.home.path / IMPORTS_FOLDER / "copy of it")
    assert desk.bring(desk.write("b.csv", rows_of(4, 6)))[0].outcomes["accepted"] == 3
    with pytest.raises(JournalDamaged, match="backup"):
        desk.bring(first)


def test_an_unfinished_journal_that_is_spoilt_is_told(desk, monkeypatch):
    bring_all_but_the_end(desk, monkeypatch, desk.write("a.csv", rows_of(1, 3)))
    (about,) = (desk.home.path / IMPORTS_FOLDER).glob("*/about.json")
    about.write_bytes(b"")
    with pytest.raises(JournalDamaged, match="backup"):
        desk.bring(desk.write("b.csv", rows_of(4, 6)))


def test_a_lost_journal_is_told_and_nothing_is_imported_twice(desk):
    path = desk.write("a.csv", rows_of(1, 3))
    summary, _ = desk.bring(path)
    for file in (desk.home.path / "imports" / summary.number).iterdir():
        file.unlink()
    with pytest.raises(JournalMissing, match="backup"):
        desk.bring(path)
    assert len(records(desk)) == 3


def test_no_clear_value_stays_on_disk_outside_the_dossiers(desk):
    """Nor inside them: names and PINs are in no file of the home in any usual encoding."""
    path = desk.write("a.csv", [row(1), row(1, surname="Кубанычбеков", act_number="2019/5")])
    desk.bring(path)
    words = [
        word.encode(code)
        for word in ("Ырыскелдиев", "Кубанычбеков", "22208201900001")
        for code in ("utf-8", "utf-16-le", "cp1251")
    ]
    for file in desk.home.path.rglob("*"):
        if file.is_file():
            raw = file.read_bytes()
            assert [word for word in words if word in raw] == [], file


def test_values_that_break_csv_or_unicode_are_taken_as_they_stand(desk):
    lines = [
        row(1, surname='"Ырыс\r\nкелдиев"'),
        row(2, given_name="=cmd|' /C calc'!A0"),
        row(3, place_name="\u202eрайон\u0000"),
        row(4, act_number="№ 5 / бис", office="Отдел <script>"),
        row(5, act_number=""),
    ]
    _, outcomes = desk.bring(desk.write("a.csv", lines))
    assert [line.split(",")[1] for line in outcomes] == ["accepted"] * 5
    assert {each.office for each in records(desk)} == {"ЗАГС-703230", "ЗАГС-000000"}
