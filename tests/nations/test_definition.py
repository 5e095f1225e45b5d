"""Definitions that contradict themselves are refused by number."""

import msgspec
import pytest

from kerege.kernel.errors import Refused
from kerege.modules.services import errors, rules
from kerege.modules.services import types as d
from kerege.modules.services.types import Equal, Name
from kerege.node.pack import known_of, nation_folder, read_pack

PACK = read_pack(nation_folder("kg"))
BIRTH = PACK.service("birth").definition
change = msgspec.structs.replace


def _step(which: str, **changes: object) -> d.ServiceDefinition:
    steps = tuple(change(step, **changes) if step.code == which else step for step in BIRTH.steps)
    return change(BIRTH, steps=steps)


def _actions(code: str, *actions: d.Action) -> d.ServiceDefinition:
    return _step(code, actions=actions)


FORWARD = d.Action("forward", "advance", "register", (), True)
BACK = d.Action("back", "return", "accept", ("values-disagree",), True)

WRONG: dict[str, tuple[d.ServiceDefinition, type[Refused]]] = {
    "dead end": (_actions("register", BACK), errors.DeadEnd),
    "step never reached": (change(BIRTH, starts=BIRTH.starts[1:]), errors.NotReached),
    "unknown start": (change(BIRTH, starts=(d.Start("request", ("parent",), "begin"),)), errors.UnknownName),
    "outcome as step": (_actions("accept", change(FORWARD, to="registered")), errors.UnknownName),
    "unknown suspension": (_step("accept", suspensions=("strike",)), errors.UnknownName),
    "lapse is a grant": (_step("declare", lapse="registered"), errors.PartsDisagree),
    "decides to withdraw": (_actions("register", d.Action("x", "decide", "withdrawn", (), True)), errors.PartsDisagree),
    "requester decides": (_actions("declare", d.Action("x", "decide", "registered", (), True)), errors.PartsDisagree),
    "official without office": (_step("accept", office_kinds=()), errors.PartsDisagree),
    "requester at an office": (_step("declare", office_kinds=("zags",)), errors.PartsDisagree),
    "condition of nothing": (_actions("accept", change(FORWARD, when=Equal(Name("moon"), "full"))), errors.UnknownName),
    "condition of no choice": (
        _actions("accept", change(FORWARD, when=Equal(Name("child.sex"), "x"))),
        errors.UnknownName,
    ),
    "withdrawal to a grant": (change(BIRTH, withdrawal="registered"), errors.PartsDisagree),
    "guard of one": (change(BIRTH, four_eyes=change(BIRTH.four_eyes, second="accept")), errors.GuardWithoutEffect),
    "guard of the requester": (
        change(BIRTH, four_eyes=change(BIRTH.four_eyes, first="declare")),
        errors.GuardWithoutEffect,
    ),
    "guard of nowhere": (change(BIRTH, four_eyes=change(BIRTH.four_eyes, first="x")), errors.UnknownName),
    "sample of all": (
        change(BIRTH, four_eyes=change(BIRTH.four_eyes, mode="sampled", percent=100)),
        errors.GuardWithoutEffect,
    ),
    "field twice": (change(BIRTH, request_fields=BIRTH.record_fields[:1]), errors.CodeTwice),
    "step named as an outcome": (_step("notify", code="refused"), errors.CodeTwice),
    "period": (change(BIRTH, valid_to=BIRTH.valid_from - 1), errors.PeriodEmpty),
    "basis": (change(BIRTH, legal_basis=(d.LegalBasis("Act", "1", "https://x", None, False),)), errors.BasisIncomplete),
    "rule of no field": (change(BIRTH, rules=(d.Rule("r", True, ("moon",)),)), errors.UnknownName),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_contradiction_is_refused_with_its_number(name: str) -> None:
    """The class of the first contradiction, with facts that name the place."""
    wrong, refused = WRONG[name]
    with pytest.raises(Refused) as caught:
        rules.check_definition(wrong)
    assert type(caught.value) is refused, str(caught.value)
    assert caught.value.facts()


def test_the_definition_itself_is_accepted() -> None:
    """Within itself, and in the country."""
    rules.check_definition(BIRTH)
    rules.check_names(BIRTH, known_of(PACK))


def test_names_that_the_country_does_not_have_are_refused() -> None:
    """Roles, kinds of office, institutions, parameters, currencies."""
    known = known_of(PACK)
    for field in known.__struct_fields__:
        with pytest.raises(errors.UnknownName):
            _check_all(change(known, **{field: ()}))


def _check_all(known: d.Known) -> None:
    for service in PACK.services:
        rules.check_names(service.definition, known)


def test_numbers_of_definitions_are_a_range_of_their_own() -> None:
    """40 to 49 belong to definitions."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Refused)]
    numbers = sorted(int(kind.code.removeprefix("services.")) for kind in kinds if kind.code)
    assert len(numbers) == len(set(numbers))
    assert [number for number in numbers if number >= 40] == list(range(40, 49))
