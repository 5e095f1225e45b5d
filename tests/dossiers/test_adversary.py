"""An adversary with every file under the home but `keys/`, the ledger's commitments, and a list of guesses."""

import hashlib
import os
import re
from datetime import date
from pathlib import Path

import pytest

from kerege.dossiers.controller import Controller
from kerege.dossiers.ports import Shelf
from kerege.dossiers.store import Draft
from tests.dossiers.support import NOW, Ledger, draft
from tests.dossiers.test_numbers import PATTERN

MOTHER = (
    ("mother.surname", "Бекмуратова"),
    ("mother.given_name", "Жылдызкан"),
    ("mother.pin", "11203199001234"),
    ("mother.birth_date", "1990-03-12"),
)


Seen = tuple[dict[str, bytes], list[bytes], list[bytes], list[bytes]]
"""Files, secrets that may not be in them, sealed rows, keyed names; files both open and closed."""


ENGINE = ("LOG", "OPTIONS-")


def child(name: str, pin: str, mother: bytes, *more: tuple[str, str]) -> Draft:
    fields = (("surname", "Бекмуратов"), ("given_name", name), ("pin", pin), *MOTHER, *more)
    return draft(*fields, named=(mother,))


def bytes_outside_keys(home: Path) -> dict[str, bytes]:
    """All but the diary and settings of RocksDB: its own words, thread numbers and dates, none of them ours."""
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in sorted(home.rglob("*"))
        if path.is_file() and "keys" not in path.relative_to(home).parts and not path.name.startswith(ENGINE)
    }


@pytest.fixture
def seen(home: Path, ledger: Ledger) -> Seen:
    mother = os.urandom(16)
    with Controller.create(home, ledger, clock=lambda: NOW) as controller:
        pseudonym = controller.pseudonyms.assign(mother, "civil")
        pins = controller.pins([PATTERN], offset_minutes=360)
        number = controller.act_numbers.reserve("ЗАГС-708203", 2026)
        controller.blanks.receive("ЗАГС-708203", "KG-ЭН", 7000001, 7000009)
        blank = controller.blanks.reserve("ЗАГС-708203")
        first, second = (pins.reserve("male", date(2026, 11, 20)) for _ in range(2))
        pins.commit(first.id, os.urandom(32))
        controller.act_numbers.commit(number.id, os.urandom(32))
        batch = [
            child("Нурсултан", first.pin, mother),
            child("Эмир", second.pin, mother, ("event", "twins")),
        ]
        written = controller.dossiers.write(batch)
        salts = [shown.salt for one in batch for shown in controller.dossiers.read(ledger.grant(one, *one.names))]
        open_files = bytes_outside_keys(home)
        rows = [row for shelf in (Shelf.DOSSIERS, Shelf.BOOKS, Shelf.PENDING) for row in controller._rows.scan(shelf)]
    files = {f"closed/{name}": content for name, content in bytes_outside_keys(home).items()}
    values = {value for one in batch for value in one.values} | {first.pin, second.pin}
    names = {name for one in batch for name in one.names}
    ids = [mother, pseudonym, number.id, blank.id, first.id, second.id]
    ids += [identifier for one in batch for identifier in (one.record, one.subject)]
    roots = [one.root for one in written] + [digest for one in written for digest in one.commitments]
    words = [text.encode() for text in (*values, *names, "ЗАГС-708203", "KG-ЭН", "7000001", "civil") if len(text) > 3]
    secrets = [*words, *ids, *salts, blank.salt, *roots]
    return files | open_files, secrets, [row for _, row in rows], [locator for locator, _ in rows]


def test_no_value_salt_id_or_hash_of_one_is_in_any_file(seen: Seen) -> None:
    files, secrets, _, _ = seen
    assert any(len(content) > 10_000 for content in files.values())
    for name, content in files.items():
        for secret in secrets:
            for form in (
                secret,
                secret.hex().encode(),
                hashlib.sha256(secret).digest(),
                hashlib.sha256(secret).hexdigest().encode(),
                hashlib.sha1(secret).digest(),  # noqa: S324 - what a lazy programmer might have used
                hashlib.md5(secret).digest(),  # noqa: S324
            ):
                assert form not in content, (name, secret)


def test_no_file_holds_a_run_of_digits_like_a_pin(seen: Seen) -> None:
    for content in seen[0].values():
        assert not re.search(rb"[12]\d{13}", content)


def test_two_children_of_one_mother_share_no_bytes(seen: Seen) -> None:
    _, _, rows, locators = seen
    assert len(set(locators)) == len(locators)
    windows: set[bytes] = set()
    for sealed in [*rows, *locators]:
        own = {sealed[start : start + 8] for start in range(len(sealed) - 7)}
        assert not windows & own
        windows |= own


def test_sizes_say_nothing(controller: Controller) -> None:
    short = draft(("surname", "Ли"), ("given_name", "А"))
    long = draft(*((f"field-{number}", "длинное значение" * 2) for number in range(12)))
    controller.dossiers.write([short, long])
    controller.act_numbers.reserve("ЗАГС-708203", 2026)
    assert len({len(row) for _, row in controller._rows.scan(Shelf.DOSSIERS)}) == 1
    for shelf in (Shelf.BOOKS, Shelf.PENDING):
        assert len({len(row) for _, row in controller._rows.scan(shelf)}) == 1


def test_the_same_values_twice_look_different(controller: Controller) -> None:
    one, two = controller.dossiers.write([draft(), draft()])
    assert not set(one.commitments) & set(two.commitments)
    assert one.root != two.root


def test_secrets_do_not_print(controller: Controller, ledger: Ledger) -> None:
    written = draft()
    controller.dossiers.write([written])
    pins = controller.pins([PATTERN], offset_minutes=360)
    reserved = pins.reserve("female", date(2026, 11, 20))
    controller.blanks.receive("office", "KG", 1, 2)
    look = ledger.grant(written, "surname")
    told = repr(
        [
            written,
            controller.dossiers.read(look),
            reserved,
            controller.blanks.reserve("office"),
            controller.keys,
            controller.keys.unwrap(look),
            controller.keys.book("pins"),
            controller.uniqueness,
            controller.keys._keyring,
            controller.keys._keyring.epochs,
        ]
    )
    key = (controller.keys._keyring.folder / "names.key").read_bytes()
    for secret in ("Асанова", reserved.pin, repr(key), key.hex()):
        assert secret not in told


def test_a_tombstone_says_nothing(controller: Controller) -> None:
    gone = draft(purpose="requests")
    controller.dossiers.write([gone])
    tombstone = controller.dossiers.erase(gone.subject, "requests")
    for guess in (gone.subject, gone.record, gone.subject + b"requests", gone.subject.hex().encode()):
        assert tombstone != hashlib.sha256(guess).digest()


def test_uniqueness_keys_are_no_public_function(controller: Controller, home: Path, tmp_path: Path) -> None:
    pin = "11203199001234"
    key = controller.uniqueness.key("births", pin)
    assert key == controller.uniqueness.key("births", pin)
    assert key != controller.uniqueness.key("marriages", pin)
    assert controller.uniqueness.key("births", "ab", "c") != controller.uniqueness.key("births", "a", "bc")
    with Controller.create(tmp_path / "other", Ledger()) as other:
        assert other.uniqueness.key("births", pin) != key
    assert controller.uniqueness.rotate() == 2
    assert controller.uniqueness.key("births", pin) != key
    assert controller.uniqueness.key("births", pin, version=1) == key
    controller.uniqueness.retire(1)
    assert controller.uniqueness.versions() == (2,)
    assert not (home / "keys" / "uniqueness" / "0001.key").exists()
