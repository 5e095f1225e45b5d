"""Asking engines and nodes for what the light client verifies. Nothing of their answers is believed here."""

import http.client
import time
from urllib.parse import quote, urlencode, urlsplit

from kerege.cli.wiring import CommandError
from kerege.consensus.cometbft.rpc import bounded, connection
from kerege.proofs import light
from kerege.proofs.canonical import SIZE_LIMIT
from kerege.proofs.light.rpc import PAGE, VALIDATORS_LIMIT, light_block, signed_header, validators_page

SECONDS = 10.0
"""How long one answer may take, and before it the connection."""
NOT_IN_TIME = f"not all of it came within {2 * SECONDS:.0f} s"
PAUSE = 0.2
"""Seconds before something that is not there yet is asked for again."""
PROOFS = "/api/v1/proofs"


class Server:
    """Somebody asked over HTTP: `http://…`, `https://…` or `unix:///path`.

    `patience`: for how many seconds what is not shown is asked for again; the newest block of one is not yet there
    with the others.

    Raises:
        CommandError: the address is none of these.
    """

    def __init__(self, url: str, patience: float = 0.0) -> None:
        self.url = url
        self._patience = patience
        parts = urlsplit(url)
        self._base = "" if parts.scheme == "unix" else parts.path.rstrip("/")
        try:
            host, _ = parts.hostname, parts.port
        except ValueError:  # no port of TCP
            host = None
        known = parts.path if parts.scheme == "unix" else host
        if parts.scheme not in {"http", "https", "unix"} or not known or parts.query:
            sentence = f"{url} is not an address to ask at: http://HOST:PORT, https://HOST or unix:///PATH is one."
            raise CommandError(sentence)

    def get(self, path: str) -> bytes:
        """An answer's bytes, at most one more than anybody reads; `light.NotShown` where there is none."""
        deadline = time.monotonic() + self._patience
        while True:
            try:
                return self._get(path)
            except light.NotShown:
                if time.monotonic() >= deadline:
                    raise
                time.sleep(PAUSE)

    def _get(self, path: str) -> bytes:
        made = connection(self.url, SECONDS)
        with bounded(made, 2 * SECONDS) as late:
            try:
                made.request("GET", self._base + path)
                answer = made.getresponse()
                data = answer.read(SIZE_LIMIT + 1)
            except (OSError, http.client.HTTPException) as error:
                reason = _told(str(error).encode()) if not late.is_set() else ""
                raise light.NotShown(f"{self.url} does not answer: {reason or NOT_IN_TIME}") from error
            finally:
                made.close()
        if late.is_set():
            raise light.NotShown(f"{self.url} does not answer: {NOT_IN_TIME}")
        if answer.length and len(data) <= SIZE_LIMIT:
            raise light.NotShown(f"{self.url} does not answer: it hung up in the middle of {path}")
        if answer.status != http.HTTPStatus.OK:
            raise light.NotShown(f"{self.url} does not show {path}: status {answer.status}, {_told(data)}")
        return data


def _told(answer: bytes) -> str:
    """The beginning of what somebody said, on one line and unable to steer a terminal."""
    words = " ".join(answer[:300].decode(errors="replace").split())
    return "".join(c if c.isprintable() else "?" for c in words) or "no reason"


class EngineRpc(Server):
    """One engine's RPC; gives blocks as `light.Fetch`."""

    def ask(self, method: str, **parameters: int) -> bytes:
        """The answer to a method."""
        return self.get(f"/{method}?{urlencode(parameters)}")

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


class NodeProofs(Server):
    """A node of the ledger; gives state proofs as `renewal.Prove`."""

    def __call__(self, table: str, key: int | str) -> bytes:
        """The newest proof of a row; `light.NotShown`."""
        return self.get(f"{PROOFS}/{table.replace('.', '/')}/{quote(str(key), safe='')}")
