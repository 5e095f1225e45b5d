"""A PostgreSQL of one's own in a folder, for tests and benchmarks: started, used, thrown away."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = "kerege"
INSTALL = "PostgreSQL is not installed: apt-get install postgresql"


class Postgres:
    """A running server that answers on a socket in its folder, to its owner and without a password."""

    def __init__(self, folder: Path, binaries: Path) -> None:
        self.folder = folder
        self.binaries = binaries
        self.url = f"postgresql://{USER}@/postgres?host={folder}"
        self._prefix: list[str] = []
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root.
            owner = "postgres" if _user("postgres") else "nobody"
            shutil.chown(folder, owner)
            self._prefix = ["setpriv", f"--reuid={owner}", f"--regid={pwd.getpwnam(owner).pw_gid}", "--clear-groups"]

    def call(self, program: str, *words: str, check: bool = True) -> str:
        """Run one of PostgreSQL's programs as the server's owner; what it printed."""
        command = [*self._prefix, str(self.binaries / program), *words]
        return subprocess.run(command, capture_output=True, text=True, check=check, cwd=self.folder).stdout

    def start(self) -> None:
        """Make the server's files and start it."""
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder}"
        data, log = str(self.folder / "data"), str(self.folder / "log")
        self.call("initdb", "-D", data, "-A", "trust", "-U", USER)
        self.call("pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """Stop at once; twice is no error."""
        self.call("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "stop", check=False)


def find_binaries() -> Path | None:
    """Where the newest PostgreSQL of this machine keeps its programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    places = [*found, *(Path(place).resolve().parent for place in [shutil.which("initdb")] if place)]
    return next((folder for folder in places if (folder / "pgbench").exists()), None)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server for as long as the context lasts; raises `FileNotFoundError` where PostgreSQL is not installed."""
    binaries = find_binaries()
    if binaries is None:
        raise FileNotFoundError(INSTALL)
    folder = Path(tempfile.mkdtemp(prefix="kerege-pg-"))
    server = Postgres(folder, binaries)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _user(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
