"""Profiles: strict, recognised by exactly their header, and refused by the place at fault."""

import pytest

from kerege.gateways.extracts.errors import HeaderUnknown, ProfileInvalid
from kerege.gateways.extracts.profile import FIELDS, parse_profile, read_profile, read_profiles, recognise
from kerege.gateways.extracts.reader import open_extract
from tests.gateways.extracts.support import FOLDER, PROFILES, judged, line, text, write

SMALL = """\
code: small
registry: birth
columns:
  a: pin
  b: surname
  c: given_name
  d: sex
  e: birth_date
  f: place_code
  g: registered_on
  h: act_number
  i: office
ignored: [z]
sex:
  male: [m]
  female: ["f"]
date: YYYY-MM-DD
encodings: [cp866]
"""


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("code: small", "code: Small", "code"),
        ("code: small\n", "", "code"),
        ("registry: birth", "registry: death", "registry"),
        ("date:", "more: x\ndate:", "more"),
        ("a: pin", "a: pim", "columns"),
        ("a: pin", "a: [pin]", "columns"),
        ("a: pin", "a: surname", "no column for pin"),
        ("a: pin", "a: pin\n  aa: pin", "two columns"),
        ("a: pin", "a: pin\n  a: pin", "line 5"),
        ("a: pin", '" a": pin', "spaces"),
        ("a: pin", '"": pin', "columns"),
        ("[z]", "[z, z]", "twice"),
        ("[z]", "[a]", "twice"),
        ("[z]", "z", "ignored"),
        ("male: [m]", "male: [m, f]", "both sexes"),
        ("male: [m]", "male: []", "male"),
        ("male: [m]\n", "male: [m]\n  none: [x]\n", "none"),
        ("YYYY-MM-DD", "YY-MM-DD", "date format"),
        ("YYYY-MM-DD", "YYYY-MM-DD-DD", "date format"),
        ("[cp866]", "[utf-7]", "encodings"),
        ("[cp866]", "&a [cp866]", "line 18"),
        ("[cp866]", "*a", "line"),
        ("[cp866]", "!!python/object/apply:os.system [id]", "line 18"),
        ("[cp866]", "[cp866]\n---\nx: 1", "YAML"),
        ("[cp866]", "[cp866", "YAML"),
        ("[cp866]", "[" * 3_000, "YAML"),
        (SMALL, "", ""),
        (SMALL, "- a", ""),
        (SMALL, "\x00", "YAML"),
    ],
)
def test_a_wrong_profile_is_refused_with_the_place(old, new, reason):
    assert old in SMALL
    with pytest.raises(ProfileInvalid) as caught:
        parse_profile(SMALL.replace(old, new), "small.yaml")
    assert caught.value.facts["file"] == "small.yaml"
    assert reason in str(caught.value.facts["reason"])


def test_files_that_are_no_profile(tmp_path):
    (tmp_path / "large.yaml").write_text(SMALL + "#" * 70_000)
    (tmp_path / "bytes.yaml").write_bytes(b"\xff\xfe")
    for name in ("large.yaml", "bytes.yaml", "absent.yaml", "."):
        with pytest.raises(ProfileInvalid):
            read_profile(tmp_path / name)


def test_two_profiles_of_one_code_or_header_are_refused(tmp_path):
    (tmp_path / "a.yaml").write_text(SMALL)
    for other in (SMALL.replace("code: small", "code: other"), SMALL.replace("a: pin", "aa: pin")):
        (tmp_path / "b.yaml").write_text(other)
        with pytest.raises(ProfileInvalid):
            read_profiles(tmp_path)


def test_the_packs_profiles_are_told_apart_by_their_headers():
    assert [profile.code for profile in read_profiles(FOLDER)] == ["births-codes", "births-russian"]
    for profile in PROFILES:
        header = [*profile.columns, *profile.ignored]
        layout = recognise(header, PROFILES)
        assert layout is not None
        assert layout.profile is profile
        assert [layout.place(field) for field in FIELDS] == list(range(13))
        assert (recognise(header[:-1], PROFILES) is None) == (not profile.ignored)  # what is ignored may lack
        assert recognise(header[1:], PROFILES) is None
        assert recognise([*header, header[0]], PROFILES) is None


def test_a_profile_of_ones_own(tmp_path):
    own = parse_profile(SMALL, "small.yaml")
    cells = "a,b,c,d,e,f,g,h,i,z\n20512202000031,Асанов,Эрмек,{},2020-12-05,41708203000000,2020-12-05,1,x,\n"
    path = write(tmp_path, cells.format("m") + cells.format("f").split("\n")[1], encoding="cp866")
    extract = open_extract(path, (own,))
    assert (extract.encoding, extract.delimiter) == ("cp866", ",")
    assert judged(extract.rows()) == [("accepted", ""), ("duplicate", "row 1")]
    assert next(iter(extract.rows())).father_pin == ""
    with pytest.raises(HeaderUnknown):
        open_extract(write(tmp_path, text(line())), (own,))


def test_a_profile_says_the_encoding_of_what_is_ascii_at_first(tmp_path):
    own = parse_profile(SMALL.replace("ignored: [z]\n", ""), "small.yaml")
    cells = "a;b;c;d;e;f;g;h;i\n" + "1;A;B;m;x;y;z;1;x\n" * 20_000 + "1;Асанов;B;m;x;y;z;1;x\n"
    extract = open_extract(write(tmp_path, cells, encoding="cp866"), (own,))
    assert extract.encoding == "cp866"
    assert [row.surname for row in extract.rows()][-1] == "Асанов"
