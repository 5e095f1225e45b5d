"""What a wallet shows and signs (kind 3): the EIP-712 struct of a transaction's one message.

The verifier makes the struct from the decoded body, so what the wallet displayed is what runs. Its type is named
after the message's tag (`bank.Transfer` → `bank_Transfer`) and holds the message's fields in their order, then
`address sender, string ledger, uint256 valid_until, bytes32 transaction`. (A message's own field of one of these
names gets a `_` behind it.) Fields become:

    text, codes, enumerations of text   string
    Address                             address
    Amount, counts, times               uint256 (integers that may be negative: int256)
    bytes of one fixed length ≤ 32      bytesN, others bytes
    lists and tuples of one type        T[]
    X or nothing                        X[] with one item or none, as EIP-712 knows no absence
    structs                             a struct named after the tag, else after the class
    fixed tuples                        a struct `<owner>_<field>` with the fields item1, item2, …
    anything else (messages in messages, unions)   bytes: its canonical MessagePack, not readable in a wallet

**Replay.** The ledger id is a field of the struct and part of the body under the transaction id: it binds. The
domain is {name "Kerege", version "1", chainId, verifyingContract 0}. Wallets refuse typed data whose chainId is
not that of the network they are on, so chainId is whatever the wallet is connected to: the witness carries it
(8 bytes before r ‖ s), the verifier puts it into the domain, and nothing else depends on it. Being under the
signature it cannot be changed afterwards. verifyingContract is the zero address: some wallets want one that is
well-formed, and no contract verifies anything here.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

from msgspec import Struct
from msgspec import inspect as kinds

from kerege.kernel.authenticators import eip712, secp256k1
from kerege.kernel.codec import encode as canonical
from kerege.kernel.messages import tag_of

CHAIN_ID_LENGTH = 8
SIGNATURE_LENGTH = CHAIN_ID_LENGTH + secp256k1.SIGNATURE_LENGTH

HEADER = (("sender", "address"), ("ledger", "string"), ("valid_until", "uint256"), ("transaction", "bytes32"))
"""Fields behind the message's own."""

DOMAIN = (("name", "string"), ("version", "string"), ("chainId", "uint256"), ("verifyingContract", "address"))
NAME, VERSION, CONTRACT = "Kerege", "1", bytes(20)

_OPAQUE = "bytes"
_FIXED_BYTES = 32
_RESERVED = {name for name, _ in HEADER}

Project = Callable[[Any], Any]
"""A field's value → the value EIP-712 hashes: text, bytes, integers, truth values, lists and mappings of them."""


class BodyLike(Protocol):
    """What the struct is made from."""

    @property
    def ledger(self) -> str:
        """The ledger's id."""

    @property
    def sender(self) -> bytes:
        """Address of the sender."""

    @property
    def valid_until(self) -> int:
        """Block time after which the transaction is none."""

    @property
    def messages(self) -> list[Any]:
        """What is asked."""


class Plan:
    """How one kind of message is shown and hashed; raises `TypeError` where two of its structs share a name."""

    def __init__(self, kind: type[Struct]) -> None:
        self.types: dict[str, tuple[tuple[str, str], ...]] = {}
        self._classes: dict[str, Any] = {}
        self._projects: dict[str, Project] = {}
        self.primary = tag_of(kind).replace(".", "_")
        self._struct(kinds.type_info(kind))
        own = tuple((_own_name(name), form) for name, form in self.types[self.primary])
        self.types[self.primary] = own + HEADER
        self._schema = eip712.Schema(self.types, lambda value, field: value[field])
        self.hash_struct = self._schema.hasher(self.primary)

    def project(self, body: BodyLike, transaction: bytes) -> dict[str, Any]:
        """The struct's values for a body and its id."""
        message = self._projects[self.primary](body.messages[0])
        values = {_own_name(name): value for name, value in message.items()}
        values |= {
            "sender": body.sender,
            "ledger": body.ledger,
            "valid_until": body.valid_until,
            "transaction": transaction,
        }
        return values

    def _struct(self, kind: Any) -> str:  # noqa: ANN401 - msgspec.inspect.StructType
        """Type name of a struct, made known with all it refers to."""
        name = kind.cls.__name__ if kind.tag is None else str(kind.tag).replace(".", "_")
        if self._claim(name, kind.cls):
            self._fields(name, [(field.name, field.type) for field in kind.fields], getattr)
        return name

    def _claim(self, name: str, owner: Any) -> bool:  # noqa: ANN401
        """Whether the name is new; raises `TypeError` where it means something else already."""
        known = self._classes.setdefault(name, owner)
        if known is not owner or eip712.atomic_encoder(name) is not None or name == "EIP712Domain":
            raise TypeError(f"two types of one message would be shown under the name {name}")
        if not name.isidentifier():
            raise TypeError(f"wallets know no type named {name}")
        if name in self.types:
            return False
        self.types[name] = ()  # taken: a struct may hold itself
        return True

    def _fields(self, name: str, fields: list[tuple[str, Any]], read: eip712.Read) -> None:
        forms = [(field, *self._form(kind, f"{name}_{field}")) for field, kind in fields]
        self.types[name] = tuple((field, form) for field, form, _ in forms)
        projects = [(field, project) for field, _, project in forms]
        self._projects[name] = lambda value: {field: project(read(value, field)) for field, project in projects}

    def _form(self, kind: Any, place: str) -> tuple[str, Project]:  # noqa: ANN401
        """EIP-712 type of a field and how its value is projected."""
        kind, form = _unwrap(kind)
        plain = _plain_form(kind, form)
        if plain is not None:
            return plain
        if isinstance(kind, kinds.StructType):
            name = self._struct(kind)
            return name, self._later(name)
        if isinstance(kind, kinds.ListType | kinds.VarTupleType):
            item, project = self._form(kind.item_type, place)
            return f"{item}[]", lambda value: [project(each) for each in value]
        if isinstance(kind, kinds.TupleType):
            return self._tuple(kind, place)
        some = _optional(kind)
        if some is not None:
            item, project = self._form(some, place)
            return f"{item}[]", lambda value: [] if value is None else [project(value)]
        return _OPAQUE, canonical

    def _tuple(self, kind: kinds.TupleType, place: str) -> tuple[str, Project]:
        names = [f"item{number}" for number in range(1, len(kind.item_types) + 1)]
        if self._claim(place, kind):
            places = {name: position for position, name in enumerate(names)}
            fields = list(zip(names, kind.item_types, strict=True))
            self._fields(place, fields, lambda value, field: value[places[field]])
        return place, self._later(place)

    def _later(self, name: str) -> Project:
        """Projection of a struct that may still be in the making, as one may hold itself."""
        projects = self._projects

        def project(value: Any) -> Any:  # noqa: ANN401
            return projects[name](value)

        return project


_PLANS: dict[type[Struct], Plan] = {}


def plan_of(kind: type[Struct]) -> Plan:
    """The plan of a kind of message, made once; raises `TypeError` where wallets could not show it."""
    if kind not in _PLANS:
        _PLANS[kind] = Plan(kind)
    return _PLANS[kind]


def digest(body: BodyLike, transaction: bytes, chain_id: int) -> bytes:
    """What the wallet signs, for a body with one message."""
    plan = plan_of(type(body.messages[0]))
    return eip712.digest(_domain_separator(chain_id), plan.hash_struct(plan.project(body, transaction)))


def verify(key: bytes, body: BodyLike, transaction: bytes, signature: bytes) -> bool:
    """Whether a wallet signed the body's one message; total over any bytes."""
    if len(signature) != SIGNATURE_LENGTH or len(body.messages) != 1:
        return False
    chain_id = int.from_bytes(signature[:CHAIN_ID_LENGTH])
    try:
        signed = digest(body, transaction, chain_id)
    except (TypeError, ValueError):
        return False
    return secp256k1.verify_digest(key, signed, signature[CHAIN_ID_LENGTH:])


def typed_data(body: BodyLike, transaction: bytes, chain_id: int) -> dict[str, Any]:
    """The document for a wallet's `eth_signTypedData_v4`: bytes as 0x-hex, integers as decimal text."""
    plan = plan_of(type(body.messages[0]))
    types = {"EIP712Domain": DOMAIN, **plan.types}
    return {
        "types": {name: [{"name": f, "type": t} for f, t in fields] for name, fields in types.items()},
        "primaryType": plan.primary,
        "domain": _written(_domain(chain_id)) | {"chainId": chain_id},
        "message": _written(plan.project(body, transaction)),
    }


def _domain(chain_id: int) -> dict[str, Any]:
    return {"name": NAME, "version": VERSION, "chainId": chain_id, "verifyingContract": CONTRACT}


@lru_cache(maxsize=64)
def _domain_separator(chain_id: int) -> bytes:
    schema = eip712.Schema({"EIP712Domain": DOMAIN}, lambda value, field: value[field])
    return schema.hash_struct("EIP712Domain", _domain(chain_id))


def _written(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {name: _written(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_written(each) for each in value]
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _own_name(name: str) -> str:
    return f"{name}_" if name in _RESERVED else name


def _unwrap(kind: Any) -> tuple[Any, str]:  # noqa: ANN401
    form = ""
    while isinstance(kind, kinds.Metadata):
        form = (kind.extra or {}).get("form", form)
        kind = kind.type
    return kind, form


def _same(value: Any) -> Any:  # noqa: ANN401
    return value


def _plain_form(kind: Any, form: str) -> tuple[str, Project] | None:  # noqa: ANN401
    """Type and projection of a value without parts; none of a compound one."""
    if isinstance(kind, kinds.StrType):
        return "string", _same
    if isinstance(kind, kinds.BoolType):
        return "bool", _same
    if isinstance(kind, kinds.IntType):
        return ("uint256" if _never_negative(kind) else "int256"), _same
    if isinstance(kind, kinds.BytesType):
        return _bytes_form(kind, form), _same
    if isinstance(kind, kinds.LiteralType) and all(isinstance(value, str) for value in kind.values):
        return "string", _same
    if isinstance(kind, kinds.EnumType) and all(isinstance(member.value, str) for member in kind.cls):
        return "string", lambda value: value.value
    return None


def _bytes_form(kind: kinds.BytesType, form: str) -> str:
    if form == "address":
        return "address"
    fixed = kind.min_length == kind.max_length and 0 < (kind.max_length or 0) <= _FIXED_BYTES
    return f"bytes{kind.max_length}" if fixed else "bytes"


def _never_negative(kind: kinds.IntType) -> bool:
    return (kind.ge is not None and kind.ge >= 0) or (kind.gt is not None and kind.gt >= -1)


def _optional(kind: Any) -> Any:  # noqa: ANN401
    """X of `X | None`; none of every other type."""
    if not isinstance(kind, kinds.UnionType):
        return None
    some = [each for each in kind.types if not isinstance(each, kinds.NoneType)]
    return some[0] if len(some) == 1 and len(kind.types) == 2 else None  # noqa: PLR2004 - X and None
