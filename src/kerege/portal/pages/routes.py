"""The pages' routes and headers. No inline script or style, nothing from other origins; readable without script."""

import time as clock
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from litestar import MediaType, Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import QueryParameter
from litestar.types import ControllerRouterHandler

from kerege.consensus.door import Door
from kerege.modules.services.types import ServiceDefinition
from kerege.portal.pages.cases import CaseLine, find_line, lines
from kerege.portal.pages.search import LONGEST, Found, SearchBusy, search
from kerege.portal.verify import build_page
from kerege.portal.verify import headers as verify_headers

LANGUAGES = ("ky", "ru", "en")
FOLDER = Path(__file__).parent
STATIC = {
    "kerege.css": "text/css; charset=utf-8",
    "kerege.js": "text/javascript; charset=utf-8",
    "kerege.svg": "image/svg+xml",
}
DOWNLOADS = ("certificate.json", "trust.json")
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": CSP, "X-Frame-Options": "DENY"}
LISTED = 20
"""Cases on the start page: those that wait for somebody first, so that new ones push none of them out."""
FAILED = 500
"""The status from which on it is not the visitor's doing."""
ORDER = ("open", "suspended", "appealed", "decided", "withdrawn", "lapsed")
AnyRequest = Request[Any, Any, Any]
Texts = Mapping[str, Mapping[str, str]]


def _digest(name: str) -> str:
    return sha256((FOLDER / "static" / name).read_bytes()).hexdigest()[:16]


@lru_cache(1)
def texts() -> dict[str, dict[str, str]]:
    """The pages' own words, by language."""
    return {code: yaml.safe_load((FOLDER / "texts" / f"{code}.yaml").read_text(encoding="utf-8")) for code in LANGUAGES}


class Portal:
    """What the pages show of one ledger."""

    def __init__(
        self,
        door: Door,
        nation: Texts,
        services: Mapping[str, ServiceDefinition],
        trust: bytes,
        public: Path,
        offset_minutes: int,
        *,
        fictitious: str | None = None,
    ) -> None:
        """`nation`: texts of the pack. `public`: folder of files that a visitor may download.

        `fictitious`: the home of a ledger with throw-away keys, to be named in commands; None for a real one.
        """
        self.door = door
        self.services = services
        self.public = public
        self.verify = build_page(trust)
        self._nation = nation
        self._fictitious = fictitious
        self._zone = timezone(timedelta(minutes=offset_minutes))
        self._pages = Environment(
            loader=PackageLoader("kerege.portal.pages"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            auto_reload=False,
        )
        self._assets = {name: f"/static/{_digest(name)}/{name}" for name in STATIC}

    def page(self, name: str, lang: str, status: int = 200, **values: Any) -> Response[str]:  # noqa: ANN401
        """A page in a language."""
        own = texts()[lang]

        def code(kind: str, word: str) -> str:
            return self._nation.get(lang, {}).get(f"{kind}.{word}", word)

        text = self._pages.get_template(name).render(
            t=own,
            lang=lang,
            languages=LANGUAGES,
            assets=self._assets,
            code=code,
            when=self.when,
            home=self._fictitious,
            **values,
        )
        return Response(text, status_code=status, media_type=MediaType.HTML, headers=HEADERS)

    def refused(self, request: AnyRequest, status: int) -> Response[str]:
        """What a visitor reads instead of a page: in their language, with the way back."""
        kind = {404: "nothing_here"}.get(status, "not_understood" if status < FAILED else "no_answer")
        return self.page("refused.html", _lang(request, request.query_params.get("lang")), status, kind=kind)

    def when(self, time: int) -> str:
        """Local time of the nation."""
        return datetime.fromtimestamp(time / 1000, self._zone).strftime("%Y-%m-%d %H:%M")

    def has(self, name: str) -> bool:
        """Whether a file may be downloaded."""
        return (self.public / name).is_file()


def _lang(request: AnyRequest, asked: str | None) -> str:
    if asked in LANGUAGES:
        return asked
    for part in request.headers.get("accept-language", "").split(","):
        code = part.split(";")[0].strip()[:2].lower()
        if code in LANGUAGES:
            return code
    return "en"


Lang = Annotated[str | None, QueryParameter(name="lang", max_length=2)]
Word = Annotated[str | None, QueryParameter(name="word", max_length=LONGEST)]

First = Annotated[int, QueryParameter(name="first", ge=0, le=2**62)]


def _age(moment: int) -> int:
    """Milliseconds since a block time by this server's clock."""
    return max(0, clock.time_ns() // 1_000_000 - moment)


def _found(door: Door, word: str, first: int) -> tuple[Found | None, bool]:
    """What a search came to, and whether another one kept it from beginning."""
    try:
        return (search(door, word, first) if word else None), False
    except SearchBusy:
        return None, True


def _order(line: CaseLine) -> tuple[bool, int, int]:
    return (not line.overdue, ORDER.index(line.status), line.due)


def routes(portal: Portal) -> Sequence[ControllerRouterHandler]:
    """Route handlers over a portal."""

    @get("/", sync_to_thread=True, include_in_schema=False)
    def start(request: AnyRequest, lang: Lang = None, word: Word = None, first: First = 0) -> Response[str]:
        """The start page; with `word`, what the search of raw blocks came to, from block `first` on."""
        head = portal.door.head()
        shown = sorted((line for line in lines(portal.door, portal.services) if line.service == "birth"), key=_order)
        featured = next((line for line in shown if line.status == "open" and not line.overdue), None)
        others = [line for line in shown if line is not featured]
        found, busy = _found(portal.door, (word or "").strip(), first)
        return portal.page(
            "start.html",
            _lang(request, lang),
            ledger=portal.door.ledger,
            head=head,
            age=_age(head.time),
            cases=others[:LISTED],
            unlisted=len(others[LISTED:]),
            featured=featured,
            found=found,
            busy=busy,
            word=word or "",
            downloads=[name for name in DOWNLOADS if portal.has(name)],
            base=str(request.base_url),
        )

    @get("/live.json", sync_to_thread=True, include_in_schema=False)
    def live() -> dict[str, Any]:
        """Height, block time and age of the newest block."""
        head = portal.door.head()
        return {
            "height": head.height,
            "time": head.time,
            "age": _age(head.time),
            "when": portal.when(head.time),
        }

    @get("/cases/{identifier:str}", sync_to_thread=True, include_in_schema=False)
    def case(request: AnyRequest, identifier: str, lang: Lang = None) -> Response[str]:
        """A case."""
        chosen = _lang(request, lang)
        try:
            raw = bytes.fromhex(identifier)
        except ValueError:
            raw = b""
        line = find_line(portal.door, portal.services, raw) if len(raw) == 16 else None  # noqa: PLR2004 - an id
        if line is None:
            return portal.page("missing.html", chosen, 404, identifier=identifier[:64])
        return portal.page("case.html", chosen, line=line, head=portal.door.head())

    return [start, live, case, *_files(portal)]


def _files(portal: Portal) -> Sequence[ControllerRouterHandler]:
    """What is sent as it lies on the disk."""

    @get("/verify", sync_to_thread=False, include_in_schema=False)
    def verify() -> Response[bytes]:
        """The page that verifies without asking anybody, with this ledger's trust file."""
        return Response(portal.verify, media_type=MediaType.HTML, headers=dict(verify_headers()))

    @get("/static/{digest:str}/{name:str}", sync_to_thread=False, include_in_schema=False)
    def static(digest: str, name: str) -> Response[bytes]:
        """Script and style, under names that change with them."""
        if name not in STATIC or digest != _digest(name):
            raise NotFoundException
        raw = (FOLDER / "static" / name).read_bytes()
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return Response(raw, media_type=STATIC[name], headers=headers)

    @get("/download/{name:str}", sync_to_thread=False, include_in_schema=False)
    def download(name: str) -> Response[bytes]:
        """A file of the visitor: a certificate, the trust file."""
        if name not in DOWNLOADS or not portal.has(name):
            raise NotFoundException
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response((portal.public / name).read_bytes(), media_type=MediaType.JSON, headers=headers)

    return [verify, static, download]
