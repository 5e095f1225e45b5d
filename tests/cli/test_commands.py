"""Commands in processes of their own: what they print, how they end, and one sentence where they cannot go on."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kerege.modules.registries.state import RECORDS
from kerege.node.home import Home
from kerege.storage.port import Area
from kerege.storage.rocks import RocksStore

ROOT = Path(__file__).parents[2]
UNUSABLE = 2
SUPERSEDED = 3


def kerege(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the program."""
    return subprocess.run(
        [sys.executable, "-m", "kerege.node", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200"},
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make demo` leaves."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    command = [sys.executable, "-m", "kerege.testing.demo", "--folder", str(folder)]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT / "src")})
    return folder


@pytest.fixture
def copy(demo: Path, tmp_path: Path) -> Path:
    """A copy of the demo's home."""
    shutil.copytree(demo / "home", tmp_path / "home")
    return tmp_path / "home"


def _one_sentence(done: subprocess.CompletedProcess[str], *told: str) -> None:
    assert done.returncode == UNUSABLE, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert all(word in done.stderr for word in told), done.stderr


def test_the_certificate_verifies_and_the_later_bundle_is_superseded(demo: Path) -> None:
    trust = demo / "trust.json"
    assert kerege("verify", demo / "certificate.json", "--trust", trust).returncode == 0
    later = kerege("verify", demo / "superseded.json", "--trust", trust, "--json")
    assert later.returncode == SUPERSEDED
    assert json.loads(later.stdout)["exit"] == SUPERSEDED


def test_a_stale_checkpoint_is_told(demo: Path, copy: Path) -> None:
    newer = copy.parent / "checkpoint"
    newer.write_text(kerege("checkpoint", "--home", copy).stdout, encoding="utf-8")
    command = ("verify", demo / "certificate.json", "--trust", demo / "trust.json", "--checkpoint", newer)
    assert kerege(*command).returncode == SUPERSEDED


def test_a_changed_byte_is_told(demo: Path, tmp_path: Path) -> None:
    bundle = (demo / "certificate.json").read_bytes().replace("Нурсултан".encode(), "Нурсулган".encode())
    (tmp_path / "forged.json").write_bytes(bundle)
    assert kerege("verify", tmp_path / "forged.json", "--trust", demo / "trust.json").returncode == 1


def test_the_ledger_replays_also_without_dossiers_and_keys(copy: Path) -> None:
    for folder in ("dossiers", "keys", "dev-keys", "node", "trees"):
        shutil.rmtree(copy / folder, ignore_errors=True)
    done = kerege("verify-ledger", "--home", copy, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["ok"] is True


def test_every_commitment_opens(copy: Path) -> None:
    done = kerege("dossiers", "check", "--home", copy, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert (report["missing"], report["wrong"]) == (0, 0)
    assert report["total"] > 0


def test_lost_dossiers_are_told(copy: Path, tmp_path: Path) -> None:
    """An empty store in place of the real one: everything is missing, nothing is made up."""
    other = tmp_path / "other"
    assert kerege("init", "--home", other, "--nation", "kg", "--dev").returncode == 0
    for folder in ("dossiers", "keys"):
        shutil.rmtree(copy / folder)
        shutil.copytree(other / folder, copy / folder)
    done = kerege("dossiers", "check", "--home", copy, "--json")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert report["missing"] == report["total"] > 0


def test_looks_are_shown_newest_first(copy: Path) -> None:
    rows = json.loads(kerege("show", "looks", "--home", copy, "--json").stdout)
    assert rows
    assert [row["when"] for row in rows] == sorted((row["when"] for row in rows), reverse=True)
    assert {row["answer"] for row in rows} == {"granted"}


def test_a_look_without_a_case_is_denied_and_shown(copy: Path) -> None:
    done = kerege(
        "disclosure", "request-access", "--home", copy, "--as", "ЗАГС-708203/registrar", "--access", "11" * 16,
        "--case", "22" * 16, "--office", "ЗАГС-708203", "--ground", "curiosity",
        "--references", json.dumps(["33" * 32]), "--fields", '["child.surname"]', "--blind", "44" * 16, "--json",
    )  # fmt: skip
    assert json.loads(done.stdout)["outcome"] == "applied", done.stdout + done.stderr
    rows = json.loads(kerege("show", "looks", "--home", copy, "--json").stdout)
    assert (rows[0]["access"], rows[0]["answer"]) == ("11" * 16, "no-case")


def test_a_refused_message_ends_with_its_number(copy: Path) -> None:
    done = kerege(
        "bank", "transfer", "--home", copy, "--as", "ЗАГС-708203/registrar", "--currency", "KGS", "--amount", "5",
        "--to", _address(copy, "ЦОН-708203/acceptor"), "--json",
    )  # fmt: skip
    told = json.loads(done.stdout)
    assert (told["outcome"], told["code"]) == ("refused", "bank.4")


def _address(home: Path, name: str) -> str:
    rows = json.loads(kerege("keys", "list", "--home", home, "--json").stdout)
    return str(next(row["address"] for row in rows if row["name"] == name))


@pytest.fixture
def node(copy: Path) -> Iterator[Path]:
    """A home with a node running on it."""
    command = [sys.executable, "-m", "kerege.node", "up", "--home", str(copy)]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, stdout=subprocess.DEVNULL)
    for _ in range(200):
        if (copy / "run/ledger.sock").exists():
            break
        time.sleep(0.05)
    yield copy
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0


def test_a_running_node_is_asked_through_its_socket(node: Path) -> None:
    head = json.loads(kerege("show", "head", "--home", node, "--json").stdout)
    assert head["height"] > 0
    assert kerege("verify-ledger", "--home", node).returncode == 0


def test_a_locked_home_is_named_with_the_cure(copy: Path) -> None:
    with RocksStore(copy):
        _one_sentence(kerege("show", "head", "--home", copy), str(copy))


def test_a_home_of_another_version(copy: Path) -> None:
    about = json.loads((copy / "home.json").read_text())
    (copy / "home.json").write_text(json.dumps({**about, "format": 99}))
    _one_sentence(kerege("verify-ledger", "--home", copy), "format 99")


def test_no_home(tmp_path: Path) -> None:
    _one_sentence(kerege("verify-ledger", "--home", tmp_path / "nothing"), "kerege init")


def test_a_ledger_is_begun_once(copy: Path) -> None:
    _one_sentence(kerege("init", "--home", copy, "--nation", "kg", "--dev"), "a home already")


def test_an_unknown_nation(tmp_path: Path) -> None:
    _one_sentence(kerege("init", "--home", tmp_path / "home", "--nation", "atlantis", "--dev"), "atlantis", "kg")


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    """A file stands where the folder should be: root may write anywhere else."""
    (tmp_path / "file").write_text("")
    _one_sentence(kerege("init", "--home", tmp_path / "file" / "home", "--nation", "kg", "--dev"), "--home")


def test_init_warns_of_throw_away_keys(tmp_path: Path) -> None:
    done = kerege("init", "--home", tmp_path / "home", "--nation", "kg", "--dev")
    assert done.returncode == 0
    assert "WARNING" in done.stderr
    assert all(path.stat().st_mode & 0o077 == 0 for path in Home(tmp_path / "home").dev_keys.iterdir())


def test_input_that_is_no_message(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "message.json").write_text('{"type": "bank.Nothing"}')
    command = ("submit", tmp_path / "message.json", "--home", copy, "--as", "ЗАГС-708203/registrar")
    _one_sentence(kerege(*command), "bank.Nothing")


def test_an_erasable_dossier_is_erased_and_the_check_stays_sound(copy: Path) -> None:
    """Requests are erasable, acts are kept by law; after an erasure nothing is missing and nothing wrong."""
    case = json.loads(kerege("show", "looks", "--home", copy, "--json").stdout)[-1]["case"]
    done = kerege("dossiers", "erase", case, "--home", copy, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(json.loads(done.stdout)["tombstone"]) == 64
    report = json.loads(kerege("dossiers", "check", "--home", copy, "--json").stdout)
    assert (report["missing"], report["wrong"], report["unannounced"]) == (0, 0, 0)
    assert report["erased"] > 0


def test_an_act_is_kept_by_law(copy: Path) -> None:
    with RocksStore(copy) as store:
        key, _ = next(store.scan(Area.STATE, RECORDS.prefix))
    record = RECORDS.decode_key(key)
    done = kerege("dossiers", "erase", record.hex(), "--home", copy)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
