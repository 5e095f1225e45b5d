"""The routes under /api/v1; what they ask is in `service.py`."""

from typing import Annotated, Any

from litestar import Controller, MediaType, Request, Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import Parameter
from litestar.response import ServerSentEvent

from kerege.api.batcher import Batcher
from kerege.api.cursors import from_base64url
from kerege.api.events import follow
from kerege.api.forms import Health, LedgerState, MessageKind, Outcomes, Page, Prepare, Prepared, Submit, SubmitBatch
from kerege.api.idempotency import Keys
from kerege.api.problems import Problem
from kerege.api.service import LANGUAGES, MESSAGES, TABLES, Service

AnyRequest = Request[Any, Any, Any]
Limit = Annotated[int, Parameter(query="limit", ge=1, le=500, description="Items of a page")]
Cursor = Annotated[
    str | None, Parameter(query="cursor", max_length=400, description="`next` of the page before", default=None)
]
IdempotencyKey = Annotated[
    str | None,
    Parameter(header="Idempotency-Key", max_length=128, description="The same key and body: the same answer"),
]
Height = Annotated[int, Parameter(ge=0, le=2**53 - 1)]


PROBLEMS = {
    status: ResponseSpec(
        data_container=dict[str, Any], description=text, media_type="application/problem+json", generate_examples=False
    )
    for status, text in {
        400: "The request cannot be read, or is no transaction",
        404: "There is no such thing",
        405: "This address does not take the method",
        409: "A request with this idempotency key is under way",
        413: "The request is too large",
        415: "This media type is not taken",
        422: "The idempotency key was used for another request",
        503: "The ledger is busy or does not answer",
    }.items()
}


def language(request: AnyRequest) -> str:
    """The first language of Accept-Language that the nation has, else English."""
    for part in request.headers.get("accept-language", "").split(","):
        code = part.split(";")[0].strip()[:2].lower()
        if code in LANGUAGES:
            return code
    return "en"


class Ledger(Controller):
    """The ledger: where it stands, its blocks, receipts, proofs and state."""

    path = "/api/v1"
    responses = PROBLEMS

    @get("/ledger", sync_to_thread=True)
    def ledger(self, service: Service) -> LedgerState:
        """Where the ledger stands."""
        return service.ledger()

    @get("/checkpoint", media_type=MediaType.TEXT, sync_to_thread=True)
    def checkpoint(self, service: Service) -> str:
        """The newest signed checkpoint (C2SP signed note)."""
        return service.door.checkpoint()

    @get("/trust", sync_to_thread=False)
    def trust(self, service: Service) -> Response[bytes]:
        """The trust file for `kerege verify`."""
        return Response(service.trust, media_type=MediaType.JSON)

    @get("/blocks/{height:int}", sync_to_thread=True)
    def block(self, service: Service, height: Height) -> dict[str, Any]:
        """A block with its receipts."""
        return service.block(height)

    @get("/receipts", sync_to_thread=True)
    def receipts(self, service: Service, cursor: Cursor = None, limit: Limit = 50) -> Page:
        """Receipts, the newest first."""
        return service.receipts(cursor, limit)

    @get("/state", sync_to_thread=False)
    def tables(self) -> list[dict[str, str]]:
        """The tables of the state."""
        return [{"table": name, "about": table.doc} for name, table in TABLES.items()]

    @get("/state/{table:str}", sync_to_thread=True)
    def rows(self, service: Service, table: str, cursor: Cursor = None, limit: Limit = 50) -> Page:
        """Rows of a table, in key order."""
        return service.rows(table, cursor, limit)

    @get("/state/{table:str}/{key:str}", sync_to_thread=True)
    def row(self, service: Service, table: str, key: str) -> dict[str, Any]:
        """One row, by its key as a page shows it."""
        return service.row(table, key)

    @get("/events", responses=PROBLEMS)
    async def events(
        self,
        service: Service,
        last: Annotated[int | None, Parameter(header="Last-Event-ID", ge=0, le=2**53 - 1)] = None,
    ) -> ServerSentEvent:
        """Blocks with their receipts as they become durable (server-sent events); goes on after Last-Event-ID."""
        return ServerSentEvent(follow(service, last))


class Messages(Controller):
    """What can be sent, generically from the modules."""

    path = "/api/v1/messages"
    responses = PROBLEMS

    @get("/", sync_to_thread=False)
    def kinds(self) -> list[MessageKind]:
        """Every message that the ledger takes."""
        return [MessageKind(tag, (kind.__doc__ or "").split("\n", 1)[0]) for tag, kind in MESSAGES.items()]

    @get("/{tag:str}", sync_to_thread=False)
    def schema(self, service: Service, tag: str) -> dict[str, Any]:
        """JSON Schema of a message."""
        return service.schema(tag)

    @post("/prepare", status_code=200, sync_to_thread=True)
    def prepare(self, service: Service, data: Prepare) -> Prepared:
        """The bytes that somebody signs for these messages; nothing is sent."""
        return service.prepare(data)


class Transactions(Controller):
    """Submitting, and what became of it."""

    path = "/api/v1/transactions"
    responses = PROBLEMS

    @post("/", status_code=200)
    async def submit(
        self,
        request: AnyRequest,
        service: Service,
        batcher: Batcher,
        keys: Keys,
        data: Submit,
        idempotency_key: IdempotencyKey = None,
    ) -> dict[str, Any]:
        """Hand in one signed transaction; answered when it is durable, applied or refused by the rules."""
        known = keys.begin(idempotency_key, await request.body())
        if known is not None:
            return dict(known)
        told = None
        try:
            (answer,) = await batcher.submit([from_base64url(data.transaction, "the transaction")])
            told = service.told(answer, language(request))
        finally:
            keys.end(idempotency_key, told)
        if "transaction" not in told:
            keys.end(idempotency_key, None)
            raise Problem("not-a-transaction", 400, told["text"], code=told["code"], facts=told["facts"])
        return told

    @post("/batch", status_code=200)
    async def submit_batch(
        self,
        request: AnyRequest,
        service: Service,
        batcher: Batcher,
        keys: Keys,
        data: SubmitBatch,
        idempotency_key: IdempotencyKey = None,
    ) -> Outcomes:
        """Hand in up to 500 signed transactions; each is answered on its own, in order."""
        known = keys.begin(idempotency_key, await request.body())
        if known is not None:
            return Outcomes(known)
        outcomes = None
        try:
            raws = [from_base64url(text, f"transactions[{at}]") for at, text in enumerate(data.transactions)]
            lang = language(request)
            outcomes = [service.told(answer, lang) for answer in await batcher.submit(raws)]
        finally:
            keys.end(idempotency_key, outcomes)
        return Outcomes(outcomes)

    @get("/{identifier:str}", sync_to_thread=True)
    def find(self, request: AnyRequest, service: Service, identifier: str) -> dict[str, Any]:
        """The receipt of a transaction."""
        return service.find(identifier, language(request))

    @get("/{identifier:str}/proof", sync_to_thread=True)
    def proof(
        self,
        service: Service,
        identifier: str,
        certificate: Annotated[str | None, Parameter(max_length=32, description="Certificate it issued, hex")] = None,
    ) -> Response[bytes]:
        """The proof bundle of a transaction, with the status of a certificate that it issued."""
        return Response(service.bundle(identifier, certificate), media_type=MediaType.JSON)


@get("/api/v1/health/live", sync_to_thread=False, tags=["Health"])
def live() -> Health:
    """Whether the API answers."""
    return Health("live")


@get("/api/v1/health/ready", sync_to_thread=True, tags=["Health"], responses=PROBLEMS)
def ready(service: Service) -> Health:
    """Whether the ledger behind the API answers."""
    service.door.head()
    return Health("ready")
