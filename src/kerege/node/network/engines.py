"""An engine's own folder: made with the keys of its member, and set up once the network is known."""

import json
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kerege.node.home import HomeError
from kerege.node.network.document import FILE
from kerege.node.network.layout import Member
from kerege.node.network.settings import SETTINGS, Setting, written


def begin_engine(engine: Path, folder: Path) -> None:
    """Files with the engine's own settings and an empty memory of votes; raises `HomeError`."""
    done = subprocess.run([engine, "init", "--home", folder], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = f"the engine could not be set up in {folder}: {done.stderr.strip()[-300:]}; run `make engine` again."
        raise HomeError(reason)


def settle_engine(
    folder: Path,
    member: Member,
    listens: str,
    peers: Sequence[str],
    genesis: dict[str, Any],
    more: Sequence[Setting] = (),
) -> None:
    """Settings with their reasons, and the first bytes of the chain; `peers` are the other members' engines.

    `listens`: the address of this machine.
    """
    alone = Setting("consensus", "timeout_commit", '"50ms"', "one validator waits for transactions, not for votes")
    own = (
        *((alone,) if len(genesis["validators"]) == 1 else ()),
        Setting("", "moniker", f'"{member.name}"', "the member's name"),
        Setting("rpc", "laddr", f'"tcp://{listens}:{member.rpc}"', "asked here, and by the node for signatures"),
        Setting("p2p", "laddr", f'"tcp://{listens}:{member.peers}"', "where the other members reach it"),
        *knowing(peers),
        Setting("instrumentation", "prometheus_listen_addr", f'"{listens}:{member.metrics}"', "measurements"),
        *more,
    )
    set_engine(folder, (*SETTINGS, *own))
    (folder / FILE).write_text(json.dumps(genesis, indent=1) + "\n", encoding="utf-8")


def knowing(peers: Sequence[str]) -> tuple[Setting, ...]:
    """That an engine is connected with these others."""
    ids = ",".join(peer.partition("@")[0] for peer in peers)
    return (
        Setting("p2p", "persistent_peers", f'"{",".join(peers)}"', "every member is connected with every other"),
        Setting("p2p", "unconditional_peer_ids", f'"{ids}"', "and none is ever turned away"),
    )


def known(folder: Path) -> list[str]:
    """The others with which an engine is connected."""
    told: str = tomllib.loads(_settings(folder).read_text(encoding="utf-8"))["p2p"]["persistent_peers"]
    return [peer for peer in told.split(",") if peer]


def set_engine(folder: Path, settings: Sequence[Setting]) -> None:
    """Change settings of an engine; raises `HomeError` where it has no such key."""
    file = _settings(folder)
    file.write_text(written(file.read_text(encoding="utf-8"), tuple(settings)), encoding="utf-8")


def _settings(folder: Path) -> Path:
    return folder / "config" / "config.toml"
