"""Run the units of `deploy/systemd` under a living systemd: `make units`, as root, on a Linux that has systemd.

A second systemd starts in namespaces and a copy-on-write root of its own: nothing of the machine is changed, and
nothing is left behind. A network of one validator and its node is installed there as an institution installs it; its
parts are killed, stopped and switched off in the middle of work, and each time all of it must come back. It takes two
to three minutes, and is no part of `make test`: a container of CI need not have the right to mount.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.engine import DEFAULT, installed
from tools.units.checks import CHECKS
from tools.units.machine import Machine, Stop
from tools.units.pair import Members

PROGRAMS = ("/lib/systemd/systemd", "systemctl", "unshare", "nsenter", "setpriv", "ip", "curl")


def check_possible() -> None:
    """Raise `Stop` where the units cannot be tried."""
    if sys.platform != "linux" or os.geteuid() != 0:
        raise Stop("namespaces and a root of its own need root on Linux: run it with sudo")
    if missing := [program for program in PROGRAMS if shutil.which(program) is None]:
        raise Stop(f"this machine lacks {', '.join(missing)}: apt-get install systemd iproute2 util-linux curl")
    if DEFAULT not in installed():
        raise Stop("no CometBFT in .tools: make engine")


def hierarchy() -> Path:
    """Where the control groups of version 2 are mounted."""
    for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines():
        if line.split()[2] == "cgroup2":
            return Path(line.split()[1])
    raise Stop("no control groups of version 2 are mounted here")


def try_units(folder: Path, group: Path) -> int:
    """In a mount namespace of its own, where a disk in memory may be mounted and goes away by itself."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "kerege-units", folder], check=True)
    machine = Machine(folder, group)
    members = Members(machine)
    try:
        for step in (machine.install, machine.switch_on, members.begin, members.work):
            _tell(step.__name__)
            step()
        for check in CHECKS:
            _tell(check.__name__)
            check(members)
    except Stop as stop:
        print(f"units: {stop}", file=sys.stderr)
        print(machine.journal(), file=sys.stderr)
        return 1
    finally:
        machine.switch_off()
    print("units: all of it holds")
    return 0


def _tell(name: str) -> None:
    print(f"units: {time.strftime('%H:%M:%S')} {name.replace('_', ' ')}", flush=True)


def main() -> int:
    """Try the units; 1 where they do not hold, or cannot be tried."""
    if len(sys.argv) > 1:
        return try_units(Path(sys.argv[1]), Path(sys.argv[2]))
    try:
        check_possible()
        group = hierarchy() / f"kerege-units-{os.getpid()}"
        with tempfile.TemporaryDirectory(prefix="kerege-units-") as folder:
            group.mkdir()
            try:
                again = [sys.executable, "-m", "tools.units", folder, str(group)]
                return subprocess.run(["unshare", "--mount", *again], check=False).returncode
            finally:
                remove(group)
    except (Stop, OSError) as stop:
        print(f"units: {stop}", file=sys.stderr)
        return 1


def remove(group: Path) -> None:
    """A control group with those that systemd made in it, once their processes are gone."""
    for inner in sorted(group.rglob("*/"), reverse=True):
        inner.rmdir()
    group.rmdir()


if __name__ == "__main__":
    sys.exit(main())
