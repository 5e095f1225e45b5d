"""Signing and sending messages, through lost connections, exactly once."""

import time
from collections.abc import Iterator, Sequence
from json import JSONDecodeError
from pathlib import Path
from shlex import quote
from typing import Any, NamedTuple

from kerege.cli.files import read_text
from kerege.cli.keystore import signer_of
from kerege.cli.outbox import Outbox
from kerege.cli.output import complain, show
from kerege.cli.parsing import read_json
from kerege.cli.wiring import CommandError, Signer, wiring
from kerege.consensus.bodies import next_body
from kerege.consensus.door import Door
from kerege.consensus.embedded import Answer, Busy, Stopped, wall_clock
from kerege.consensus.outcomes import APPLIED, explain, outcome
from kerege.consensus.whole import BeingRestored
from kerege.kernel import forms
from kerege.kernel.errors import BadForm, WrongSequence
from kerege.kernel.messages import Message

PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)
"""Seconds before each further attempt to get an answer."""
SIGNATURES = 3
"""How often a transaction is signed anew where another one took its place in the order."""

Told = dict[str, Any]


def send(home: Path, name: str, messages: Sequence[Message]) -> Told:
    """Sign messages as somebody, submit them as one transaction, and tell the outcome; raises `CommandError`."""
    signer = signer_of(home, name)
    told: Told = {}
    for _ in range(SIGNATURES):
        answer, told = _attempt(home, signer, messages)
        if not isinstance(answer.reason, WrongSequence):
            break
    return told


def tell(home: Path, told: Told, lang: str, *, as_json: bool) -> int:
    """Print an outcome; the exit code is 0 where it was applied, else 1."""
    applied = told["outcome"] == APPLIED
    if not applied:
        told = {**told, "text": explain(told, wiring().texts(home), lang)}
    show(told, as_json=as_json)
    if not (applied or as_json):
        complain(told["text"])
    return 0 if applied else 1


def resend(home: Path) -> Iterator[Told]:
    """Send again what had no answer; the ledger answers what it knows with the first receipt."""
    wiring().prefix(home)  # where there is no home, nothing waits only because nobody looked
    return _resend(home, Outbox(home))


def _resend(home: Path, box: Outbox) -> Iterator[Told]:
    for path, raw in box.waiting():
        with wiring().open_door(home) as door:
            ledger, prefix = door.ledger, door.prefix
            answer, reason = _first(door, raw)
        answer = answer or _again(home, raw, reason)
        box.done(path)
        yield outcome(answer, ledger, prefix)


class _Kept(NamedTuple):
    """A transaction in the outbox, and the ledger it is for."""

    path: Path
    raw: bytes
    ledger: str
    prefix: str


def _attempt(home: Path, signer: Signer, messages: Sequence[Message]) -> tuple[Answer, Told]:
    box, kept = Outbox(home), None
    try:
        with wiring().open_door(home) as door:
            raw = signer.transaction(next_body(door, signer.address, messages, wall_clock()))
            kept = _Kept(box.keep(raw), raw, door.ledger, door.prefix)
            answer, reason = _first(door, raw)
    except CommandError as error:
        if kept is None:  # nothing was sent
            raise
        answer, reason = None, str(error)
    answer = answer or _again(home, kept.raw, reason)
    box.done(kept.path)
    return answer, outcome(answer, kept.ledger, kept.prefix)


def _first(door: Door, raw: bytes) -> tuple[Answer | None, str]:
    """The answer of an open door, or why there is none."""
    try:
        (answer,) = door.submit([raw])
    except (Busy, Stopped, BeingRestored, ConnectionError) as lost:
        return None, str(lost)
    return answer, ""


def _again(home: Path, raw: bytes, reason: str) -> Answer:
    """The answer to bytes that may have been taken already; raises `CommandError` after the last attempt."""
    for pause in PAUSES:
        time.sleep(pause)
        try:
            with wiring().open_door(home) as door:
                answer, reason = _first(door, raw)
        except CommandError as error:
            answer, reason = None, str(error)
        if answer is not None:
            return answer
    sentence = (
        f"it was sent, but nobody answered: nothing is lost, run `kerege resend --home {quote(str(home))}` later "
        f"(what stood in the way: {reason.rstrip('.')})."
    )
    raise CommandError(sentence, 1)


def read_input(text: str) -> str:
    """What was typed; `@FILE` stands for the file's text. Raises `CommandError`."""
    return read_text(Path(text[1:])) if text.startswith("@") else text


def parse(text: str, what: str) -> Any:  # noqa: ANN401 - JSON
    """JSON of a text; raises `CommandError`."""
    try:
        return read_json(text)
    except JSONDecodeError as error:
        sentence = f"{what} is not JSON ({error}): see `kerege schema`."
    except ValueError as error:
        sentence = f"{what} cannot be read ({error}): see `kerege schema`."
    raise CommandError(sentence)


def read_form(form: Any, kind: Any, prefix: str) -> Any:  # noqa: ANN401 - JSON; a message or a field of one
    """A value of its JSON form; raises `CommandError`."""
    try:
        return forms.from_json(form, kind, prefix)
    except BadForm as error:
        sentence = f"{error.field.removeprefix('$.')}: {error.reason}: see `kerege schema`."
        raise CommandError(sentence) from None
    except RecursionError:
        raise CommandError("the message is nested too deeply: see `kerege schema`.") from None
