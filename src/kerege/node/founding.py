"""A new home whose ledger is founded by officials who bring their own public keys."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from kerege.consensus.embedded import Clock, wall_clock
from kerege.dossiers.controller import Controller
from kerege.kernel import crypto
from kerege.node.genesis import Post, genesis_of
from kerege.node.home import Home, HomeError
from kerege.node.ledger import begin_ledger, new_ledger_id
from kerege.node.pack import Pack
from kerege.node.workplace import read_nation

HELP = "see docs/how-to/use-the-command-line.md"

_Word = Annotated[str, Meta(min_length=1, max_length=64)]


class Founder(Struct, frozen=True, forbid_unknown_fields=True):
    """An official who is appointed in the genesis."""

    office: _Word
    role: _Word
    key: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
    """Ed25519 public key, lower-case hex."""


class Founders(Struct, frozen=True, forbid_unknown_fields=True):
    """The file `kerege-founders/1`."""

    format: Literal["kerege-founders/1"]
    officials: Annotated[list[Founder], Meta(min_length=1, max_length=10_000)]


def read_founders(raw: bytes) -> list[Founder]:
    """The founding officials of a file; raises `HomeError`."""
    try:
        return msgspec.json.decode(raw, type=Founders).officials
    except msgspec.DecodeError as error:  # what is no JSON, and JSON of another shape
        raise HomeError(f"the founders' file is unusable ({error}): {HELP}.") from None


def posts_of(officials: Sequence[Founder], pack: Pack) -> list[Post]:
    """The posts of founding officials, each one that the pack knows; raises `HomeError`."""
    roles_of = {office.code: pack.roles_at(office) for office in pack.offices if office.valid_to is None}
    posts = [_post(founder, roles_of) for founder in officials]
    for number, post in enumerate(posts):
        if post in posts[:number]:
            raise HomeError(f"the founders' file names {post.role} at {post.office} twice with one key: remove one.")
    return posts


def _post(founder: Founder, roles_of: dict[str, tuple[str, ...]]) -> Post:
    known = roles_of.get(founder.office)
    if known is None:
        raise HomeError(f"the nation's pack has no open office {founder.office}: correct the founders' file.")
    if founder.role not in known:
        raise HomeError(
            f"{founder.office} has no role {founder.role}, only {', '.join(known)}: correct the founders' file."
        )
    key = bytes.fromhex(founder.key)
    fault = crypto.key_fault(crypto.ED25519, key)
    if fault:
        raise HomeError(f"the key of {founder.role} at {founder.office} is none ({fault}): ask for it again.")
    return Post(founder.office, founder.role, key)


def create_founded_home(home: Home, nation: str, founders: bytes, *, clock: Clock = wall_clock) -> Pack:
    """A new ledger of a nation with the keys of its founding officials, and empty dossiers beside it."""
    pack = read_nation(nation)
    genesis = genesis_of(pack, posts_of(read_founders(founders), pack), new_ledger_id(nation, dev=False), clock())
    begin_ledger(home, genesis)
    Controller.prepare(home.path)
    home.write_about(genesis.ledger, nation, genesis.prefix, dev=False)
    return pack
