"""What may be written, and that what is written comes back."""

import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from kerege.dossiers import errors
from kerege.dossiers.controller import Controller
from kerege.dossiers.embedded_keys import HOUR, IDENTITY
from kerege.dossiers.jobs import Committed
from kerege.dossiers.ports import Entry
from kerege.dossiers.values import canonical_json, canonical_text
from tests.dossiers.support import NOW, Ledger, draft


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"record": b"short"}, errors.DraftInvalid),
        ({"subject": b"short"}, errors.DraftInvalid),
        ({"named": (b"short",)}, errors.DraftInvalid),
        ({"version": -1}, errors.DraftInvalid),
        ({"names": (), "values": ()}, errors.DraftInvalid),
        ({"names": ("a",), "values": ("", "")}, errors.DraftInvalid),
        ({"names": ("a", "a"), "values": ("", "")}, errors.DraftInvalid),
        ({"names": ("",), "values": ("x",)}, errors.DraftInvalid),
        ({"names": ("a" * 256,), "values": ("x",)}, errors.DraftInvalid),
        ({"names": ("a",), "values": ("и\u0306",)}, errors.NotCanonical),
        ({"names": ("a",), "values": ("\ud800",)}, errors.NotCanonical),
        ({"purpose": "curiosity"}, errors.PurposeUnknown),
    ],
)
def test_an_ill_formed_draft_writes_nothing(
    controller: Controller, ledger: Ledger, changed: dict[str, object], refusal: type[errors.DossierError]
) -> None:
    good = draft()
    with pytest.raises(refusal):
        controller.dossiers.write([good, replace(draft(), **changed)])
    with pytest.raises(errors.DossierMissing):
        controller.dossiers.read(ledger.grant(good, "surname"))


def test_a_record_version_is_written_once(controller: Controller) -> None:
    first = draft()
    controller.dossiers.write([first])
    for again in ([first], [draft(), replace(first, subject=os.urandom(16))]):
        with pytest.raises(errors.DossierExists):
            controller.dossiers.write(again)
    fresh = draft()
    with pytest.raises(errors.DossierExists):
        controller.dossiers.write([fresh, fresh])
    controller.dossiers.write([replace(first, version=2)])


texts = st.text(st.characters(codec="utf-8"), max_size=60).map(canonical_text)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(fields=st.dictionaries(st.text("abcdefgh_", min_size=1, max_size=20), texts, min_size=1, max_size=50))
def test_what_is_written_comes_back(controller: Controller, ledger: Ledger, fields: dict[str, str]) -> None:
    written = draft(*fields.items())
    (receipt,) = controller.dossiers.write([written])
    shown = controller.dossiers.read(ledger.grant(written, *fields))
    assert {one.field: one.value for one in shown} == fields
    report = controller.dossiers.check([Committed(written.record, 1, receipt.root)], ledger.start("check"))
    assert (report.total, report.missing, report.wrong) == (1, 0, 0)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(value=json_values)
def test_canonical_json_is_one_text_per_value(value: object) -> None:
    text = canonical_json(value)  # type: ignore[arg-type]
    assert json.loads(text) == value
    assert canonical_json(json.loads(text)) == text


def test_canonical_json_sorts_by_utf16() -> None:
    # U+1F600 is the pair D83D DE00 and comes before U+FB20, though its code point is higher (RFC 8785 §3.2.3).
    assert (
        canonical_json({"\ufb20": 1, "\U0001f600": 2, "1": 3, "\r": 4}) == '{"\\r":4,"1":3,"\U0001f600":2,"\ufb20":1}'
    )


@pytest.mark.parametrize("value", [1.5, b"x", 2**53, {"a": object()}, ["\ud800"], {"и\u0306": 1, "й": 2}])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(errors.NotCanonical):
        canonical_json(value)  # type: ignore[arg-type]


def test_orphans_go_and_what_reached_the_ledger_stays(controller: Controller, ledger: Ledger) -> None:
    kept, lost, young = draft(), draft(), draft(expires=NOW + 5 * HOUR)
    controller.dossiers.write([kept, lost, young])
    controller.pseudonyms.assign(os.urandom(16), "civil")

    def committed(entry: Entry) -> bool:
        assert entry.version == 1
        return entry.record == kept.record

    assert controller.dossiers.collect_orphans(NOW, committed).collected == 0
    done = controller.dossiers.collect_orphans(NOW + 3 * HOUR, committed)
    assert (done.confirmed, done.collected) == (1, 1)
    assert controller.dossiers.collect_orphans(NOW + 3 * HOUR, committed).collected == 0
    for written in (kept, young):
        assert controller.dossiers.read(ledger.grant(written, "surname"))
    with pytest.raises(errors.DossierMissing):
        controller.dossiers.read(ledger.grant(lost, "surname"))
    controller.dossiers.write([lost])
    with pytest.raises(errors.DossierExists):
        controller.dossiers.write([kept])


def test_a_ledger_that_fails_while_orphans_are_collected_costs_nothing(controller: Controller, ledger: Ledger) -> None:
    written = [draft(), draft()]
    controller.dossiers.write(written)

    def committed(entry: Entry) -> bool:
        if entry.record == written[1].record:
            raise errors.LedgerUnreachable(reason="stopped")
        return False

    with pytest.raises(errors.LedgerUnreachable):
        controller.dossiers.collect_orphans(NOW + 3 * HOUR, committed)
    assert all(controller.dossiers.read(ledger.grant(one, "surname")) for one in written)


def test_a_mapping_with_a_name_twice_is_refused(controller: Controller) -> None:
    """One name is one key: under the nonce of a row it may seal one value."""
    with pytest.raises(errors.DraftInvalid):
        controller.dossiers.write_mapping([Entry(b"name", 0, bytes(16), IDENTITY)], [(("a", "x"), ("a", "y"))])
    assert not controller.dossiers.held([b"name"], 0, IDENTITY)
