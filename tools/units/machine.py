"""A second systemd on this machine, in namespaces and a copy-on-write root of its own."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tools.setup import ROOT, pip_configuration, uv_environment

BOOT = str(ROOT / "tools/units/boot.sh")
PATIENCE = 60.0
"""Seconds that anything may take."""


class Stop(Exception):
    """The units do not hold, or cannot be tried here; the text says why."""


def until(what: str, holds: Callable[[], object]) -> None:
    """Wait for something; raises `Stop` where it does not come."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise Stop(f"waited {PATIENCE:.0f} s in vain for {what}")
        time.sleep(0.2)


class Machine:
    """What a computer is to its operator: installed, switched on, given orders, switched off."""

    def __init__(self, folder: Path, group: Path) -> None:
        """`folder` is an empty one for its disk, `group` an empty control group for its processes."""
        self._folder = folder
        self._group = group
        self._init = 0
        self._outer: subprocess.Popen[bytes] | None = None
        for part in ("upper", "work", "root"):
            (folder / part).mkdir()

    def install(self) -> None:
        """Put everything on its disk; packages come over the network of this machine."""
        within = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", BOOT, str(self._folder)]
        environment = uv_environment(os.environ, pip_configuration(os.environ))
        install = ["sh", "-c", 'cd "$1" && exec sh tools/units/install.sh', "sh", str(ROOT)]
        done = subprocess.run(
            [*within, *install], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise Stop(f"it cannot be installed: {done.stderr.strip()[-2000:]}")

    def switch_on(self) -> None:
        """Start systemd, and wait until all that is enabled has begun; raises `Stop`."""
        spaces = ["--mount", "--pid", "--fork", "--uts", "--ipc", "--net", "--cgroup", "--kill-child"]
        enter = ["setpriv", "--pdeathsig", "KILL", "sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"']
        outer = subprocess.Popen(
            [*enter, str(self._group), "unshare", *spaces, "sh", BOOT, str(self._folder)], start_new_session=True
        )
        self._outer = outer
        children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")

        def begun() -> bool:
            if outer.poll() is not None:
                raise Stop("no second systemd can be started here, for the reason above")
            if self._init == 0 and outer.poll() is None:
                self._init = int((children.read_text(encoding="ascii").split() or ["0"])[0])
            name = Path(f"/proc/{self._init}/comm")
            return self._init != 0 and name.read_text(encoding="ascii").strip() == "systemd"

        until("systemd to begin", begun)
        until("systemd to run", lambda: self.run("systemctl", "is-system-running", fails=True).strip() == "running")

    def switch_off(self) -> None:
        """Without a word to anybody: every process ends at once; what the kernel had not yet written stays."""
        if self._outer is not None:
            self._outer.kill()
            self._outer.wait()
            events = self._group / "cgroup.events"
            until("its processes to end", lambda: "populated 0" in events.read_text(encoding="ascii"))
        self._outer, self._init = None, 0

    def start(self, *words: str) -> subprocess.Popen[str]:
        """A command in there."""
        spaces = ["nsenter", "-t", str(self._init), "-m", "-p", "-u", "-i", "-n", "-C", "-r", "-w"]
        environment = ["env", "-i", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"]
        pipe = subprocess.PIPE
        return subprocess.Popen([*spaces, *environment, *words], stdin=pipe, stdout=pipe, stderr=pipe, text=True)

    def run(self, *words: str, fails: bool = False, told: str = "") -> str:
        """What a command in there prints; raises `Stop` where it fails and may not."""
        with self.start(*words) as process:
            out, err = process.communicate(told)
        if process.returncode and not fails:
            raise Stop(f"{' '.join(words)}: {(out + err).strip()[-2000:]}")
        return out

    def write(self, path: str, text: str) -> None:
        """A file of its administrator."""
        self.run("install", "-D", "-m", "644", "/dev/stdin", path, told=text)

    def journal(self) -> str:
        """The last lines of its log, nothing where it does not run."""
        return self.run("journalctl", "--no-pager", "-n", "60", fails=True) if self._init else ""
