"""Each contract of .importlinter finds what it is there to find."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    *("kernel", "kernel/authenticators", "modules", "modules/bank", "upgrades", "storage", "consensus", "dossiers"),
    *("consensus/cometbft", "readmodel", "gateways", "api", "cli", "portal", "node", "proofs", "testing"),
)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A house with every room and nothing in it."""
    shutil.copy(ROOT / ".importlinter", tmp_path)
    for room in ("", *ROOMS):
        folder = tmp_path / "kerege" / room
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "__init__.py").touch()
    return tmp_path


def lint(house: Path) -> str:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {"PYTHONPATH": str(house), "PATH": "/usr/bin:/bin", "COLUMNS": "200"}
    return subprocess.run(command, cwd=house, env=environment, capture_output=True, text=True, check=False).stdout


def test_an_orderly_house_keeps_every_contract(house):
    (house / "kerege/modules/bank/keeper.py").write_text("import kerege.kernel\n", encoding="utf-8")
    (house / "kerege/consensus/embedded.py").write_text("import kerege.storage.port\n", encoding="utf-8")
    (house / "kerege/storage/port.py").touch()
    (house / "kerege/dossiers/jobs.py").write_text("import kerege.proofs\n", encoding="utf-8")
    (house / "kerege/cli/demo.py").write_text("import kerege.testing\n", encoding="utf-8")
    (house / "kerege/testing/ledger.py").write_text("import kerege.node\n", encoding="utf-8")
    assert " 0 broken" in lint(house)


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("kernel/x.py", "import kerege.modules", "Layers"),
        ("modules/bank/x.py", "import kerege.storage", "Layers"),
        ("storage/x.py", "import kerege.dossiers", "Layers"),
        ("consensus/x.py", "import kerege.storage.rocks", "Layers"),
        ("cli/x.py", "import kerege.node", "Layers"),
        ("api/x.py", "import kerege.portal", "Layers"),
        ("proofs/x.py", "import kerege.kernel", "proofs imports nothing"),
        ("proofs/x.py", "import msgspec", "proofs imports nothing"),
        ("modules/bank/x.py", "import kerege.proofs", "kernel and modules do not use proofs"),
        ("kernel/x.py", "import time", "kernel and modules read no clock"),
        ("modules/bank/x.py", "import threading", "kernel and modules read no clock"),
        ("modules/bank/x.py", "import nacl", "only kernel/crypto.py"),
        ("kernel/x.py", "import kerege_native", "only kernel/crypto.py"),
        ("storage/x.py", "import kerege.testing", "only cli imports the test kit"),
        ("consensus/cometbft/x.py", "import kerege.kernel", "consensus/cometbft imports nothing"),
        ("consensus/cometbft/x.py", "import kerege.consensus.door", "consensus/cometbft imports nothing"),
    ],
)
def test_a_disorder_is_found(house, file, line, contract):
    for known in ("storage/rocks.py", "consensus/door.py"):
        (house / "kerege" / known).touch()
    (house / "kerege" / file).write_text(f"{line}\n", encoding="utf-8")
    broken = [found for found in lint(house).splitlines() if found.endswith("BROKEN") or "BROKEN" in found]
    assert any(found.startswith(contract) for found in broken), broken
