"""What somebody sees who has everything but the keys: no value, no guessable hash, no link between siblings."""

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from kerege.modules.authority.state import APPOINTMENTS
from kerege.node.home import Home
from kerege.node.pack.types import Example
from kerege.node.workplace import Workplace, create_dev_home, open_workplace
from kerege.storage.port import Area
from kerege.testing.journey import Journey, Played

HASHES = (hashlib.sha256, hashlib.sha1, hashlib.md5, hashlib.sha512, hashlib.blake2b)
SHORT = 4
"""Values shorter than this occur by chance."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workplace, list[Played], list[Example]]]:
    """Twins of one mother registered, and a certificate of each with nothing disclosed."""
    home = Home(Path(tmp_path_factory.mktemp("home")))
    create_dev_home(home, "kg")
    with open_workplace(home) as workplace:
        journey = Journey(workplace)
        journey.receive_blanks(journey.offices["zags"], "ЖТ", 1, 50)
        examples = [e for e in workplace.pack.service("birth").examples if e.name in {"twins-first", "twins-second"}]
        yield workplace, [journey.play("birth", example) for example in examples], examples


def _public(workplace: Workplace, played: list[Played]) -> bytes:
    """The whole ledger, row by row, and every proof: what anybody may have."""
    rows = [key + b"\x00" + value for area in Area for key, value in workplace.ledger.store.scan(area)]
    journey = Journey(workplace)
    return b"\n".join(rows + [journey.bundle(*paper) for each in played for paper in each.papers])


def _files(home: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file under the home except the key service's folder."""
    for path in sorted(home.rglob("*")):
        if path.is_file() and path.relative_to(home).parts[0] != "keys":
            yield path, path.read_bytes()


def _secrets(values: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Values, and hashes of them that a guesser would compute: plain, as hex, keyed by public things."""
    public = {"birth.place_territory", "act.office", "birth.place_country"}
    for code, value in values.items():
        choice = value.isascii() and value.replace("-", "").isalpha()
        if len(value) < SHORT or code in public or choice:
            continue
        yield code, value.encode()
        for make in HASHES:
            digest = make(value.encode()).digest()
            yield f"{make.__name__}({code})", digest
            yield f"{make.__name__}({code}) in hex", digest.hex().encode()
        yield f"hmac({code})", hmac.digest(b"birth", value.encode(), "sha256")


def test_the_ledger_and_all_proofs_hold_no_value(told: tuple[Workplace, list[Played], list[Example]]) -> None:
    """Neither a value nor a guessable hash of one is in any row or bundle."""
    workplace, played, examples = told
    public = _public(workplace, played)
    for example in examples:
        for name, secret in _secrets(example.values):
            assert secret not in public, name


def test_files_without_the_keys_hold_no_value(told: tuple[Workplace, list[Played], list[Example]]) -> None:
    """Neither do the files of the home, the encrypted dossiers included."""
    workplace, _, examples = told
    for path, content in _files(workplace.ledger.home.path):
        for example in examples:
            for name, secret in _secrets(example.values):
                assert secret not in content, f"{name} in {path}"


def test_pins_given_out_are_nowhere(told: tuple[Workplace, list[Played], list[Example]]) -> None:
    """No run of 14 digits with a birth date of the twins in it is in the ledger or the files."""
    workplace, played, examples = told
    contents = [_public(workplace, played), *(content for _, content in _files(workplace.ledger.home.path))]
    year, month, day = examples[0].values["birth.date"].split("-")
    assert all(f"{day}{month}{year}".encode() not in content for content in contents)


def test_siblings_cannot_be_linked(told: tuple[Workplace, list[Played], list[Example]]) -> None:
    """What the ledger says of the two children shares no id, commitment or key, beyond the officials who acted."""
    workplace, played, _ = told
    blocks = [workplace.ledger.door.block(h) for h in range(workplace.ledger.door.head().height + 1)]
    leaves = [set(_bytes_in(msgspec.msgpack.decode(leaf))) for block in blocks if block for leaf in block.leaves]
    first, second = (_about(each, leaves) for each in played)
    officials = {row.account for _, row in workplace.ledger.door.context().scan(APPOINTMENTS)}
    appointments = {key for key, _ in workplace.ledger.door.context().scan(APPOINTMENTS)}
    nobody = {bytes(16)}
    assert first & second - officials - appointments - nobody == set()


def _about(played: Played, leaves: list[set[bytes]]) -> set[bytes]:
    """Every byte string of the receipts that name the case, its record or its papers."""
    assert played.record is not None
    named = {played.case, played.record, *(paper for pair in played.papers for paper in pair)}
    return set().union(*(leaf for leaf in leaves if leaf & named))


def _bytes_in(value: object) -> Iterator[bytes]:
    """Every byte string in a decoded receipt, however deep."""
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _bytes_in(item)
