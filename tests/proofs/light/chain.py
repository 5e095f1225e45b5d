"""A chain as the engine would make it: headers, validator sets and commits with real signatures, changed at will."""

import base64
import json
from dataclasses import dataclass, field, replace
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kerege.proofs.light import (
    BlockId,
    Commit,
    Flag,
    Header,
    LightBlock,
    NotShown,
    Trusted,
    Validator,
    Validators,
    Vote,
)
from kerege.proofs.light.moments import NEVER, SECOND

START = 1_795_000_000 * SECOND
CHAIN = "kg-test"


def key(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())


def public(name: str) -> bytes:
    return key(name).public_key().public_bytes_raw()


def validators(**powers: int) -> Validators:
    """A set by names, in the engine's order."""
    members = [Validator(public(name), power) for name, power in powers.items()]
    return Validators(tuple(sorted(members, key=lambda v: (-v.power, v.address))))


FOUR = dict.fromkeys("abcd", 10)


@dataclass
class Chain:
    """Blocks 1 … `length`, a second apart; `sets` says who votes from which height on."""

    length: int = 20
    sets: dict[int, dict[str, int]] = field(default_factory=lambda: {1: FOUR})
    silent: dict[int, str] = field(default_factory=dict)
    """Names that do not vote, by height."""
    salt: str = ""
    """Another history of the same validators."""
    salted_from: int = 1
    chain: str = CHAIN
    asked: list[int] = field(default_factory=list)

    def powers(self, height: int) -> dict[str, int]:
        return self.sets[max(first for first in self.sets if first <= height)]

    def set(self, height: int) -> Validators:
        return validators(**self.powers(height))

    def header(self, height: int) -> Header:
        salt = self.salt if height >= self.salted_from else ""

        def noise(what: str) -> bytes:
            return sha256(f"{what} {height} {salt}".encode()).digest()

        return Header(
            version=11,
            app_version=1,
            chain=self.chain,
            height=height,
            time=START + height * SECOND,
            last_block=BlockId() if height == 1 else self.block_id(height - 1),
            last_commit_hash=noise("commit"),
            data_hash=noise("data"),
            validators_hash=self.set(height).hash,
            next_validators_hash=self.set(height + 1).hash,
            consensus_hash=noise("consensus"),
            app_hash=noise("app"),
            last_results_hash=noise("results"),
            evidence_hash=noise("evidence"),
            proposer=self.set(height).members[0].address,
        )

    def block_id(self, height: int) -> BlockId:
        """Short-cut: by the header's own fields, so that chains need no recursion."""
        salt = self.salt if height >= self.salted_from else ""
        return BlockId(sha256(f"id {height} {salt}".encode()).digest(), 1, sha256(b"parts").digest())

    def signed(self, header: Header, by: dict[str, int], silent: str = "") -> Commit:
        block = BlockId(header.hash, 1, sha256(b"parts").digest())
        empty = Commit(header.height, 0, block, ())
        names = {Validator(public(n), 1).address: n for n in by}
        votes = []
        for place, validator in enumerate(validators(**by)):
            name, time = names[validator.address], header.time + place
            if name in silent:
                votes.append(Vote(Flag.ABSENT, b"", NEVER, b""))
                continue
            unsigned = Vote(Flag.COMMIT, validator.address, time, b"")
            signature = key(name).sign(empty.signed(self.chain, unsigned))
            votes.append(replace(unsigned, signature=signature))
        return replace(empty, votes=tuple(votes))

    def block(self, height: int) -> LightBlock:
        header = self.header(height)
        commit = self.signed(header, self.powers(height), self.silent.get(height, ""))
        return LightBlock(header, commit, self.set(height), self.set(height + 1))

    def fetch(self, height: int) -> LightBlock:
        self.asked.append(height)
        if height > self.length:
            raise NotShown(f"height {height} is not there yet")
        return self.block(height or self.length)

    def trusted(self, height: int = 1) -> Trusted:
        return Trusted(self.header(height), self.set(height + 1))

    @property
    def now(self) -> int:
        return START + self.length * SECOND


# The engine's JSON


def _hex(data: bytes) -> str:
    return data.hex().upper()


def _time(time: int) -> str:
    from kerege.proofs.light.moments import show  # noqa: PLC0415 - only to spell

    whole = show(time).removesuffix(" UTC").replace(" ", "T")
    part = f"{time % SECOND:09}".rstrip("0")
    return whole + (f".{part}" if part else "") + "Z"


def _id(block: BlockId) -> dict[str, object]:
    return {"hash": _hex(block.hash), "parts": {"total": block.parts, "hash": _hex(block.parts_hash)}}


def header_form(header: Header) -> dict[str, object]:
    names = ("last_commit", "data", "validators", "next_validators", "consensus", "app", "last_results", "evidence")
    return {
        "version": {"block": str(header.version), "app": str(header.app_version)},
        "chain_id": header.chain,
        "height": str(header.height),
        "time": _time(header.time),
        "last_block_id": _id(header.last_block),
        **{f"{name}_hash": _hex(getattr(header, f"{name}_hash")) for name in names},
        "proposer_address": _hex(header.proposer),
    }


def commit_form(commit: Commit) -> dict[str, object]:
    return {
        "height": str(commit.height),
        "round": commit.round,
        "block_id": _id(commit.block),
        "signatures": [
            {
                "block_id_flag": int(vote.flag),
                "validator_address": _hex(vote.validator),
                "timestamp": _time(vote.time) if vote.validator else "0001-01-01T00:00:00Z",
                "signature": base64.b64encode(vote.signature).decode() if vote.signature else None,
            }
            for vote in commit.votes
        ],
    }


def validator_form(validator: Validator) -> dict[str, object]:
    return {
        "address": _hex(validator.address),
        "pub_key": {"type": "tendermint/PubKeyEd25519", "value": base64.b64encode(validator.key).decode()},
        "voting_power": str(validator.power),
        "proposer_priority": "-15",
    }


def answer(result: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": -1, "result": result}).encode()


def commit_answer(block: LightBlock) -> bytes:
    both = {"header": header_form(block.header), "commit": commit_form(block.commit)}
    return answer({"signed_header": both, "canonical": True})


def validators_answer(members: Validators, height: int = 1) -> bytes:
    forms = [validator_form(v) for v in members]
    counts = {"count": str(len(forms)), "total": str(len(forms))}
    return answer({"block_height": str(height), "validators": forms, **counts})
