"""What a verifier answers to genuine, dated, wrong and crafted bundles."""

import json

import pytest

from kerege import proofs
from kerege.proofs.texts import TEXTS
from tests.proofs.naive import (
    CERTIFICATE_EVENT,
    DAY,
    LOG_KEY,
    NOW,
    ORIGIN,
    PLACEHOLDER,
    PLAIN,
    TIME,
    TRANSFER,
    VALUES,
    Signer,
    World,
    canonical,
    commitment,
    log_root,
    noise,
    note,
    pack,
    packed,
    receipt,
    row,
    salt,
    trust,
    url,
)

GOOD = World()
THREE = tuple(Signer(f"kerege.test/{name}") for name in ("audit", "bank", "justice"))


def judge(world, trust_file=None, **asked):
    return proofs.verify(world.bundle, trust_file or world.trust, **({"now": NOW} | asked))


def failing(verdict):
    return (int(verdict.exit), str(verdict.failing.check), str(verdict.failing.reason))


# Refusals


@pytest.mark.parametrize(
    ("world", "check", "reason"),
    [
        (GOOD.but(ledger="kg-other"), "ledger", "another-ledger"),
        (GOOD.but(origin="kerege.test/other"), "ledger", "another-log"),
        (GOOD.but(validators=noise("v")), "ledger", "another-engine"),
        (GOOD.but(changes={"index": 3}), "log-path", "another-root"),
        (GOOD.but(changes={"index": 6}), "receipt", "index-outside-log"),
        (GOOD.but(changes={"index": 7}), "receipt", "index-outside-log"),
        (GOOD.but(changes={"path": ""}), "log-path", "malformed-path"),
        (PLAIN.but(changes={"path": url(b"".join(PLAIN.path) + bytes(32))}), "log-path", "malformed-path"),
        (GOOD.but(receipt=receipt([CERTIFICATE_EVENT], height=10)), "receipt", "later-than-checkpoint"),
        (GOOD.but(receipt=receipt([CERTIFICATE_EVENT], time=TIME + 1)), "receipt", "later-than-checkpoint"),
        (GOOD.but(row=row(record=noise("other")[:16])), "certificate", "another-record"),
        (GOOD.but(row=row(version=2)), "certificate", "another-record"),
        (GOOD.but(row=row(kind="repeat")), "certificate", "another-record"),
        (GOOD.but(row=b"\x01\x90"), "certificate", "row-not-understood"),
        (GOOD.but(certificate=noise("other")[:16]), "log-path", "another-root"),
    ],
)
def test_parts_that_do_not_belong_together_are_not_valid(world, check, reason):
    genuine_trust = trust([LOG_KEY])
    assert failing(judge(world, genuine_trust)) == (1, check, reason)


def test_a_state_path_that_is_not_in_the_tree_is_not_valid():
    state = GOOD.state_members()
    for changed, expected in (
        ({"value": url(row("valid", since=1))}, "log-path"),
        ({"sides": state["sides"] ^ 1}, "log-path"),
        ({"sides": 1 << 30}, "state-path"),
        ({"siblings": packed([PLACEHOLDER, noise(1)])}, "state-path"),
        ({"siblings": packed([noise(1), PLACEHOLDER])}, "log-path"),
        ({"siblings": packed([])}, "log-path"),
    ):
        verdict = judge(GOOD.but(changes={"state": state | changed}))
        assert verdict.exit == 1
        assert verdict.failing.check == expected
    moved_up = {name: value for name, value in state.items() if name != "value"}
    assert judge(GOOD.but(changes={"state": moved_up})).exit == 1


def test_a_present_certificate_cannot_be_shown_as_absent_by_its_own_leaf():
    state = GOOD.state_members()
    del state["value"]
    own = next(k for k in GOOD.rows if GOOD.rows[k] not in GOOD.but(row=None).rows.values())
    state["other"] = url(own + GOOD.rows[own])
    assert failing(judge(GOOD.but(changes={"state": state}))) == (1, "state-path", "malformed-path")


def test_signatures_must_be_good_known_sorted_single_and_enough():
    world = GOOD.but(signers=THREE)
    root = log_root(world.leaves)
    body, lines = (
        f"{ORIGIN}\n{world.size}\n",
        {s.name[12:]: s.line(world.note.partition("\n\n")[0].encode() + b"\n") for s in THREE},
    )
    head = world.note.partition("\n\n")[0] + "\n\n"
    assert head.startswith(body)

    def outcome(*names, trusted=THREE, threshold=3):
        changed = world.but(changes={"checkpoint": {"note": head + "".join(lines[n] for n in names)}})
        verdict = judge(changed, trust(list(trusted), threshold))
        return "good" if verdict.exit == 0 else failing(verdict)

    assert outcome("audit", "bank", "justice") == "good"
    assert outcome("audit", "bank") == (1, "threshold", "too-few")
    assert outcome("audit", "bank", threshold=2) == "good"
    assert outcome("audit", "justice", "bank") == (1, "signatures", "not-sorted")
    assert outcome("audit", "bank", "bank") == (1, "signatures", "repeated")
    assert outcome("audit", "bank", "justice", trusted=THREE[:2], threshold=2) == (1, "signatures", "unknown-key")
    lines["justice"] = Signer(THREE[2].name, seed=1).line(b"x")
    assert outcome("audit", "bank", "justice", threshold=2) == (1, "signatures", "unknown-key")
    lines["justice"] = THREE[2].line(note(ORIGIN, world.size, root, []).encode())
    assert outcome("audit", "bank", "justice", threshold=2) == (1, "signatures", "bad-signature")


@pytest.mark.parametrize(
    ("since", "until", "good"),
    [
        (TIME, TIME + 1, True),
        (TIME, None, True),
        (TIME + 1, None, False),
        (0, TIME, False),
    ],
)
def test_a_key_counts_only_within_its_validity_at_the_time_of_the_block_record(since, until, good):
    signer = Signer(LOG_KEY.name, since, until)
    verdict = judge(GOOD, trust([signer]))
    assert verdict.exit == (0 if good else 1)
    if not good:
        assert failing(verdict) == (1, "signatures", "key-not-valid-then")


@pytest.mark.parametrize(
    ("since", "until", "good"),
    [
        (TIME, None, True),  # a key newer than the receipt: the checkpoint may be newer too
        (NOW + 1, None, False),
        (0, TIME - DAY + 1, True),
        (0, TIME - DAY, False),
    ],
)
def test_without_a_record_a_key_counts_if_it_was_valid_between_receipt_and_now(since, until, good):
    assert judge(TRANSFER, trust([Signer(LOG_KEY.name, since, until)])).exit == (0 if good else 1)


def test_a_key_that_followed_another_under_the_same_name_is_told_by_its_id():
    old, new = Signer(LOG_KEY.name, 0, TIME), Signer(LOG_KEY.name, TIME, None, seed=1)
    assert judge(GOOD.but(signers=(new,)), trust([old, new])).exit == 0
    assert failing(judge(GOOD.but(signers=(old,)), trust([old, new]))) == (1, "signatures", "key-not-valid-then")


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "kerege-bundle/2"},
        {"note": "free text"},
        {"index": -1},
        {"index": True},
        {"index": "2"},
        {"index": 2**53},
        {"receipt": url(b"\x81\xa1a\xa1b")},
        {"receipt": url(b"\xc0")},
        {"receipt": GOOD.members()["receipt"] + "="},
        {"path": url(bytes(33))},
        {"disclosures": []},
        {"event": 0},
        {"state": {}},
        {"state": GOOD.state_members() | {"key": "AA"}},
        {"state": GOOD.state_members() | {"siblings": ""}},
        {"state": GOOD.state_members() | {"siblings": url(b"\x01\x01" + PLACEHOLDER)}},
        {"state": GOOD.state_members() | {"siblings": url(b"\x01\x01")}},
        {"state": GOOD.state_members() | {"siblings": url(b"\x01\x00" + bytes(32))}},
        {"state": GOOD.state_members() | {"siblings": url(b"\x01\x03" + bytes(64))}},
        {"state": GOOD.state_members() | {"siblings": url(b"\x00" + bytes(32))}},
        {"state": GOOD.state_members() | {"other": url(bytes(64))}},
        {"record": {"height": 9, "time": TIME, "root": url(GOOD.state_root)}},
        {"record": {"height": 9, "time": TIME, "validators": url(bytes(32))}},
        {"checkpoint": {"note": GOOD.note, "commit": {}}},
        {"checkpoint": {"note": GOOD.note + "\n"}},
        {"checkpoint": {"note": GOOD.note.replace("\n7\n", "\n07\n")}},
        {"checkpoint": {"note": GOOD.note.replace("\n\n", "\nextension\n\n", 1)}},
        {"checkpoint": {"note": GOOD.note.partition("\n\n")[0] + "\n\n"}},
    ],
)
def test_what_is_not_a_bundle_is_unusable(changes):
    assert failing(judge(GOOD.but(changes=changes)))[:2] == (2, "bundle-file")


@pytest.mark.parametrize("name", sorted(GOOD.members()))
def test_a_missing_member_is_unusable_or_not_valid(name):
    members = {n: v for n, v in GOOD.members().items() if n != name}
    assert proofs.verify(canonical(members), GOOD.trust, now=NOW).exit in (1, 2)


def test_state_or_fields_of_no_certificate_are_unusable():
    assert judge(GOOD.but(receipt=TRANSFER.receipt)).exit == 2
    assert judge(TRANSFER.but(shown=("born",))).exit == 2


# Genuine


def test_a_valid_certificate():
    verdict = judge(GOOD)
    assert verdict.exit == 0
    assert verdict.failing is None
    facts = verdict.facts
    assert (facts.status, facts.since, facts.as_of, facts.as_of_is_exact, facts.age) == (
        "valid",
        TIME - DAY,
        TIME,
        True,
        3 * DAY,
    )
    issued = facts.issued
    assert (issued.office, issued.role, issued.service, issued.kind, issued.version) == (
        "ЗАГС-041708",
        "registrar",
        "birth",
        "primary",
        1,
    )
    first, second, third = verdict.lines("en")
    assert "UNCHANGED" in first
    assert "as of 2026-11-18 11:06 UTC" in second
    assert "3 d 0 h old" in second
    assert "VALID since 2026-11-17" in second
    assert "ЗАГС-041708" in third
    assert issued.appointment.hex() in third


@pytest.mark.parametrize("size", range(2, 40))
def test_every_place_in_every_log(size):
    for index in range(size - 1):
        assert judge(GOOD.but(size=size, index=index)).exit == 0
        assert judge(TRANSFER.but(size=size, index=index)).exit == 0


@pytest.mark.parametrize("status", ["superseded", "revoked", "annulled", "lost-in-translation"])
def test_a_certificate_that_no_longer_holds_is_genuine_but_not_current(status):
    verdict = judge(GOOD.but(row=row(status)))
    expected = "unknown" if status == "lost-in-translation" else status
    assert failing(verdict) == (3, "status", expected)
    assert verdict.facts.status_word == status


@pytest.mark.parametrize("others", [0, 1, 2, 5, 30])
def test_a_certificate_that_the_ledger_does_not_hold(others):
    verdict = judge(GOOD.but(row=None, other_keys=others))
    assert failing(verdict) == (3, "status", "missing")


def test_a_certificate_without_its_status_is_genuine_and_no_more():
    assert failing(judge(PLAIN)) == (3, "status", "not-proven")
    assert failing(judge(GOOD.but(with_state=False))) == (3, "status", "not-proven")


def test_an_event_without_later_status_is_valid():
    for world in (TRANSFER, TRANSFER.but(with_record=True)):
        verdict = judge(world)
        assert verdict.exit == 0
        assert verdict.facts.status == "no-status"
        assert "no later status" in verdict.lines("en")[1]


def test_what_a_schedule_did_is_proved_like_a_transaction():
    block_receipt = pack(["block-receipt", 3, TIME - DAY, [["bank.HoldReleased", 1]]])
    verdict = judge(TRANSFER.but(receipt=block_receipt))
    assert verdict.exit == 0
    assert verdict.facts.transaction is None


def test_a_refused_transaction_is_genuine_but_nothing_to_rely_on():
    verdict = judge(TRANSFER.but(receipt=receipt([], code="bank.4")))
    assert failing(verdict) == (3, "status", "refused")
    assert "bank.4" in verdict.lines("en")[1]


def test_one_receipt_with_two_certificates_says_which_is_meant():
    second = [*CERTIFICATE_EVENT]
    second[1] = noise("second")[:16]
    both = receipt([CERTIFICATE_EVENT, ["bank.Moved"], second])
    about_second = GOOD.but(receipt=both, certificate=second[1])
    assert judge(about_second.but(event=2)).facts.issued.certificate == second[1]
    assert judge(about_second.but(event=0)).exit == 1
    assert judge(about_second.but(event=1)).exit == 2
    assert judge(about_second).exit == 2
    unnamed = judge(PLAIN.but(receipt=both))
    assert failing(unnamed) == (3, "status", "not-proven")
    assert "several certificates" in unnamed.lines("en")[2]


# Staleness


def test_an_old_checkpoint_is_stale_to_the_day():
    assert judge(GOOD, max_age_days=3).exit == 0
    assert failing(judge(GOOD, max_age_days=2)) == (3, "age", "too-old")
    assert failing(judge(GOOD, max_age_days=3, now=NOW + 1)) == (3, "age", "too-old")
    assert failing(judge(TRANSFER, max_age_days=3)) == (3, "age", "too-old")


def test_a_checkpoint_of_tomorrow_is_not_called_current():
    assert judge(GOOD, now=TIME - DAY).exit == 0
    assert failing(judge(GOOD, now=TIME - DAY - 1)) == (3, "age", "later-than-clock")


def test_a_newer_checkpoint_makes_the_bundle_stale_and_a_rival_one_a_fork():
    def against(size, root, signers=(LOG_KEY,), origin=ORIGIN):
        return judge(GOOD, checkpoint=note(origin, size, root, list(signers)).encode())

    own = log_root(GOOD.leaves)
    assert against(7, own).exit == 0
    assert against(6, noise("older")).exit == 0
    assert failing(against(8, noise("newer"))) == (3, "newer-checkpoint", "newer-exists")
    assert failing(against(7, noise("rival"))) == (1, "fork", "two-roots-of-one-size")
    for unusable in (
        against(8, own, origin="kerege.test/other"),
        against(8, own, signers=(Signer("stranger"),)),
        against(7, noise("rival"), signers=(Signer(LOG_KEY.name, seed=9),)),
    ):
        assert failing(unusable)[:2] == (2, "checkpoint-file")
    witnessed = against(8, noise("newer"), signers=(LOG_KEY, Signer("witness.example")))
    assert witnessed.exit == 3
    forged = note(ORIGIN, 7, noise("rival"), [LOG_KEY]).replace("\n7\n", "\n9\n")
    assert failing(judge(GOOD, checkpoint=forged.encode()))[:2] == (2, "checkpoint-file")
    for junk in (b"", b"\xff", b"\x00" * 40, b"x" * (1 << 21)):
        assert failing(judge(GOOD, checkpoint=junk))[:2] == (2, "checkpoint-file")


# Disclosures


def test_fields_shown_are_those_registered():
    verdict = judge(GOOD.but(shown=("born", "place", "surname")))
    assert verdict.exit == 0
    assert verdict.facts.disclosed == (("born", "2026-11-18"), ("place", ""), ("surname", "Асанова"))
    assert verdict.lines("en")[3] == "SHOWN: born = 2026-11-18"


@pytest.mark.parametrize(
    "changed",
    [
        {"value": "Асанов"},
        {"field": "given"},
        {"salt": url(salt("given"))},
        {"sides": 7},
        {"sides": 8},
        {"path": ""},
    ],
)
def test_a_wrong_field_is_not_valid(changed):
    world = GOOD.but(changes={"disclosures": [GOOD.disclosure("surname") | changed]})
    assert failing(judge(world))[:2] == (1, "disclosures")


def test_fields_are_shown_once_and_in_order():
    for names in (("surname", "born"), ("born", "born")):
        assert judge(GOOD.but(shown=names)).exit == 2


def test_a_shown_value_cannot_steer_the_terminal():
    value = "x\x1b[2J\u202ey\n"
    commitments = [commitment("surname", salt("surname"), value)]
    event = [*CERTIFICATE_EVENT[:5], log_root(commitments), *CERTIFICATE_EVENT[6:]]
    shown = {"field": "surname", "value": value, "salt": url(salt("surname")), "sides": 0, "path": ""}
    verdict = judge(GOOD.but(receipt=receipt([event]), changes={"disclosures": [shown]}))
    assert verdict.exit == 0
    assert verdict.lines("en")[3] == "SHOWN: surname = x\\u{1b}[2J\\u{202e}y\\u{a}"


# Words


@pytest.mark.parametrize("lang", ["ky", "ru", "en"])
def test_every_outcome_has_its_words(lang):
    worlds = [GOOD, PLAIN, TRANSFER, GOOD.but(row=None), TRANSFER.but(receipt=receipt([], code="bank.4"))]
    worlds += [GOOD.but(row=row(s)) for s in ("superseded", "revoked", "annulled", "?")]
    for world in worlds:
        lines = judge(world, max_age_days=0).lines(lang)
        assert len(lines) == 3
        assert all("{" not in line and "None" not in line for line in lines)
    assert len(judge(GOOD, trust([Signer("x")])).lines(lang)) == 3
    assert len(judge(GOOD, b"{}").lines(lang)) == 1


def test_every_check_has_words_in_every_language():
    for texts in TEXTS.values():
        assert set(texts.checks) | set(texts.stale) | {"status"} == set(proofs.Check)
        assert set(texts.statuses) == set(proofs.Status)


@pytest.mark.parametrize(("lang", "told"), [("en", "one operator"), ("ru", "один оператор"), ("ky", "оператору бирөө")])
def test_it_is_told_that_one_operator_runs_the_ledger(lang, told):
    assert told in judge(GOOD).lines(lang)[0]
    assert judge(GOOD).to_json()["facts"]["engine"] == "one operator"


def test_the_machine_readable_verdict():
    verdict = judge(GOOD.but(shown=("surname",))).to_json("ru")
    assert json.loads(json.dumps(verdict)) == verdict
    assert verdict["exit"] == 0
    assert verdict["verdict"] == "valid"
    assert [c["check"] for c in verdict["checks"]] == [str(c) for c in proofs.Check]
    assert verdict["facts"]["issued"]["office"] == "ЗАГС-041708"
    assert verdict["facts"]["disclosed"] == [{"field": "surname", "value": VALUES["surname"]}]
    failed = judge(GOOD.but(changes={"index": 3})).to_json()
    assert failed["verdict"] == "not-valid"
    assert failed["facts"] is None
    assert {"check": "log-path", "result": "failed", "reason": "another-root"} in failed["checks"]
    assert {"check": "signatures", "result": "not-run", "reason": ""} in failed["checks"]
