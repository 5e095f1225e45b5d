"""Periods, boards, proof of possession: pure formulas."""

import itertools
from collections.abc import Sequence
from hashlib import sha256

from kerege.kernel.codec import encode
from kerege.kernel.errors import NotEntitled
from kerege.kernel.messages import Message, tag_of
from kerege.modules.authority.errors import BadBoard, BadPeriod
from kerege.modules.authority.types import Appointment, NodeKeyKind, Office


def in_force(since: int, until: int | None, now: int) -> bool:
    """From `since` up to, not including, `until`."""
    return since <= now and (until is None or now < until)


def office_stands(office: Office, now: int) -> bool:
    """Whether the office stands now."""
    return in_force(office.since, office.until, now)


def appointment_in_force(appointment: Appointment, now: int) -> bool:
    """Whether the appointment gives its role now."""
    return in_force(appointment.since, appointment.until, now) and appointment.ended is None


def proposal_content(board: str, messages: Sequence[bytes], expires: int) -> bytes:
    """What an approval names: the id alone is free to choose, and somebody else may have taken it first."""
    return sha256(encode(("kerege/proposal/1", board, list(messages), expires))).digest()


def check_period(since: int, until: int | None) -> None:
    """Raise `BadPeriod` where it ends before it begins."""
    if until is not None and until <= since:
        raise BadPeriod(since=since, until=until)


def check_board(members: list[bytes], threshold: int) -> None:
    """Raise `BadBoard` unless members are sorted, none twice, and the threshold can be met."""
    ordered = all(a < b for a, b in itertools.pairwise(members))
    if not ordered or not 1 <= threshold <= len(members):
        raise BadBoard(members=len(members), threshold=threshold)


def check_speaks(message: Message, board: str) -> None:
    """Raise `NotEntitled` unless the message names the board as its sender.

    What any account may send is nobody's business to propose: it would be the act of the member who happens to
    give the last approval, with that member's money.
    """
    if board not in message.SENDERS.authorities:
        raise NotEntitled(message=tag_of(message), needed=str(message.SENDERS))


def possession_payload(ledger: str, kind: NodeKeyKind, institution: str, key: bytes) -> bytes:
    """What a node's key signs to prove that its holder has the private half."""
    return b"kerege/node-key/1" + encode((ledger, kind.value, institution, key))
