"""A second, tiny nation proves that nothing knows the first by name."""

import shutil
from pathlib import Path

import pytest

from kerege.kernel.days import parse_iso
from kerege.node.pack import PackError, check_examples, count_unverified, read_pack, unverified, world_of

TESTLAND = Path(__file__).parent / "testland"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the pack to spoil."""
    return Path(shutil.copytree(TESTLAND, tmp_path / "testland"))


def test_testland_loads_and_its_examples_run() -> None:
    """Other languages, offset, rest days, registry and service; no Python was written for them."""
    pack = read_pack(TESTLAND)
    assert pack.nation.rest_weekdays == (4,)
    assert pack.nation.offset_minutes == -210
    assert check_examples(pack) == 1


def test_unverified_legal_bases_are_counted_with_their_place() -> None:
    """The work list of `make help-law`."""
    pack = read_pack(TESTLAND)
    assert count_unverified(pack) == 4
    assert ("parameters.yaml: services.boat.days", "Harbour Act") in [(where, b.act) for where, b in unverified(pack)]


def test_a_parameter_is_what_it_was_on_the_day() -> None:
    """Before and after the change, and on its first day."""
    days = next(p for p in read_pack(TESTLAND).parameters if p.name == "services.boat.days")
    assert [
        entry.value for day in ("2026-12-31", "2027-01-01", "2030-01-01") if (entry := days.on(parse_iso(day)))
    ] == [
        5,
        3,
        3,
    ]


def test_a_renamed_place_is_two_versions_of_one_code() -> None:
    """Each with its dates; both are in force on their own days."""
    pack = read_pack(TESTLAND)
    assert [unit.names["sv"] for unit in pack.territory if unit.code == "T1"] == ["Gamlestad", "Nystad"]
    assert len(world_of(pack, "boat-licence", parse_iso("2026-11-20")).territory["T1"]) == 2


def test_an_example_that_does_not_run_is_refused(copy: Path) -> None:
    """A wrong outcome is the example's error, not silence."""
    path = copy / "services/boat-licence/examples/short-boat.yaml"
    path.write_text(path.read_text().replace('boat.length: "7"', 'boat.length: "21"'))
    with pytest.raises(PackError, match="harbour-master may not grant"):
        check_examples(read_pack(copy))


def test_the_digest_follows_every_file(copy: Path) -> None:
    """One byte of one file is another pack."""
    before = read_pack(copy).digest
    path = copy / "texts/fi.yaml"
    path.write_text(path.read_text().replace("Satamakapteeni", "Satamapäällikkö"))
    assert read_pack(copy).digest != before
    assert read_pack(TESTLAND).digest == before
