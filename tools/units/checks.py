"""What must hold of the units: each of these raises `Stop` where it does not."""

import time
from functools import partial

from tools.units.machine import Stop, until
from tools.units.pair import AS_KEREGE, BANK, HOME, NODE, PARTS, Members, Part, unit

STOPS_WITHIN = 15.0
"""Seconds for members whose engines do not hang."""
OWN = f"{HOME}/network/{BANK}"
KEYS = f"{OWN}/engine/config"
SEES: dict[Part, tuple[list[str], list[str]]] = {
    ("application", BANK): ([OWN], [f"{KEYS}/priv_validator_key.json", f"{KEYS}/node_key.json"]),
    ("engine", BANK): ([f"{OWN}/engine"], []),
    ("application", NODE): ([HOME], [OWN, f"{HOME}/engine/config/node_key.json"]),
    ("engine", NODE): ([f"{HOME}/engine"], []),
}
"""In which folders a part reads files of the home, and which of those it does not."""
HANGING = "[Service]\nExecStart=\nExecStart=/usr/bin/sleep infinity\nKillSignal=SIGWINCH\n"
"""Stands for an engine that waits for ever."""
REACH = """
import os, socket, sys
open(f"/sys/fs/cgroup/{sys.argv[1]}/cgroup.procs", "w").write(str(os.getpid()))
try:
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 9))
except PermissionError:
    print("refused")
"""


def whatever_is_killed_comes_back(members: Members) -> None:
    """An application that ends takes its engine with it; an engine that ends comes back alone."""
    bank, node = PARTS[:2], PARTS[2:]
    for killed in (*((part,) for part in PARTS), bank, bank[::-1], node[::-1], PARTS):
        before = {part: members.process(part) for part in PARTS}
        members.kill(*killed)
        until(f"{killed} to end", partial(_is_anew, members, killed[0], before[killed[0]]))
        members.ready()
        ended = {*killed, *(("engine", member) for kind, member in killed if kind == "application")}
        anew = {part for part in PARTS if members.process(part) != before[part]}
        if anew != ended:
            raise Stop(f"{killed} were killed, and {anew} began anew, not {ended}")


def _is_anew(members: Members, part: Part, before: int) -> bool:
    return members.process(part) != before


def a_hanging_engine_is_killed(members: Members) -> None:
    """An engine that does not end when its application did is killed, and another one starts."""
    machine, (application, engine) = members.machine, PARTS[:2]
    folder = f"/run/systemd/system/{unit(*engine)}.d"
    machine.write(f"{folder}/hanging.conf", HANGING)
    machine.run("systemctl", "daemon-reload")
    members.kill(engine)
    until("the engine that hangs", lambda: machine.run("pgrep", "-x", "sleep", fails=True))
    hanging, before = members.process(engine), members.process(application)
    members.kill(application)
    until("the application without it", lambda: members.process(application) not in {0, before})
    machine.run("rm", "-r", folder)
    machine.run("systemctl", "daemon-reload")
    if members.process(engine) != hanging:
        raise Stop("the engine that hangs ended by itself")
    until("the hanging engine to be replaced", lambda: members.process(engine) not in {0, hanging})
    members.ready()


def stopped_in_the_middle_of_work(members: Members) -> None:
    """All ends in its time; every root of both ledgers holds; started again, nothing that was shown is gone."""
    seen, began = members.begin_work(), time.monotonic()
    names = [unit("application", member) for member in (BANK, NODE)]
    members.machine.run("systemctl", "stop", *names)
    took, left = time.monotonic() - began, [part for part in PARTS if members.process(part)]
    if took > STOPS_WITHIN or left:
        raise Stop(f"stopping took {took:.1f} s, and {left} still run")
    for home in (HOME, OWN):
        members.kerege("verify-ledger", "--home", home)
    members.machine.run("systemctl", "start", *names)
    _check_nothing_gone(members, seen)


def switched_off_in_the_middle_of_work(members: Members) -> None:
    """The machine starts anew, the services with it, and nothing that was shown is gone."""
    seen = members.begin_work()
    members.machine.switch_off()
    members.machine.switch_on()
    _check_nothing_gone(members, seen)


def _check_nothing_gone(members: Members, seen: int) -> None:
    members.ready()
    if members.height() < seen:
        raise Stop(f"height {seen} was shown before, {members.height()} after")
    members.transact()


def each_part_sees_its_own(members: Members) -> None:
    """Of the home each part reads what it needs, no other member's keys, and only the validator's ledger is cut off."""
    for part, (folders, hidden) in SEES.items():
        files = _files(members, part)
        wrong = [file for file in files if not _within(file, folders) or _within(file, hidden)]
        if wrong or not files:
            raise Stop(f"{part} reads {len(files)} files, and of those that it must not {wrong}")
        if _refused(members, part) != (part == ("application", BANK)):
            raise Stop(f"{part} reaches other machines, or should and does not")


def _within(file: str, folders: list[str]) -> bool:
    return any(f"{file}/".startswith(f"{folder}/") for folder in folders)


def _files(members: Members, part: Part) -> list[str]:
    inside = ("nsenter", "-m", "-t", str(members.process(part)))
    return members.machine.run(*inside, *AS_KEREGE, "find", HOME, "-type", "f", "-readable", fails=True).splitlines()


def _refused(members: Members, part: Part) -> bool:
    group = members.machine.run("systemctl", "show", "-p", "ControlGroup", "--value", unit(*part)).strip()
    return members.machine.run("/opt/kerege/bin/python", "-c", REACH, group).strip() == "refused"


CHECKS = (
    each_part_sees_its_own,
    whatever_is_killed_comes_back,
    a_hanging_engine_is_killed,
    stopped_in_the_middle_of_work,
    switched_off_in_the_middle_of_work,
)
