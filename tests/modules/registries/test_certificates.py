"""A paper is not a record: repeats change nothing, losing one revokes only it, every blank is accounted for."""

import pytest

from kerege.modules.registries.messages import IssueCertificate, Legalise, RevokeCertificate, WriteOffBlank
from kerege.modules.registries.types import BlankStatus, CertificateDraft, CertificateKind
from tests.modules.registries.country import BLIND, HEAD, ZAGS, Country, key
from tests.modules.services.world import digest

BISHKEK = "ЗАГС-711000"


@pytest.fixture
def country() -> Country:
    """One record with its primary certificate on blank 0."""
    world = Country()
    world.applied(world.register("r"))
    world.applied(world.paper("r", "primary", 0))
    return world


def blank(country: Country, number: int) -> str:
    return str(country.row("registries.blank", key(f"blank {number}")).status.value)


def paper(country: Country, name: str) -> str:
    return str(country.row("registries.certificate", digest(name, 16)).status.value)


def test_repeats_change_no_record(country: Country) -> None:
    before = country.table("registries.record"), country.table("registries.unique"), country.table("registries.ticket")
    for number in range(1, 6):
        country.applied(country.paper("r", f"repeat {number}", number, "repeat", "lost"))
    country.applied(country.paper("r", "extract", 6, "extract"))
    country.applied(country.paper("r", "number", 7, "pin"))
    after = country.table("registries.record"), country.table("registries.unique"), country.table("registries.ticket")
    assert after == before
    assert {paper(country, f"repeat {n}") for n in range(1, 6)} == {"valid"}


def test_the_reason_of_a_repeat_stays_with_the_paper(country: Country) -> None:
    receipt = country.applied(country.paper("r", "again", 1, "repeat", "damaged"))
    assert country.row("registries.certificate", digest("again", 16)).reason == "damaged"
    assert receipt.events[-1][-1] == "damaged"


def test_losing_a_paper_revokes_only_it(country: Country) -> None:
    country.applied(country.paper("r", "again", 1, "repeat", "lost"))
    untouched = {name: rows for name, rows in country.tables.items() if name != "registries.certificate"}
    others = {k: v for k, v in country.table("registries.certificate").items() if k != digest("primary", 16)}
    untouched = {name: dict(rows) for name, rows in untouched.items()}
    country.applied(country.revoke("primary"))
    assert paper(country, "primary") == "revoked"
    changed = {name for name, rows in untouched.items() if country.table(name) != rows}
    assert changed <= {"accounts.usage"}
    now = country.table("registries.certificate")
    assert {k: v for k, v in now.items() if k != digest("primary", 16)} == others
    assert blank(country, 0) == "issued", "the lost paper is still out"


def test_after_the_primary_was_revoked_another_may_be_issued(country: Country) -> None:
    assert country.paper("r", "second", 1).code == "registries.8"
    country.applied(country.revoke("primary", BlankStatus.SPOILED, "error"))
    country.applied(country.paper("r", "second", 1))
    assert country.revoke("primary").code == "registries.6"


def test_an_amendment_supersedes_valid_papers_and_leaves_revoked_ones_revoked(country: Country) -> None:
    country.applied(country.paper("r", "again", 1, "repeat", "lost"))
    country.applied(country.revoke("primary"))
    country.amend("r", "a")
    assert (paper(country, "primary"), paper(country, "again")) == ("revoked", "superseded")
    assert country.revoke("again").code == "registries.6"
    assert country.send("registrar", Legalise(ZAGS, digest("again", 16), "apostille", bytes(32), BLIND)).code == (
        "registries.6"
    )


def test_an_office_revokes_its_own_papers_the_supervisor_all(country: Country) -> None:
    def lost(office: str) -> RevokeCertificate:
        return RevokeCertificate(office, digest("primary", 16), "lost", BlankStatus.ISSUED, BLIND)

    assert country.send("bishkek", lost(BISHKEK)).code == "authority.1"
    assert country.send("bishkek", lost(ZAGS)).code == "authority.1"
    assert country.send("acceptor", lost(ZAGS)).code == "kernel.1"
    assert paper(country, "primary") == "valid"
    country.applied(country.send("supervisor", lost(HEAD)))


# Blanks


def test_a_blank_bears_one_paper(country: Country) -> None:
    """Neither twice, nor after it was spoiled, lost, returned, revoked; nor one of another office or of nobody."""
    assert country.paper("r", "x", 0, "repeat", "lost").code == "registries.7"
    for number, status in enumerate((BlankStatus.SPOILED, BlankStatus.LOST, BlankStatus.RETURNED), 1):
        country.applied(country.send("registrar", WriteOffBlank(ZAGS, key(f"blank {number}"), status, BLIND)))
        assert country.paper("r", "x", number, "repeat", "lost").code == "registries.7"
        again = WriteOffBlank(ZAGS, key(f"blank {number}"), BlankStatus.LOST, BLIND)
        assert country.send("registrar", again).code == "registries.7"
    country.applied(country.revoke("primary", BlankStatus.RETURNED, "error"))
    assert country.paper("r", "x", 0).code == "registries.7"
    assert country.paper("r", "x", 999, "repeat", "lost").code == "registries.7"
    draft = CertificateDraft(digest("x", 16), CertificateKind.REPEAT, key("blank 9"), "lost", "birth", BLIND)
    assert country.send("bishkek", IssueCertificate(BISHKEK, digest("r", 16), draft)).code == "registries.7"


def test_what_a_refused_issue_took_is_at_hand_again(country: Country) -> None:
    """Two papers in one transaction, the second on the same blank: neither is issued, the blank stays received."""
    messages = [
        IssueCertificate(
            ZAGS,
            digest("r", 16),
            CertificateDraft(digest(name, 16), CertificateKind.REPEAT, key("blank 1"), "lost", "birth", BLIND),
        )
        for name in ("x", "y")
    ]
    assert country.send("registrar", *messages).code == "registries.7"
    assert blank(country, 1) == "received"
    assert country.row("registries.certificate", digest("x", 16)) is None


def test_the_books_of_blanks_balance(country: Country) -> None:
    """Received = at hand + issued + written off, and every issued one bears one paper."""
    country.applied(country.paper("r", "again", 1, "repeat", "lost"))
    country.applied(country.send("registrar", WriteOffBlank(ZAGS, key("blank 2"), BlankStatus.SPOILED, BLIND)))
    country.applied(country.revoke("primary", BlankStatus.SPOILED, "error"))
    counts: dict[str, int] = {}
    for row in country.table("registries.blank").values():
        counts[row.status.value] = counts.get(row.status.value, 0) + 1
    assert counts == {"received": 37, "issued": 1, "spoiled": 2}
    papers = [row.blank for row in country.table("registries.certificate").values()]
    assert len(set(papers)) == len(papers) == 2
