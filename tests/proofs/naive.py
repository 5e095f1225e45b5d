"""A second, naive ledger for the tests: every tree built whole, no code shared with `kerege.proofs`."""

import base64
import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LEDGER = "kg-test"
ORIGIN = "kerege.test/log"
DAY = 86_400_000
TIME = 1_795_000_000_000
NOW = TIME + 3 * DAY
PLACEHOLDER = b"SPARSE_MERKLE_PLACEHOLDER_HASH__"
MODULES = ("accounts", "authority", "policy", "bank", "identity", "registries", "services")
FIELDS = ("surname", "given", "born", "sex", "place")


def sha(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def noise(*parts: object) -> bytes:
    """32 bytes that depend on the parts only."""
    return sha(repr(parts).encode())


def pack(value: object) -> bytes:
    return msgspec.msgpack.encode(value)


def url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


# RFC 6962


def log_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1 over leaf data."""
    if not leaves:
        return sha()
    if len(leaves) == 1:
        return sha(b"\x00", leaves[0])
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha(b"\x01", log_root(leaves[:half]), log_root(leaves[half:]))


def log_path(targets: set[int], leaves: list[bytes], start: int = 0) -> list[bytes]:
    """The multi-target path; for one target PATH of RFC 6962 §2.1.1."""
    if len(leaves) == 1:
        return []
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    left, right = leaves[:half], leaves[half:]
    in_left = any(start <= t < start + half for t in targets)
    in_right = any(start + half <= t < start + len(leaves) for t in targets)
    path = log_path(targets, left, start) if in_left else []
    path += log_path(targets, right, start + half) if in_right else []
    if not in_left:
        path.append(log_root(left))
    if not in_right:
        path.append(log_root(right))
    return path


# Jellyfish Merkle tree


def bit(key_hash: bytes, depth: int) -> int:
    return key_hash[depth // 8] >> (7 - depth % 8) & 1


def tree_root(rows: dict[bytes, bytes], depth: int = 0) -> bytes:
    """Root over {key hash: value hash}."""
    if not rows:
        return PLACEHOLDER
    if len(rows) == 1:
        ((key, value),) = rows.items()
        return sha(b"JMT::LeafNode", key, value)
    left, right = ({k: v for k, v in rows.items() if bit(k, depth) == side} for side in (0, 1))
    return sha(b"JMT::IntrnalNode", tree_root(left, depth + 1), tree_root(right, depth + 1))


def tree_path(rows: dict[bytes, bytes], key_hash: bytes) -> tuple[list[bytes], tuple[bytes, bytes] | None]:
    """Siblings bottom-up, and what stands in the key's place."""
    siblings, depth = [], 0
    while len(rows) > 1:
        side = bit(key_hash, depth)
        siblings.append(tree_root({k: v for k, v in rows.items() if bit(k, depth) != side}, depth + 1))
        rows = {k: v for k, v in rows.items() if bit(k, depth) == side}
        depth += 1
    return siblings[::-1], next(iter(rows.items()), None)


def packed(siblings: list[bytes]) -> str:
    """A state path as bundles spell it: depth, one bit a level (lowest first), the hashes that are no placeholder."""
    levels = [sibling != PLACEHOLDER for sibling in siblings]
    octets = [levels[i : i + 8] for i in range(0, len(levels), 8)]
    bits = bytes(sum(bit << i for i, bit in enumerate(octet)) for octet in octets)
    return url(bytes([len(siblings)]) + bits + b"".join(s for s in siblings if s != PLACEHOLDER))


# Signed notes


@dataclass(frozen=True)
class Signer:
    name: str
    since: int = 0
    until: int | None = None
    seed: int = 0
    power: int = 1
    consensus: bytes | None = None

    @property
    def private(self) -> Ed25519PrivateKey:
        return _private(self.name, self.seed)

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    def line(self, body: bytes) -> str:
        key_id = sha(self.name.encode(), b"\n\x01", self.public)[:4]
        signature = base64.b64encode(key_id + self.private.sign(body)).decode()
        return f"\u2014 {self.name} {signature}\n"


@cache
def _private(name: str, seed: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(noise("key", name, seed))


def note(origin: str, size: int, root: bytes, signers: list[Signer]) -> str:
    body = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    return body + "\n" + "".join(s.line(body.encode()) for s in signers)


LOG_KEY = Signer("kerege.test/log")


def trust(signers: list[Signer], threshold: int = 1, **changes: object) -> bytes:
    members = {
        "format": "kerege-trust/1",
        "ledger": LEDGER,
        "genesis": noise("genesis").hex(),
        "origin": ORIGIN,
        "engine": "one operator",
        "threshold": threshold,
        "keys": [{"name": s.name, "key": url(s.public), "from": s.since, "until": s.until} for s in signers],
    }
    return json.dumps(members | changes, indent=1).encode()


CHAIN = {"id": "kg-chain", "height": 5, "hash": noise("header").hex(), "time": TIME - DAY, "period": 14 * DAY}


def replicated(signers: list[Signer], **changes: object) -> bytes:
    """The trust file of a ledger that several institutions run."""
    members = json.loads(trust(signers)) | {
        "engine": "cometbft",
        "threshold": "more than 2/3 of the power",
        "chain": CHAIN,
    }
    for key, signer in zip(members["keys"], signers, strict=True):
        key["power"] = signer.power
        if signer.consensus is not None:
            key["consensus"] = url(signer.consensus)
    return json.dumps(members | changes, indent=1).encode()


# A small ledger


def commitment(name: str, salt: bytes, value: str) -> bytes:
    return sha(b"kerege/field/1\x00", bytes([len(name.encode())]), name.encode(), salt, value.encode())


def salt(name: str) -> bytes:
    return noise("salt", name)


VALUES = {"surname": "Асанова", "given": "Айгүл", "born": "2026-11-18", "sex": "F", "place": ""}
CERTIFICATE, RECORD, APPOINTMENT = noise("c")[:16], noise("r")[:16], noise("a")[:16]
COMMITMENTS = [commitment(name, salt(name), VALUES[name]) for name in FIELDS]
CERTIFICATE_EVENT: list[Any] = [
    "registries.CertificateIssued",
    CERTIFICATE,
    RECORD,
    1,
    "primary",
    log_root(COMMITMENTS),
    noise("blank"),
    "birth",
    "ЗАГС-041708",
    "registrar",
    APPOINTMENT,
]
MOVED_EVENT = ["bank.Moved", noise("x")[:20], noise("y")[:20], "KGS", 501]


def receipt(events: list[object], code: str = "", height: int = 3, time: int = TIME - DAY) -> bytes:
    return pack(["receipt", noise("tx"), noise("witness"), height, time, code, [], events])


def row(status: str = "valid", since: int = TIME - DAY, **changes: object) -> bytes:
    values = {"record": RECORD, "version": 1, "kind": "primary", "status": status, "since": since}
    return b"\x01" + pack([*(values | changes).values(), noise("blind")[:16], None])


def state_key(certificate: bytes) -> bytes:
    return b"registries.certificate\x00" + certificate


@dataclass(frozen=True)
class World:
    """One block's worth of ledger; change a field with `but` and everything is computed anew."""

    receipt: bytes = receipt([CERTIFICATE_EVENT])
    index: int = 2
    size: int = 7
    row: bytes | None = row()
    other_keys: int = 5
    certificate: bytes = CERTIFICATE
    signers: tuple[Signer, ...] = (LOG_KEY,)
    time: int = TIME
    height: int = 9
    ledger: str = LEDGER
    origin: str = ORIGIN
    with_record: bool = True
    with_state: bool = True
    shown: tuple[str, ...] = ()
    salt_of_log: int = 0
    validators: bytes = bytes(32)
    event: int | None = None
    commit: Any = None
    """Votes of an engine: something with `members(world)`."""
    changes: dict[str, object] = field(default_factory=dict)

    def but(self, **changes: Any) -> "World":
        return replace(self, **changes)

    @property
    def rows(self) -> dict[bytes, bytes]:
        rows = {sha(state_key(noise(i)[:16])): noise("value", i) for i in range(self.other_keys)}
        if self.row is not None:
            rows[sha(state_key(self.certificate))] = sha(self.row)
        return rows

    @property
    def module_leaves(self) -> list[bytes]:
        roots = {name: noise("module", name) for name in MODULES} | {"registries": tree_root(self.rows)}
        return [bytes([len(name)]) + name.encode() + roots[name] for name in MODULES]

    @property
    def state_root(self) -> bytes:
        return log_root(self.module_leaves)

    @property
    def record(self) -> bytes:
        return pack(["block", self.height, self.time, self.state_root, self.validators])

    @property
    def leaves(self) -> list[bytes]:
        leaves = [noise("leaf", i, self.salt_of_log) for i in range(self.size - 1)] + [self.record]
        leaves[self.index] = self.receipt
        return leaves

    @property
    def note(self) -> str:
        return note(self.origin, self.size, log_root(self.leaves), list(self.signers))

    @property
    def path(self) -> list[bytes]:
        return log_path({self.index, self.size - 1} if self.with_record else {self.index}, self.leaves)

    def state_members(self) -> dict[str, Any]:
        position = MODULES.index("registries")
        siblings, found = tree_path(self.rows, sha(state_key(self.certificate)))
        members: dict[str, Any] = {
            "modules": url(b"".join(log_path({position}, self.module_leaves))),
            "siblings": packed(siblings),
        }
        members["sides"] = naive_sides(position, len(MODULES))
        if self.row is not None:
            members["value"] = url(self.row)
        elif found is not None:
            members["other"] = url(found[0] + found[1])
        return members

    def disclosure(self, name: str) -> dict[str, Any]:
        position = FIELDS.index(name)
        return {
            "field": name,
            "value": VALUES[name],
            "salt": url(salt(name)),
            "sides": naive_sides(position, len(FIELDS)),
            "path": url(b"".join(log_path({position}, COMMITMENTS))),
        }

    def members(self) -> dict[str, Any]:
        members: dict[str, Any] = {
            "checkpoint": {"note": self.note} | ({"commit": self.commit.members(self)} if self.commit else {}),
            "format": "kerege-bundle/1",
            "index": self.index,
            "ledger": self.ledger,
            "path": url(b"".join(self.path)),
            "receipt": url(self.receipt),
        }
        if self.with_record:
            members["record"] = {"height": self.height, "time": self.time}
            if self.validators != bytes(32):
                members["record"]["validators"] = url(self.validators)
            if not self.with_state:
                members["record"]["root"] = url(self.state_root)
        if self.with_state:
            members["state"] = self.state_members()
        if self.event is not None:
            members["event"] = self.event
        if self.shown:
            members["disclosures"] = [self.disclosure(name) for name in self.shown]
        return members | self.changes

    @property
    def bundle(self) -> bytes:
        return canonical(self.members())

    @property
    def trust(self) -> bytes:
        if self.validators != bytes(32):
            return replicated(list(self.signers))
        return trust(list(self.signers), len(self.signers))


PLAIN = World(with_record=False, with_state=False)
TRANSFER = PLAIN.but(receipt=receipt([MOVED_EVENT]))


def canonical(members: object) -> bytes:
    """RFC 8785 for what bundles hold: member names are ASCII, so the order of code points is that of UTF-16."""
    return json.dumps(members, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def naive_sides(position: int, count: int) -> int:
    """Turns of a path, by descending from the root."""
    turns: list[int] = []
    while count > 1:
        half = 1
        while half * 2 < count:
            half *= 2
        turns.append(int(position >= half))
        position, count = (position - half, count - half) if position >= half else (position, half)
    return sum(turn << level for level, turn in enumerate(reversed(turns)))
