"""The commands on what the demo leaves: a ledger with a birth, its certificate, and an imported registry."""

import json
import re
import shutil

from kerege import __version__
from kerege.cli.output import when
from kerege.consensus import rows
from kerege.kernel.addresses import decode as decode_address
from kerege.kernel.codec import encode
from kerege.kernel.forms import to_json
from kerege.kernel.genesis import Genesis
from kerege.kernel.misbehaviour import Misbehaviour
from kerege.modules.authority.rules import consensus_address
from kerege.modules.authority.state import BOARDS
from kerege.modules.authority.types import Validator
from kerege.modules.policy.messages import SetParameter
from kerege.modules.policy.types import LegalBasis
from kerege.modules.registries.state import RECORDS
from kerege.node import devkeys
from kerege.node.home import Home
from kerege.node.ledger import create_ledger, open_ledger
from kerege.storage.port import Area
from kerege.storage.rocks import RocksStore
from kerege.testing import names
from kerege.testing.country import found
from tests.cli.program import ACCEPTOR, REGISTRAR, SUPERSEDED, Done, kerege, process, running


def test_the_certificate_verifies_and_the_later_bundle_is_superseded(demo):
    trust = demo / "trust.json"
    assert kerege("verify", demo / "certificate.json", "--trust", trust).code == 0
    later = kerege("verify", demo / "superseded.json", "--trust", trust, "--json")
    assert later.code == SUPERSEDED
    assert later.json["exit"] == SUPERSEDED


def test_the_version_is_told():
    assert kerege("--version").out == f"kerege {__version__}\n"


def test_a_stale_checkpoint_is_told(demo, copy):
    newer = copy.parent / "checkpoint"
    newer.write_text(kerege("checkpoint", "--home", copy).out, encoding="utf-8")
    command = ("verify", demo / "certificate.json", "--trust", demo / "trust.json", "--checkpoint", newer)
    assert kerege(*command).code == SUPERSEDED


def test_a_changed_byte_is_told(demo, tmp_path):
    bundle = (demo / "certificate.json").read_bytes().replace("Нурсултан".encode(), "Нурсулган".encode())
    (tmp_path / "forged.json").write_bytes(bundle)
    assert kerege("verify", tmp_path / "forged.json", "--trust", demo / "trust.json").code == 1


def test_the_ledger_replays_also_without_dossiers_and_keys(copy):
    for folder in ("dossiers", "keys", "dev-keys", "node", "trees"):
        shutil.rmtree(copy / folder, ignore_errors=True)
    done = kerege("verify-ledger", "--home", copy, "--json")
    assert done.code == 0, done
    assert done.json["ok"] is True


def test_every_commitment_opens(copy):
    done = kerege("dossiers", "check", "--home", copy, "--json")
    assert done.code == 0, done
    report = done.json
    assert (report["missing"], report["wrong"]) == (0, 0)
    assert report["total"] > 0


def test_lost_dossiers_are_told(copy, dev_home):
    """An empty store in place of the real one: everything is missing, nothing is made up."""
    for folder in ("dossiers", "keys"):
        shutil.rmtree(copy / folder)
        shutil.copytree(dev_home / folder, copy / folder)
    done = kerege("dossiers", "check", "--home", copy, "--json")
    assert done.code == 1
    report = done.json
    assert report["missing"] == report["total"] > 0


def test_looks_are_shown_newest_first(copy):
    rows = kerege("show", "looks", "--home", copy, "--json").json
    assert rows
    assert [row["when"] for row in rows] == sorted((row["when"] for row in rows), reverse=True)
    assert {row["answer"] for row in rows} == {"granted"}
    most = max(rows, key=lambda row: len(row["fields"]))["fields"]
    told = kerege("show", "looks", "--home", copy).out
    assert len(most) > 3
    assert f"and {len(most) - 3} more" in re.sub(r"\s+", " ", told.replace("│", " "))
    assert most[-1] not in told


def test_a_case_is_told_in_dates_and_lines(copy):
    """What programs read stays in numbers."""
    case = kerege("show", "looks", "--home", copy, "--json").json[0]["case"]
    told = kerege("show", "case", case, "--home", copy).out
    row = kerege("show", "case", case, "--home", copy, "--json").json
    assert f"due  {when(row['due'])}\n" in told
    assert f", at {when(row['acts'][-1]['at'])}\n" in told
    assert told.count("\n  step ") == len(row["acts"])
    assert not re.search(r"\b([0-9]{13}|0{32})\b", told)


def test_a_look_without_a_case_is_denied_and_shown(copy):
    done = kerege(
        "disclosure", "request-access", "--home", copy, "--as", "ЗАГС-708203/registrar", "--access", "11" * 16,
        "--case", "22" * 16, "--office", "ЗАГС-708203", "--ground", "curiosity",
        "--references", json.dumps(["33" * 32]), "--fields", '["child.surname"]', "--blind", "44" * 16, "--json",
    )  # fmt: skip
    assert done.json["outcome"] == "applied", done
    rows = kerege("show", "looks", "--home", copy, "--json").json
    assert (rows[0]["access"], rows[0]["answer"]) == ("11" * 16, "no-case")


def test_a_refused_message_ends_with_its_number(copy):
    to = kerege("keys", "address", ACCEPTOR, "--home", copy).out.strip()
    words = ("bank", "transfer", "--currency", "KGS", "--amount", "5", "--to", to, "--json")
    done = kerege(*words, "--home", copy, "--as", REGISTRAR)
    assert (done.code, done.json["outcome"], done.json["code"]) == (1, "refused", "bank.4")


def test_a_running_node_is_asked_through_its_socket(copy):
    with running(copy):
        assert kerege("show", "head", "--home", copy, "--json").json["height"] > 0
        assert kerege("verify-ledger", "--home", copy).code == 0
        assert kerege("dossiers", "check", "--home", copy).code == 0


def test_a_process_of_its_own_ends_with_the_same_code(demo):
    done = process("verify", demo / "superseded.json", "--trust", demo / "trust.json", "--json")
    assert (done.code, done.json["exit"]) == (SUPERSEDED, SUPERSEDED)


def test_init_warns_of_throw_away_keys(tmp_path):
    done = kerege("init", "--home", tmp_path / "home", "--dev", "--json")
    assert (done.code, set(done.json)) == (0, {"ledger", "home", "trust"})
    assert "WARNING" in done.err
    assert all(path.stat().st_mode & 0o077 == 0 for path in Home(tmp_path / "home").dev_keys.iterdir())


def test_an_erasable_dossier_is_erased_and_the_check_stays_sound(copy):
    """Requests are erasable, acts are kept by law; after an erasure nothing is missing and nothing wrong."""
    case = kerege("show", "looks", "--home", copy, "--json").json[-1]["case"]
    done = kerege("dossiers", "erase", case, "--home", copy, "--json")
    assert done.code == 0, done
    assert len(done.json["tombstone"]) == 64
    report = kerege("dossiers", "check", "--home", copy, "--json").json
    assert (report["missing"], report["wrong"], report["unannounced"]) == (0, 0, 0)
    assert report["erased"] > 0


def test_an_act_is_kept_by_law(copy):
    with RocksStore(copy) as store:
        key, _ = next(store.scan(Area.STATE, RECORDS.prefix))
    record = RECORDS.decode_key(key)
    done = kerege("dossiers", "erase", record.hex(), "--home", copy)
    assert done.code != 0
    assert "Traceback" not in done.err


def test_the_log_of_a_subject_is_told_by_the_controller(copy):
    """All looks at one dossier, by its case; to others their references are random."""
    case = kerege("show", "looks", "--home", copy, "--json").json[-1]["case"]
    mine = kerege("show", "looks", "--about", case, "--home", copy, "--json").json
    assert mine
    assert {look["case"] for look in mine} == {case}
    nobody = kerege("show", "looks", "--about", "00" * 16, "--home", copy)
    assert nobody.code == 1
    assert "there is no dossier" in nobody.err


def test_the_ledger_is_verified_against_the_trust_file(copy):
    """A store of another genesis than verifiers trust is told, however sound it is in itself."""
    trust = json.loads((copy / "trust.json").read_bytes())
    (copy / "trust.json").write_text(json.dumps({**trust, "genesis": "00" * 32}))
    done = kerege("verify-ledger", "--home", copy, "--json")
    assert done.code == 1
    assert "genesis" in json.dumps(done.json)


def test_a_home_that_names_another_ledger_than_its_store_signs_nothing(copy):
    about = json.loads((copy / "home.json").read_bytes())
    (copy / "home.json").write_text(json.dumps({**about, "ledger": "kg-dev-00000000"}))
    for words in (("checkpoint",), ("verify-ledger",)):
        done = kerege(*words, "--home", copy)
        assert done.code != 0
        assert "kg-dev-00000000" in done.err


def test_a_proposal_is_read_and_then_approved_by_its_content(copy):
    """Two members of the government's board enact a rule by the command line alone."""
    home, identifier = copy, "ab" * 16
    with open_ledger(Home(home)) as ledger:
        raw = ledger.door.state(BOARDS.encode_key("government"))
        assert raw is not None
        board = BOARDS.decode_value(raw)
    keys = devkeys.list_keys(Home(home))
    members = [name for name, address in keys if decode_address("kg", address) in board.members]
    rule = SetParameter("test.days", 5, 2**41, None, [LegalBasis("", "", "", None, unverified=True)])
    words = ("authority", "propose", "--proposal", identifier, "--board", "government", "--expires", str(2**41))
    done = kerege(*words, "--messages", json.dumps([encode(rule).hex()]), "--home", home, "--as", members[0], "--json")
    assert (done.code, done.json["outcome"]) == (0, "applied"), done
    told = kerege("show", "proposal", identifier, "--home", home, "--json").json
    assert told["messages"][0]["name"] == "test.days"
    assert told["approvals"] == [dict(keys)[members[0]]]
    approve = ("authority", "approve", "--proposal", identifier, "--home", home, "--as", members[1], "--json")
    assert kerege(*approve, "--content", "00" * 32).json["code"] == "authority.19"
    assert kerege(*approve, "--content", told["content"]).json["outcome"] == "applied"
    assert kerege("show", "proposal", "00" * 16, "--home", home).code == 1


def test_a_proposal_is_written_as_messages_are_sent(dev_home):
    """In the form that `submit` takes, or in hex; what is no message is told as such."""
    rule = SetParameter("test.days", 5, 2**41, None, [LegalBasis("", "", "", None, unverified=True)])
    words = ("authority", "propose", "--proposal", "random", "--board", "government", "--expires", str(2**41))

    def proposed(*messages: object) -> Done:
        return kerege(*words, "--home", dev_home, "--dry-run", "--messages", json.dumps(messages))

    form = to_json(rule, SetParameter, "kg")
    assert proposed(form, encode(rule).hex()).json["messages"] == [encode(rule).hex()] * 2
    proposed({**form, "type": "policy.Unknown"}).one_sentence("unknown message policy.Unknown")
    proposed({**form, "since": "soon"}).one_sentence("since")
    proposed(5).one_sentence("messages[0]")


def test_validators_are_shown_with_what_follows_them_and_what_they_did(tmp_path, dev_home):
    """A ledger of four; one of them lied: until the second block after, the four sign, then three."""
    assert "One operator" in kerege("show", "validators", "--home", dev_home).out
    seats = [
        Validator(name, names.signer(f"consensus {name}").key, names.signer(f"checkpoint {name}").key, 10)
        for name in ("bank", "chamber", "ministry", "registry")
    ]
    home, genesis = Home(tmp_path / "home"), Genesis("kg-dev-law", "kg", 1_000, found(["alice"], validators=seats))
    create_ledger(home, genesis, nation="kg", dev=True)
    with open_ledger(home) as ledger:
        liar = consensus_address(seats[3].consensus_key)
        told = ledger.machine.execute(
            1, 2_000, ledger.machine.prepare([]), [Misbehaviour("duplicate-vote", liar, 1, 5)]
        )
        block = ledger.machine.seal(told)
        ledger.store.write(rows.batch_of(block, 0))
        ledger.machine.durable(block)
    shown = kerege("show", "validators", "--home", home.path, "--json").json
    assert [(each["since"], len(each["validators"])) for each in shown["sets"]] == [(0, 4), (3, 3)]
    (deed,) = shown["misbehaviour"]
    assert (deed["institution"], deed["suspended"], deed["validator"]) == ("registry", True, liar.hex())
    printed = kerege("show", "validators", "--home", home.path).out
    assert "from block 3 on" in printed
    assert "duplicate-vote" in printed
    assert kerege("verify-ledger", "--home", home.path, "--json").json["ok"] is True
