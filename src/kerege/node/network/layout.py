"""Where the parts of a network lie: one folder a member, each with a ledger of its own and an engine of its own."""

from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import msgspec
from msgspec import Struct

from kerege.node.home import Home, HomeError, write_private
from kerege.node.watching.place import Place

FORMAT = 1
HOST = "127.0.0.1"
NODE = "node"
"""Name of the member that holds the dossiers, serves clients and does not vote."""


class Member(Struct, frozen=True, forbid_unknown_fields=True):
    """One ledger with its engine."""

    name: str
    """Code of the institution that votes with it, or `node`."""
    votes: bool
    peers: int
    """Port where other engines reach its engine."""
    rpc: int
    """Port where the engine is asked."""
    metrics: int
    """Port where the engine tells its measurements."""
    host: str = HOST
    power: int = 0
    checkpoint_key: str = ""
    """Public key in hex of a validator's signatures over the log."""
    watch: int = 0
    """Port of this machine where its application tells its figures and its health; 0 in networks of before."""

    @property
    def rpc_url(self) -> str:
        """Where the engine is asked."""
        return f"http://{self.host}:{self.rpc}"

    @property
    def place(self) -> Place | None:
        """Where its application is watched."""
        return Place(f"{HOST}:{self.watch}", self.rpc_url) if self.watch else None


class _About(Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    ledger: str
    nation: str
    members: tuple[Member, ...]
    dev: bool = True


@dataclass(frozen=True, slots=True)
class Network:
    """Paths and members of a network whose folder is `path`: all members, or those of one institution, lie in it."""

    path: Path
    ledger: str
    nation: str
    members: tuple[Member, ...]
    """All of them, wherever they run, with the addresses at which they are reached from here."""
    dev: bool = True
    """Whether throw-away keys founded it."""

    @property
    def here(self) -> tuple[Member, ...]:
        """Those whose homes lie in this folder: they are run from it, and the others are asked."""
        return tuple(member for member in self.members if self.engine(member).is_dir())

    @property
    def validators(self) -> tuple[Member, ...]:
        """Those that vote."""
        return tuple(member for member in self.members if member.votes)

    @property
    def node(self) -> Member | None:
        """The one beside them, where there is one."""
        return next((member for member in self.members if not member.votes), None)

    @property
    def node_here(self) -> Member | None:
        """The same, where its home is this folder."""
        return next((member for member in self.here if not member.votes), None)

    @property
    def founding(self) -> Path:
        """The founding document: the same for all, and for those that join later."""
        return _folder(self.path) / "founding.json"

    @property
    def lock(self) -> Path:
        """Held by the supervisor as long as it runs; its content is the number of its process."""
        return _folder(self.path) / "supervisor.lock"

    @property
    def log(self) -> Path:
        """What a detached supervisor says."""
        return _folder(self.path) / "supervisor.log"

    def home(self, member: Member) -> Home:
        """A member's ledger: the network's own folder for the node, so that `--home` means the same everywhere."""
        return member_home(self.path, member.name, votes=member.votes)

    def engine(self, member: Member) -> Path:
        """The home of a member's engine: keys, settings, blocks."""
        return engine_of(self.home(member))

    def logs(self, member: Member) -> tuple[Path, Path]:
        """What a member's application and engine say."""
        folder = self.home(member).path / "log"
        return folder / "application.log", folder / "engine.log"

    def find(self, name: str) -> Member:
        """A member by name; raises `HomeError`."""
        found = next((member for member in self.members if member.name == name), None)
        if found is None:
            reason = f"{name} is no member of this network: choose one of {', '.join(m.name for m in self.members)}."
            raise HomeError(reason)
        return found

    def find_here(self, name: str) -> Member:
        """A member whose home lies in this folder; raises `HomeError`."""
        found = self.find(name)
        if found not in self.here:
            told = ", ".join(member.name for member in self.here) or "nobody"
            reason = f"{name} does not lie in {self.path}, only {told}: do it on the machine of {name}."
            raise HomeError(reason)
        return found

    def check_here(self) -> None:
        """Raise `HomeError` where there is nobody to run."""
        if not self.here:
            reason = (
                f"no member of {self.ledger} lies in {self.path}, where the folder `engine` of "
                f"{' or '.join(str(self.home(member).path) for member in self.members)} would be: restore the home "
                "of yours from its backup."
            )
            raise HomeError(reason)

    def write(self) -> None:
        """Mark the folder as a network's."""
        about = _About(FORMAT, self.ledger, self.nation, self.members, self.dev)
        write_private(_about(self.path), msgspec.json.format(msgspec.json.encode(about)) + b"\n", mode=0o644)


def read_network(path: Path) -> Network:
    """The network of a folder; raises `HomeError` where there is none."""
    file = _about(path)
    try:
        about = msgspec.json.decode(file.read_bytes(), type=_About)
    except FileNotFoundError:
        raise HomeError(_told_none(path)) from None
    except (msgspec.DecodeError, OSError) as error:
        reason = f"{file} cannot be read ({error}): restore it from a backup of the home."
        raise HomeError(reason) from None
    if about.format != FORMAT:
        reason = f"{path} is a network of format {about.format}, this program reads {FORMAT}: use the release it is of."
        raise HomeError(reason)
    if not any(member.votes for member in about.members):
        reason = (
            f"{file} names no member that votes ({len(about.members)} in all), so nobody could run: restore it from a "
            "backup of the home."
        )
        raise HomeError(reason)
    return Network(path, about.ledger, about.nation, about.members, about.dev)


def _told_none(path: Path) -> str:
    if Home(path).about.is_file():
        return f"{path} is a home, but no network's: name the folder that `kerege network init` made."
    if any(home.offer.is_file() for home in member_homes(path)):
        return f"{path} holds an offer and no network yet: `kerege network accept` the founding document, or `join`."
    init = f"kerege network init --home {quote(str(path))} --validators 4"
    return f"{path} holds no network: run `{init}` first."


def member_home(path: Path, name: str, *, votes: bool) -> Home:
    """The ledger of a member in a network's folder."""
    return Home(_folder(path) / name if votes else path)


def member_homes(path: Path) -> list[Home]:
    """The places where members may lie in a folder that is a network's, or is to become one's."""
    return [Home(path), *(Home(folder) for folder in sorted(_folder(path).glob("*/")))]


def engine_of(home: Home) -> Path:
    """The home of the engine of a member's ledger: keys, settings, blocks."""
    return home.path / "engine"


def is_network(path: Path) -> bool:
    """Whether a folder holds a network."""
    return _about(path).is_file()


def _folder(path: Path) -> Path:
    return path / "network"


def _about(path: Path) -> Path:
    return Home(path).network
