"""What `deploy/` offers to an institution runs: units and containers hold the commands of this very program."""

import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
import yaml

from kerege.node.network.binary import VERSION, find_engine
from kerege.node.network.layout import Member, Network
from kerege.testing.network import create
from tools.setup import pinned_uv

ROOT = Path(__file__).parents[2]
UNITS, COMPOSE = ROOT / "deploy/systemd", ROOT / "deploy/compose"
BIN = "/opt/kerege/bin"

Pair = Mapping[str, Sequence[str]]
"""Words of the two parts' commands."""


def exec_start(unit: str) -> list[str]:
    """The words of a unit's command, the last one given."""
    given: list[str] = re.findall(r"^ExecStart=(.+)$", (UNITS / unit).read_text(encoding="utf-8"), re.MULTILINE)
    return given[-1].split()


def settings(file: str) -> dict[str, str]:
    lines = (UNITS / file).read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def here(words: Sequence[str], replaced: Mapping[str, str]) -> list[str]:
    """A command with this machine's paths and ports."""
    done = list(words)
    for old, new in replaced.items():
        done = [word.replace(old, new) for word in done]
    assert not any("${" in word or "%i" in word for word in done), done
    return done


def found(path: Path, *, node: bool) -> Network:
    return create(path / "net", ["alice", "bob"], validators=["bank"], node=node)


def check_runs(pairs: Sequence[tuple[Member, Pair]], folder: Path) -> None:
    """Every member started with these commands makes or takes a block, and says that it is ready."""
    with ExitStack() as stack:
        for member, pair in pairs:
            for part in ("application", "engine"):
                log = stack.enter_context((folder / f"{member.name}-{part}.log").open("w"))
                process = stack.enter_context(subprocess.Popen(pair[part], stdout=log, stderr=log))
                stack.callback(process.wait, 20)
                stack.callback(process.terminate)
        for member, _ in pairs:
            until = time.monotonic() + 60
            while not is_ready(member):
                assert time.monotonic() < until, [p.read_text()[-500:] for p in folder.glob("*.log")]
                time.sleep(0.2)


def is_ready(member: Member) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{member.watch}/health/ready", timeout=5) as answer:
            return bool(json.load(answer)["height"])
    except (URLError, OSError):
        return False


@pytest.mark.engine
def test_the_units_run_a_validator_and_the_node_beside_it(tmp_path):
    network = found(tmp_path, node=True)
    bank, node = network.members
    own = {"member": settings("member.env"), "node": settings("node.env")}
    assert set(own["member"]) == {"WATCH", "ENGINE"}
    assert set(own["node"]) == {"PORT"}
    pairs = []
    for member, file in ((bank, "kerege-{}@.service"), (node, "kerege-{}@node.service.d/node.conf")):
        replaced = {
            f"{BIN}/python": sys.executable,
            f"{BIN}/cometbft": str(find_engine()),
            "${WATCH}": f"127.0.0.1:{member.watch}",
            "${ENGINE}": member.rpc_url,
            "${PORT}": str(member.metrics + 500),
            "%i": member.name,
            "/var/lib/kerege": str(network.path),
            f"/run/kerege-{member.name}": str(tmp_path),
            "abci.sock": f"{member.name}.sock",
        }
        parts = ("application", "engine")
        pairs.append((member, {part: here(exec_start(file.format(part)), replaced) for part in parts}))
    check_runs(pairs, tmp_path)


@pytest.mark.engine
def test_the_containers_run_a_validator(tmp_path):
    services = compose()["services"]
    network = found(tmp_path, node=False)
    (bank,) = network.members
    replaced = {
        "0.0.0.0:26661": f"127.0.0.1:{bank.watch}",
        "http://127.0.0.1:26657": bank.rpc_url,
        "${MEMBER}": bank.name,
        "/var/lib/kerege": str(network.home(bank).path),
        "/run/kerege": str(tmp_path),
    }
    pair = {part: here(services[part]["command"], replaced) for part in ("application", "engine")}
    pair["application"][0], pair["engine"][0] = sys.executable, str(find_engine())
    check_runs([(bank, pair)], tmp_path)


def compose() -> Any:
    return yaml.safe_load((COMPOSE / "compose.yaml").read_text(encoding="utf-8"))


def test_both_parts_start_again_whatever_ends_them():
    for unit in ("kerege-application@.service", "kerege-engine@.service"):
        text = (UNITS / unit).read_text(encoding="utf-8")
        assert "\nRestart=always\n" in text
        assert "\nStartLimitIntervalSec=0\n" in text
    assert "\nBindsTo=kerege-application@%i.service\n" in (UNITS / "kerege-engine@.service").read_text(encoding="utf-8")
    assert all(service["restart"] == "always" for service in compose()["services"].values())


def given(unit: str, name: str) -> list[str]:
    """The values of a setting, the empty one that drops those before it included."""
    return re.findall(rf"^{name}=(.*)$", (UNITS / unit).read_text(encoding="utf-8"), re.MULTILINE)


def test_no_part_sees_what_the_other_signs_with():
    """The ledger has no use for the key of blocks, the engine none for the key of checkpoints; `make units` looks."""
    application, engine = (f"kerege-{part}@.service" for part in ("application", "engine"))
    own = "/var/lib/kerege/network/%i"
    assert given(application, "BindPaths") == [own]
    assert f"-{own}/engine/config/priv_validator_key.json" in given(application, "InaccessiblePaths")[0].split()
    assert given(engine, "BindPaths") == [f"{own}/engine"]
    assert given(application, "TemporaryFileSystem") == given(engine, "TemporaryFileSystem") == ["/var/lib/kerege:ro"]
    node = "kerege-{}@node.service.d/node.conf"
    assert given(node.format("application"), "TemporaryFileSystem") == ["", "/var/lib/kerege/network:ro"]
    assert given(node.format("engine"), "BindPaths") == ["", "/var/lib/kerege/engine"]
    services = compose()["services"]
    assert "/var/lib/kerege/engine" in services["application"]["tmpfs"]
    assert not any(volume.endswith(":/var/lib/kerege") for volume in services["engine"]["volumes"])


def test_the_image_holds_the_pinned_engine_and_installer():
    text = (COMPOSE / "Dockerfile").read_text(encoding="utf-8")
    assert f"cmd/cometbft@{VERSION}" in text
    assert f"uv=={pinned_uv()[0]}" in text


@pytest.mark.parametrize("member", ["bank", "node"])
def test_systemd_reads_the_units_without_complaint(tmp_path, member):
    if shutil.which("systemd-analyze") is None:  # the other tests of this file read the units themselves
        return
    shutil.copytree(UNITS, tmp_path, dirs_exist_ok=True)
    for program in ("python", "cometbft"):
        (tmp_path / program).symlink_to(sys.executable)
    for unit in (*tmp_path.glob("*.service"), *tmp_path.rglob("*.conf")):
        unit.write_text(unit.read_text(encoding="utf-8").replace(BIN, str(tmp_path)), encoding="utf-8")
    names = [tmp_path / f"kerege-{part}@{member}.service" for part in ("application", "engine")]
    done = subprocess.run(["systemd-analyze", "verify", *names], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
