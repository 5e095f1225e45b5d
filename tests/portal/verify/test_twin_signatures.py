"""Signatures that verifiers of Ed25519 disagree about: the page judges each as OpenSSL behind the Python verifier."""

import base64
import hashlib
from dataclasses import dataclass

from tests.portal.verify.twin import about
from tests.proofs import test_ed25519 as curve
from tests.proofs.naive import LOG_KEY, Signer, World, noise, replicated, sha
from tests.proofs.votes import VOTED, Votes

GOOD = World()


def times(scalar, point):
    total = None
    while scalar:
        if scalar & 1:
            total = point if total is None else plus(total, point)
        scalar, point = scalar >> 1, curve.doubled(point)
    return total


def plus(one, other):
    (x1, y1), (x2, y2) = one, other
    across = curve.D * x1 * x2 * y1 * y2 % curve.P
    return (
        (x1 * y2 + x2 * y1) * pow(1 + across, -1, curve.P) % curve.P,
        (y1 * y2 + x1 * x2) * pow(1 - across, -1, curve.P) % curve.P,
    )


def point_bytes(point):
    return curve.encoded(point[1], point[0] & 1)


BASE = next((x, y) for x, y in [curve.recovered(4 * pow(5, -1, curve.P) % curve.P)])
BASE = BASE if BASE[0] % 2 == 0 else (-BASE[0] % curve.P, BASE[1])
TWO = (0, curve.P - 1)
"""The point of order two."""


@dataclass(frozen=True)
class Odd(Signer):
    """Signs by the equation itself, with a point of small order added to its key or to R."""

    to_key: bool = False
    to_point: bool = False
    no_nonce: bool = False
    more: int = 0

    @property
    def scalar(self):
        return int.from_bytes(noise("odd", self.seed), "little") % curve.L

    @property
    def public(self):
        point = times(self.scalar, BASE)
        return point_bytes(plus(point, TWO) if self.to_key else point)

    def line(self, body):
        return _line(self.name, self.public, self.sign(body))

    def sign(self, body):
        nonce = 0 if self.no_nonce else int.from_bytes(noise("nonce", body), "little") % curve.L
        point = times(nonce, BASE) if nonce else (0, 1)
        encoded = point_bytes(plus(point, TWO) if self.to_point else point)
        k = int.from_bytes(hashlib.sha512(encoded + self.public + body).digest(), "little") % curve.L
        s = (nonce + k * self.scalar) % curve.L + self.more
        return encoded + s.to_bytes(32, "little")


@dataclass(frozen=True)
class OddVotes(Votes):
    """All votes are of keys that sign as `Odd` does."""

    by: Odd = Odd("a")

    def key(self, name):
        return self.by.public

    def sign(self, name, body):
        return self.by.sign(body)


@dataclass(frozen=True)
class Fixed(Signer):
    """A key and a signature given outright."""

    key: bytes = b""
    signature: bytes = bytes(64)

    @property
    def public(self):
        return self.key

    def line(self, body):
        del body
        return _line(self.name, self.key, self.signature)


def _line(name, key, signature):
    """The note's own way of writing a signature, for keys that no library would hold."""
    key_id = sha(name.encode(), b"\n\x01", key)[:4]
    return f"\u2014 {name} {base64.b64encode(key_id + signature).decode()}\n"


def test_signatures_that_verifiers_disagree_about(twin):
    def said(signer, sizes=(7,)):
        cases = [about(GOOD.but(size=size, signers=(signer,))) for size in sizes]
        return [(answer["exit"], answer["failing"]) for answer in twin.agrees(cases)]

    name, bad = LOG_KEY.name, (1, "signatures")
    assert said(Odd(name, seed=1)) == [(0, None)]
    assert said(Odd(name, seed=1, more=curve.L)) == [bad]
    assert said(Odd(name, seed=1, to_point=True)) == [bad]
    assert said(Odd(name, seed=1, no_nonce=True)) == [bad]  # R of small order: the equation holds, OpenSSL is content
    both = said(Odd(name, seed=1, to_key=True), range(4, 20))  # holds where k is even: without cofactor, as OpenSSL
    assert set(both) == {(0, None), bad}
    for y in (2, 5, 7, 8, curve.P - 2):  # some are on the curve, some are not
        for sign in (0, 1):
            key = curve.encoded(y, sign)
            for signature in (bytes(64), curve.encoded(2) + bytes(32), curve.encoded(9) + bytes([1]) + bytes(31)):
                assert said(Fixed(name, key=key, signature=signature)) == [bad]
    for y in (0, 1, curve.P - 1, curve.P, curve.P + 1, 2**255 - 1):
        assert said(Fixed(name, key=curve.encoded(y))) == [(2, "trust-file")]


def test_votes_that_verifiers_disagree_about(twin):
    """The engine multiplies by the cofactor, and so do both: a point of small order more makes no difference."""

    def said(**odd):
        by = Odd("a", seed=1, **odd)
        votes = OddVotes({"a": 1}, by=by)
        trusted = replicated([Signer("a", consensus=by.public)])
        worlds = [VOTED.but(size=n, validators=votes.set_hash, signers=(Signer("a"),), commit=votes) for n in (3, 4, 5)]
        answers = twin.agrees([about(world, trusted) for world in worlds])
        return {(answer["exit"], answer["failing"]) for answer in answers}

    for good in ({}, {"to_point": True}, {"to_key": True}, {"no_nonce": True}, {"to_key": True, "to_point": True}):
        assert said(**good) == {(0, None)}, good
    assert said(more=curve.L) == {(1, "final")}
    assert said(more=1) == {(1, "final")}
