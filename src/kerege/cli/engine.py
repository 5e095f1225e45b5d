"""Asking an engine's RPC for what the light client verifies. Nothing of the answer is believed here."""

import http.client
import socket
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from kerege.cli.wiring import CommandError
from kerege.proofs import light
from kerege.proofs.canonical import SIZE_LIMIT
from kerege.proofs.light.rpc import PAGE, VALIDATORS_LIMIT, light_block, signed_header, validators_page

SECONDS = 10.0
"""How long an engine may take to answer."""


class _Local(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(SECONDS)
        self.sock.connect(str(self._path))


class EngineRpc:
    """One engine, asked over HTTP; made from `http://…`, `https://…` or `unix:///path`. Gives blocks as `light.Fetch`.

    Raises:
        CommandError: the address is none of these.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        known = parts.path if parts.scheme == "unix" else parts.hostname
        if parts.scheme not in {"http", "https", "unix"} or not known or parts.query:
            sentence = f"{url} is not the address of an engine's RPC: http://HOST:PORT, https://HOST or unix:///PATH."
            raise CommandError(sentence)
        self._parts = parts

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "unix":
            return _Local(Path(self._parts.path))
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        return kind(host, port, timeout=SECONDS)

    def ask(self, method: str, **parameters: int) -> bytes:
        """An answer's bytes, one more than anybody reads at most; `light.NotShown` where there is none."""
        base = "" if self._parts.scheme == "unix" else self._parts.path.rstrip("/")
        connection = self._connect()
        try:
            connection.request("GET", f"{base}/{method}?{urlencode(parameters)}")
            answer = connection.getresponse()
            data = answer.read(SIZE_LIMIT + 1)
        except (OSError, http.client.HTTPException) as error:
            raise light.NotShown(f"{self.url} does not answer: {error}") from error
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.OK:
            told = data[:300].decode(errors="replace")
            raise light.NotShown(f"{self.url} shows no {method} {parameters}: status {answer.status}, {told}")
        return data

    def _validators(self, height: int) -> list[bytes]:
        """Every page of a height's validators."""
        pages: list[bytes] = []
        seen, total = 0, 1
        while seen < total and len(pages) <= VALIDATORS_LIMIT // PAGE:
            pages.append(self.ask("validators", height=height, page=len(pages) + 1, per_page=PAGE))
            members, total = validators_page(pages[-1])
            seen += len(members)
        return pages

    def __call__(self, height: int) -> light.LightBlock:
        """The block of a height, 0 for the newest; `light.NotShown` or `Malformed`."""
        commit = self.ask("commit", **({"height": height} if height else {}))
        shown = signed_header(commit)[0].height
        return light_block(commit, self._validators(shown), self._validators(shown + 1))
