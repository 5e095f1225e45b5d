"""Whether the values of a request fit the form of its service: all faults at once, so that a person corrects them once.

Values are seen in clear here and only here: the controller checks before it commits, and the ledger receives
commitments. Everything is judged from arguments; the day is the office's local date.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum

from msgspec import Struct

from kerege.dossiers.names import NameRefused, check_name
from kerege.kernel.days import parse_iso
from kerege.kernel.errors import BadForm
from kerege.modules.services.rules import holds
from kerege.modules.services.types import Field, ServiceDefinition

EARLIEST_DAY = parse_iso("1850-01-01")
"""No act in any register speaks of an earlier day."""

_CITIZENSHIP_WORDS = ("stateless", "unknown")
_HEX = re.compile(r"[0-9a-f]+\Z")
_IDENTIFIER = re.compile(r"[0-9A-Za-zА-Яа-яЁёӨөҮүҢң][0-9A-Za-zА-Яа-яЁёӨөҮүҢң ./№#-]*\Z")
_RANDOM_DIGITS, _FILE_DIGITS = 32, 64
_LONGEST_NUMBER = 9

_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY "
    "BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK "
    "FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR "
    "IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK "
    "ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM "
    "PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF "
    "TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
)

COUNTRIES = frozenset(_CODES.split())
"""ISO 3166-1 alpha-2, the 249 codes assigned."""


class Wrong(StrEnum):
    """What is wrong with a value; its text is `faults.<value>`."""

    UNKNOWN_FIELD = "unknown-field"
    NOT_ASKED = "not-asked"
    MISSING = "missing"
    TOO_LONG = "too-long"
    NOT_NFC = "not-nfc"
    CONTROL = "control-character"
    BAD_NAME = "bad-name"
    NAME_FORM = "name-form"
    BAD_DATE = "bad-date"
    FUTURE = "future"
    TOO_EARLY = "too-early"
    BAD_NUMBER = "bad-number"
    NOT_A_CHOICE = "not-a-choice"
    NOT_ALLOWED_TODAY = "not-allowed-today"
    NOT_A_COUNTRY = "not-a-country"
    NOT_A_TERRITORY = "not-a-territory"
    NOT_AN_OFFICE = "not-an-office"
    BAD_PIN = "bad-pin"
    BAD_IDENTIFIER = "bad-identifier"
    BAD_BYTES = "bad-bytes"
    RULE = "rule"


class Fault(Struct, frozen=True, order=True):
    """One thing to correct; never holds the value."""

    field: str
    wrong: Wrong
    detail: str = ""
    """The rule's code, the name's fault, the length allowed: a code or a number, never a value."""


class NameForm(Struct, frozen=True):
    """How a surname or patronymic may be made, with the ending it then has for a son and a daughter."""

    code: str
    list: str
    """Choice list it belongs to."""
    ending_male: str
    ending_female: str
    sex_field: str
    """Field that says which of the two endings; unknown: either."""


class World(Struct, frozen=True):
    """What the country knows on the day of checking."""

    today: int
    """Local date of the office."""
    territory: Mapping[str, Collection[tuple[int | None, int | None]]]
    """Per code of the classifier: first and last days in force."""
    offices: Collection[str]
    allowed: Mapping[str, Collection[str]]
    """Per dated parameter that narrows a choice list: the values allowed today."""
    pin_pattern: str
    """`S` sex digit, `DDMMYYYY` birth date, `N` any digit."""
    sex_digits: Collection[str]
    """Digits that may stand for `S`."""
    name_forms: tuple[NameForm, ...] = ()


def find_faults(
    definition: ServiceDefinition, values: Mapping[str, str], world: World, *, kept: Collection[str] = ()
) -> tuple[Fault, ...]:
    """Everything wrong with these values, in the order of the form; empty if they may be submitted.

    A value that is absent counts as the empty text. Of the fields `kept` as an act has them no value is judged: an old
    act says what it says. Raises nothing for any texts.
    """
    fields = definition.asked_fields
    known = {field.code for field in fields}
    faults = [Fault(code[:64], Wrong.UNKNOWN_FIELD) for code in sorted(values) if code not in known]
    for field in fields:
        faults.extend(_field_faults(definition, field, values, world))
    faults = [fault for fault in faults if _is_to_correct(fault, kept)]
    if not faults:
        faults.extend(fault for fault in _form_faults(definition, values, world) if _is_to_correct(fault, kept))
    if not faults:
        faults.extend(
            Fault(code, Wrong.RULE, rule.code)
            for rule in definition.rules
            if not holds(rule.holds, values)
            for code in rule.fields
            if code not in kept
        )
    return tuple(faults)


def kept_fields(definition: ServiceDefinition, named: str) -> frozenset[str]:
    """The fields of an act that an amendment leaves as they stand: all that it does not name.

    `named`: codes of fields, or of parts such as `parent2`, between spaces.
    """
    words = named.split()
    codes = (field.code for field in definition.record_fields)
    return frozenset(code for code in codes if not any(code == word or code.startswith(f"{word}.") for word in words))


def _is_to_correct(fault: Fault, kept: Collection[str]) -> bool:
    """Whether a fault counts: what is missing or not asked for is none of the act's own wording."""
    return fault.field not in kept or fault.wrong in {Wrong.UNKNOWN_FIELD, Wrong.NOT_ASKED, Wrong.MISSING}


def _field_faults(
    definition: ServiceDefinition, field: Field, values: Mapping[str, str], world: World
) -> Iterator[Fault]:
    value = values.get(field.code, "")
    asked = holds(field.asked, values)
    if not value:
        if asked and holds(field.required, values):
            yield Fault(field.code, Wrong.MISSING)
        return
    if not asked:
        yield Fault(field.code, Wrong.NOT_ASKED)
    elif len(value) > field.limit:
        yield Fault(field.code, Wrong.TOO_LONG, str(field.limit))
    elif not unicodedata.is_normalized("NFC", value):
        yield Fault(field.code, Wrong.NOT_NFC)
    elif any(unicodedata.category(letter) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for letter in value):
        yield Fault(field.code, Wrong.CONTROL)
    else:
        yield from _value_faults(definition, field, value, world)


def _value_faults(definition: ServiceDefinition, field: Field, value: str, world: World) -> Iterator[Fault]:
    match field.kind:
        case "name":
            try:
                check_name(value)
            except NameRefused as refused:
                yield Fault(field.code, Wrong.BAD_NAME, refused.fault.value)
        case "date":
            wrong = _wrong_date(value, world.today)
            if wrong is not None:
                yield Fault(field.code, wrong)
        case "choice":
            yield from _choice_faults(definition, field, value, world)
        case "territory":
            if not any(_in_force(period, world.today) for period in world.territory.get(value, ())):
                yield Fault(field.code, Wrong.NOT_A_TERRITORY)
        case "text":
            return
        case _:
            wrong = _wrong_code(field.kind, value, world)
            if wrong is not None:
                yield Fault(field.code, wrong)


def _wrong_code(kind: str, value: str, world: World) -> Wrong | None:
    """What is wrong with a value whose kind has one pattern."""
    fits, wrong = {
        "number": (_is_number(value), Wrong.BAD_NUMBER),
        "country": (value in COUNTRIES, Wrong.NOT_A_COUNTRY),
        "citizenship": (value in COUNTRIES or value in _CITIZENSHIP_WORDS, Wrong.NOT_A_COUNTRY),
        "office": (value in world.offices, Wrong.NOT_AN_OFFICE),
        "pin": (_is_pin(value, world), Wrong.BAD_PIN),
        "identifier": (_IDENTIFIER.match(value) is not None, Wrong.BAD_IDENTIFIER),
        "random": (len(value) == _RANDOM_DIGITS and _HEX.match(value) is not None, Wrong.BAD_BYTES),
        "file": (len(value) == _FILE_DIGITS and _HEX.match(value) is not None, Wrong.BAD_BYTES),
    }[kind]
    return None if fits else wrong


def _choice_faults(definition: ServiceDefinition, field: Field, value: str, world: World) -> Iterator[Fault]:
    choices = next(listed for listed in definition.choice_lists if listed.code == field.choices)
    if value not in choices.values:
        yield Fault(field.code, Wrong.NOT_A_CHOICE)
    elif choices.parameter and value not in world.allowed.get(choices.parameter, ()):
        yield Fault(field.code, Wrong.NOT_ALLOWED_TODAY)


def _wrong_date(value: str, today: int) -> Wrong | None:
    try:
        day = parse_iso(value)
    except BadForm:
        return Wrong.BAD_DATE
    if day > today:
        return Wrong.FUTURE
    return Wrong.TOO_EARLY if day < EARLIEST_DAY else None


def _in_force(period: tuple[int | None, int | None], day: int) -> bool:
    first, last = period
    return (first is None or first <= day) and (last is None or day <= last)


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= _LONGEST_NUMBER and (value == "0" or value[0] != "0")


def _is_pin(value: str, world: World) -> bool:
    """By the dated pattern alone: no check digit is published, and a wrong guess would turn people away."""
    pattern = world.pin_pattern
    if len(value) != len(pattern) or not (value.isascii() and value.isdigit()):
        return False
    if "S" in pattern and value[pattern.index("S")] not in world.sex_digits:
        return False
    at = pattern.find("DDMMYYYY")
    if at < 0:
        return True
    digits = value[at : at + 8]
    return _wrong_date(f"{digits[4:]}-{digits[2:4]}-{digits[:2]}", world.today) is None


def _form_faults(definition: ServiceDefinition, values: Mapping[str, str], world: World) -> Iterator[Fault]:
    """A name of a form with an ending has that ending: the field is `<part>_form`, the name `<part>` beside it."""
    for field in definition.asked_fields:
        name = values.get(field.code.removesuffix("_form"), "") if field.code.endswith("_form") else ""
        for form in world.name_forms:
            if not name or form.list != field.choices or form.code != values.get(field.code, ""):
                continue
            endings = {"male": (form.ending_male,), "female": (form.ending_female,)}
            allowed = endings.get(values.get(form.sex_field, ""), (form.ending_male, form.ending_female))
            if not any(name.casefold().endswith(f" {ending}") or not ending for ending in allowed):
                yield Fault(field.code.removesuffix("_form"), Wrong.NAME_FORM, form.code)
