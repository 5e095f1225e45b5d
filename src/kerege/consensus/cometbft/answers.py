"""Answers as bytes on the socket: the length, the field of `Response` that names the method, the answer."""

from google.protobuf.message import Message

from kerege.consensus.cometbft import messages as m
from kerege.consensus.cometbft.framing import varint

_BYTES_FIELD = 2
"""Protobuf's wire type of what has a length."""
_FIELDS = m.Response.DESCRIPTOR.fields_by_name
_HEADS = {name: varint(field.number << 3 | _BYTES_FIELD) for name, field in _FIELDS.items()}
TYPES: dict[str, type[Message]] = {
    name: getattr(m, f"Response{name.title().replace('_', '')}") for name in m.Response.DESCRIPTOR.fields_by_name
}
"""The type of each method's answer."""
REFUSED = 1
"""The code of what the application failed to answer."""
CODESPACE = "kerege.abci"


def encode(method: str, answer: Message) -> tuple[bytes, int]:
    """(frame, bytes of the answer alone). By hand around the answer: putting it into a `Response` would copy it."""
    body = answer.SerializeToString()
    head = _HEADS[method] + varint(len(body))
    return b"".join((varint(len(head) + len(body)), head, body)), len(body)


FLUSHED = encode("flush", m.ResponseFlush())[0]


def exception(text: str) -> bytes:
    """The frame after which the engine stops itself, with this text in its log."""
    return encode("exception", m.ResponseException(error=text))[0]


def apology(method: str) -> Message:
    """What is answered where the application failed and nothing depends on it."""
    log = "the application failed; its operator's log has the reason"
    if method == "query":
        return m.ResponseQuery(code=REFUSED, codespace=CODESPACE, log=log)
    if method == "check_tx":
        return m.ResponseCheckTx(code=REFUSED, codespace=CODESPACE, log=log)
    if method == "list_snapshots":
        return m.ResponseListSnapshots()
    return m.ResponseLoadSnapshotChunk()
