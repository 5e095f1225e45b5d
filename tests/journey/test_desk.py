"""What the desk does when somebody tries more than they may, stops half way, or changes their mind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kerege.cli.wiring import CommandError
from kerege.dossiers.errors import AccessRefused, DossierNotGranted, PoolExhausted
from kerege.dossiers.expiry import settle_expired
from kerege.kernel.transaction import MAXIMUM_AHEAD
from kerege.modules.disclosure.state import LOOKS
from kerege.node import upkeep
from kerege.node.home import Home
from kerege.node.pack.types import Example
from kerege.node.workplace import create_dev_home, open_workplace
from kerege.testing.journey import Journey, NotApplied, Played

HEAD = "civil-registration-head"


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    home = Home(Path(tmp_path_factory.mktemp("home")))
    create_dev_home(home, "kg")
    with open_workplace(home) as workplace:
        played = Journey(workplace)
        played.receive_blanks(played.offices["zags"], "ЖТ", 1, 90)
        yield played


def example(journey: Journey, service: str, name: str) -> Example:
    return next(e for e in journey.workplace.pack.service(service).examples if e.name == name)


def born(journey: Journey, *, steps: int | None = None) -> Played:
    """A birth, registered or at a step before."""
    return journey.play("birth", example(journey, "birth", "plain"), steps=steps)


def before_the_decision(journey: Journey) -> Played:
    return born(journey, steps=len(example(journey, "birth", "plain").path) - 1)


def shown(journey: Journey, about: bytes, case: bytes, who: str = "") -> dict[str, str]:
    office = journey.offices["zags"]
    registrar = journey.official(office, "registrar", who)
    return {name: each.value for name, each in journey.look(registrar, about, case, office).items()}


def last_registrar(journey: Journey, service: str, name: str) -> str:
    return example(journey, service, name).path[-1].who


# Amendments


def correction(journey: Journey, record: bytes, **changed: str) -> tuple[bytes, dict[str, str], str]:
    """A clerical correction up to before its decision: case, values, who decides."""
    told = example(journey, "birth-correction", "clerical")
    values = {**told.values, **{name.replace("__", "."): value for name, value in changed.items()}}
    case = journey.play(
        "birth-correction",
        Example(**{f: getattr(told, f) for f in told.__struct_fields__} | {"values": values}),
        record,
        steps=len(told.path) - 1,
    ).case
    return case, {**values, "amendment.record": record.hex()}, told.path[-1].who


def test_an_amendment_keeps_the_numbers_that_the_authority_gave(journey: Journey) -> None:
    """Whatever the request says: no act comes to hold another one's PIN, or to lose its own key."""
    first, second = born(journey), born(journey)
    assert first.record
    assert second.record
    who = last_registrar(journey, "birth", "plain")
    own, others = shown(journey, first.record, first.case, who), shown(journey, second.record, second.case, who)
    case, values, decider = correction(journey, first.record, child__pin=others["child.pin"])
    office, desk = journey.offices["zags"], journey.desk
    signer = journey.official(office, "registrar", decider)
    look = journey.ask(signer, first.record, case, office)
    journey.settle(signer, desk.amend(case, office, "amend", first.record, "clerical", "office-error"))
    asked = {**values, "act.number": others["act.number"], "act.office": "ЗАГС-1", "act.year": "1999"}
    message, successor = desk.open_successor(look, 2, office, asked, "clerical")
    journey.send(signer, message)
    after = shown(journey, successor, case, decider)
    for field in ("child.pin", "act.number", "act.office", "act.year"):
        assert after[field] == own[field]


def test_the_numbers_must_have_been_looked_at(journey: Journey) -> None:
    """A look at other fields says nothing of them, and then nothing is written."""
    played = born(journey)
    assert played.record
    case, values, decider = correction(journey, played.record)
    office = journey.offices["zags"]
    look = journey.ask(
        journey.official(office, "registrar", decider), played.record, case, office, ("child.surname", "act.number")
    )
    with pytest.raises(AccessRefused):
        journey.desk.open_successor(look, 2, office, values, "clerical")


@pytest.mark.parametrize("kind", ["clerical", "adoption"])
def test_an_amendment_cut_off_between_its_transactions_is_finished(journey: Journey, kind: str) -> None:
    played = born(journey)
    assert played.record
    case, values, decider = correction(journey, played.record)
    office, desk = journey.offices["zags"], journey.desk
    signer = journey.official(office, "registrar", decider)
    look = journey.ask(signer, played.record, case, office)
    journey.settle(signer, desk.amend(case, office, "amend", played.record, kind, "office-error"))
    first = desk.open_successor(look, 2, office, values, kind)
    assert desk.open_successor(look, 2, office, values, kind) == first
    other = desk.open_successor(look, 2, office, {**values, "parent1.given_names": "Башка"}, kind)
    assert other[1] != first[1]
    journey.send(signer, other[0])
    assert shown(journey, other[1], case, decider)["parent1.given_names"] == "Башка"


# Looks


def test_a_case_opens_no_act_that_it_is_not_about(journey: Journey) -> None:
    other, open_case = born(journey), before_the_decision(journey)
    assert other.record
    who = last_registrar(journey, "birth", "plain")
    for about in (other.record, other.case):
        with pytest.raises(DossierNotGranted):
            shown(journey, about, open_case.case, who)
    assert shown(journey, open_case.case, open_case.case, who)


def test_a_request_names_records_only_once_it_was_sent(journey: Journey) -> None:
    """A version that was prepared and not sent opens nothing."""
    other, mine = born(journey), born(journey)
    assert other.record
    assert mine.record
    case, values, decider = correction(journey, mine.record)
    journey.desk.act(case, "", "submit", values={**values, "amendment.record": other.record.hex()})
    with pytest.raises(DossierNotGranted):
        shown(journey, other.record, case, decider)
    assert shown(journey, mine.record, case, decider)


def test_officials_see_what_was_sent_not_what_was_prepared(journey: Journey) -> None:
    played = before_the_decision(journey)
    values = example(journey, "birth", "plain").values
    journey.desk.act(played.case, "", "submit", values={**values, "child.surname": "Подменов"})
    who = last_registrar(journey, "birth", "plain")
    assert shown(journey, played.case, played.case, who)["child.surname"] == values["child.surname"]
    folder = journey.desk.folders.find(played.case)
    assert folder
    assert journey.desk.folders.next_version(played.case) == folder.version + 2


def test_only_the_controller_can_tell_whose_dossier_was_looked_at(journey: Journey) -> None:
    """The log of a subject: all looks at the dossier, and no others."""
    mine, other = born(journey), born(journey)
    assert mine.record
    shown(journey, mine.record, mine.case, last_registrar(journey, "birth", "plain"))
    controller, door = journey.workplace.controller, journey.workplace.ledger.door
    looks = {LOOKS.decode_key(key): LOOKS.decode_value(raw) for key, raw in door.scan(LOOKS.prefix)}
    for about, of in ((mine.record, mine), (mine.case, mine), (other.case, other)):
        fits = upkeep.looks_at(controller, about)
        found = [look for access, look in looks.items() if fits(access, look.references)]
        assert found
        assert {look.case for look in found} == {of.case}
    references = [reference for look in looks.values() for reference in look.references]
    assert len(set(references)) == len(references), "no two looks show the same reference"


# What is set aside


def test_what_cannot_be_had_gives_back_what_was_set_aside(journey: Journey) -> None:
    """An office without blanks: act number and PIN are the next one's, at once."""
    played = before_the_decision(journey)
    values = {**example(journey, "birth", "plain").values}
    office, controller = journey.offices["consulate"], journey.workplace.controller
    with pytest.raises(PoolExhausted):
        journey.desk.register(played.case, office, "register", values)
    assert controller.act_numbers.reserve(office, 2026, reservation=bytes(16)).number == 1
    controller.act_numbers.release(bytes(16))


def test_what_was_never_sent_goes_back_when_its_time_is_over(journey: Journey, monkeypatch: pytest.MonkeyPatch) -> None:
    played, done = before_the_decision(journey), born(journey)
    assert done.record
    values = {**example(journey, "birth", "plain").values}
    office, controller = journey.offices["zags"], journey.workplace.controller
    decision = journey.desk.register(played.case, office, "register", values)
    sent = journey.desk.issue(done.record, office, "repeat", "birth", "lost")
    journey.send(
        journey.official(office, "registrar", last_registrar(journey, "birth", "plain")), sent.message
    )  # and never settled: a crash
    assert settle_expired(controller, ["births"]) == 0
    later = controller.ledger.time() + MAXIMUM_AHEAD + 1
    monkeypatch.setattr(type(controller.ledger), "time", lambda _: later)
    assert settle_expired(controller, ["births"]) == 3, "act number, PIN and one blank; the other was used"
    assert settle_expired(controller, ["births"]) == 0
    assert controller.blanks.status(office, decision.papers[0].series, decision.papers[0].number).value == "in-stock"
    assert controller.blanks.status(office, sent.papers[0].series, sent.papers[0].number).value == "used"
    sent.held.commit(bytes([7]) * 32)


def test_blanks_enter_the_stock_when_the_ledger_has_them(journey: Journey) -> None:
    head, office = journey.offices[HEAD], journey.offices["consulate"]
    decision = journey.desk.receive_blanks(head, office, "РЕ", 1, 3)
    with pytest.raises(NotApplied):
        journey.settle(
            journey.official(journey.offices["zags"], "registrar", last_registrar(journey, "birth", "plain")), decision
        )
    with pytest.raises(PoolExhausted):
        journey.workplace.controller.blanks.reserve(office)
    again = journey.desk.receive_blanks(head, office, "РЕ", 1, 3)
    answer = journey.settle(journey.official(head, "blanks-keeper"), again)
    again.held.commit(answer.id)
    taken = journey.workplace.controller.blanks.reserve(office)
    assert (taken.series, taken.number) == ("РЕ", 1)
    journey.workplace.controller.blanks.release(taken.id)


# Erasure


def test_the_dossier_of_an_open_case_is_not_erased(journey: Journey) -> None:
    played = before_the_decision(journey)
    workplace = journey.workplace
    with pytest.raises(CommandError, match="open"):
        upkeep.erase(workplace.ledger.door, workplace.controller, played.case, lambda _: None)
    assert shown(journey, played.case, played.case, last_registrar(journey, "birth", "plain"))


def test_nothing_is_erased_before_the_tombstone_is_on_the_ledger(journey: Journey) -> None:
    played, workplace = born(journey), journey.workplace

    def refused(_: bytes) -> None:
        raise CommandError("the ledger refused it", 1)

    with pytest.raises(CommandError, match="refused"):
        upkeep.erase(workplace.ledger.door, workplace.controller, played.case, refused)
    who = last_registrar(journey, "birth", "plain")
    assert shown(journey, played.case, played.case, who)["child.surname"]
