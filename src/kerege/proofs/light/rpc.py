"""The engine's JSON answers (`/commit`, `/validators`), read strictly. Asking for them is the caller's business."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from .. import canonical, text
from ..ed25519 import KEY_SIZE, SIGNATURE_SIZE
from ..outcome import Malformed
from . import moments
from .block import ADDRESS_SIZE, CHAIN_LIMIT, BlockId, Commit, Flag, Header, LightBlock, Validator, Validators, Vote

VALIDATORS_LIMIT = 10_000
"""The engine's own."""
PAGE = 100
"""Validators on one page of an answer; the engine gives no more."""

_APP_HASH_LIMIT = 64
_HEADER = frozenset(
    {
        *("version", "chain_id", "height", "time", "last_block_id", "last_commit_hash", "data_hash"),
        *("validators_hash", "next_validators_hash", "consensus_hash", "app_hash", "last_results_hash"),
        *("evidence_hash", "proposer_address"),
    }
)
_VOTE = frozenset({"block_id_flag", "validator_address", "timestamp", "signature"})
_KEY = "tendermint/PubKeyEd25519"

_T = TypeVar("_T")


def _items(value: object, what: str, read: Callable[[object], _T]) -> tuple[_T, ...]:
    items = canonical.sequence(value, what)
    if len(items) > VALIDATORS_LIMIT:
        raise Malformed(f"{what} is longer than {VALIDATORS_LIMIT}")
    return tuple(map(read, items))


def _hex(value: object, what: str, *sizes: int) -> bytes:
    """Bytes in upper-case hex, of one of the sizes."""
    shown = canonical.text(value, what)
    if len(shown) > 2 * max(sizes):
        raise Malformed(f"{what} is too long")
    try:
        data = bytes.fromhex(shown)
    except ValueError as error:
        raise Malformed(f"{what} is not hex") from error
    if data.hex().upper() != shown or len(data) not in sizes:
        raise Malformed(f"{what} is not {' or '.join(map(str, sizes))} bytes of upper-case hex")
    return data


def _hash(value: object, what: str) -> bytes:
    return _hex(value, what, 0, text.HASH_SIZE)


def _block_id(value: object) -> BlockId:
    members = canonical.members(value, "a block id", frozenset({"hash", "parts"}))
    parts = canonical.members(members["parts"], "a block id's parts", frozenset({"total", "hash"}))
    total = canonical.natural(parts["total"], "the number of parts")
    if total >= 2**32:
        raise Malformed("the number of parts is not below 2^32")
    return BlockId(_hash(members["hash"], "a block's hash"), total, _hash(parts["hash"], "the hash of the parts"))


def _chain(value: object) -> str:
    """Printable, so that it can be hashed and shown: a lone surrogate cannot."""
    chain = canonical.text(value, "the chain id")
    if len(chain) > CHAIN_LIMIT or not chain.isprintable():
        raise Malformed(f"the chain id is not printable text of at most {CHAIN_LIMIT} characters")
    return chain


def read_header(value: object) -> Header:
    """Read a header, or raise `Malformed`."""
    members = canonical.members(value, "the header", _HEADER)
    version = canonical.members(members["version"], "the version", frozenset({"block"}), frozenset({"app"}))
    app_hash = _hex(members["app_hash"], "the app hash", *range(_APP_HASH_LIMIT + 1))

    def hash_(name: str) -> bytes:
        return _hash(members[name], f"the header's {name}")

    return Header(
        version=text.from_digits(version["block"], "the block version"),
        app_version=text.from_digits(version.get("app", "0"), "the application's version"),
        chain=_chain(members["chain_id"]),
        height=text.from_digits(members["height"], "the height"),
        time=moments.parse(members["time"], "the header's time"),
        last_block=_block_id(members["last_block_id"]),
        last_commit_hash=hash_("last_commit_hash"),
        data_hash=hash_("data_hash"),
        validators_hash=_hex(members["validators_hash"], "the header's validators_hash", text.HASH_SIZE),
        next_validators_hash=hash_("next_validators_hash"),
        consensus_hash=hash_("consensus_hash"),
        app_hash=app_hash,
        last_results_hash=hash_("last_results_hash"),
        evidence_hash=hash_("evidence_hash"),
        proposer=_hex(members["proposer_address"], "the proposer", ADDRESS_SIZE),
    )


def _vote(value: object) -> Vote:
    members = canonical.members(value, "a vote", _VOTE)
    flag = canonical.natural(members["block_id_flag"], "a vote's flag")
    if flag not in {int(f) for f in Flag}:
        raise Malformed("a vote's flag is none of absent, commit, nil")
    time = moments.parse(members["timestamp"], "a vote's time")
    if flag == Flag.ABSENT:
        if members["validator_address"] != "" or members["signature"] not in {None, ""} or time != moments.NEVER:
            raise Malformed("an absent vote says something")
        return Vote(Flag.ABSENT, b"", time, b"")
    signature = text.from_base64(canonical.text(members["signature"], "a vote's signature"), "a vote's signature")
    if not 0 < len(signature) <= SIGNATURE_SIZE:
        raise Malformed("a vote's signature is missing or too long")
    return Vote(Flag(flag), _hex(members["validator_address"], "a voter", ADDRESS_SIZE), time, signature)


def read_commit(value: object) -> Commit:
    """Read a commit, or raise `Malformed`."""
    members = canonical.members(value, "the commit", frozenset({"height", "round", "block_id", "signatures"}))
    round_ = canonical.natural(members["round"], "the commit's round")
    if round_ >= 2**31:
        raise Malformed("the commit's round is not below 2^31")
    return Commit(
        text.from_digits(members["height"], "the commit's height"),
        round_,
        _block_id(members["block_id"]),
        _items(members["signatures"], "the votes", _vote),
    )


def read_validator(value: object) -> Validator:
    """Read a validator; its address must be its key's. Raises `Malformed`."""
    members = canonical.members(
        value, "a validator", frozenset({"address", "pub_key", "voting_power"}), frozenset({"proposer_priority"})
    )
    key = canonical.members(members["pub_key"], "a validator's key", frozenset({"type", "value"}))
    if key["type"] != _KEY:
        raise Malformed("a validator's key is not an Ed25519 key")
    data = text.from_base64(canonical.text(key["value"], "a validator's key"), "a validator's key")
    if len(data) != KEY_SIZE:
        raise Malformed("a validator's key is not 32 bytes long")
    made = Validator(data, text.from_digits(members["voting_power"], "a validator's power"))
    if _hex(members["address"], "a validator's address", ADDRESS_SIZE) != made.address:
        raise Malformed("a validator's address is not that of its key")
    return made


def _result(data: bytes) -> object:
    members = canonical.members(
        canonical.parse(data), "the engine's answer", frozenset({"jsonrpc", "id"}), frozenset({"result", "error"})
    )
    if "result" not in members or "error" in members:
        raise Malformed("the engine answered with an error")
    return members["result"]


def read_signed_header(value: object) -> tuple[Header, Commit]:
    """Read a header with its commit, or raise `Malformed`."""
    both = canonical.members(value, "the signed header", frozenset({"header", "commit"}))
    return read_header(both["header"]), read_commit(both["commit"])


def signed_header(answer: bytes) -> tuple[Header, Commit]:
    """Read an answer of `/commit`, or raise `Malformed`."""
    members = canonical.members(_result(answer), "the answer", frozenset({"signed_header", "canonical"}))
    return read_signed_header(members["signed_header"])


def validators_page(answer: bytes) -> tuple[tuple[Validator, ...], int]:
    """Read an answer of `/validators`: this page of them, and how many there are in all. Raises `Malformed`."""
    names = frozenset({"block_height", "validators", "count", "total"})
    members = canonical.members(_result(answer), "the answer", names)
    total = text.from_digits(members["total"], "the number of validators")
    if total > VALIDATORS_LIMIT:
        raise Malformed(f"more than {VALIDATORS_LIMIT} validators")
    return _items(members["validators"], "the validators", read_validator), total


def light_block(commit: bytes, validators: Sequence[bytes], next_validators: Sequence[bytes]) -> LightBlock:
    """Put together what the engine answered: `/commit` of a height, every page of `/validators` of it and of the next.

    Raises `Malformed`. That the parts belong together is checked where they are verified.
    """
    header, signed = signed_header(commit)
    now, after = (
        Validators(tuple(v for page in pages for v in validators_page(page)[0]))
        for pages in (validators, next_validators)
    )
    return LightBlock(header, signed, now, after)
