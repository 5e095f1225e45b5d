"""Numbers of persons, acts and blanks: never one twice, returned when unused, also under many hands at once."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from kerege.dossiers import errors
from kerege.dossiers.blanks import BlankStatus
from kerege.dossiers.books import FOUND
from kerege.dossiers.controller import Controller
from kerege.dossiers.embedded_keys import HOUR
from kerege.dossiers.pins import PinPattern, PinStatus
from tests.dossiers.support import NOW, Ledger, open_controller

PATTERN = PinPattern(
    since=date(1996, 1, 1),
    parts=("sex", "day", "month", "year", "serial"),
    sex={"female": "1", "male": "2"},
    serial_digits=5,
    pool=((1, 99_999),),
)
BORN = date(2026, 11, 20)


def small(first: int, last: int) -> list[PinPattern]:
    return [
        PinPattern(**{name: getattr(PATTERN, name) for name in PATTERN.__struct_fields__} | {"pool": ((first, last),)})
    ]


def test_a_pin_has_the_form_of_its_pattern(controller: Controller) -> None:
    pin = controller.pins([PATTERN], offset_minutes=360).reserve("female", BORN).pin
    assert pin.startswith("120112026")
    assert len(pin) == 14
    assert pin.isdigit()


def test_without_a_pattern_or_a_free_serial_there_is_no_pin(controller: Controller) -> None:
    later = PinPattern(
        **{name: getattr(PATTERN, name) for name in PATTERN.__struct_fields__} | {"since": date(2099, 1, 1)}
    )
    with pytest.raises(errors.PatternAbsent):
        controller.pins([later], offset_minutes=360).reserve("female", BORN)
    with pytest.raises(errors.PatternAbsent):
        controller.pins([PATTERN], offset_minutes=360).reserve("unknown", BORN)
    pins = controller.pins(small(1, 3), offset_minutes=360)
    three = {pins.reserve("male", BORN).pin for _ in range(3)}
    assert len(three) == 3
    with pytest.raises(errors.PoolExhausted):
        pins.reserve("male", BORN)
    pins.reserve("female", BORN)


def test_the_pattern_is_the_one_in_force_on_the_local_day(controller: Controller, ledger: Ledger) -> None:
    fields = {name: getattr(PATTERN, name) for name in PATTERN.__struct_fields__}
    patterns = [
        PinPattern(**fields | {"until": date(2026, 11, 20)}),
        PinPattern(**fields | {"since": date(2026, 11, 21), "sex": {"male": "4"}}),
    ]
    pins = controller.pins(patterns, offset_minutes=360)
    ledger.now = 1_795_197_599_999  # 20 November 2026, 17:59:59.999 UTC
    assert pins.reserve("male", BORN).pin[0] == "2"
    ledger.now += 1
    assert pins.reserve("male", BORN).pin[0] == "4"


def test_a_reservation_is_idempotent_in_every_step(controller: Controller) -> None:
    pins = controller.pins([PATTERN], offset_minutes=360)
    identifier, transaction = os.urandom(16), os.urandom(32)
    first = pins.reserve("male", BORN, reservation=identifier)
    assert pins.reserve("male", BORN, reservation=identifier) == first
    assert pins.status(first.pin) is PinStatus.RESERVED
    pins.commit(identifier, transaction)
    pins.commit(identifier, transaction)
    assert pins.status(first.pin) is PinStatus.USED
    assert pins.reserve("male", BORN, reservation=identifier) == first
    with pytest.raises(errors.ReservationCommitted):
        pins.commit(identifier, os.urandom(32))
    with pytest.raises(errors.ReservationCommitted):
        pins.release(identifier)
    other = pins.reserve("male", BORN)
    pins.release(other.id)
    pins.release(other.id)
    assert pins.status(other.pin) is PinStatus.FREE
    with pytest.raises(errors.ReservationUnknown):
        pins.commit(other.id, transaction)


def test_a_pin_of_an_old_registry_is_taken(controller: Controller) -> None:
    pins = controller.pins(small(1, 2), offset_minutes=360)
    transaction = os.urandom(32)
    pins.occupy("22011202600001", transaction)
    pins.occupy("22011202600001", transaction)
    with pytest.raises(errors.NumberTaken):
        pins.occupy("22011202600001", os.urandom(32))
    assert pins.reserve("male", BORN).pin == "22011202600002"
    with pytest.raises(errors.NumberTaken):
        pins.occupy("22011202600002", transaction)


def test_many_hands_never_get_one_number_twice(controller: Controller) -> None:
    desks = [controller.pins(small(1, 60), offset_minutes=360) for _ in range(4)]

    def register(index: int) -> tuple[str, int]:
        pin = desks[index % 4].reserve("male", BORN)
        number = controller.act_numbers.reserve("office", 2026)
        if index % 3 == 0:
            desks[index % 4].release(pin.id)
            controller.act_numbers.release(number.id)
            return "", 0
        return pin.pin, number.number

    with ThreadPoolExecutor(8) as pool:
        given = [pair for pair in pool.map(register, range(60)) if pair[0]]
    assert len({pin for pin, _ in given}) == len(given) == 40
    assert len({number for _, number in given}) == 40


def test_numbers_survive_a_restart(home: Path, ledger: Ledger) -> None:
    with Controller.create(home, ledger, clock=lambda: NOW) as first:
        one = first.act_numbers.reserve("office", 2026)
        pin = first.pins(small(1, 2), offset_minutes=360).reserve("male", BORN)
    with open_controller(home, ledger) as second:
        assert second.act_numbers.reserve("office", 2026).number == one.number + 1
        assert second.act_numbers.reserve("office", 2026, reservation=one.id) == one
        assert second.pins(small(1, 2), offset_minutes=360).reserve("male", BORN).pin != pin.pin


def test_a_returned_act_number_is_given_out_first(controller: Controller) -> None:
    numbers = controller.act_numbers
    five = [numbers.reserve("office", 2026) for _ in range(5)]
    assert [one.number for one in five] == [1, 2, 3, 4, 5]
    assert numbers.reserve("elsewhere", 2026).number == numbers.reserve("office", 2027).number == 1
    numbers.release(five[3].id)
    numbers.release(five[1].id)
    assert [numbers.reserve("office", 2026).number for _ in range(3)] == [2, 4, 6]


def test_act_numbers_of_an_old_registry_are_passed_over(controller: Controller) -> None:
    numbers, transaction = controller.act_numbers, os.urandom(32)
    numbers.occupy("office", 2026, 2, transaction)
    numbers.occupy("office", 2026, 2, transaction)
    first = numbers.reserve("office", 2026)
    assert (first.number, numbers.reserve("office", 2026).number) == (1, 3)
    with pytest.raises(errors.NumberTaken):
        numbers.occupy("office", 2026, 3, transaction)
    with pytest.raises(errors.NumberTaken):
        numbers.occupy("office", 2026, 2, os.urandom(32))
    numbers.release(first.id)
    numbers.occupy("office", 2026, 1, transaction)
    assert numbers.reserve("office", 2026).number == 4


def test_expired_reservations_are_settled_by_the_ledger(controller: Controller) -> None:
    numbers, transaction = controller.act_numbers, os.urandom(32)
    used, lost, young, endless = (
        numbers.reserve("office", 2026, expires=expires) for expires in (NOW, NOW, NOW + HOUR, None)
    )
    pin = controller.pins([PATTERN], offset_minutes=360).reserve("male", BORN, expires=NOW)

    def on_ledger(office: str, year: int, number: int) -> bool:
        return (office, year, number) == ("office", 2026, used.number)

    assert numbers.release_expired(NOW, on_ledger) == 0
    assert numbers.release_expired(NOW + 1, on_ledger) == 1
    assert numbers.used_by("office", 2026, used.number) == FOUND
    numbers.commit(used.id, transaction)
    assert numbers.reserve("office", 2026).number == lost.number
    assert numbers.reserve("office", 2026, reservation=young.id) == young
    assert numbers.reserve("office", 2026, reservation=endless.id) == endless
    assert controller.pins([PATTERN], offset_minutes=360).status(pin.pin) is PinStatus.RESERVED


def test_every_blank_is_accounted_for(controller: Controller) -> None:
    blanks = controller.blanks
    with pytest.raises(errors.PoolExhausted):
        blanks.reserve("office")
    with pytest.raises(errors.DraftInvalid):
        blanks.receive("office", "KG", 3, 2)
    blanks.receive("office", "KG", 100, 105)
    with pytest.raises(errors.NumberTaken):
        blanks.receive("elsewhere", "KG", 105, 200)
    first = blanks.reserve("office")
    assert (first.series, first.number, len(first.commitment)) == ("KG", 100, 32)
    with pytest.raises(errors.BlankNotInState):
        blanks.write_off("office", "KG", 100, BlankStatus.SPOILED, "printer")
    blanks.release(first.id)
    again = blanks.reserve("office")
    assert again.number == 100
    assert again.commitment != first.commitment
    blanks.commit(again.id, os.urandom(32))
    assert blanks.status("office", "KG", 100) is BlankStatus.USED
    blanks.write_off("office", "KG", 100, BlankStatus.LOST, "reported")
    blanks.write_off("office", "KG", 102, BlankStatus.SPOILED, "printer")
    blanks.write_off("office", "KG", 102, BlankStatus.SPOILED, "printer")
    with pytest.raises(errors.BlankNotInState):
        blanks.write_off("office", "KG", 102, BlankStatus.DESTROYED, "act 7")
    with pytest.raises(errors.BlankNotInState):
        blanks.write_off("office", "KG", 103, BlankStatus.USED, "no")
    for office, number in (("office", 99), ("elsewhere", 101), ("elsewhere", 100)):
        with pytest.raises(errors.BlankUnknown):
            blanks.status(office, "KG", number)
    assert [blanks.reserve("office").number for _ in range(4)] == [101, 103, 104, 105]
    with pytest.raises(errors.PoolExhausted):
        blanks.reserve("office")
