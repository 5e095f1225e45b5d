"""A network of one validator and its node, installed as services: what an operator sees of it, and does with it."""

import json
from typing import Any

from tools.units.machine import Machine, Stop, until

HOME = "/var/lib/kerege"
BANK, NODE = "national-bank", "node"
Part = tuple[str, str]
"""`application` or `engine`, and of which member."""
PARTS: tuple[Part, ...] = tuple((kind, member) for member in (BANK, NODE) for kind in ("application", "engine"))
AS_KEREGE = ("setpriv", "--reuid=kerege", "--regid=kerege", "--init-groups", "env", f"HOME={HOME}")
DEMO = ("/opt/kerege/bin/python", "-m", "kerege.testing.demo", "--home", HOME, "--folder", f"{HOME}/demo")
TRANSACT = (
    *("kerege", "accounts", "set-guardians", "--home", HOME, "--as", "ГНС-1/tax-officer"),
    *("--guardians", "[]", "--threshold", "0"),
)
PAGES = 8080


class Members:
    """The validator and the node on one machine, four units."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._watch: dict[str, int] = {}

    def begin(self) -> None:
        """Found the network, write the settings, enable the services, wait for the first block."""
        self.kerege("network", "init", "--home", HOME, "--validators", "1")
        about = json.loads(self.machine.run("cat", f"{HOME}/network/network.json"))
        for member in about["members"]:
            watch, rpc = member["watch"], member["rpc"]
            own = f"WATCH=127.0.0.1:{watch}\nENGINE=http://127.0.0.1:{rpc}\n" if member["votes"] else f"PORT={PAGES}\n"
            self.machine.write(f"/etc/kerege/{member['name']}.env", own)
            self._watch[member["name"]] = watch
        for name in self._watch:
            self.machine.run("systemctl", "enable", "--now", unit("application", name))
        self.ready()
        trust = ("install", "-o", "kerege", "-g", "kerege", "-m", "644", f"{HOME}/trust.json")
        self.machine.run(*trust, f"{HOME}/network/{BANK}/trust.json")

    def kerege(self, *words: str) -> str:
        """A command of the operator, as the user of the services."""
        return self.machine.run(*AS_KEREGE, "kerege", *words)

    def process(self, part: Part) -> int:
        """The number of a part's process, 0 where it does not run."""
        return int(self.machine.run("systemctl", "show", "-p", "MainPID", "--value", unit(*part)))

    def kill(self, *parts: Part) -> None:
        """As the kernel does when no memory is left."""
        self.machine.run("kill", "-9", *(str(self.process(part)) for part in parts))

    def health(self, member: str) -> dict[str, Any]:
        """What a member says of itself; nothing where it is not ready."""
        address = f"http://127.0.0.1:{self._watch[member]}/health/ready"
        told: dict[str, Any] = json.loads(self.machine.run("curl", "-sfm5", address, fails=True) or "{}")
        return told

    def height(self) -> int:
        """Of the validator, 0 where it is not ready."""
        return int(self.health(BANK).get("height", 0))

    def ready(self) -> None:
        """Wait until all four run, both members are ready at one height with one state, and the pages are served."""

        def is_ready() -> bool:
            found = [self.health(name) for name in self._watch]
            states = {(each.get("height"), each.get("app_hash")) for each in found}
            pages = self.machine.run("curl", "-sfm5", f"http://127.0.0.1:{PAGES}/", fails=True)
            return all(found) and len(states) == 1 and bool(pages) and all(map(self.process, PARTS))

        until("every member to be ready", is_ready)

    def work(self) -> None:
        """A birth, from notification to a corrected act whose proof holds, then two transactions: they need blocks."""
        self.machine.run(*AS_KEREGE, *DEMO)
        self.transact()

    def transact(self) -> None:
        """One transaction after the other, each answered; blocks hold them."""
        before = self.height()
        self.machine.run(*AS_KEREGE, *TRANSACT)
        self.machine.run(*AS_KEREGE, *TRANSACT)
        if self.height() < before + 2:
            raise Stop(f"no blocks were made: height {before} before, {self.height()} after")

    def begin_work(self) -> int:
        """Transactions without end: the height that was seen while they go on."""
        before = self.height()
        self.machine.start(*AS_KEREGE, "sh", "-c", 'while "$@"; do :; done', "sh", *TRANSACT)
        until("blocks while there is work", lambda: self.height() > before + 5)
        return self.height()


def unit(kind: str, member: str) -> str:
    """The name of a part's unit."""
    return f"kerege-{kind}@{member}.service"
