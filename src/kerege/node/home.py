"""A node's home: the folder that holds one ledger, its keys and, for the data controller, its dossiers."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from kerege.durable import sync_folder

FORMAT = 1


class HomeError(Exception):
    """The home cannot be used as asked; the text is one sentence with the cure."""


@dataclass(frozen=True, slots=True)
class Home:
    """Paths inside a home.

    `store/` blocks, state, log · `trees/` start-up cache · `snapshots/` what a member of a network gives to those that
    join · `node/` checkpoint and gateway keys · `dossiers/` encrypted personal data · `keys/` the key service's
    folder · `dev-keys/` throw-away keys · `run/` the socket.
    """

    path: Path

    @property
    def trees(self) -> Path:
        """Start-up cache of the state trees."""
        return self.path / "trees"

    @property
    def snapshots(self) -> Path:
        """What this member of a network offers to those that join."""
        return self.path / "snapshots"

    @property
    def divergence(self) -> Path:
        """Dumps of what this member held when its app hash was not the others'."""
        return self.path / "divergence"

    @property
    def socket(self) -> Path:
        """Where a running node answers."""
        return self.path / "run" / "ledger.sock"

    @property
    def secrets(self) -> Path:
        """The node's own keys."""
        return self.path / "node"

    @property
    def dev_keys(self) -> Path:
        """Throw-away keys of every office, only with `--dev`."""
        return self.path / "dev-keys"

    @property
    def trust(self) -> Path:
        """The trust file that verifiers need."""
        return self.path / "trust.json"

    @property
    def network(self) -> Path:
        """What the network is whose folder this is, where it is one's."""
        return self.path / "network" / "network.json"

    @property
    def offer(self) -> Path:
        """What its institution offered to a network: public keys of this member, and where it is reached."""
        return self.path / "offer.json"

    @property
    def about(self) -> Path:
        """What this home is: format, ledger, nation."""
        return self.path / "home.json"

    def write_about(self, ledger: str, nation: str, prefix: str, *, dev: bool, engine: str | None = None) -> None:
        """Mark the folder as a home; `engine` names who decides its blocks, where that is not this node alone."""
        about = {"format": FORMAT, "ledger": ledger, "nation": nation, "prefix": prefix, "dev": dev}
        if engine is not None:
            about["engine"] = engine
        write_private(self.about, json.dumps(about, indent=1, sort_keys=True).encode() + b"\n", mode=0o644)

    def read_about(self) -> dict[str, str]:
        """What this home is; raises `HomeError` where it is none, or one of another version."""
        try:
            about = json.loads(self.about.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            if self.network.exists():
                reason = (
                    f"{self.path} is of a network without node here: validators serve no clients, name the home of the "
                    "node, or found a network with one."
                )
                raise HomeError(reason) from None
            if (self.path.parent / self.network.name).exists():
                reason = (
                    f"{self.path}, a validator's home, holds no ledger: `kerege network rejoin "
                    f"{quote(self.path.name)} --home {quote(str(self.path.parent.parent))}` begins it anew."
                )
                raise HomeError(reason) from None
            cure = f"run `kerege init --home {quote(str(self.path))} --nation kg --dev` first."
            raise HomeError(f"{self.path} is not a home of a ledger: {cure}") from None
        except (ValueError, OSError) as error:
            reason = f"{self.about} cannot be read ({error}): restore it from a backup of the home."
            raise HomeError(reason) from None
        if not isinstance(about, dict) or about.get("format") != FORMAT:
            found = about.get("format") if isinstance(about, dict) else None
            raise HomeError(
                f"{self.path} is a home of format {found}, this program reads format {FORMAT}: use the release that "
                "made it."
            )
        if not all(isinstance(about.get(name), str) for name in ("ledger", "nation", "prefix")):
            reason = f"{self.about} does not say which ledger this is: restore it from a backup of the home."
            raise HomeError(reason)
        return about


def write_private(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file whole and durably, readable by its owner only unless told."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Named after the process: two that write the same file at once (a trust file) would take each other's draft away.
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)
