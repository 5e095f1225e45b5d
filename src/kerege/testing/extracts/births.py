"""Births that are to be accepted, however suspicious they look: nothing in them is impossible or contradicts."""

from collections.abc import Callable

from msgspec.structs import replace

from kerege.testing.extracts.book import Act
from kerege.testing.extracts.days import leap_days, years_before
from kerege.testing.extracts.names import given_name
from kerege.testing.extracts.scene import FIRST_BIRTH, LAST_BIRTH, Scene
from kerege.testing.extracts.spelling import same_name

YOUNGEST = 12
"""Full years from which a person may be a parent."""
_LEAP_DAYS = leap_days(FIRST_BIRTH, LAST_BIRTH)
_PARENT_SEEN = 40
"""Acts looked at to find a grown-up who is in the register already."""
_LATEST = 300
_ODD_NAMES = (
    "О'Коннор",
    "Ким-Ли",
    "Tоктогулoва",
    "Asanov",
    "Асанов (Усенов)",
    "Нет данных",
    "Асанова 2-я",
    "А",
    "-",
    "?",
    "Абдурахманов-" * 10 + "Ли",
)
_ODD_OFFICES = ("ЗАГС-999999", "Сельская управа 3", "ЗАГС", "")


def plain(scene: Scene) -> Act:
    """An ordinary birth."""
    return scene.child()


def twin(scene: Scene) -> Act | None:
    """Same day, parents and surname as a child before, at the same office, under the next number."""
    first = scene.held()
    if first is None:
        return None
    given = given_name(scene.chance, male=first.male)
    return _beside(scene, first, given_name=given, number=scene.book.new_number(first.office, first.registered))


def twin_of_one_name(scene: Scene) -> Act | None:
    """A twin who was given the same name too: only PIN and number tell them apart."""
    first = scene.held()
    if first is None:
        return None
    return _beside(scene, first, number=scene.book.new_number(first.office, first.registered))


def namesake(scene: Scene) -> Act | None:
    """The whole name and day of another child, and other parents; perhaps at the same office."""
    first = scene.held()
    if first is None:
        return None
    other = scene.child(first.born)
    office = scene.chance.pick((first.office, other.office))
    return _beside(
        scene,
        first,
        mother=scene.mother(first.born),
        father=other.father,
        place=other.place,
        office=office,
        registered=other.registered,
        number=scene.book.new_number(office, other.registered),
    )


def spelled_alike(scene: Scene) -> Act | None:
    """A child of its own whose names are another's, spelled otherwise."""
    first = scene.held()
    if first is None:
        return None
    act = scene.child(first.born if scene.chance.happens(1 / 2) else None)
    return replace(
        act,
        surname=same_name(first.surname, scene.chance),
        given_name=same_name(first.given_name, scene.chance),
        worn=True,
    )


def young_mother(scene: Scene) -> Act:
    """The mother is twelve on the day of the birth."""
    act = scene.child()
    return replace(act, mother=scene.book.new_pin(years_before(act.born, YOUNGEST), male=False))


def young_father(scene: Scene) -> Act:
    """The father is twelve on that day."""
    act = scene.child()
    return replace(act, father=scene.book.new_pin(years_before(act.born, YOUNGEST), male=True))


def foundling(scene: Scene) -> Act:
    """No known parents."""
    return replace(scene.child(), mother="", father="", patronymic="")


def on_leap_day(scene: Scene) -> Act:
    """Born on a 29th of February, perhaps of a mother born on one twelve years before."""
    act = scene.child(scene.chance.pick(_LEAP_DAYS))
    if scene.chance.happens(1 / 2):
        act.mother = scene.book.new_pin(years_before(act.born, YOUNGEST), male=False)
    return act


def registered_at_once(scene: Scene) -> Act:
    """Registered on the day of the birth."""
    act = scene.child()
    return replace(act, registered=act.born, number=scene.book.new_number(act.office, act.born))


def registered_today(scene: Scene) -> Act | None:
    """Registered on the day of the import, which is not the future."""
    if scene.today is None:
        return None
    act = scene.child()
    return replace(act, registered=scene.today, number=scene.book.new_number(act.office, scene.today))


def wide_place(scene: Scene) -> Act:
    """The place is only an oblast, or the state: the classifier has them."""
    return replace(scene.child(), place=scene.chance.pick(scene.territory.wide))


def child_of_one_registered(scene: Scene) -> Act | None:
    """A parent's PIN is held by the parent's own act of birth: that is another column."""
    for _ in range(_PARENT_SEEN):
        parent = scene.held()
        if parent is not None and parent.born <= years_before(LAST_BIRTH, YOUNGEST) - 1:
            grown = parent.born + (LAST_BIRTH - years_before(LAST_BIRTH, YOUNGEST)) + 1
            act = scene.child(grown + scene.chance.below(min(_LATEST, LAST_BIRTH - grown + 1)))
            return replace(act, father=parent.pin) if parent.male else replace(act, mother=parent.pin)
    return None


def lost_letters(scene: Scene) -> Act:
    """The row itself has `?` for letters that were lost before."""
    act = scene.child()
    act.worn = True
    return act


def odd_name(scene: Scene) -> Act:
    """A name that is hardly one, or has letters of two scripts: it is not empty."""
    act = scene.child()
    odd = scene.chance.pick(_ODD_NAMES)
    return replace(act, surname=odd) if scene.chance.happens(1 / 2) else replace(act, given_name=odd)


def odd_number(scene: Scene) -> Act:
    """An act number that is not of the usual form."""
    act = scene.child()
    return replace(act, number=scene.chance.pick((act.number.replace("/", "-"), f"{act.number}-А", f"н {act.number}")))


def odd_office(scene: Scene) -> Act:
    """An office that is no more, or that is not written."""
    act = scene.child()
    office = scene.chance.pick(_ODD_OFFICES)
    return replace(act, office=office, number=scene.book.new_number(office, act.registered))


def corrected_review(scene: Scene) -> Act | None:
    """A reviewed row again without its fault: the faulty one holds neither PIN nor number."""
    faulty = scene.book.forget("review", scene.chance)
    return faulty and faulty.act


def corrected_rejection(scene: Scene) -> Act | None:
    """A rejected row again without its fault."""
    faulty = scene.book.forget("rejected", scene.chance)
    return faulty and faulty.act


def pin_of_review(scene: Scene) -> Act | None:
    """Another child has the PIN of a reviewed row, which does not hold it."""
    faulty = scene.book.forget("review", scene.chance)
    if faulty is None:
        return None
    act = scene.child(faulty.act.born)
    return replace(faulty.act, number=act.number, office=act.office, place=act.place, registered=act.registered)


def number_of_review(scene: Scene) -> Act | None:
    """Another child has the act number of a reviewed row, which does not hold it."""
    faulty = scene.book.forget("review", scene.chance)
    return faulty and replace(scene.child(), number=faulty.act.number, office=faulty.act.office)


def _beside(scene: Scene, first: Act, **changed: object) -> Act:
    """Another child with a PIN of its own, like the first in all that is not changed."""
    return replace(first, pin=scene.book.new_pin(first.born, male=first.male), **changed)


BIRTHS: dict[Callable[[Scene], Act | None], int] = {
    plain: 300,
    twin: 6,
    twin_of_one_name: 1,
    namesake: 3,
    spelled_alike: 2,
    young_mother: 2,
    young_father: 2,
    foundling: 2,
    on_leap_day: 2,
    registered_at_once: 3,
    registered_today: 1,
    wide_place: 1,
    child_of_one_registered: 2,
    lost_letters: 3,
    odd_name: 2,
    odd_number: 1,
    odd_office: 1,
    corrected_review: 1,
    corrected_rejection: 1,
    pin_of_review: 1,
    number_of_review: 1,
}
"""How often each comes up, of all of them."""
