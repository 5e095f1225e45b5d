"""Periods, boards, proof of possession, validator sets: pure formulas."""

import itertools
from collections.abc import Sequence
from hashlib import sha256

from kerege.kernel import merkle
from kerege.kernel.codec import encode
from kerege.modules.authority.errors import BadBoard, BadPeriod, NoValidator, SeatTaken, TooMuchAtOnce, TooMuchPower
from kerege.modules.authority.types import Appointment, NodeKeyKind, Office, Validator

TAKES_EFFECT_AFTER = 2
"""Blocks from the one that changes the validator set to the first that the new set signs: the engine's rule."""
MANY = 4
"""Validators from which on one that fails, or lies, must not be able to stop the rest."""
CONSENSUS_ADDRESS_LENGTH = 20


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


def possession_payload(ledger: str, kind: NodeKeyKind, institution: str, key: bytes) -> bytes:
    """What a node's key signs to prove that its holder has the private half."""
    return b"kerege/node-key/1" + encode((ledger, kind.value, institution, key))


def consensus_address(key: bytes) -> bytes:
    """How an engine names the holder of a consensus key."""
    return sha256(key).digest()[:CONSENSUS_ADDRESS_LENGTH]


def set_hash(validators: Sequence[Validator]) -> bytes:
    """`ValidatorSet.Hash` of CometBFT: RFC 6962 root over key and power, most power first, then by address."""
    ordered = sorted(validators, key=lambda each: (-each.power, consensus_address(each.consensus_key)))
    leaves = [_simple_validator(each.consensus_key, each.power) for each in ordered]
    return merkle.root(merkle.leaf_hashes(leaves))


def _simple_validator(key: bytes, power: int) -> bytes:
    """The protobuf `SimpleValidator`: public key (one field, Ed25519) and power."""
    return b"\x0a\x22\x0a\x20" + key + b"\x10" + _varint(power)


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def power_of(validators: Sequence[Validator], keys: Sequence[bytes] | None = None) -> int:
    """Power of all of them, or of those whose consensus key is not among these."""
    return sum(each.power for each in validators if keys is None or each.consensus_key not in keys)


def keys_of(validators: Sequence[Validator]) -> list[bytes]:
    """Their consensus keys."""
    return [each.consensus_key for each in validators]


def check_set(validators: Sequence[Validator]) -> None:
    """Raise `NoValidator`, `SeatTaken` or `TooMuchPower` where the set, sorted by institution, is none to sign."""
    if not validators:
        raise NoValidator
    for one, other in itertools.pairwise(validators):
        if one.institution == other.institution:
            raise SeatTaken(institution=one.institution)
    total = power_of(validators)
    for each in validators:
        if len(validators) >= MANY and 3 * each.power >= total:
            raise TooMuchPower(institution=each.institution, power=each.power, total=total)


def check_change(before: Sequence[Validator], after: Sequence[Validator]) -> None:
    """Raise `TooMuchAtOnce` unless those who stay held two thirds, and hold more than two thirds from now on."""
    leaving, coming = power_of(before, keys_of(after)), power_of(after, keys_of(before))
    held, holding = power_of(before), power_of(after)
    if 3 * leaving > held or 3 * coming >= holding:
        raise TooMuchAtOnce(leaving=leaving, before=held, coming=coming, after=holding)


def may_go_on(before: Sequence[Validator], remaining: Sequence[Validator]) -> bool:
    """Whether those who remain of a set were its quorum without the others: more than two thirds of its power."""
    return 3 * power_of(before, keys_of(remaining)) < power_of(before)
