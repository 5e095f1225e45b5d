"""An act of an old registry is an act like any other: proven, corrected, certified anew; what is none is not there."""

from datetime import UTC, datetime
from random import Random

import pytest

from kerege import proofs
from kerege.dossiers.errors import FormRefused
from kerege.gateways.extracts import births
from kerege.gateways.extracts.reader import open_extract
from kerege.modules.registries.messages import BeginRekeying, Rekey
from kerege.modules.registries.state import RECORDS, UNIQUE
from kerege.modules.registries.types import RecordStatus
from kerege.testing.imported import correct, prove_row, record_of
from kerege.testing.journey import Journey
from tests.gateways.importing.desk import row
from tests.gateways.importing.test_imports import SHARED

OFFICE, CENTRE, PLACE = "ЗАГС-708203", "ЦОН-708203", "41708203000000"
ROWS, CHOSEN = 150, 100


@pytest.fixture
def imported(desk):
    """A file of good rows and one rejected one, and its rows as read."""
    lines = [row(number, office=OFFICE, place_code=PLACE) for number in range(1, ROWS + 1)]
    lines.append(row(ROWS + 1, office=OFFICE, place_code=PLACE, pin="12"))
    path = desk.write("a.csv", lines)
    summary, _ = desk.bring(path)
    assert (summary.outcomes["accepted"], summary.outcomes["rejected"]) == (ROWS, 1)
    return list(open_extract(path, desk.workplace.pack.extracts).rows())


def test_a_hundred_imported_rows_are_proven_corrected_certified_and_verified(desk, imported):
    workplace, home = desk.workplace, desk.home
    journey = Journey(workplace)
    journey.receive_blanks(OFFICE, "ЖТ", 1, CHOSEN)
    keys = desk.importer()
    source = keys.source(open_extract(home.path.parent / "a.csv", workplace.pack.extracts))
    trust = home.trust.read_bytes()
    for each in Random(7).sample(imported[:ROWS], CHOSEN):
        record = workplace.controller.imports.record(source, each.number)
        raw = prove_row(workplace.ledger.prover, RECORDS.encode_key(record))
        assert raw is not None
        held = record_of(raw)
        assert (held.status, held.office, held.version) == (RecordStatus.LIVE, OFFICE, 1)
        assert held.provenance is not None
        played = correct(journey, record, births.values_of(each), OFFICE, CENTRE)
        closed = prove_row(workplace.ledger.prover, RECORDS.encode_key(record))
        assert closed is not None
        assert record_of(closed).status is RecordStatus.CLOSED
        verdict = proofs.verify(journey.bundle(*played.papers[0]), trust, now=workplace.ledger.engine.now())
        assert verdict.exit is proofs.Exit.VALID, verdict
        assert verdict.facts is not None


STRANGE = (
    {"surname": "=1+1"},
    {"surname": "Я" * 300},
    {"given_name": "А?бек"},
    {"act_number": "б/н"},
    {"office": "ЗАГС-999999"},
    {"office": "", "act_number": ""},
    {"place_name": '"Чаткал\r\nрайону"'},
)
"""Cells that no form of today would take, and that an old act has."""


def test_an_act_that_says_what_no_form_of_today_takes_is_corrected_as_it_stands(desk):
    lines = [row(n, **{"office": OFFICE, "place_code": PLACE, **cells}) for n, cells in enumerate(STRANGE, 1)]
    path = desk.write("a.csv", lines)
    assert desk.bring(path)[0].outcomes["accepted"] == len(STRANGE)
    for journey, record, values in acts_of(desk, path, range(1, len(STRANGE) + 1)):
        played = correct(journey, record, values, OFFICE, CENTRE)
        assert played.record is not None
        assert played.successor is not None
        look = journey.look(journey.official(OFFICE, "registrar"), played.successor, played.case, OFFICE)
        shown = {name: each.value for name, each in look.items()}
        assert {name: shown[name] for name in values if values[name]} == {k: v for k, v in values.items() if v}
        assert shown["child.name_latin"] == "Corrected"


def test_what_an_amendment_names_or_adds_is_in_todays_form(desk):
    path = desk.write("a.csv", [row(1, office=OFFICE, place_code=PLACE)])
    desk.bring(path)
    ((journey, record, values),) = acts_of(desk, path, [1])
    for changed in ({"child.name_latin": "a\nb"}, {"evidence.none_reason": "no such reason"}):
        with pytest.raises(FormRefused):
            correct(journey, record, values, OFFICE, CENTRE, changed)


def test_what_an_amendment_does_not_name_stays_as_it_stands(desk):
    """A request that says another surname without naming it changes none."""
    path = desk.write("a.csv", [row(1, office=OFFICE, place_code=PLACE)])
    desk.bring(path)
    ((journey, record, values),) = acts_of(desk, path, [1])
    played = correct(journey, record, values, OFFICE, CENTRE, {"child.surname": "=1+1"})
    assert played.successor is not None
    look = journey.look(journey.official(OFFICE, "registrar"), played.successor, played.case, OFFICE)
    assert look["child.surname"].value == values["child.surname"]


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is absent")
@pytest.mark.parametrize(("name", "broken"), [("births-utf8", 3911), ("births-cp1251", 1262)])
def test_a_hundred_rows_of_a_shared_extract_are_proven_corrected_and_certified(desk, name, broken):
    """One of them always says its place in two lines."""
    path = desk.home.path.parent / f"{name}.csv"
    path.write_bytes((SHARED / f"{name}.csv").read_bytes())
    _, outcomes = desk.bring(path)
    accepted = [int(line.split(",")[0]) for line in outcomes if line.split(",")[1] == "accepted"]
    chosen = [broken, *Random(7).sample([number for number in accepted if number != broken], CHOSEN - 1)]
    trust = desk.home.trust.read_bytes()
    for journey, record, values in acts_of(desk, path, chosen):
        played = correct(journey, record, values, OFFICE, CENTRE)
        closed = prove_row(desk.workplace.ledger.prover, RECORDS.encode_key(record))
        assert closed is not None
        assert record_of(closed).status is RecordStatus.CLOSED
        verdict = proofs.verify(journey.bundle(*played.papers[0]), trust, now=desk.workplace.ledger.engine.now())
        assert verdict.exit is proofs.Exit.VALID, verdict


def acts_of(desk, path, numbers):
    """A journey, the record and its values for each of some rows of an imported file."""
    journey = Journey(desk.workplace)
    journey.receive_blanks(OFFICE, "ЖТ", 1, CHOSEN)
    extract = open_extract(path, desk.workplace.pack.extracts)
    source, wanted = desk.importer().source(extract), set(numbers)
    for each in extract.rows():
        if each.number in wanted:
            yield journey, desk.workplace.controller.imports.record(source, each.number), births.values_of(each)


def test_a_rejected_row_is_proven_absent(desk, imported):
    act, _ = births.unique_parts(imported[-1])
    key = UNIQUE.encode_key(desk.workplace.controller.uniqueness.key(births.REGISTRY, *act))
    assert prove_row(desk.workplace.ledger.prover, key) is None
    there, _ = births.unique_parts(imported[0])
    key = UNIQUE.encode_key(desk.workplace.controller.uniqueness.key(births.REGISTRY, *there))
    assert prove_row(desk.workplace.ledger.prover, key) is not None


def test_dossiers_of_imported_acts_open_all_their_commitments(desk, imported):
    folder = desk.workplace.desk.folders.find(
        desk.workplace.controller.imports.record(
            desk.importer().source(open_extract(desk.home.path.parent / "a.csv", desk.workplace.pack.extracts)), 1
        )
    )
    assert folder is not None
    assert (folder.purpose, folder.service, folder.version) == ("acts", "birth", 1)


def test_a_number_of_an_old_act_is_not_given_out_again(desk):
    """The registrar's next act takes the next number and PIN that no imported act has."""
    workplace = desk.workplace
    year = datetime.fromtimestamp(workplace.ledger.door.head().time / 1000, UTC).year
    lines = [
        row(n, office=OFFICE, place_code=PLACE, act_number=f"{year}/{n}", registered_on=f"0{n}.01.{year}")
        for n in (1, 2)
    ]
    assert desk.bring(desk.write("a.csv", lines))[0].outcomes["accepted"] == 2
    journey = Journey(workplace)
    journey.receive_blanks(OFFICE, "ЖТ", 1, 9)
    example = next(each for each in workplace.pack.service("birth").examples if each.name == "plain")
    played = journey.play("birth", example)
    assert played.record is not None
    act = journey.look(journey.official(OFFICE, "registrar"), played.record, played.case, OFFICE)
    assert (act["act.year"].value, act["act.number"].value) == (str(year), "3")


def test_the_keys_are_renewed_while_acts_go_on(desk):
    """Between the first message of a re-keying and the last, live acts and imports bring the keys of both epochs."""
    workplace = desk.workplace
    journey = Journey(workplace)
    journey.receive_blanks(OFFICE, "ЖТ", 1, 9)
    lines = [row(n, office=OFFICE, place_code=PLACE) for n in (1, 2)]
    desk.bring(desk.write("a.csv", lines))
    officer = journey.official(journey.offices["civil-registration-head"], "pin-officer")
    head = journey.offices["civil-registration-head"]
    assert workplace.controller.uniqueness.rotate() == 2
    journey.send(officer, BeginRekeying(head, births.REGISTRY, 2))
    example = next(each for each in workplace.pack.service("birth").examples if each.name == "plain")
    assert journey.play("birth", example).record is not None
    _, outcomes = desk.bring(desk.write("b.csv", [lines[0], row(3, office=OFFICE, place_code=PLACE)]))
    assert outcomes == ["1,duplicate,file", "2,accepted,"]
    key = workplace.controller.uniqueness.key
    read = open_extract(desk.home.path.parent / "a.csv", workplace.pack.extracts).rows()
    held = [parts for each in read for parts in births.unique_parts(each)]
    pairs = [(key(births.REGISTRY, *p, version=1), key(births.REGISTRY, *p, version=2)) for p in held]
    journey.send(officer, Rekey(head, births.REGISTRY, pairs, bytes(16)))
    assert workplace.controller.ledger.key_epoch(births.REGISTRY) == (2, False)
    assert journey.play("birth", example).record is not None
