"""The page's verifier and the Python one say the same, check by check, to genuine, changed and hostile bundles."""

import json
import random
import string
from collections import Counter

import pytest

from tests.portal.verify.twin import LANGUAGES, Case, about
from tests.proofs.naive import (
    CERTIFICATE_EVENT,
    DAY,
    LOG_KEY,
    NOW,
    PLAIN,
    TIME,
    TRANSFER,
    Signer,
    World,
    noise,
    note,
    receipt,
    row,
    trust,
    url,
)
from tests.proofs.test_mutations import BUNDLES

GOOD = World()


def real(demo, name, **asked):
    record = json.loads((demo / name).read_bytes())["record"]
    return Case((demo / name).read_bytes(), (demo / "trust.json").read_bytes(), **({"now": record["time"]} | asked))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_bundles_of_a_real_ledger(twin, demo, lang):
    valid, superseded, stale, aged, early = twin.agrees(
        [
            real(demo, "certificate.json", lang=lang),
            real(demo, "superseded.json", lang=lang),
            real(demo, "certificate.json", lang=lang, now=NOW + 900 * DAY, max_age_days=30),
            real(demo, "certificate.json", lang=lang, now=NOW + 900 * DAY),
            real(demo, "certificate.json", lang=lang, now=DAY),
        ]
    )
    assert (valid["exit"], valid["failing"]) == (0, None)
    assert (superseded["exit"], superseded["failing"]) == (3, "status")
    assert (stale["exit"], stale["failing"]) == (3, "age")
    assert (aged["exit"], early["failing"]) == (0, "age")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_outcome_in_every_language(twin, lang):
    worlds = [GOOD, PLAIN, TRANSFER, GOOD.but(row=None), TRANSFER.but(receipt=receipt([], code="bank.4"))]
    worlds += [GOOD.but(row=row(word)) for word in ("superseded", "revoked", "annulled", "?\u202e\u2028 \u00ad")]
    worlds += [GOOD.but(row=row(since=since)) for since in (0, 253_402_300_800_000, 2**53, 2**64 - 1)]
    worlds += [GOOD.but(with_state=False), GOOD.but(shown=("born", "place", "surname")), GOOD.but(changes={"index": 3})]
    ages = [(NOW, 0), (TIME, None), (TIME + 59_999, 0), (TIME + 3_600_000, 5), (TIME - 2 * DAY, 5)]
    twin.agrees([about(world, lang=lang, now=now, max_age_days=days) for world in worlds for now, days in ages])
    strange = [b"{}", trust([Signer("x")]), trust([LOG_KEY], ledger="other")]
    twin.agrees([about(GOOD, trust_file=file, lang=lang) for file in strange])


def test_numbers_that_javascript_would_round(twin):
    """A receipt may hold numbers up to 2^64 - 1; the JSON around it stops below 2^53."""
    numbers = [2**53 - 1, 2**53, 2**53 + 1, 2**63, 2**64 - 1]
    worlds = [TRANSFER.but(receipt=receipt([["x"]], height=n, time=t)) for n in numbers for t in (TIME, n)]
    worlds += [GOOD.but(receipt=receipt([CERTIFICATE_EVENT], height=n)) for n in numbers]
    for a in numbers:
        event = [*CERTIFICATE_EVENT[:3], a, *CERTIFICATE_EVENT[4:]]
        worlds += [GOOD.but(receipt=receipt([event]), row=row(version=b)) for b in numbers]
    said = twin.agrees([about(world, max_age_days=days) for world in worlds for days in (None, 1)])
    assert {answer["exit"] for answer in said} == {0, 1, 3}


def test_every_place_in_logs_of_many_sizes(twin):
    worlds = [GOOD.but(size=size, index=index) for size in (2, 3, 7, 8, 9, 20) for index in range(size - 1)]
    assert {answer["exit"] for answer in twin.agrees([about(world) for world in worlds])} == {0}


def other_byte(byte, chance):
    """A byte of the same kind where there is one, so that hashes and signatures are reached, not only the form."""
    for kind in (string.digits, string.ascii_lowercase, string.ascii_uppercase):
        if chr(byte) in kind:
            return ord(chance.choice([c for c in kind if c != chr(byte)]))
    return chance.choice([b for b in range(256) if b != byte])


def changed(data, at, byte):
    return data[:at] + bytes([byte]) + data[at + 1 :]


@pytest.mark.parametrize("name", [*BUNDLES, "certificate.json", "superseded.json"])
def test_every_byte_changed(twin, demo, name):
    """Each byte of the bundle twice: by one of its kind, and by any other; each truncation and appendix sampled."""
    case = about(BUNDLES[name]) if name in BUNDLES else real(demo, name)
    chance = random.Random(name)
    data = case.bundle
    bundles = [changed(data, at, other_byte(byte, chance)) for at, byte in enumerate(data)]
    bundles += [changed(data, at, (byte + chance.randrange(1, 256)) % 256) for at, byte in enumerate(data)]
    bundles += [data[:size] for size in sorted(chance.sample(range(len(data)), 40))]
    bundles += [data + bytes([byte]) for byte in (0, 9, 10, 13, 32, 48, 125, 255)]
    bundles += [data + data, b"\xef\xbb\xbf" + data, b" " + data, data[1:]]
    bundles += [data[:at] + data[at + 1 :] for at in chance.sample(range(len(data)), 40)]
    said = twin.agrees([Case(bundle, case.trust, case.now) for bundle in bundles])
    assert {answer["exit"] for answer in said} <= {1, 2}
    failing = Counter(answer["failing"] for answer in said)
    assert len(said) > 300
    assert {"bundle-file", "log-path", "ledger"} <= failing.keys()


def test_every_byte_of_the_trust_file_changed(twin):
    case = about(GOOD)
    chance = random.Random(4)
    files = [changed(case.trust, at, other_byte(byte, chance)) for at, byte in enumerate(case.trust)]
    files += [case.trust[:size] for size in range(0, len(case.trust), 7)]
    said = twin.agrees([Case(case.bundle, file, NOW) for file in files])
    assert {"trust-file", "signatures", "ledger", None} <= {answer["failing"] for answer in said}


def test_every_byte_of_a_newer_checkpoint_changed(twin):
    good = note(GOOD.origin, 8, noise("newer"), [LOG_KEY, Signer("witness.example")]).encode()
    chance = random.Random(5)
    notes = [changed(good, at, other_byte(byte, chance)) for at, byte in enumerate(good)]
    said = twin.agrees([about(GOOD, checkpoint=one) for one in [good, good.replace(b"\n8\n", b"\n08\n"), *notes]])
    assert said[0]["failing"] == "newer-checkpoint"
    assert {answer["exit"] for answer in said[1:]} == {2, 3}


HOSTILE = [
    *(b"", b"\x00", b"\x00" * 5000, b"\xff\xfe", b"\xef\xbb\xbf{}", b"{} ", b"[]", b"null", b'"x"', b"1", b"-0"),
    *(b"1.0", b"1e3", b"1E", b"1.", b"-", b"-Infinity", b"Infinity", b"NaN", b"-NaN", b"nul", b"truefalse", b"01"),
    *(b"9007199254740991", b"9007199254740992", b"-9007199254740992", b"9" * 17, b"9" * 400, b"9" * 20 + b"e"),
    *(b'{"a":1,"a":1}', b'{"a":1,"a":1', b'{"b":1,"a":1}', b'{"a": 1}', b'{"a":1,}', b"{,}", b"[,]", b"[1,]"),
    *(b'{"__proto__":1}', b'{"constructor":1}', b'{"":1}', b"{1:1}", b"{'a':1}", b"{a:1}", b"/**/{}", b"{}//"),
    *(b'"\\u0041"', b'"\\/"', b'"\\u000A"', b'"\n"', b'"\x7f"', b'"\\ud800"', b'"\\ud800\\udc00"', b'"\\x41"'),
    *(b'"\\ud83d\\u0041"', b'"\xed\xa0\x80"', b'"abc', b'"abc\\', b'"\\"', b'"\\u12"', "{}".encode("utf-16")),
    *(b"[1 2]", b"[" * 33, b"[" * 32 + b"]" * 32, b"[" * 33 + b"]" * 33, b"]" * 40 + b"[" * 60, b'["\\u001f\\b"]'),
    *(b'"' + b'\\"' * 300, b'"' + b"[" * 40, b'"' + b"[" * 40 + b'"', b'"\\"' + b"[" * 40, b"[" * 500_000),
    *(b'{"a":' * 150_000, b" " * (1 << 20), b"x" * ((1 << 20) + 1), b'{"ledger":"' + b"a" * 1_000_000 + b'"}'),
    *('{"\U0001f600":1,"\uffff":1}'.encode(), '{"\uffff":1,"\U0001f600":1}'.encode(), '"\u2028"'.encode()),
]


def test_hostile_files_in_every_place(twin):
    cases = [about(GOOD, checkpoint=data) for data in HOSTILE]
    cases += [Case(data, GOOD.trust, NOW) for data in HOSTILE]
    cases += [Case(GOOD.bundle, data, NOW) for data in HOSTILE]
    assert {answer["exit"] for answer in twin.agrees(cases)} == {2}


@pytest.mark.parametrize("where", ["receipt", "row"])
def test_messagepack_in_other_forms(twin, where):
    """Whatever stands in a receipt or a row: the same is read, or refused with the same sentence."""
    forms = [
        *("", "c1", "80", "81a16101", "ca00000000", "cb0000000000000000", "d40000", "c70000", "cc7f", "cd00ff"),
        *("ce0000ffff", "cf00000000ffffffff", "d0e0", "d0df", "d1ff80", "d2ffff8000", "d3ffffffff80000000", "d001"),
        *("d3ffffffff7fffffff", "d38000000000000000", "cfffffffffffffffff", "d903616161", "da0001aa", "c5000100"),
        *("c600000000", "dc0001c0", "dd00000000", "91", "c0c0", "a1ff", "ddffffffff", "c6ffffffff", "e0", "ff", "c2"),
        *("91" * 16 + "90", "91" * 15 + "90", "91" * 40, "a3edA080", "a4f09f9880", "95a5626c6f636b0102c0c0"),
    ]
    if where == "receipt":
        start = receipt([])[:-1] + b"\x91\x92\xa1x"  # one event of two members, the second to come
        worlds = [
            GOOD.but(receipt=first + bytes.fromhex(form)) for form in forms for first in (b"", start, GOOD.receipt)
        ]
    else:
        start = b"\x01\x98" + row()[2:]  # a row of eight members, the last to come
        worlds = [GOOD.but(row=first + bytes.fromhex(form)) for form in forms for first in (b"\x01", start, row())]
    said = twin.agrees([about(world) for world in worlds])
    assert len({str(answer["checks"]) for answer in said}) > 1


def test_receipts_and_events_of_other_shapes(twin):
    parts: list[object] = [None, True, 0, -1, "", b"", [], noise("x"), noise("x")[:16]]
    event = CERTIFICATE_EVENT
    events: list[object] = [[*event[:at], part, *event[at + 1 :]] for at in range(len(event)) for part in parts]
    events += [[], event[:5], [*event, "more"], "text", ["other.Tag"]]
    twin.agrees([about(GOOD.but(receipt=receipt([one]))) for one in events])
    twin.agrees([about(PLAIN.but(receipt=receipt([one, event]))) for one in events])


def test_names_and_origins_that_look_alike(twin):
    names = [
        "a b",
        "a+b",
        "",
        "a\u2003b",
        "a\u00a0b",
        "\u202ea",
        "a\u200b",
        "\ufeffa",
        "é",
        "Ключ",
        "\U0001f600",
        "\ue000",
        "\x7f",
    ]
    for name in names:
        key = {"name": name, "key": url(LOG_KEY.public), "from": 0, "until": None}
        for changes in ({"keys": [key]}, {"origin": name}, {"ledger": name}):
            twin.agrees([about(GOOD, trust_file=trust([LOG_KEY], **changes))])
    signers = tuple(Signer(name) for name in ("z", "é", "\uffee", "\U0001f600"))
    orders = [signers, signers[::-1], (signers[0], signers[3], signers[2])]
    said = twin.agrees([about(GOOD.but(signers=order), trust_file=trust(list(signers))) for order in orders])
    assert [answer["failing"] for answer in said] == [None, "signatures", "signatures"]


def test_a_leaf_shown_as_another_stands_where_the_certificate_would(twin):
    """Each leaf of the tree, and each with one bit of its key turned, in the place of the absent certificate."""
    absent = GOOD.but(row=None, other_keys=6)
    state = absent.state_members()
    keys = [*absent.rows, *(changed(key, 0, key[0] ^ (1 << bit)) for key in absent.rows for bit in range(8))]
    states = [state | {"other": url(key + absent.rows.get(key, noise("value")))} for key in keys]
    said = twin.agrees([about(absent.but(changes={"state": one})) for one in states])
    assert {answer["failing"] for answer in said} == {"status", "state-path", "log-path"}


def test_a_newer_checkpoint_of_a_key_that_has_ended(twin):
    """A key that ended before the bundle's checkpoint may have signed an older one, not a newer one."""
    ended, ends = Signer("ended", 0, TIME), Signer("ends", 0, TIME + 1)
    file = trust([LOG_KEY, ended, ends])
    sizes = [(key, size) for key in (ended, ends) for size in (6, 8)]
    notes = [note(GOOD.origin, size, noise("other"), [key]).encode() for key, size in sizes]
    said = twin.agrees([about(GOOD, trust_file=file, checkpoint=one) for one in notes])
    assert [answer["failing"] for answer in said] == [None, "checkpoint-file", None, "newer-checkpoint"]


@pytest.mark.parametrize("latest_first", [False, True])
def test_keys_of_one_name_follow_each_other_or_meet(twin, latest_first):
    """Two keys of one name that touch, have a gap or overlap, in either order of the file."""
    files = []
    for until, since in ((TIME, TIME), (TIME - 5, TIME), (TIME, TIME - 1), (None, TIME), (TIME, 0)):
        keys = [Signer(LOG_KEY.name, 0, until), Signer(LOG_KEY.name, since, TIME + DAY, seed=1)]
        files.append(trust(keys[::-1] if latest_first else keys))
    said = twin.agrees([about(GOOD, trust_file=file, now=NOW) for file in files])
    assert [answer["failing"] for answer in said] == ["signatures"] * 2 + ["trust-file"] * 3
