"""Who may look, who is denied in public, and what everyone can read of it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerege.kernel.codec import encode
from kerege.kernel.messages import tag_of
from kerege.kernel.receipts import Receipt
from kerege.modules.authority.messages import Appoint, EndAppointment
from kerege.modules.disclosure.events import AccessDenied, AccessGranted
from kerege.modules.disclosure.keeper import HOUR
from kerege.modules.disclosure.messages import RequestAccess
from kerege.modules.disclosure.types import Look
from kerege.modules.disclosure.views import MAXIMUM_LINES, looks_at_reference, looks_by_officer, looks_of_case
from kerege.modules.policy.messages import SetParameter
from kerege.modules.services.messages import Act, Appeal, Claim, Decide, Open, Publish, Rule, Withdraw
from kerege.modules.services.types import Ruling
from tests.modules.registries.country import BLIND, HEAD, TSON, ZAGS, Country
from tests.modules.services.definitions import NAMED
from tests.modules.services.world import UNVERIFIED, address, digest

CASE = digest("c", 16)
COURT = "СОТ-708000"


def request(access: str, office: str = ZAGS, case: bytes = CASE, **more: Any) -> RequestAccess:
    fields = more.pop("fields", ["child.surname", "child.given_names"])
    references = more.pop("references", [digest(f"{access}/reference", 32)])
    return RequestAccess(digest(access, 16), case, office, "case-handling", references, fields, digest(access, 16))


def look(country: Country, sender: str, access: str, office: str = ZAGS, **more: Any) -> Look:
    """Ask to look; the request must be applied, granted or not, and announced as what it is."""
    receipt: Receipt = country.applied(country.send(sender, request(access, office, **more)))
    row: Look = country.row("disclosure.look", digest(access, 16))
    expected = AccessDenied if row.denial else AccessGranted
    assert [event[0] for event in receipt.events] == [tag_of(expected)]
    assert (row.until > row.at) == (not row.denial)
    return row


def denial(country: Country, sender: str, access: str, office: str = ZAGS, **more: Any) -> str:
    return look(country, sender, access, office, **more).denial


@pytest.fixture
def country() -> Country:
    """A birth, accepted at the ЦОН, waits at the ЗАГС."""
    world = Country()
    world.declare("c")
    return world


def refuse_birth(country: Country) -> None:
    refusal = Decide(CASE, ZAGS, "refuse", ["evidence-missing"], None, [], None, None, None, None, [], BLIND)
    country.applied(country.send("registrar", refusal))


# Denied, and seen


def test_without_a_case_nothing_opens(country: Country) -> None:
    assert denial(country, "registrar", "a", case=digest("no case", 16)) == "no-case"


@pytest.mark.parametrize(
    ("sender", "office"),
    [
        ("other", ZAGS),  # no official at all
        ("parent", ZAGS),
        ("bishkek", ZAGS),  # a registrar, of another office
        ("registrar", TSON),  # names an office where the sender is not
        ("acceptor", TSON),  # had the case before: the step is due from registrars now
        ("supervisor", HEAD),
        ("judge", COURT),
    ],
)
def test_who_does_not_act_in_the_step_that_is_due_is_denied(country: Country, sender: str, office: str) -> None:
    assert denial(country, sender, "a", office) == "not-acting"


def test_another_office_of_the_same_kind_is_not_the_holder(country: Country) -> None:
    assert denial(country, "bishkek", "a", "ЗАГС-711000") == "not-holder"


def test_nobody_looks_before_the_case_came_to_them_and_after_it_went(country: Country) -> None:
    country.declare("later", until="accept")
    later = digest("later", 16)
    assert denial(country, "registrar", "a", case=later) == "not-acting"
    assert denial(country, "acceptor", "b", TSON, case=later) == ""
    country.applied(country.send("acceptor", Act(later, TSON, "forward", [], ZAGS, None, None, [], BLIND)))
    assert denial(country, "acceptor", "c", TSON, case=later) == "not-acting"


def test_while_the_requester_holds_the_case_no_official_looks(country: Country) -> None:
    country.applied(country.send("parent", Open(digest("n", 16), "birth", "declare", "", bytes(32), None, [], BLIND)))
    assert denial(country, "acceptor", "a", TSON, case=digest("n", 16)) == "not-acting"


def test_an_official_does_not_look_into_an_own_case(country: Country) -> None:
    """As requester, and as party named by another."""
    country.declare("own", parent="registrar")
    assert denial(country, "registrar", "a", case=digest("own", 16)) == "own-case"
    parties = [address("registrar")]
    opened = Open(digest("kin", 16), "birth", "declare", "", bytes(32), None, parties, BLIND)
    declared = Act(digest("kin", 16), "", "declare", [], TSON, None, None, [], BLIND)
    country.applied(country.send("parent", opened, declared))
    forward = Act(digest("kin", 16), TSON, "forward", [], ZAGS, None, None, [], BLIND)
    country.applied(country.send("acceptor", forward))
    assert denial(country, "registrar", "b", case=digest("kin", 16)) == "own-case"
    assert denial(country, "registrar-2", "d", case=digest("kin", 16)) == ""


def test_who_did_not_take_the_case_is_denied_until_it_is_put_back(country: Country) -> None:
    country.applied(country.send("registrar", Claim(CASE, ZAGS, address("registrar"), BLIND)))
    assert denial(country, "registrar-2", "a") == "taken-by-another"
    assert denial(country, "registrar", "b") == ""
    country.applied(country.send("registrar", Claim(CASE, ZAGS, None, BLIND)))
    assert denial(country, "registrar-2", "d") == ""


def test_who_acts_there_no_more_holds_it_no_more(country: Country) -> None:
    """The official who took the case leaves the office: a colleague goes on, and the one who left sees nothing."""
    country.applied(country.send("registrar", Claim(CASE, ZAGS, address("registrar"), BLIND)))
    country.applied(country.govern(EndAppointment(digest("appointment/registrar", 16))))
    assert denial(country, "registrar", "a") == "not-acting"
    assert denial(country, "registrar-2", "b") == ""


def test_where_cases_are_dealt_nobody_looks_at_one_that_was_not(country: Country) -> None:
    """No browsing through the queue."""
    dealt = digest("dealt", 16)
    country.applied(country.govern(Publish(encode(NAMED["dealt"]))))
    opened = Open(dealt, "dealt", "request", "", bytes(32), None, [], BLIND)
    country.applied(country.send("parent", opened, Act(dealt, "", "submit", [], ZAGS, None, None, [], BLIND)))
    assert denial(country, "registrar", "a", case=dealt) == "not-dealt"
    country.applied(country.send("registrar", Claim(dealt, ZAGS, address("registrar"), BLIND)))
    assert denial(country, "registrar", "b", case=dealt) == ""
    assert denial(country, "registrar-2", "d", case=dealt) == "taken-by-another"


def test_a_withdrawn_case_is_closed_at_once(country: Country) -> None:
    country.applied(country.send("parent", Withdraw(CASE, BLIND)))
    assert denial(country, "registrar", "a") == "case-closed"


def test_a_decided_case_is_closed_when_it_can_be_appealed_no_more(country: Country) -> None:
    refuse_birth(country)
    assert denial(country, "registrar", "a") == ""
    country.wait(days=120)
    assert denial(country, "registrar", "b") == "case-closed"


def test_the_body_that_rules_on_an_appeal_looks_and_nobody_else(country: Country) -> None:
    refuse_birth(country)
    country.applied(country.send("parent", Appeal(CASE, "civil-registration-authority", bytes(32), BLIND)))
    assert denial(country, "registrar", "a") == "not-acting"
    assert denial(country, "judge", "b", COURT) == "not-holder"
    assert denial(country, "supervisor", "d", HEAD) == ""
    country.wait(days=200)
    assert denial(country, "supervisor", "e", HEAD) == "", "a body that is late must still be able to rule"
    country.applied(country.send("supervisor", Rule(CASE, HEAD, Ruling.UPHELD, BLIND)))
    assert denial(country, "supervisor", "f", HEAD) == "not-acting"
    assert denial(country, "registrar", "g") == ""


def test_who_decided_does_not_look_for_the_body_that_reviews_it(country: Country) -> None:
    """The registrar who refused moves to the authority: the appeal against the own refusal stays shut."""
    refuse_birth(country)
    post = digest("appointment/moved", 16)
    moved = Appoint(post, address("registrar"), HEAD, "registry-supervisor", country.time + 1, None)
    country.applied(country.govern(moved))
    country.wait(milliseconds=1)
    country.applied(country.send("parent", Appeal(CASE, "civil-registration-authority", bytes(32), BLIND)))
    assert denial(country, "registrar", "a", HEAD) == "handled"
    assert denial(country, "supervisor", "b", HEAD) == ""


@pytest.mark.parametrize("fields", [["child.height"], ["child.surname", "case.notes"], ["ALL"]])
def test_only_fields_that_the_service_shows_are_opened(country: Country, fields: list[str]) -> None:
    assert denial(country, "registrar", "a", fields=fields) == "field-closed"


def test_the_first_reason_is_the_one_told(country: Country) -> None:
    """Who is nobody learns nothing more of the case than that."""
    assert denial(country, "other", "a", fields=["child.height"]) == "not-acting"


@pytest.mark.parametrize("hours", [0, -1])
def test_without_a_term_no_look_is_granted(hours: int) -> None:
    country = Country(parameters={"disclosure.access_hours": hours})
    country.declare("c")
    assert denial(country, "registrar", "a") == "no-term"


def test_the_term_is_the_rule_of_the_day_and_never_longer_than_a_week() -> None:
    country = Country(parameters={"disclosure.access_hours": 8})
    country.declare("c")
    rows = [look(country, "registrar", "a")]
    since = country.time + 10
    country.applied(country.govern(SetParameter("disclosure.access_hours", 10**9, since, None, UNVERIFIED)))
    rows.append(look(country, "registrar", "b"))
    country.wait(milliseconds=20)
    rows.append(look(country, "registrar", "d"))
    assert [row.until - row.at for row in rows] == [8 * HOUR, 8 * HOUR, 168 * HOUR]


# Refused


@pytest.mark.parametrize(
    ("more", "code"),
    [({"fields": ["f", "f"]}, "disclosure.2"), ({"references": [bytes(32)] * 2}, "disclosure.2")],
)
def test_only_an_ill_formed_request_is_refused(country: Country, more: dict[str, Any], code: str) -> None:
    assert country.send("registrar", request("a", **more)).code == code
    assert country.row("disclosure.look", digest("a", 16)) is None


def test_an_id_is_used_once_even_where_it_was_denied(country: Country) -> None:
    assert denial(country, "other", "a") == "not-acting"
    assert country.send("registrar", request("a")).code == "disclosure.1"


# What everyone reads


def pages(view: Any, country: Country, about: bytes, limit: int) -> list[bytes]:
    """Every page of a view, in order."""
    found: list[bytes] = []
    after = None
    while True:
        page = view(country.context(), about, after, limit)
        assert len(page.lines) <= limit
        found += [line.access for line in page.lines]
        if page.after is None:
            return found
        after = page.after


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["registrar", "registrar-2", "other"]), st.sampled_from(["c", "d"]), st.booleans()),
        max_size=12,
    ),
    st.integers(1, 5),
)
def test_views_show_every_look_once_the_newest_first(asked: list[tuple[str, str, bool]], limit: int) -> None:
    """By case, by officer and by reference, denied ones too, whatever the size of a page; same blocks included."""
    country = Country()
    country.declare("c")
    told = []
    shared = digest("one dossier", 32)
    for number, (sender, case, again) in enumerate(asked):
        references = [shared, digest(f"{number}", 32)] if again else [digest(f"{number}", 32)]
        message = request(f"access {number}", case=digest(case, 16), references=references)
        country.applied(country.send(sender, message))
        told.append((digest(f"access {number}", 16), sender, case, again))
    told.reverse()
    for case in ("c", "d"):
        expected = [access for access, _, each, _ in told if each == case]
        assert pages(looks_of_case, country, digest(case, 16), limit) == expected
    for sender in ("registrar", "registrar-2", "other", "parent"):
        expected = [access for access, each, _, _ in told if each == sender]
        assert pages(looks_by_officer, country, address(sender), limit) == expected
    assert pages(looks_at_reference, country, shared, limit) == [access for access, _, _, again in told if again]


def test_looks_of_one_block_are_all_shown(country: Country) -> None:
    sent = [("registrar", [request(f"same {n}")]) for n in range(7)]
    for receipt in country.block(sent):  # type: ignore[arg-type]
        country.applied(receipt)
    assert sorted(pages(looks_of_case, country, CASE, 2)) == sorted(digest(f"same {n}", 16) for n in range(7))


def test_a_page_is_bounded(country: Country) -> None:
    country.applied(country.send("registrar", request("a")))
    page = looks_of_case(country.context(), CASE, None, 10**9)
    assert len(page.lines) == 1 <= MAXIMUM_LINES
    assert page.lines[0].granted
    assert page.after is None
