"""Old registries move in: records as every other, but for their provenance; one file once, all of a message or none."""

from typing import Any

import pytest
from msgspec.structs import replace

from kerege.kernel.codec import encode
from kerege.kernel.receipts import Receipt
from kerege.kernel.tables import Table
from kerege.modules.registries.messages import BeginImport, ImportRecords, MergeRecords, Rekey, SplitRecords
from kerege.modules.registries.rules import rows_of_import
from kerege.modules.registries.state import IMPORT_SOURCES, IMPORTS, RECORDS
from kerege.modules.registries.types import Import, ImportStatus, KeyEpoch, Record, RecordDraft, RecordStatus
from kerege.modules.services.messages import Act, Decide, Open
from kerege.testing.ledger import Simulator
from tests.modules.registries.country import APPLIED, BLIND, HEAD, ZAGS, ZAGS_BISHKEK, Country, key
from tests.modules.services.world import digest

MANY = 500


@pytest.fixture
def country() -> Country:
    """An import that has begun."""
    world = Country()
    world.applied(world.begin_import("i"))
    return world


def facts(receipt: Receipt) -> dict[str, Any]:
    return dict(receipt.facts)


# Records as every other


def test_two_full_messages_fit_into_a_transaction(country: Country) -> None:
    """A thousand records with two keys each, below every bound of the kernel."""
    messages = [
        ImportRecords(
            HEAD,
            digest("i", 16),
            [country.imported(f"r{n}", [key(f"act {n}"), key(f"pin {n}")]) for n in range(first, first + MANY)],
            1,
            digest(f"blind {first}", 16),
        )
        for first in (0, MANY)
    ]
    country.applied(country.send("keeper", *messages))
    assert len(country.table("registries.record")) == 2 * MANY
    assert country.row("registries.key_epoch", "birth") == KeyEpoch(1, 4 * MANY, 4 * MANY)
    assert country.row("registries.import", digest("i", 16)).accepted == 2 * MANY


def test_a_message_holds_so_many_records_and_no_more(country: Country) -> None:
    for count in (0, MANY + 1):
        drafts = [country.imported(f"r{n}", [key(f"act {n}")]) for n in range(count)]
        outcome = country.outcome("keeper", ImportRecords(HEAD, digest("i", 16), drafts, 1, BLIND))
        assert outcome.receipt is None, count


@pytest.mark.parametrize("count", [0, 3])
def test_a_record_has_one_key_or_two(country: Country, count: int) -> None:
    drafts = [country.imported("r", [key(f"key {n}") for n in range(count)])]
    assert country.outcome("keeper", ImportRecords(HEAD, digest("i", 16), drafts, 1, BLIND)).receipt is None


def test_a_record_differs_from_a_live_registration_only_in_its_provenance(country: Country) -> None:
    country.applied(country.register("live", "act 1", "pin 1"))
    country.applied(country.import_records("i", country.imported("old", [key("act 2"), key("pin 2")])))
    live, old = (country.row("registries.record", digest(name, 16)) for name in ("live", "old"))
    assert (live.provenance, old.provenance) == (None, digest("i", 16))
    alike = {"content": live.content, "act": live.act, "since": live.since, "blind": live.blind}
    assert replace(old, provenance=None, **alike) == live


@pytest.mark.parametrize("shared", ["act 1", "pin 1"])
def test_who_was_registered_live_is_not_imported(country: Country, shared: str) -> None:
    country.applied(country.register("live", "act 1", "pin 1"))
    before = country.table("registries.record")
    refused = country.import_records(
        "i", country.imported("r1", [key("act 2"), key("pin 2")]), country.imported("r2", [key("act 3"), key(shared)])
    )
    assert (refused.code, facts(refused)) == ("registries.2", {"registry": "birth", "key": key(shared)})
    assert country.table("registries.record") == before
    assert country.row("registries.import", digest("i", 16)).accepted == 0


@pytest.mark.parametrize("shared", ["act 1", "pin 1"])
def test_who_was_imported_is_not_registered_again(country: Country, shared: str) -> None:
    country.applied(country.import_records("i", country.imported("old", [key("act 1"), key("pin 1")])))
    assert country.register("live", "act 2", shared).code == "registries.2"
    again = country.import_records("i", country.imported("again", [key("act 3"), key(shared)]))
    assert again.code == "registries.2"


def test_an_imported_record_is_certified_corrected_and_certified_anew(country: Country) -> None:
    country.applied(country.import_records("i", country.imported("old", [key("act 1"), key("pin 1")])))
    country.applied(country.paper("old", "p", 0, "repeat", "lost"))
    country.amend("old", "a")
    row = country.row("registries.record", digest("old", 16))
    assert (row.status, row.provenance) == (RecordStatus.CLOSED, digest("i", 16))
    country.applied(country.succeed("new"))
    assert country.row("registries.record", digest("new", 16)).provenance is None, "the amendment wrote it"
    country.applied(country.paper("new", "q", 1))
    assert country.register("live", "act 2", "pin 1").code == "registries.2", "its keys stay held"


def test_an_imported_duplicate_is_merged_and_split(country: Country) -> None:
    country.applied(country.register("live", "act 1"))
    country.applied(country.import_records("i", country.imported("old", [key("act 2")])))
    ids = digest("old", 16), digest("live", 16)
    for message in (MergeRecords(HEAD, *ids, digest("ground", 32), BLIND), SplitRecords(HEAD, ids[0], BLIND)):
        country.applied(country.send("supervisor", message))
        assert country.row("registries.record", ids[0]).provenance == digest("i", 16)


# Keys of epochs


def test_imported_keys_are_renewed_with_all_others(country: Country) -> None:
    country.applied(country.register("live", "act 1", "pin 1"))
    country.applied(country.import_records("i", country.imported("old", [key("act 2"), key("pin 2")])))
    country.applied(country.begin_rekeying(2))
    names = ["act 1", "pin 1", "act 2", "pin 2"]
    pairs = [(key(name), key(f"{name} anew")) for name in names]
    country.applied(country.send("clerk", Rekey(HEAD, "birth", pairs, BLIND)))
    assert country.row("registries.key_epoch", "birth") == KeyEpoch(2, 4, 4)


def test_an_import_goes_on_while_keys_are_renewed(country: Country) -> None:
    """Every key comes under both of the authority's keys: who stands under either is not registered again."""
    country.applied(country.register("live", "act 1", "pin 1"))
    country.applied(country.begin_rekeying(2))
    country.applied(country.send("clerk", Rekey(HEAD, "birth", [(key("pin 1"), key("pin 1 anew"))], BLIND)))

    def sent(*names: str, before: list[str] | None = None) -> str:
        drafts = [country.imported(f"old {name}", [key(f"{name} anew")]) for name in names]
        told = list(names) if before is None else before
        return country.import_records("i", *drafts, epoch=2, before=[key(name) for name in told]).code

    assert sent("pin 1") == "registries.2", "renewed already"
    assert sent("act 1") == "registries.2", "not renewed yet"
    assert sent("act 2", "act 3", before=["act 2"]) == "registries.16"
    assert sent("act 2", before=["act 2", "act 3"]) == "registries.16"
    assert sent("act 2", "act 3", before=["act 2", "act 2"]) == "registries.2"
    assert sent("act 2", "act 3") == APPLIED
    assert country.row("registries.key_epoch", "birth") == KeyEpoch(2, 4, 3)
    assert country.import_records("i", country.imported("r", [key("act 4")]), epoch=1).code == "registries.15"


# Files


def test_a_file_is_imported_once_by_whomever(country: Country) -> None:
    again = country.begin_import("j", "i")
    assert (again.code, facts(again)["number"]) == ("registries.19", digest("i", 16))
    elsewhere = country.begin_import("j", "i", "bishkek", ZAGS_BISHKEK)
    assert elsewhere.code == "registries.19"
    country.applied(country.close_import("i", 0))
    assert country.begin_import("j", "i").code == "registries.19"
    country.applied(country.begin_import("j", "another"))


def test_two_imports_at_once_keep_their_own_counts(country: Country) -> None:
    country.applied(country.begin_import("j", by="bishkek", office=ZAGS_BISHKEK))
    other: dict[str, Any] = {"by": "bishkek", "office": ZAGS_BISHKEK}
    country.applied(country.import_records("i", country.imported("r1", [key("1")]), country.imported("r2", [key("2")])))
    country.applied(country.import_records("j", country.imported("r3", [key("3")]), **other))
    refused = country.import_records("i", country.imported("r4", [key("4")]), **other)
    assert (refused.code, facts(refused)["office"]) == ("registries.22", HEAD)
    assert country.close_import("j", 2, "bishkek", ZAGS_BISHKEK).code == "registries.23"
    country.applied(country.close_import("j", 1, "bishkek", ZAGS_BISHKEK))
    assert country.import_records("j", country.imported("r5", [key("5")]), **other).code == "registries.21"
    wrong = country.close_import("i", 3)
    assert (wrong.code, facts(wrong)) == ("registries.23", {"number": digest("i", 16), "told": 3, "opened": 2})
    country.applied(country.close_import("i", 2))
    row = country.row("registries.import", digest("i", 16))
    assert (row.status, row.accepted, row.duplicate, row.review, row.rejected) == (ImportStatus.CLOSED, 2, 1, 2, 3)
    assert row.root == digest("i/root", 32)


def test_a_file_is_begun_imported_and_closed_in_one_transaction() -> None:
    """A small file costs one signature; and what fails takes the beginning with it."""
    country = Country()
    begin = BeginImport(HEAD, digest("i", 16), "birth", digest("file", 32), BLIND)
    good = ImportRecords(HEAD, digest("i", 16), [country.imported("r", [key("1")])], 1, BLIND)
    assert country.send("keeper", begin, replace(good, epoch=2)).code == "registries.15"
    assert country.row("registries.import", digest("i", 16)) is None
    country.applied(country.send("keeper", begin, good))


def test_what_is_fetched_ahead_is_what_is_asked(country: Country) -> None:
    drafts = [country.imported("r1", [key("1"), key("2")]), country.imported("r2", [key("3")])]
    message = ImportRecords(HEAD, digest("i", 16), drafts, 1, BLIND, [key("4")])
    declared: list[tuple[Table[Any, Any], Any]] = list(rows_of_import(b"", message))
    wanted = [("registries.record", digest(name, 16)) for name in ("r1", "r2")]
    wanted += [("registries.unique", key(name)) for name in "1234"]
    assert [(table.name, found) for table, found in declared] == wanted


# Truths


def test_a_record_of_the_first_layout_is_one_registered_live() -> None:
    """Rows written before there were imports have no provenance."""
    row = Record("birth", 1, RecordStatus.LIVE, bytes(32), bytes(32), ZAGS, 7, BLIND)
    assert RECORDS.decode_value(b"\x01" + encode(["birth", 1, "live", bytes(32), bytes(32), ZAGS, 7, BLIND])) == row


WRONG: dict[str, tuple[int, bytes | None, bytes]] = {
    "counts more than there are": (2, digest("i", 16), digest("i", 16)),
    "counts fewer than there are": (0, digest("i", 16), digest("i", 16)),
    "names an import that is not there": (0, digest("j", 16), digest("i", 16)),
    "a file that names another import": (1, digest("i", 16), digest("j", 16)),
}


@pytest.mark.parametrize("wrong", [*WRONG, ""])
def test_what_is_counted_wrong_is_found(wrong: str) -> None:
    accepted, provenance, number = WRONG.get(wrong, (1, digest("i", 16), digest("i", 16)))
    row = Record("birth", 1, RecordStatus.LIVE, bytes(32), bytes(32), ZAGS, 7, BLIND, provenance)
    file = Import("birth", HEAD, bytes(32), ImportStatus.OPEN, accepted, 0, 0, 0, None, 7, BLIND)
    ledger = Simulator()
    ledger.write(
        [(RECORDS, digest("r", 16), row), (IMPORTS, digest("i", 16), file), (IMPORT_SOURCES, bytes(32), number)]
    )
    assert ledger.machine.full_invariants() == (["registries.imports_counted"] if wrong else [])


# Rows that only a person can judge


def ask(country: Country, case: str, office: str, by: str = "keeper") -> Receipt:
    """The import officer opens a case and puts it before the office of the act, in one transaction."""
    number = digest(case, 16)
    return country.send(
        by,
        Open(number, "birth-import-review", "submit", HEAD, digest(f"{case}/content", 32), None, [], BLIND),
        Act(number, HEAD, "send", [], office, None, None, [], BLIND),
    )


def decide(case: str, action: str, reasons: list[str], draft: RecordDraft | None, office: str = ZAGS) -> Decide:
    return Decide(digest(case, 16), office, action, reasons, draft, [], None, None, None, None, [], BLIND)


def test_the_office_of_the_act_reviews_a_row(country: Country) -> None:
    country.applied(ask(country, "c", ZAGS))
    case = country.case("c")
    assert (case.step, case.office, case.requester) == ("review", ZAGS, None)
    assert case.due > country.time
    draft = RecordDraft(digest("r", 16), "birth", digest("content", 32), digest("act", 32), [key("1")], BLIND)
    for sender, office, code in (
        ("bishkek", ZAGS_BISHKEK, "services.7"),
        ("keeper", HEAD, "authority.1"),
        ("supervisor", HEAD, "services.7"),
    ):
        assert country.send(sender, decide("c", "accept", [], draft, office)).code == code, sender
    country.applied(country.send("registrar", decide("c", "accept", [], draft)))
    assert country.case("c").outcome == "accepted"
    assert country.row("registries.record", digest("r", 16)).provenance is None, "an official wrote it, not the import"
    assert country.row("registries.import", digest("i", 16)).accepted == 0


def test_a_row_is_rejected_with_reasons_and_writes_nothing(country: Country) -> None:
    country.applied(ask(country, "c", ZAGS))
    assert country.send("registrar", decide("c", "reject", [], None)).code == "services.12"
    country.applied(country.send("registrar", decide("c", "reject", ["pin-held", "act-number"], None)))
    assert country.case("c").reasons == ["pin-held", "act-number"]
    assert country.table("registries.record") == {}


def test_what_the_register_holds_is_not_accepted_by_a_review_either(country: Country) -> None:
    country.applied(country.import_records("i", country.imported("old", [key("1")])))
    country.applied(ask(country, "c", ZAGS))
    draft = RecordDraft(digest("r", 16), "birth", digest("content", 32), digest("act", 32), [key("1")], BLIND)
    assert country.send("registrar", decide("c", "accept", [], draft)).code == "registries.2"
    assert country.case("c").status.value == "open"


def test_only_the_import_officer_opens_a_review(country: Country) -> None:
    assert ask(country, "c", ZAGS, "supervisor").code == "authority.1"
    assert ask(country, "c", "ЗАГС-999999").code == "authority.2"
    assert ask(country, "c", "ЦОН-708203").code == "services.13"
    country.applied(ask(country, "c", HEAD))
