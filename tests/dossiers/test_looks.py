"""Who is shown a value, and who is not."""

import os
from dataclasses import replace

import pytest

from kerege.dossiers import errors
from kerege.dossiers.controller import Controller
from kerege.dossiers.embedded_keys import HOUR
from kerege.kernel.commitments import commitment, content_root
from tests.dossiers.support import NOW, OFFICER, Ledger, draft


def test_with_the_ledger_stopped_nothing_opens(controller: Controller, ledger: Ledger) -> None:
    written = draft()
    controller.dossiers.write([written])
    look = ledger.grant(written, "surname")
    assert controller.dossiers.read(look)
    ledger.running = False
    with pytest.raises(errors.LedgerUnreachable):
        controller.dossiers.read(look)
    with pytest.raises(errors.LedgerUnreachable):
        controller.dossiers.check([], os.urandom(16))


def test_a_ledger_that_breaks_off_counts_as_stopped(
    controller: Controller, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = draft()
    controller.dossiers.write([written])
    look = ledger.grant(written, "surname")

    def broken(_: bytes) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(ledger, "access_granted", broken)
    with pytest.raises(errors.LedgerUnreachable):
        controller.dossiers.read(look)


@pytest.mark.parametrize(
    ("changed", "refusal"),
    [
        ({"access": b"\x07" * 16}, errors.AccessNotOnLedger),
        ({"officer": b"another--account-002"}, errors.AccessOfAnother),
        ({"reference_salt": b"\x07" * 32}, errors.DossierNotGranted),
        ({"reference_salt": b"short"}, errors.DossierNotGranted),
        ({"subject": b"\x07" * 16}, errors.DossierNotGranted),
        ({"purpose": "requests"}, errors.DossierNotGranted),
        ({"fields": ("surname", "given_name")}, errors.FieldNotGranted),
        ({"record": b"\x07" * 16}, errors.DossierMissing),
        ({"version": 2}, errors.DossierMissing),
    ],
)
def test_a_look_beyond_its_grant_is_refused(
    controller: Controller, ledger: Ledger, changed: dict[str, object], refusal: type[errors.DossierError]
) -> None:
    written = draft()
    controller.dossiers.write([written])
    look = ledger.grant(written, "surname")
    with pytest.raises(refusal) as told:
        controller.dossiers.read(replace(look, **changed))  # type: ignore[arg-type]
    assert "Асанова" not in str(told.value)
    assert told.value.cure or refusal is errors.AccessRefused


def test_a_grant_for_one_subject_opens_no_other(controller: Controller, ledger: Ledger) -> None:
    mine, other = draft(), draft()
    controller.dossiers.write([mine, other])
    look = ledger.grant(mine, "surname")
    with pytest.raises(errors.DossierNotGranted):
        controller.dossiers.read(replace(look, record=other.record))


def test_a_grant_ends_by_block_time_and_by_the_clock(controller: Controller, ledger: Ledger) -> None:
    written = draft()
    controller.dossiers.write([written])
    look = ledger.grant(written, "surname")
    ledger.now = NOW + HOUR
    assert controller.dossiers.read(look)
    ledger.now = NOW + HOUR + 1
    with pytest.raises(errors.AccessExpired):
        controller.dossiers.read(look)


def test_an_official_never_sees_a_dossier_they_are_a_party_in(controller: Controller, ledger: Ledger) -> None:
    person = os.urandom(16)
    controller.pseudonyms.link_account(person, OFFICER)
    named, own, foreign = draft(named=(os.urandom(16), person)), draft(subject=person), draft()
    controller.dossiers.write([named, own, foreign])
    for written in (named, own):
        with pytest.raises(errors.OwnDossier):
            controller.dossiers.read(ledger.grant(written, "surname"))
    assert controller.dossiers.read(ledger.grant(foreign, "surname"))


def test_an_adoption_is_for_the_court_alone(controller: Controller, ledger: Ledger) -> None:
    link = draft(("closed", "0a0b"), purpose="adoption")
    controller.dossiers.write([link])
    with pytest.raises(errors.RoleNotAllowed):
        controller.dossiers.read(ledger.grant(link, "closed"))
    assert controller.dossiers.read(ledger.grant(link, "closed", role="judge"))[0].value == "0a0b"


def test_mappings_are_shown_to_nobody(controller: Controller, ledger: Ledger) -> None:
    person = os.urandom(16)
    controller.pseudonyms.assign(person, "civil")
    with pytest.raises(errors.NotForPersons):
        controller.dossiers.read(ledger.grant(draft(subject=person, purpose="identity"), "pseudonym"))
    with pytest.raises(errors.NotForPersons):
        controller.dossiers.write([draft(purpose="identity")])


def test_what_is_shown_proves_itself_and_nothing_else(controller: Controller, ledger: Ledger) -> None:
    fields = tuple((f"field-{number}", f"value {number}") for number in range(7))
    written = draft(*fields)
    (receipt,) = controller.dossiers.write([written])
    shown = controller.dossiers.read(ledger.grant(written, "field-2", "field-6"))
    assert [(one.field, one.value, one.position, one.count) for one in shown] == [
        ("field-2", "value 2", 2, 7),
        ("field-6", "value 6", 6, 7),
    ]
    for one in shown:
        assert commitment(one.field, one.salt, one.value) == receipt.commitments[one.position]
        assert receipt.commitment(one.field) == receipt.commitments[one.position]
    assert content_root(receipt.commitments) == receipt.root
    assert "value" not in repr(shown).replace("value=", "")


def test_released_keys_open_the_granted_fields_only(controller: Controller, ledger: Ledger) -> None:
    written = draft()
    controller.dossiers.write([written])
    keys = controller.keys.unwrap(ledger.grant(written, "surname"))
    keys.field("surname")
    with pytest.raises(errors.FieldNotGranted):
        keys.field("given_name")


def test_an_unknown_field_is_named(controller: Controller, ledger: Ledger) -> None:
    written = draft()
    controller.dossiers.write([written])
    with pytest.raises(errors.FieldUnknown):
        controller.dossiers.read(ledger.grant(written, "nickname"))
