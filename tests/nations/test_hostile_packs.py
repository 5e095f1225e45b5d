"""Packs made to break the reader: each refused with the place and the cure, never by another exception."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kerege.node.pack import PackError, errors, read_pack

TESTLAND = Path(__file__).parent / "testland"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A good pack to spoil."""
    return Path(shutil.copytree(TESTLAND, tmp_path / "testland"))


SERVICE = "services/boat-licence/service.yaml"
FIELDS = "services/boat-licence/fields.yaml"
EXAMPLE = "services/boat-licence/examples/short-boat.yaml"

_SEATS = [
    "validators: [{institution: nobody, role: harbour-clerk}]",
    "validators: [{institution: harbour-board, role: registrar}]",
    "validators: [" + ", ".join(["{institution: harbour-board, role: harbour-clerk}"] * 2) + "]",
]

REPLACED: list[tuple[str, str, str, type[PackError], str]] = [
    # file, what stands there, what is put in its place, the refusal, a part of its place or value
    ("nation.yaml", "prefix: tl", "prefixx: tl", errors.KeyUnknown, "line 3"),
    ("nation.yaml", "prefix: tl\n", "", errors.KeyMissing, "prefix"),
    ("nation.yaml", "prefix: tl", "prefix: TL", errors.WrongValue, "line 3, prefix"),
    ("nation.yaml", "prefix: tl", "prefix: tl\nprefix: tl", errors.KeyTwice, "line 4"),
    ("nation.yaml", "offset_minutes: -210", "offset_minutes: 1e2", errors.WrongValue, "offset_minutes"),
    ("nation.yaml", "offset_minutes: -210", "offset_minutes: 99999", errors.WrongValue, "offset_minutes"),
    ("nation.yaml", "[boat-licence]", "[../boat-licence]", errors.OutsidePack, "services.0"),
    ("nation.yaml", "[boat-licence]", "[/etc]", errors.OutsidePack, "services.0"),
    ("nation.yaml", "[boat-licence]", "[boat-licence, boat-licence]", errors.KeyTwice, "texts"),
    ("nation.yaml", "[boat-licence]", "[no-such]", errors.FileMissing, "no-such"),
    ("nation.yaml", "currency: TLD", "currency: EUR", errors.NameUnknown, "EUR"),
    ("nation.yaml", "sv: Testland}", "no: Testland}", errors.TextMissing, "sv"),
    ("nation.yaml", "sv: Testland}", "sv: Testland, no: Testland}", errors.NameUnknown, "no"),
    ("nation.yaml", "code: testland", "code: &a testland", errors.NotYaml, "line 1"),
    ("nation.yaml", "prefix: tl", "prefix: *a", errors.NotYaml, "line 3"),
    ("nation.yaml", "prefix: tl", "prefix: !!python/object/apply:os.system [id]", errors.NotYaml, "line 3"),
    ("nation.yaml", "prefix: tl", "prefix: tl\n---\nx: 1", errors.NotYaml, "second document"),
    ("nation.yaml", "prefix: tl", "prefix: {a: [", errors.NotYaml, ""),
    ("nation.yaml", "prefix: tl", "<<: {a: 1}\nprefix: tl", errors.NotYaml, "line 3"),
    ("nation.yaml", "prefix: tl", "[a, b]: tl", errors.NotYaml, "line 3"),
    ("nation.yaml", "code: testland", "%YAML 1.2\n---\ncode: testland", errors.NotYaml, ""),
    ("nation.yaml", "Testimaa", "Testi\u202emaa", errors.NotText, "U+202E"),
    ("nation.yaml", "Testimaa", "Testi\u200bmaa", errors.NotText, "U+200B"),
    ("nation.yaml", "Testimaa", "Testima\u0308a", errors.NotText, "not NFC"),
    ("nation.yaml", "Testimaa", "Testi\tmaa", errors.NotText, "U+0009"),
    (
        "institutions.yaml",
        "roles: [harbour-clerk, harbour-master], stands",
        "roles: [x], stands",
        errors.NameUnknown,
        "x",
    ),
    ("institutions.yaml", "institution: harbour-board", "institution: nobody", errors.NameUnknown, "nobody"),
    ("institutions.yaml", "harbour-board, names", "harbour-board, parent: harbour-board, names", errors.WrongValue, ""),
    ("institutions.yaml", "stands: territory", "stands: somewhere", errors.WrongValue, "stands"),
    ("institutions.yaml", "office_kinds:", f"{_SEATS[0]}\noffice_kinds:", errors.NameUnknown, "nobody"),
    ("institutions.yaml", "office_kinds:", f"{_SEATS[1]}\noffice_kinds:", errors.NameUnknown, "registrar"),
    ("institutions.yaml", "office_kinds:", f"{_SEATS[2]}\noffice_kinds:", errors.CodeTwice, "harbour-board"),
    ("roles.yaml", "code: harbour-master", "code: harbour-clerk", errors.CodeTwice, "harbour-clerk"),
    ("roles.yaml", "duties: [accept]", "duties: [rule]", errors.WrongValue, "duties.0"),
    ("parameters.yaml", "2027-01-01", "2027-02-30", errors.BadDate, "2027-02-30"),
    ("parameters.yaml", "2027-01-01", "01.01.2027", errors.BadDate, "01.01.2027"),
    ("parameters.yaml", "2027-01-01", "20270101", errors.BadDate, "20270101"),
    ("parameters.yaml", "value: 3", "value: three", errors.WrongValue, "one kind"),
    ("parameters.yaml", "value: 3", "value: 0.5", errors.WrongValue, "one kind"),
    ("parameters.yaml", "valid_from: 2027-01-01\n        value: 3", "value: 3", errors.BadDate, "no day"),
    ("parameters.yaml", ", unverified: true", "", errors.BasisIncomplete, "services.boat.days"),
    ("parameters.yaml", "https://", "http://", errors.BasisIncomplete, "services.boat.days"),
    ("parameters.yaml", ", read_on: 2026-11-20", "", errors.BasisIncomplete, "services.boat.days"),
    (
        "parameters.yaml",
        "name: services.boat.days",
        "name: services.boat.hours",
        errors.NameUnknown,
        "services.boat.days",
    ),
    ("territory.csv", "T1,city,Uusi", "T1,town,Uusi", errors.WrongValue, "line 4"),
    ("territory.csv", "2025-06-30", "2025-07-01", errors.CodeTwice, "T1"),
    ("territory.csv", "2025-07-01,", "2025-07-01,2025-01-01", errors.BadDate, "T1"),
    ("territory.csv", "Gamlestad,T,", "Gamlestad,X,", errors.NameUnknown, "X"),
    ("territory.csv", ",valid_to", ",until", errors.BadColumns, "line 1"),
    ("territory.csv", "T,state", "T,more,state", errors.BadColumns, "line 2"),
    ("territory.csv", "Gamlestad", '"Gamlestad', errors.BadColumns, ""),
    ("offices.csv", "T1,TL", "T9,TL", errors.NameUnknown, "T9"),
    ("offices.csv", "T1,TL", ",TL", errors.WrongValue, "H-1"),
    ("offices.csv", ",false", ",no", errors.WrongValue, "line 2"),
    ("offices.csv", "Hamnen", "", errors.TextMissing, "H-1"),
    ("offices.csv", "harbour,harbour-board", "airport,harbour-board", errors.NameUnknown, "airport"),
    ("holidays.csv", "2026-12-06,holiday", "2026-13-06,holiday", errors.BadDate, "line 2"),
    ("holidays.csv", "2026-12-06,holiday", ",holiday", errors.BadDate, "line 2"),
    ("holidays.csv", "holiday,founding", "party,founding", errors.WrongValue, "kind"),
    ("texts/sv.yaml", "  harbour-clerk: Hamntjänsteman\n", "", errors.TextMissing, "roles.harbour-clerk"),
    ("texts/sv.yaml", "Från steget {step}", "Från steget", errors.PlaceholdersDiffer, "services.42"),
    ("texts/sv.yaml", "{step}", "{step.__class__}", errors.WrongValue, "placeholder"),
    ("texts/sv.yaml", "{step}", "{step!r}", errors.WrongValue, "placeholder"),
    ("texts/sv.yaml", "{step}", "{step", errors.WrongValue, ""),
    ("texts/sv.yaml", "Hamntjänsteman", '""', errors.WrongValue, "harbour-clerk"),
    ("texts/fi.yaml", "roles:\n", "roles:\n  pirate: Merirosvo\n", errors.TextMissing, "roles.pirate"),
    (SERVICE, "to: decide", "to: nowhere", errors.DefinitionRefused, "services.41"),
    (SERVICE, "code: decide\n", "code: apply\n", errors.DefinitionRefused, "services.40"),
    (SERVICE, "kind: decide, to: refused", "kind: return, to: apply", errors.DefinitionRefused, "services.43"),
    (SERVICE, "step: apply}", "step: decide}", errors.DefinitionRefused, "services.43"),
    (SERVICE, "{var: boat.length}", "{var: boat.width}", errors.DefinitionRefused, "services.41"),
    (SERVICE, '"<="', '"=<"', errors.KeyUnknown, "=<"),
    (SERVICE, '{"<=": [{var: boat.length}, "20"]}', '{"<=": [{var: boat.length}]}', errors.WrongValue, "left, right"),
    (
        SERVICE,
        '{"<=": [{var: boat.length}, "20"]}',
        "{not: {not: {not: {not: {not: true}}}}}",
        errors.DefinitionRefused,
        "services.44",
    ),
    (SERVICE, "reasons: [too-long]", "reasons: []", errors.DefinitionRefused, "services.48"),
    (
        SERVICE,
        "valid_from: 2026-01-01",
        "valid_from: 2026-01-01\nvalid_to: 2025-01-01",
        errors.DefinitionRefused,
        "services.46",
    ),
    (SERVICE, "mode: none", "mode: required, first: decide, second: decide", errors.DefinitionRefused, "services.47"),
    (
        SERVICE,
        "mode: none",
        "mode: sampled, percent: 100, first: apply, second: decide",
        errors.DefinitionRefused,
        "services.47",
    ),
    (SERVICE, "place_field: boat.harbour", "place_field: boat.name", errors.DefinitionRefused, "services.48"),
    (SERVICE, "roles: [harbour-master]", "roles: [admiral]", errors.NameUnknown, "admiral"),
    (SERVICE, "roles: [harbour-master]", "roles: [requester, harbour-master]", errors.DefinitionRefused, "services.48"),
    (SERVICE, "to: [harbour-board]", "to: [sea]", errors.NameUnknown, "sea"),
    (
        SERVICE,
        "legal_basis: [{act: Harbour Act, unverified: true}]",
        "legal_basis: []",
        errors.WrongValue,
        "at least 1",
    ),
    (
        SERVICE,
        "legal_basis: [{act: Harbour Act, unverified: true}]",
        "legal_basis: [{act: X}]",
        errors.DefinitionRefused,
        "services.45",
    ),
    (SERVICE, "code: boat-licence\n", "code: boat\n", errors.WrongValue, "boat-licence"),
    (SERVICE, "version: 1", "version: 1\nrecord_fields: []", errors.KeyUnknown, "fields.yaml"),
    (FIELDS, "kind: number", "kind: float", errors.WrongValue, "kind"),
    (FIELDS, "kind: number", "kind: choice", errors.DefinitionRefused, "services.48"),
    (FIELDS, "code: boat.length", "code: boat.name", errors.DefinitionRefused, "services.40"),
    (FIELDS, "record_fields:", "record_fields_of: ../other\nrecord_fields:", errors.KeyUnknown, "beside"),
    (FIELDS, "record_fields:", "record_fields_required: false\nrecord_fields:", errors.KeyUnknown, "only beside"),
    (FIELDS, "limit: 40", "limit: 0", errors.WrongValue, "limit"),
    (EXAMPLE, "on: 2026-11-20", "on: today", errors.BadDate, "today"),
    (EXAMPLE, "outcome: granted", "outcome: granted\nname: other", errors.KeyUnknown, "name"),
]


@pytest.mark.parametrize(("file", "old", "new", "error", "told"), REPLACED)
def test_a_spoiled_file_is_refused(
    pack: Path, file: str, old: str, new: str, error: type[PackError], told: str
) -> None:
    """The refusal's class, the file, and a word of the place or the value."""
    path = pack / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PackError) as caught:
        read_pack(pack)
    assert type(caught.value) is error, str(caught.value)
    assert told in str(caught.value)
    assert caught.value.cure in str(caught.value)


def _bomb(folder: Path) -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    (folder / "nation.yaml").write_text("\n".join(lines))


def _deep(folder: Path) -> None:
    (folder / "nation.yaml").write_text("code: " + "[" * 4_000 + "]" * 4_000)


def _wide(folder: Path) -> None:
    (folder / "nation.yaml").write_text("code:\n" + "- a\n" * 250_000)


def _giant(folder: Path) -> None:
    (folder / "nation.yaml").write_text("# " + "x" * (1 << 20))


def _long_line(folder: Path) -> None:
    (folder / "nation.yaml").write_text("# " + "x" * 20_000)


def _latin1(folder: Path) -> None:
    (folder / "nation.yaml").write_bytes(b"code: \xe4\n")


def _utf16(folder: Path) -> None:
    (folder / "nation.yaml").write_bytes("code: x\n".encode("utf-16"))


def _mark(folder: Path) -> None:
    (folder / "nation.yaml").write_bytes(b"\xef\xbb\xbfcode: x\n")


def _link(folder: Path) -> None:
    (folder / "texts/fi.yaml").unlink()
    (folder / "texts/fi.yaml").symlink_to("/etc/passwd")


def _linked_folder(folder: Path) -> None:
    (folder / "services/other").symlink_to("/etc")


def _left_over(folder: Path) -> None:
    (folder / "services/boat-licence/run.py").write_text("print('never')\n")


def _empty(folder: Path) -> None:
    (folder / "nation.yaml").write_text("")


def _no_mapping(folder: Path) -> None:
    (folder / "nation.yaml").write_text("- just\n- a list\n")


def _absent(folder: Path) -> None:
    (folder / "roles.yaml").unlink()


def _text_of_nobody(folder: Path) -> None:
    for language in ("fi", "sv"):
        path = folder / f"texts/{language}.yaml"
        path.write_text(path.read_text() + "steps:\n  boat-licence.sail: Sail\n")


def _text_twice(folder: Path) -> None:
    path = folder / "services/boat-licence/texts/fi.yaml"
    path.write_text(path.read_text() + "roles:\n  harbour-clerk: Toinen\n")


SPOILED: list[tuple[Callable[[Path], None], type[PackError]]] = [
    (_bomb, errors.NotYaml),
    (_deep, errors.NotYaml),
    (_wide, errors.NotYaml),
    (_giant, errors.FileTooLarge),
    (_long_line, errors.NotText),
    (_latin1, errors.NotText),
    (_utf16, errors.NotText),
    (_mark, errors.NotText),
    (_link, errors.OutsidePack),
    (_linked_folder, errors.OutsidePack),
    (_left_over, errors.FileUnknown),
    (_empty, errors.NotYaml),
    (_no_mapping, errors.WrongValue),
    (_absent, errors.FileMissing),
    (_text_of_nobody, errors.TextUnused),
    (_text_twice, errors.KeyTwice),
]


@pytest.mark.parametrize(("spoil", "error"), SPOILED, ids=lambda value: getattr(value, "__name__", None))
def test_a_hostile_folder_is_refused(pack: Path, spoil: Callable[[Path], None], error: type[PackError]) -> None:
    """Bombs, links, wrong encodings, leftovers."""
    spoil(pack)
    with pytest.raises(PackError) as caught:
        read_pack(pack)
    assert type(caught.value) is error, str(caught.value)


def test_no_folder_at_all(tmp_path: Path) -> None:
    """A nation that this release does not have."""
    with pytest.raises(errors.FileMissing):
        read_pack(tmp_path / "atlantis")


def test_a_refusal_is_one_line_that_commands_no_terminal(pack: Path) -> None:
    """What stands in the file is shown short and without escapes."""
    (pack / "nation.yaml").write_text('code: "\\e[31mred' + "x" * 500 + '"\n')
    with pytest.raises(PackError) as caught:
        read_pack(pack)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400
