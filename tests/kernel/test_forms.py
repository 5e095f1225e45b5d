"""Every message, event and stored value as JSON and back; nothing but that JSON is taken."""

import json
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from msgspec import Meta, Struct

from kerege.kernel import addresses, forms
from kerege.kernel.codec import decode, encode
from kerege.kernel.errors import BadForm
from kerege.kernel.messages import tag_of
from kerege.kernel.module import Modules
from kerege.kernel.types import Address, Amount, Count, Day, Identifier, Time
from kerege.modules import MODULES
from kerege.modules.accounts.messages import Open
from kerege.modules.policy.messages import SetParameter
from kerege.testing import values
from tests.kernel import toy
from tests.kernel.strategies import values_of

REAL = Modules(MODULES)
KINDS = [
    kind for modules in (REAL, toy.MODULES) for module in modules.all for kind in (*module.handlers, *module.events)
]
TABLES = [table for modules in (REAL, toy.MODULES) for table in modules.tables.values()]
LAW = {"act": "a", "article": "1", "url": "", "read_on": None, "unverified": True}
QUICK = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))


def round_trip(value, kind):
    text = json.dumps(forms.to_json(value, kind, "kg"), ensure_ascii=False)
    back = forms.from_json(json.loads(text), kind, "kg")
    assert back == value
    assert encode(back) == encode(value)


@pytest.mark.parametrize("kind", KINDS, ids=tag_of)
@QUICK
@given(data=st.data())
def test_messages_and_events(kind, data):
    value = data.draw(values_of(kind))
    round_trip(value, kind)
    assert decode(encode(value), kind) == value


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@QUICK
@given(data=st.data())
def test_stored_values_and_keys(table, data):
    value = data.draw(values_of(table.value))
    round_trip(value, table.value)
    assert table.decode_value(table.encode_value(value)) == value
    for part in table.key if table.composite else (table.key,):
        round_trip(data.draw(values_of(part)), part)


@pytest.mark.parametrize("kind", KINDS, ids=tag_of)
def test_every_kind_has_a_schema(kind):
    schema = forms.json_schema(kind)
    assert schema["additionalProperties"] is False
    assert schema["properties"]["type"] == {"const": tag_of(kind)}
    assert set(schema["properties"]) == {"type", *kind.__struct_fields__}


class Inner(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    many: tuple[Amount, ...]


class All(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag="toy.All"):
    who: Address
    maybe: Address | None
    amount: Amount
    maybe_amount: Amount | None
    day: Day
    maybe_day: Day | None
    inner: Inner | None
    pair: tuple[Identifier, bool]
    number: Annotated[int, Meta(ge=-5, le=5)] = 0


GOOD = {
    "type": "toy.All",
    "who": "kg1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqwp93zc",
    "maybe": None,
    "amount": "9223372036854775807",
    "maybe_amount": "0",
    "day": "2026-11-20",
    "maybe_day": None,
    "inner": {"many": ["1", "2"]},
    "pair": ["00" * 16, True],
    "number": 5,
}


def good() -> dict[str, Any]:
    value = All(b"\0" * 20, None, 2**63 - 1, 0, 20777, None, Inner((1, 2)), (bytes(16), True), 5)
    form: dict[str, Any] = forms.to_json(value, All, "kg")
    assert {**GOOD, "who": form["who"]} == form
    return form


def test_the_form_is_by_names_with_the_tag():
    form = good()
    assert forms.from_json(form, All, "kg").amount == 2**63 - 1
    del form["number"]
    assert forms.from_json(form, All, "kg").number == 0, "a field with a default may be left out"


@given(maybe=st.none() | st.binary(min_size=20, max_size=20), amount=st.none() | st.integers(0, 2**63 - 1))
def test_what_may_be_absent_keeps_its_form(maybe, amount):
    value = All(b"\1" * 20, maybe, 1, amount, 0, 2_932_896, None, (bytes(16), False))
    form = forms.to_json(value, All, "kg")
    assert maybe is None or form["maybe"].startswith("kg1")
    assert amount is None or form["maybe_amount"] == str(amount)
    assert form["maybe_day"] == "9999-12-31"
    assert forms.from_json(form, All, "kg") == value


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("who", "kg1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqwp93zd"),
        ("who", "00" * 20),
        ("who", ""),
        ("who", None),
        ("who", 5),
        ("maybe", "00" * 20),
        ("maybe", []),
        ("amount", 5),
        ("amount", "05"),
        ("amount", "+5"),
        ("amount", "-5"),
        ("amount", "5.0"),
        ("amount", "٥"),
        ("amount", " 5"),
        ("amount", ""),
        ("amount", "9223372036854775808"),
        ("amount", "9" * 5_000),
        ("amount", True),
        ("maybe_amount", 5),
        ("day", "2026-02-30"),
        ("day", "2026-2-3"),
        ("day", "20-11-2026"),
        ("day", "1969-12-31"),
        ("day", "٢٠٢٦-١١-٢٠"),
        ("day", 20777),
        ("inner", {}),
        ("inner", {"many": ["1"], "more": 1}),
        ("inner", {"many": "1"}),
        ("inner", {"many": [1]}),
        ("inner", []),
        ("pair", ["00" * 16]),
        ("pair", ["00" * 16, True, True]),
        ("pair", ["00" * 15, True]),
        ("pair", ["0G" * 16, True]),
        ("pair", ["AA" * 16, True]),
        ("pair", [" " + "00" * 16, True]),
        ("pair", ["00" * 16, 1]),
        ("number", 6),
        ("number", 5.0),
        ("number", True),
        ("number", "5"),
        ("type", "toy.Other"),
        ("type", None),
        ("extra", 1),
        (5, 1),
    ],
)
def test_anything_else_is_refused_with_its_field(field, value):
    form = {**good(), field: value}
    with pytest.raises(BadForm) as refused:
        forms.from_json(form, All, "kg")
    assert refused.value.field.startswith("$")
    if field in {"who", "amount", "day", "type"} and refused.value.field != "$":
        assert refused.value.field == f"$.{field}"


@pytest.mark.parametrize(
    ("kind", "form", "field", "reason"),
    [
        (Open, {"kind": "king"}, "$.kind", "one of person, institution, official, gateway expected"),
        (Open, {"kind": 1}, "$.kind", "one of person, institution, official, gateway expected"),
        (Open, {"kind": None}, "$.kind", "one of person, institution, official, gateway expected"),
        (Open, {"kind": []}, "$.kind", "one of person, institution, official, gateway expected"),
        (Open, {"key_kind": 4}, "$.key_kind", "<= 3"),
        (Open, {"office": ""}, "$.office", "length >= 1"),
        (All, {"number": 6}, "$.number", "<= 5"),
        (All, {"inner": {"many": ["1", "9223372036854775808"]}}, "$.inner.many[1]", "<= 9223372036854775807"),
        (SetParameter, {"basis": [LAW, {**LAW, "act": "x" * 1000}]}, "$.basis[1].act", "length <="),
    ],
)
def test_a_value_out_of_bounds_is_told_by_the_name_of_its_field(kind, form, field, reason):
    whole = good() if kind is All else forms.to_json(values.smallest(kind), kind, "kg")
    with pytest.raises(BadForm) as refused:
        forms.from_json({**whole, **form}, kind, "kg")
    assert (refused.value.field, reason in refused.value.reason) == (field, True), refused.value


@pytest.mark.parametrize("form", [None, 5, "x", [], [1], True, 1.5, {"type": "toy.All"}])
def test_another_shape_is_refused(form):
    with pytest.raises(BadForm):
        forms.from_json(form, All, "kg")


def test_an_address_of_another_nation_is_refused():
    form = good()
    with pytest.raises(BadForm):
        forms.from_json(form, All, "kz")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_any_json_is_answered(form):
    with pytest.raises(BadForm):
        forms.from_json(form, All, "kg")


def test_times_are_numbers():
    assert forms.to_json(5, Time, "kg") == 5
    assert forms.from_json(5, Count, "kg") == 5


def test_union_of_messages_is_told_by_its_tag():
    kind = toy.Pay | toy.Note
    note = toy.Note("n", 1, "x")
    assert forms.from_json(forms.to_json(note, kind, "kg"), kind, "kg") == note
    with pytest.raises(BadForm):
        forms.from_json({"name": "n"}, kind, "kg")
    assert msgspec.json.encode(forms.json_schema(kind))


@pytest.mark.parametrize(
    ("raw", "depth"),
    [
        (b"5", 0),
        (b"[]", 1),
        (b'{"a": [{"b": "]]]]"}]}', 3),
        (b'["\\"[[[["]', 1),
        (b"[" * 100_000, 100_000),
        (b"[[]" * 50, 51),
        (b'"[[[[', 0),
    ],
)
def test_depth_is_known_before_anything_is_decoded(raw: bytes, depth: int) -> None:
    assert not forms.is_deeper(raw, depth)
    assert depth == 0 or forms.is_deeper(raw, depth - 1)


@pytest.mark.parametrize("kind", [*KINDS, *(table.value for table in TABLES)], ids=str)
@QUICK
@given(data=st.data())
def test_what_is_written_fits_its_schema(kind: Any, data: st.DataObject) -> None:
    """Addresses, closed lists and bounds as they are written: a client that follows the schema sends what is read."""
    schema = forms.json_schema(kind)
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(forms.to_json(data.draw(values_of(kind)), kind, "kg"))


def test_a_schema_tells_the_words_and_the_bounds() -> None:
    """What a closed list allows, how long an address is, how large a number may be."""
    opening = forms.json_schema(Open)["properties"]
    assert opening["kind"]["enum"] == ["person", "institution", "official", "gateway"]
    assert Draft202012Validator(forms.json_schema(Address)).is_valid(addresses.encode("kg", bytes(20)))
    assert not Draft202012Validator(forms.json_schema(Address)).is_valid("00" * 20)
    assert not Draft202012Validator(forms.json_schema(Identifier)).is_valid("00" * 15)
