"""The Kyrgyz pack: complete in three languages, consistent in its dates, honest about its legal bases."""

import csv
import importlib
import string
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest

from kerege.kernel import errors
from kerege.kernel.codec import decode
from kerege.kernel.days import Calendar, local_day, parse_iso, weekday
from kerege.modules.authority.genesis import Genesis as AuthorityGenesis
from kerege.modules.authority.state import BOARDS, VALIDATORS
from kerege.modules.policy.genesis import Genesis as PolicyGenesis
from kerege.modules.services.keeper.cases import FEE_ACCOUNT
from kerege.modules.services.rules import encode_definition
from kerege.modules.services.types import ServiceDefinition
from kerege.node.genesis import Post, ValidatorPost, genesis_of
from kerege.node.home import HomeError
from kerege.node.pack import (
    Pack,
    check_examples,
    count_unverified,
    legal_bases_of,
    nation_folder,
    needed_texts,
    read_pack,
    unverified,
)
from kerege.node.pack.texts import placeholders
from kerege.testing.ledger import Simulator
from kerege.testing.signers import Ed25519Signer

MODULES = Path(__file__).parents[2] / "src" / "kerege" / "modules"
SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="module")
def pack() -> Pack:
    """The pack as shipped."""
    return read_pack(nation_folder("kg"))


def test_every_example_runs(pack: Pack) -> None:
    """Each situation the issue names, and the ones that must be refused."""
    assert check_examples(pack) == sum(len(service.examples) for service in pack.services)
    names = {example.name for service in pack.services for example in service.examples}
    assert names >= {
        "plain",
        "twins-first",
        "twins-second",
        "foundling",
        "stateless-mother",
        "born-abroad-with-apostille",
        "parents-without-papers",
        "death-on-day-two",
        "late-registration",
        "refusal-with-reasons",
        "duplicate",
        "stillborn",
        "clerical",
        "lost-certificate",
    }


def test_twins_share_the_event_and_nothing_else_that_is_theirs(pack: Pack) -> None:
    """One code of the birth, two orders."""
    examples = {example.name: example.values for example in pack.service("birth").examples}
    first, second = examples["twins-first"], examples["twins-second"]
    assert first["birth.event"] == second["birth.event"]
    assert (first["birth.order"], second["birth.order"]) == ("1", "2")


def test_every_text_exists_in_three_languages_and_in_kyrgyz_letters(pack: Pack) -> None:
    """One id, one whole sentence; the three languages are really three."""
    assert pack.nation.languages == ("ky", "ru", "en")
    for identifier in needed_texts(pack):
        assert all(pack.texts[language][identifier] for language in pack.nation.languages), identifier
    kyrgyz = " ".join(pack.texts["ky"].values())
    assert all(letter in kyrgyz for letter in "өүң")
    latin = set(string.ascii_letters)
    plain = {key: text for key, text in pack.texts["ky"].items() if "{" not in text and "ID" not in text}
    assert not [key for key, text in plain.items() if latin & set(text)]
    assert not [key for key, text in pack.texts["ru"].items() if set("өүңӨҮҢ") & set(text)]


def _refusals() -> list[type[errors.Refused] | type[errors.NotATransaction]]:
    """Every numbered refusal of the kernel and of the modules, found where the anatomy puts them."""
    names = ["kernel.errors", *(f"modules.{path.parent.name}.errors" for path in MODULES.glob("*/errors.py"))]
    listed = [importlib.import_module(f"kerege.{name}") for name in names]
    kinds = (errors.Refused, errors.NotATransaction)
    found = {kind for module in listed for kind in vars(module).values() if isinstance(kind, type)}
    return sorted((kind for kind in found if issubclass(kind, kinds) and kind.code), key=lambda kind: kind.code)


def test_every_refusal_has_a_text_that_uses_its_facts(pack: Pack) -> None:
    """A new refusal brings its sentence in three languages; the facts shown are facts it has."""
    wrong = []
    for kind in _refusals():
        facts = set(kind.FACTS)
        text = pack.texts["en"].get(f"refusals.{kind.code}")
        if text is None or not placeholders(text) <= facts:
            wrong.append(f"{kind.code} {kind.__name__} {sorted(facts)}")
    assert wrong == []


def test_every_legal_basis_is_complete_or_says_that_it_is_not(pack: Pack) -> None:
    """Nothing is made up; what is unverified is counted."""
    bases = list(legal_bases_of(pack))
    assert bases
    assert all(basis.complete or basis.unverified for _, basis in bases)
    assert count_unverified(pack) == len(unverified(pack)) == sum(basis.unverified for _, basis in bases)


def test_the_territory_is_the_classifier_with_dates(pack: Pack) -> None:
    """The columns of the source stand first and unchanged."""
    source = SHARED / "soate.csv"
    if not source.exists():
        pytest.skip("../shared/data is not here")
    with source.open(encoding="utf-8", newline="") as stream:
        wanted = list(csv.reader(stream))
    with (nation_folder("kg") / "territory.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))
    assert [row[:5] for row in rows] == wanted
    assert len(pack.territory) == len(wanted) - 1


def test_every_raion_and_city_has_its_offices(pack: Pack) -> None:
    """ЗАГС, ЦОН and maternity facility; the office's code carries digits 3 to 8 of the territory's."""
    local = {unit.code for unit in pack.territory if unit.kind in {"raion", "city"}}
    for kind, prefix in (("zags", "ЗАГС-"), ("tson", "ЦОН-"), ("maternity", "РД-")):
        offices = [office for office in pack.offices if office.kind == kind]
        assert {office.territory for office in offices} == local
        assert all(office.code == prefix + office.territory[2:8] for office in offices)
    assert {office.territory for office in pack.offices if office.kind == "court"} == {
        unit.code
        for unit in pack.territory
        if unit.kind == "oblast" or unit.code in {"41711000000000", "41721000000000"}
    }
    assert {office.country for office in pack.offices if office.kind == "consulate"} >= {"RU", "KZ", "TR", "KR", "DE"}


def test_offices_of_the_old_registries_are_there(pack: Pack) -> None:
    """Every office and place that the civil extracts name."""
    source = SHARED / "civil" / "births-utf8.csv"
    if not source.exists():
        pytest.skip("../shared/data is not here")
    offices = {office.code for office in pack.offices}
    with source.open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter=";"))
    named = {row["office"].strip("\u00a0 ") for row in rows}
    assert len(rows) > 4_000
    assert named - {""} <= offices


def test_local_midnight_is_at_eighteen_hours_utc(pack: Pack) -> None:
    """17:59 and 18:00 UTC are two dates in Bishkek."""
    noon = parse_iso("2026-11-20") * 86_400_000
    last = noon + (17 * 60 + 59) * 60_000
    assert local_day(last, pack.nation.offset_minutes) == parse_iso("2026-11-20")
    assert local_day(last + 60_000, pack.nation.offset_minutes) == parse_iso("2026-11-21")
    offset = next(parameter for parameter in pack.parameters if parameter.name == "policy.offset_minutes")
    assert offset.history[-1].value == pack.nation.offset_minutes


def test_the_calendar_rests_on_holidays_and_weekends(pack: Pack) -> None:
    """Days of 2026 that were published; a Monday between works."""
    calendar = Calendar({holiday.day: holiday.works for holiday in pack.holidays}, pack.nation.rest_weekdays)
    rests = ("2026-01-01", "2026-01-07", "2026-03-20", "2026-05-04", "2026-05-08", "2026-08-31", "2026-11-21")
    works = ("2026-01-08", "2026-02-23", "2026-04-07", "2026-05-11", "2026-11-20", "2026-11-23")
    assert not [day for day in rests if calendar.works(parse_iso(day))]
    assert not [day for day in works if not calendar.works(parse_iso(day))]
    assert weekday(calendar.add_working_days(parse_iso("2026-04-30"), 1)) == 0
    assert calendar.add_working_days(parse_iso("2026-04-30"), 1) == parse_iso("2026-05-11")


def test_the_ground_of_parentage_is_printed_nowhere(pack: Pack) -> None:
    """Nor is a parent's number, and nothing of the request is."""
    for service in pack.services:
        for field in service.definition.record_fields:
            if field.code.endswith((".basis", ".basis_document", ".identifier_value", ".standing", ".evidence")):
                assert field.printed == (), field.code


def test_all_services_of_a_register_have_the_same_slots(pack: Pack) -> None:
    """So that the content root of an act has one shape, whichever service wrote it."""
    birth = pack.service("birth").definition.record_fields
    optional = tuple(msgspec.structs.replace(field, required=False) for field in birth)
    for service in pack.services:
        wanted = optional if service.definition.code == "birth-import-review" else birth
        assert service.definition.record_fields == wanted


def test_a_row_of_an_old_registry_is_reviewed_where_its_act_was_written(pack: Pack) -> None:
    """The import officer names the office; a registrar there writes the record, or nothing and says why."""
    definition = pack.service("birth-import-review").definition
    submit, review = definition.steps
    assert (submit.roles, submit.office_kinds) == (("import-officer",), ("civil-registration-head",))
    assert review.found == "by-request"
    assert "registrar" in review.roles
    assert "zags" in review.office_kinds
    writes = {action.code: definition.outcome(action.to).writes for action in review.actions}
    assert writes == {"accept": "record", "reject": "nothing"}
    details = next(listed.values for listed in definition.choice_lists if listed.code == "import-detail")
    reasons = next(action.reasons for action in review.actions if action.code == "reject")
    assert reasons == details == ("pin-held", "pin-sex", "pin-birth-date", "mother-pin", "father-pin", "act-number")


def test_the_import_officer_sits_at_the_authoritys_own_office(pack: Pack) -> None:
    """Nowhere else, so that one office answers for what moves onto the ledger."""
    assert [kind.code for kind in pack.office_kinds if "import-officer" in kind.roles] == ["civil-registration-head"]
    assert [body.code for body in pack.institutions if "import-officer" in body.roles] == [
        "civil-registration-authority"
    ]


def test_an_amendment_of_any_kind_walks_the_same_public_path(pack: Pack) -> None:
    """One start, one asking party, one way; kind and ground are only fields of the dossier."""
    definition = pack.service("birth-correction").definition
    assert len(definition.starts) == 1
    assert len(definition.starts[0].requesters) == 1
    examples = {example.name: example for example in pack.service("birth-correction").examples}
    trace = [(step.role, step.step, step.action) for step in examples["adoption"].path]
    assert trace == [(step.role, step.step, step.action) for step in examples["clerical"].path]
    for step in definition.steps:
        assert all(action.when is True for action in step.actions)


def test_two_officials_of_two_offices_by_default(pack: Pack) -> None:
    """Who accepts is not who registers."""
    guard = pack.service("birth").definition.four_eyes
    assert (guard.mode, guard.first, guard.second) == ("required", "accept", "register")


@pytest.mark.parametrize("code", ["birth", "birth-correction", "birth-repeat-certificate", "birth-import-review"])
def test_a_definition_is_canonical(pack: Pack, code: str) -> None:
    """The bytes that go into state decode to the same definition and encode to the same bytes."""
    definition = pack.service(code).definition
    assert decode(encode_definition(definition), ServiceDefinition) == definition


def test_every_parameter_is_read_by_the_program_or_by_a_service(pack: Pack) -> None:
    """One that nobody reads would look like a rule and be none."""
    read = "\n".join(path.read_text(encoding="utf-8") for path in MODULES.parent.rglob("*.py"))
    folder = nation_folder("kg") / "services"
    named = "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.yaml"))
    unread = [p.name for p in pack.parameters if p.name not in named and f'"{p.name}"' not in read]
    assert [name for name in unread if not _by_registry(name, read)] == []


def _by_registry(name: str, read: str) -> bool:
    """Whether the program asks for it by a name with a part left open, as `registries.{registry}.…`."""
    first, _, rest = name.partition(".")
    return f'"{first}.{{' in read and f".{rest.rpartition('.')[2]}" in read


def test_a_treasurer_receives_fees_and_a_personnel_officer_appoints(pack: Pack) -> None:
    posts = [Post(office_of(pack, role), role, Ed25519Signer(bytes([at]) * 32).key) for at, role in enumerate(FOUNDERS)]
    genesis = genesis_of(pack, posts, "kg-test", 1_000)
    policy = decode(dict(genesis.modules)["policy"], PolicyGenesis)
    treasurer = next(post for post in posts if post.role == "treasurer")
    assert [row.value for name, row in policy.parameters if name == FEE_ACCOUNT] == [treasurer.address.hex()]
    authority = next(each for each in pack.institutions if each.code == "civil-registration-authority")
    assert "personnel-officer" in authority.roles


def validator(institution: str, power: int = 10) -> ValidatorPost:
    signing, noting = (
        Ed25519Signer(sha256(f"{use} {institution}".encode()).digest()).key for use in ("consensus", "checkpoint")
    )
    return ValidatorPost(institution, signing, noting, power)


def speakers(pack: Pack) -> list[Post]:
    """A founding official at an office of each body that may validate, and of the government."""
    offices = {o.institution: o.code for o in pack.offices if o.kind.endswith(("-head", "head-office"))}
    held = [(offices[seat.institution], seat.role) for seat in pack.validators] + [("МЮ-1", "minister-justice")]
    return [Post(office, role, Ed25519Signer(sha256(role.encode()).digest()).key) for office, role in held]


def test_a_replicated_ledger_begins_with_validators_and_the_board_that_names_them(pack: Pack) -> None:
    """Four bodies of different heads, three of which decide; the network may begin with fewer nodes."""
    posts, founders = speakers(pack), [validator(seat.institution) for seat in pack.validators]
    assert len(founders) == 4
    ledger = Simulator(genesis_of(pack, posts, "kg-test", 1_000, founders).modules)
    board = ledger.read(BOARDS, "consensus")
    assert (board.members, board.threshold) == (sorted(post.address for post in posts[:4]), 3)
    assert ledger.machine.context(ledger.time).parameter("authority.consensus_board") == "consensus"
    seated = ledger.read(VALIDATORS, 0).validators
    assert {v.institution: v.power for v in seated} == dict.fromkeys((seat.institution for seat in pack.validators), 10)
    assert ledger.machine.full_invariants() == []
    alone = Simulator(genesis_of(pack, posts, "kg-test", 1_000, founders[:1]).modules)
    assert len(alone.read(VALIDATORS, 0).validators) == 1


def test_without_validators_a_genesis_is_what_it_was(pack: Pack) -> None:
    raw = dict(genesis_of(pack, speakers(pack), "kg-test", 1_000).modules)["authority"]
    assert "consensus" not in dict(decode(raw, AuthorityGenesis).boards)


def test_a_validating_body_without_a_voice_is_told(pack: Pack) -> None:
    posts = [post for post in speakers(pack) if post.role != "auditor"]
    with pytest.raises(HomeError, match="accounts-chamber: add one as auditor"):
        genesis_of(pack, posts, "kg-test", 1_000, [validator("national-bank")])
    mute = msgspec.structs.replace(pack, validators=())
    with pytest.raises(HomeError, match="names no institutions as validators"):
        genesis_of(mute, posts, "kg-test", 1_000, [validator("national-bank")])


FOUNDERS = ("minister-justice", "system-operator", "treasurer", "central-banker", "personnel-officer")


def office_of(pack: Pack, role: str) -> str:
    kinds = {kind.code for kind in pack.office_kinds if role in kind.roles}
    return next(office.code for office in pack.offices if office.kind in kinds and office.valid_to is None)
