"""Erasure, epochs, holds, backups: after the end of an epoch no old copy opens what was erased."""

import os
import shutil
from pathlib import Path

import pytest

from kerege.dossiers import errors
from kerege.dossiers.controller import Controller
from kerege.dossiers.embedded_keys import BACKUP_TERM, DAY, ROTATION_TERM, restore_keys
from kerege.dossiers.ports import Shelf
from tests.dossiers.support import NOW, Ledger, draft, open_controller


def test_acts_are_never_erased(controller: Controller) -> None:
    written = draft()
    controller.dossiers.write([written])
    with pytest.raises(errors.RetainedByLaw):
        controller.dossiers.erase(written.subject, "acts")


def test_a_hold_stands_until_it_ends_or_is_lifted(controller: Controller, ledger: Ledger) -> None:
    written = draft(purpose="requests")
    controller.dossiers.write([written])
    controller.dossiers.hold(written.subject, "requests", "court.order", NOW + DAY)
    with pytest.raises(errors.HeldByLaw):
        controller.dossiers.erase(written.subject, "requests")
    ledger.now += DAY + 1
    controller.dossiers.hold(written.subject, "requests", "court.order", None)
    with pytest.raises(errors.HeldByLaw):
        controller.dossiers.erase(written.subject, "requests")
    controller.dossiers.lift(written.subject, "requests")
    assert len(controller.dossiers.erase(written.subject, "requests")) == 32


def test_erasure_takes_one_purpose_and_no_other(controller: Controller, ledger: Ledger) -> None:
    subject = os.urandom(16)
    act, request = draft(subject=subject), draft(subject=subject, purpose="requests")
    controller.dossiers.write([act, request])
    tombstone = controller.dossiers.erase(subject, "requests")
    assert controller.dossiers.erase(subject, "requests") == tombstone
    assert controller.dossiers.read(ledger.grant(act, "surname"))
    with pytest.raises(errors.DossierErased):
        controller.dossiers.read(ledger.grant(request, "surname"))
    with pytest.raises(errors.DossierErased):
        controller.dossiers.write([draft(subject=subject, purpose="requests")])
    with pytest.raises(errors.DossierMissing):
        controller.dossiers.erase(os.urandom(16), "requests")


def copy(home: Path, target: Path) -> Path:
    shutil.copytree(home, target)
    return target


def revive(now: Path, old: Path, target: Path) -> Path:
    """The worst case: today's key files with the old rows and the old table of wrapped keys beside them."""
    shutil.copytree(now, target)
    shutil.rmtree(target / "dossiers")
    shutil.copytree(old / "dossiers", target / "dossiers")
    shutil.rmtree(target / "keys" / "wrapped")
    shutil.copytree(old / "keys" / "wrapped", target / "keys" / "wrapped")
    return target


def test_old_copies_open_nothing_after_the_epoch(home: Path, ledger: Ledger, tmp_path: Path) -> None:
    gone, stays = draft(purpose="requests"), draft()
    with Controller.create(home, ledger, clock=lambda: ledger.now) as controller:
        controller.dossiers.write([gone, stays])
        old = copy(home, tmp_path / "old")
        controller.dossiers.erase(gone.subject, "requests")
        before = copy(home, tmp_path / "before")
        due = controller.keys.rotation_due()
        assert due is not None
        assert NOW < due <= NOW + ROTATION_TERM
        rotation = controller.keys.rotate_epoch()
        assert (rotation.epoch, rotation.rewrapped, rotation.destroyed) == (2, 1, (1,))
        assert controller.keys.rotation_due() is None
        assert controller.dossiers.read(ledger.grant(stays, "surname"))
    # Until the epoch ends old copies do open: that is why it has to end, and the test shows what it ends.
    with open_controller(revive(before, old, tmp_path / "too-early"), ledger) as revived:
        assert revived.dossiers.read(ledger.grant(gone, "surname"))
    with open_controller(revive(home, old, tmp_path / "after"), ledger) as revived:
        for one in (gone, stays):
            with pytest.raises(errors.KeyVersionUnknown):
                revived.dossiers.read(ledger.grant(one, "surname"))


def test_an_epoch_change_broken_off_is_run_again(
    controller: Controller, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = [draft() for _ in range(4)]
    controller.dossiers.write(written)
    rewrap, calls = controller.keys._rewrap, []

    def breaking(locator: bytes, epoch: int) -> bool:
        calls.append(locator)
        if len(calls) == 3:
            raise OSError
        return rewrap(locator, epoch)

    monkeypatch.setattr(controller.keys, "_rewrap", breaking)
    with pytest.raises(OSError):
        controller.keys.rotate_epoch()
    assert all(controller.dossiers.read(ledger.grant(one, "surname")) for one in written)
    rotation = controller.keys.rotate_epoch()
    assert (rotation.epoch, rotation.destroyed) == (3, (1, 2))
    assert all(controller.dossiers.read(ledger.grant(one, "surname")) for one in written)


def test_keys_from_a_backup_erase_again_what_the_ledger_says_is_erased(
    home: Path, ledger: Ledger, tmp_path: Path
) -> None:
    gone, stays = draft(purpose="requests"), draft()
    with Controller.create(home, ledger, clock=lambda: ledger.now) as controller:
        controller.dossiers.write([gone, stays])
        controller.keys.backup(tmp_path / "keys-copy")
        ledger.tombstones.add(controller.dossiers.erase(gone.subject, "requests"))
    shutil.rmtree(home / "keys")
    with pytest.raises(errors.KeysMissing):
        open_controller(home, ledger)
    restore_keys(tmp_path / "keys-copy", home / "keys", ledger.now)
    with pytest.raises(errors.KeysOlderThanDossiers):
        open_controller(home, ledger)
    with open_controller(home, ledger, tombstones=ledger.tombstones) as restored:
        assert restored.dossiers.read(ledger.grant(stays, "surname"))
        with pytest.raises(errors.DossierErased):
            restored.dossiers.read(ledger.grant(gone, "surname"))
    open_controller(home, ledger).close()


def test_a_backup_of_keys_outlives_nothing(controller: Controller, ledger: Ledger, tmp_path: Path) -> None:
    assert BACKUP_TERM < ROTATION_TERM
    stays = draft()
    controller.dossiers.write([stays])
    controller.keys.rotate_epoch()
    expires = controller.keys.backup(tmp_path / "copy")
    controller.keys.backup(tmp_path / "carried-away")
    (tmp_path / "carried-away").rename(tmp_path / "elsewhere")
    with pytest.raises(errors.DossiersExist):
        controller.keys.backup(tmp_path / "copy")
    assert all(path.stat().st_nlink == 1 for path in (tmp_path / "copy").rglob("*") if path.is_file())
    assert controller.keys.expire_backups() == ()
    ledger.now = expires
    with pytest.raises(errors.BackupExpired):
        restore_keys(tmp_path / "copy", tmp_path / "new", ledger.now)
    assert controller.keys.expire_backups() == (tmp_path / "carried-away",)
    assert not (tmp_path / "copy").exists()
    assert controller.dossiers.read(ledger.grant(stays, "surname")), "a copy overwritten is no file of the living keys"


def test_nothing_of_it_lingers_in_the_files(controller: Controller, home: Path) -> None:
    gone, stays = draft(purpose="requests"), draft()
    controller.dossiers.write([gone, stays])
    row = controller._rows.get(Shelf.DOSSIERS, controller.keys.locate(gone.record, 1, "requests"))
    handles = {one.subject: controller.keys._handle(one.subject, one.purpose) for one in (gone, stays)}
    wrapped = {subject: controller.keys._book.wrapped(handle) for subject, handle in handles.items()}
    assert row is not None

    def anywhere(piece: bytes) -> bool:
        return any(piece in path.read_bytes() for path in home.rglob("*") if path.is_file())

    sealed = {subject: found[1] for subject, found in wrapped.items() if found is not None}
    # A row longer than a page is spread over several: looked for in pieces.
    pieces = [row[start : start + 32] for start in range(0, len(row), 32)]
    assert sum(anywhere(piece) for piece in pieces) > len(pieces) // 2
    assert all(anywhere(piece) for piece in sealed.values())
    controller.dossiers.erase(gone.subject, "requests")
    assert not any(anywhere(piece) for piece in pieces)
    assert not anywhere(sealed[gone.subject])
    assert anywhere(sealed[stays.subject])
    controller.keys.rotate_epoch()
    assert not anywhere(sealed[stays.subject])
