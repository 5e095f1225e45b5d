"""A real CometBFT engine with one validator in a folder: set up, started, asked and killed."""

import base64
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from kerege.consensus.cometbft import rpc

SETTINGS = {
    ("rpc", "max_request_batch_size"): "1000",
    ("p2p", "laddr"): '"tcp://127.0.0.1:0"',
    ("p2p", "pex"): "false",
    ("mempool", "size"): "50000",
    ("mempool", "cache_size"): "100000",
    ("consensus", "timeout_commit"): '"200ms"',
    ("consensus", "create_empty_blocks"): "false",
    ("storage", "discard_abci_responses"): "true",
    ("tx_index", "indexer"): '"null"',
}
"""What differs from the engine's defaults: no ports, blocks each 200 ms and only when needed, no index of its own."""
SECONDS = 30.0
"""How long anything may take before it is held to be broken."""


class EngineError(Exception):
    """The engine did not start; the text ends with its log."""


class Rpc(rpc.Rpc):
    """One connection to the engine's JSON-RPC, with what tests ask."""

    def __init__(self, address: str, timeout: float = SECONDS) -> None:
        super().__init__(address, timeout)

    def height(self) -> int:
        """The newest block."""
        return int(self.call("status")["sync_info"]["latest_block_height"])

    def submit(self, tx: bytes) -> int:
        """Hand in a transaction; the code of the application's check, 0 where it is in the pool."""
        return int(self.call("broadcast_tx_sync", tx=base64.b64encode(tx).decode())["code"])

    def query(self, path: str, data: bytes = b"") -> dict[str, Any]:
        """Ask the application."""
        answer: dict[str, Any] = self.call("abci_query", path=path, data=data.hex())["response"]
        return answer

    def transactions(self, after: int, until: int) -> int:
        """How many transactions are in the blocks after one height until another."""
        total = 0
        for low in range(after + 1, until + 1, 20):  # the engine answers twenty blocks at a time
            metas = self.call("blockchain", minHeight=str(low), maxHeight=str(min(low + 19, until)))["block_metas"]
            total += sum(int(meta["num_txs"]) for meta in metas)
        return total


class Engine:
    """One engine; `start`, then `rpc`; `kill` or `stop`. As a context manager it leaves nothing running."""

    def __init__(
        self, binary: Path, home: Path, application: str, settings: Mapping[tuple[str, str], str] | None = None
    ) -> None:
        """`application` is `unix:///path`, or the name of one that is built in (`kvstore`)."""
        self.home = home
        self.log = home / "log"
        self._binary = binary
        self._application = application
        self._process: subprocess.Popen[bytes] | None = None
        self._rpc: Rpc | None = None
        self._rpc_path = home / "rpc"
        if not home.exists():
            self._set_up({**SETTINGS, **(settings or {})})

    def _set_up(self, settings: Mapping[tuple[str, str], str]) -> None:
        command = [str(self._binary), "init", "--home", str(self.home)]
        subprocess.run(command, check=True, capture_output=True)
        path = self.home / "config" / "config.toml"
        text = path.read_text(encoding="utf-8")
        for (section, key), value in settings.items():
            text = _set(text, section, key, value)
        path.write_text(text, encoding="utf-8")

    def start(self) -> Rpc:
        """Start, and wait until it answers; raises `EngineError` with the end of its log where it does not."""
        self._hang_up()
        self._rpc_path.unlink(missing_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(str(self._binary), "start", "--home", str(self.home), "--log_level", "error"),
                    *("--proxy_app", self._application, "--rpc.laddr", f"unix://{self._rpc_path}"),
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline and self.running:
            self._rpc = Rpc(f"unix://{self._rpc_path}")
            try:
                self._rpc.call("status")
            except (rpc.RpcError, rpc.Unreachable):
                self._rpc.close()
                time.sleep(0.02)
            else:
                return self._rpc
        raise EngineError(f"the engine did not start:\n{self.log.read_text(encoding='utf-8')[-2_000:]}")

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Of its process."""
        return None if self._process is None else self._process.pid

    def end_within(self, seconds: float) -> bool:
        """Whether it ends by itself, as it should once its application is gone; killed where it does not.

        It may not: a block that was about to be finalized waits for ever on the closed connection, and stopping waits
        for the block (a race in its socket client, seen in one of about fifteen kills under load).
        """
        if self._process is None:
            return True
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        return True

    def kill(self) -> None:
        """Kill it as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to stop, and wait."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        self._hang_up()
        if self._process is not None:
            if self._process.poll() is None:
                self._process.send_signal(number)
            self._process.wait(SECONDS)

    def _hang_up(self) -> None:
        if self._rpc is not None:
            self._rpc.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def _set(text: str, section: str, key: str, value: str) -> str:
    """Change one key of one section of a TOML file as the engine writes it."""
    pattern = re.compile(rf"(^\[{section}\]$(?:(?!^\[).)*?^{key} = )[^\n]*", re.MULTILINE | re.DOTALL)
    changed, count = pattern.subn(lambda found: found[1] + value, text, count=1)
    if count != 1:
        raise EngineError(f"the engine's configuration has no {section}.{key}")
    return changed
