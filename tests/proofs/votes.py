"""Votes for what a naive ledger's block led to, as its engine would gather them; no code shared with `kerege.proofs`.

Of a header only the five fields that a proof shows are real; the others are noise, as they are to whoever verifies.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.proofs.naive import (
    CHAIN,
    NOW,
    Signer,
    World,
    log_path,
    log_root,
    noise,
    replicated,
    sha,
    url,
)

MS = 1_000_000
SHOWN = {1, 2, 3, 7, 10}


@cache
def voting(name: str) -> Ed25519PrivateKey:
    """An institution's consensus key."""
    return Ed25519PrivateKey.from_private_bytes(noise("consensus", name))


def public(name: str) -> bytes:
    return voting(name).public_key().public_bytes_raw()


def seat(name: str, power: int = 1, **more: Any) -> Signer:
    """An institution's keys in the trust file."""
    return Signer(name, power=power, consensus=public(name), **more)


# Protocol Buffers


def varint(number: int) -> bytes:
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + varint(rest) if rest else bytes([low])


def number(place: int, value: int) -> bytes:
    return varint(8 * place) + varint(value) if value else b""


def fixed(place: int, value: int) -> bytes:
    return varint(8 * place + 1) + value.to_bytes(8, "little") if value else b""


def data(place: int, value: bytes) -> bytes:
    return varint(8 * place + 2) + varint(len(value)) + value


def moment(nanoseconds: int) -> bytes:
    return number(1, nanoseconds // 10**9) + number(2, nanoseconds % 10**9)


@dataclass(frozen=True)
class Votes:
    """A header after a block and who voted for it; change a field with `but` and everything is computed anew."""

    powers: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys("abcd", 1))
    silent: str = ""
    all_shown: bool = False
    """Also the votes that are not needed."""
    chain: str = str(CHAIN["id"])
    after: int = 1
    """How many blocks after the proof's the header is."""
    app_hash: bytes | None = None
    late: int = 1_234_567_891
    """Nanoseconds by which the header is later than the block's time."""
    round: int = 0
    kind: int = 2
    changes: Mapping[str, object] = field(default_factory=dict)

    def but(self, **changes: Any) -> "Votes":
        return replace(self, **changes)

    def key(self, name: str) -> bytes:
        return public(name)

    def sign(self, name: str, body: bytes) -> bytes:
        return voting(name).sign(body)

    @property
    def order(self) -> list[str]:
        """The engine's: most power first, then by address."""
        return sorted(self.powers, key=lambda name: (-self.powers[name], sha(self.key(name))[:20]))

    @property
    def set_hash(self) -> bytes:
        return log_root([data(1, data(1, self.key(name))) + number(2, self.powers[name]) for name in self.order])

    def time(self, world: World) -> int:
        return world.time * MS + self.late

    def fields(self, world: World) -> list[bytes]:
        app_hash = self.app_hash or sha(b"kerege/app/1", world.state_root, log_root(world.leaves))
        real = {
            1: data(1, self.chain.encode()),
            2: number(1, world.height + self.after),
            3: moment(self.time(world)),
            7: data(1, self.set_hash),
            10: data(1, app_hash),
        }
        return [real.get(place, noise("field", place)) for place in range(14)]

    def vote(self, world: World, name: str, header: bytes) -> str:
        time = self.time(world) + 1 + self.order.index(name)
        block = data(1, header) + data(2, number(1, 1) + data(2, noise("parts")))
        signed = number(1, self.kind) + fixed(2, world.height + self.after) + fixed(3, self.round) + data(4, block)
        signed += data(5, moment(time)) + data(6, self.chain.encode())
        return url(time.to_bytes(8, "big") + self.sign(name, varint(len(signed)) + signed))

    def votes(self, world: World, header: bytes) -> list[str | None]:
        shown, power = list[str | None](), 0
        for name in self.order:
            shown.append(None if name in self.silent else self.vote(world, name, header))
            power += 0 if name in self.silent else self.powers[name]
            if 3 * power > 2 * sum(self.powers.values()) and not self.all_shown:
                break
        return shown

    def members(self, world: World) -> dict[str, Any]:
        fields = self.fields(world)
        header = log_root(fields)
        return {
            "hash": url(header),
            "parts": 1,
            "parts_hash": url(noise("parts")),
            "path": url(b"".join(log_path(SHOWN, fields))),
            "round": self.round,
            "time": str(self.time(world)),
            "validators": url(self.set_hash),
            "votes": self.votes(world, header),
            **self.changes,
        }


FOUR = tuple(seat(name) for name in "abcd")
VOTED = World(size=3, index=1, other_keys=1, validators=Votes().set_hash, signers=FOUR, commit=Votes())
"""A certificate of a ledger of four, with the engine's commit."""
TRUSTED = replicated(list(FOUR))

__all__ = ["FOUR", "NOW", "TRUSTED", "VOTED", "Votes", "public", "seat", "voting"]
