"""Four eyes, samples, parties, amendments: what no vector of one message can show."""

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kerege.kernel.codec import encode
from kerege.kernel.days import DAY
from kerege.kernel.errors import UnknownMessage
from kerege.kernel.receipts import Receipt
from kerege.modules.authority.messages import Propose
from kerege.modules.registries.messages import OpenSuccessor, ReceiveBlanks
from kerege.modules.registries.types import CertificateDraft, CertificateKind, RecordDraft
from kerege.modules.services.errors import TwoOfficialsNeeded
from kerege.modules.services.keeper import CaseGuards, Cases
from kerege.modules.services.messages import Act, Decide, Open, Publish
from kerege.modules.services.rules import drawn
from tests.modules.services.definitions import BIRTH, NAMED, RAW
from tests.modules.services.world import World, address, digest

BLIND, ZAGS, TSON = digest("blind", 16), "ЗАГС-708203", "ЦОН-708203"


def ask(world: World, service: str, name: str, office: str = ZAGS) -> None:
    """A case that a parent submitted to an office."""
    number = digest(name, 16)
    opened = Open(number, service, "request", "", digest("content", 32), None, [], BLIND)
    assert not world.send("parent", opened).code
    assert not world.send("parent", Act(number, "", "submit", [], office, None, None, [], BLIND)).code


def confirm(name: str) -> Act:
    return Act(digest(name, 16), ZAGS, "confirm", [], ZAGS, None, None, [], BLIND)


def refuse(name: str, reason: str = "record-not-found") -> Decide:
    return Decide(digest(name, 16), ZAGS, "refuse", [reason], None, [], None, None, None, None, [], BLIND)


# Samples


@pytest.mark.parametrize("percent", [1, 10, 50, 99])
def test_the_share_of_a_sample_is_what_the_law_says(percent):
    """10,000 draws: within four standard deviations."""
    share = sum(drawn(digest(f"c{n}", 16), digest(f"t{n}", 32), n, n * 977, percent) for n in range(10_000))
    spread = 4 * (percent * (100 - percent)) ** 0.5
    assert abs(share - 100 * percent) <= spread


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32), st.integers(1, 2**40))
def test_the_official_cannot_choose_the_draw(case, transaction, height):
    """One case, one transaction: whether two officials act still hangs on the moment at which the ledger runs it."""
    draws = {drawn(case, transaction, height, time, 50) for time in range(10**12, 10**12 + 64)}
    assert draws == {True, False}


def test_a_sample_is_drawn_by_the_first_official_and_once():
    world = World(*(NAMED[name] for name in ("half", "almost-none", "almost-all")))
    guarded = {}
    for service in ("half", "almost-none", "almost-all"):
        for n in range(24):
            name = f"{service}-{n}"
            ask(world, service, name)
            assert world.case(name).guarded is None
            assert not world.send("registrar", confirm(name)).code
            guarded[name] = world.case(name).guarded
            assert guarded[name] is not None
    shares = {s: sum(guarded[f"{s}-{n}"] is True for n in range(24)) for s in ("half", "almost-none", "almost-all")}
    assert 5 <= shares["half"] <= 19
    assert shares["almost-none"] <= 3
    assert shares["almost-all"] >= 21
    for n in range(24):
        name = f"half-{n}"
        refused = world.send("registrar", refuse(name)).code
        assert refused == ("services.10" if guarded[name] else "")
        if refused:
            assert not world.send("registrar-2", refuse(name)).code
        assert world.case(name).guarded == guarded[name]


def test_a_return_does_not_draw_again():
    """An official who would like another draw sends the case back in vain."""
    world, drawn_first = World(NAMED["birth-half"], rebuild=False), set()
    for n in range(8):
        number = digest(f"c{n}", 16)
        world_declare(world, f"c{n}", TSON, "birth-half")
        forward = Act(number, TSON, "forward", [], ZAGS, None, None, [], BLIND)
        assert not world.send("acceptor", forward).code
        first = world.case(f"c{n}").guarded
        drawn_first.add(first)
        for _ in range(4):
            back = Act(number, ZAGS, "return", ["field-missing"], TSON, None, None, [], BLIND)
            assert not world.send("registrar", back).code
            assert not world.send("acceptor", forward).code
            assert world.case(f"c{n}").guarded == first
    assert drawn_first == {True, False}


# Four eyes


def test_two_officials_are_the_last_ones_who_acted():
    """Who accepted, was sent back and did not accept again may register: two others' eyes are on what is registered."""
    world = World()
    world_declare(world, "c", "КОНС-DE-1")
    for who, action, reasons in (("consul", "forward", []), ("consul-2", "return", ["field-missing"])):
        message = Act(digest("c", 16), "КОНС-DE-1", action, reasons, "КОНС-DE-1", None, None, [], BLIND)
        assert not world.send(who, message).code
    forward = Act(digest("c", 16), "КОНС-DE-1", "forward", [], "КОНС-DE-1", None, None, [], BLIND)
    assert not world.send("consul-2", forward).code
    decide = Decide(
        digest("c", 16), "КОНС-DE-1", "refuse", ["not-entitled"], None, [], None, None, None, None, [], BLIND
    )
    assert world.send("consul-2", decide).code == "services.10"
    assert not world.send("consul", decide).code


def world_declare(world: World, name: str, office: str, service: str = "birth") -> None:
    number = digest(name, 16)
    assert not world.send("parent", Open(number, service, "declare", "", BLIND * 2, None, [], BLIND)).code
    assert not world.send("parent", Act(number, "", "declare", [], office, None, None, [], BLIND)).code


def test_an_amendment_needs_a_second_official_whatever_the_guard_says():
    """The definition check makes the guard required here; this holds were it ever otherwise."""
    world = World()
    ask(world, "birth-correction", "a")
    assert not world.send("registrar", confirm("a")).code
    case = replace(world.case("a"), guarded=False)
    guards, amended = world.context().use(CaseGuards), world.context().use(Cases).definition_of(case).outcome("amended")
    with pytest.raises(TwoOfficialsNeeded):
        guards.check_officials(digest("a", 16), case, address("registrar"), amended)
    guards.check_officials(digest("a", 16), case, address("registrar-2"), amended)


# Amendments look alike


def shape(value: Any) -> Any:
    """What an observer sees who cannot open commitments: types and lengths, texts as they are."""
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, list | tuple):
        return [shape(each) for each in value]
    if isinstance(value, msgspec.Struct):
        return [type(value).__name__, *(shape(getattr(value, name)) for name in value.__struct_fields__)]
    return value


def amendment(kind: str, ground: str) -> tuple[Any, list[Any]]:
    """A world in which one act was amended: everything that stands, and all receipts of it."""
    world = World()
    blanks = [digest(f"blank-{n}", 32) for n in range(2)]
    assert not world.send("keeper", ReceiveBlanks("ЗАГС-000000", ZAGS, blanks, BLIND)).code
    world_declare(world, "c", TSON)
    forward = Act(digest("c", 16), TSON, "forward", [], ZAGS, None, None, [], BLIND)
    assert not world.send("acceptor", forward).code
    record = RecordDraft(digest("r", 16), "birth", digest("root", 32), digest("act", 32), [digest("key", 32)], BLIND)
    paper = CertificateDraft(digest("p", 16), CertificateKind.PRIMARY, blanks[0], None, "birth", BLIND)
    registered = Decide(
        digest("c", 16), ZAGS, "register", [], record, [], None, None, None, None, [paper], BLIND
    )  # fmt: skip
    assert not world.send("registrar", registered).code
    ask(world, "birth-correction", "a")
    receipts = [world.send("registrar", confirm("a"))]
    commitments = digest(kind, 32), digest(ground, 32)
    decide = Decide(digest("a", 16), ZAGS, "amend", [], None, [], digest("r", 16), *commitments, None, [], BLIND)
    receipts.append(world.send("registrar-2", decide))
    successor = OpenSuccessor(ZAGS, digest(kind + "r2", 16), "birth", 2, digest(kind + "root", 32), BLIND * 2, BLIND)
    receipts.append(world.send("registrar-2", successor))
    assert [receipt.code for receipt in receipts] == ["", "", ""]
    rows = {name: sorted(shape(list(table.items())), key=repr) for name, table in world.tables.items()}
    return rows, [shape(msgspec.to_builtins(receipt, builtin_types=(bytes,))) for receipt in receipts]


def test_an_adoption_leaves_the_trace_of_a_clerical_correction():
    clerical = amendment("clerical", "a letter misread")
    adoption = amendment("adoption", "decision of the court of 3 November")
    assert adoption == clerical


# Definitions


def test_a_definition_that_a_refused_transaction_published_is_never_served():
    """Published, used and rolled back in one transaction; then another of the same number in the same block."""
    world = World()
    later = encode(
        replace(BIRTH, version=2, withdrawal="", outcomes=[o for o in BIRTH.outcomes if o.kind != "withdrawn"])
    )
    open_birth = Open(digest("x", 16), "birth", "declare", "", digest("content", 32), None, [], BLIND)
    fails = Open(digest("x", 16), "nowhere", "declare", "", digest("content", 32), None, [], BLIND)

    def proposal(name: str, *messages: Any) -> Propose:
        return Propose(digest(name, 16), "government", [encode(m) for m in messages], world.time + DAY)

    receipts = world.block(
        [
            ("minister", [proposal("p1", Publish(later)), open_birth, fails]),
            ("minister", [proposal("p2", Publish(RAW["second"]))]),
            ("parent", [Open(digest("c", 16), "birth", "declare", "", digest("content", 32), None, [], BLIND)]),
        ]
    )
    assert [receipt.code for receipt in receipts] == ["services.1", "", ""]
    assert world.case("c").version == 2
    assert world.context().use(Cases).definition_of(world.case("c")).withdrawal == "withdrawn"


def test_decoded_definitions_live_for_one_block():
    world = World()
    first, second = world.context(), world.context()
    assert first.use(Cases).definition("birth", 1) is first.use(Cases).definition("birth", 1)
    assert first.use(Cases).definition("birth", 1) is not second.use(Cases).definition("birth", 1)


def test_a_case_keeps_the_version_under_which_it_began():
    world = World()
    world_declare(world, "c", TSON)
    assert not world.govern(Publish(RAW["second"])).code
    world_declare(world, "d", TSON)
    assert (world.case("c").version, world.case("d").version) == (1, 2)


HOSTILE = World(rebuild=False)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_bytes_surprise_publish(data):
    """Bytes of a definition with a few changed, cut or doubled: refused with a number, or a definition after all."""
    raw = bytearray(RAW["second"])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        match data.draw(st.sampled_from(["change", "cut", "double", "nest"])):
            case "change":
                raw[at] = data.draw(st.integers(0, 255))
            case "cut":
                del raw[at : at + data.draw(st.integers(1, 20))]
            case "double":
                raw[at:at] = raw[at : at + 30]
            case "nest":
                raw[at:at] = b"\x91" * data.draw(st.integers(1, 3_000))
    HOSTILE.time += 60_000  # the rate bucket refills
    receipt: Receipt = HOSTILE.govern(Publish(bytes(raw)))  # asserts that no alarm was raised
    assert receipt.code == "" or receipt.code.partition(".")[0] in {"services", "authority", "bank"}


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80))
def test_no_name_of_an_office_stops_the_ledger(text):
    """Text of any kind where an office is named: outside the alphabet of codes no transaction, inside it refused."""
    HOSTILE.time += 60_000  # the rate bucket refills
    message = Open(digest("h", 16), "birth", "notify", text, digest("content", 32), None, [], BLIND)
    outcome = HOSTILE.outcome("midwife", message)
    if re.fullmatch(r"[0-9A-Za-zА-Яа-яЁёӨөҮүҢң._:/-]{0,64}", text):
        assert msgspec.msgpack.decode(outcome.receipt or b"", type=Receipt).code
    else:
        assert isinstance(outcome.reason, UnknownMessage)
