"""Definitions beside the pack's, and bytes that are none."""

from msgspec.structs import replace

from kerege.kernel.codec import encode
from kerege.modules.services.types import Fee, FourEyes, ServiceDefinition
from tests.modules.services.world import definition

REPEAT = definition("birth-repeat-certificate")
BIRTH = definition("birth")
CORRECTION = definition("birth-correction")
BASES = BIRTH.legal_basis


def guard(mode: str, percent: int, first: str = "", second: str = "") -> FourEyes:
    """A four-eyes rule."""
    return FourEyes(mode, percent, first, second, BASES)  # type: ignore[arg-type]


FEE = Fee("paper", "treasury.fee.birth-repeat-certificate", "KGS", "before-decision", True, BASES)

NAMED: dict[str, ServiceDefinition] = {
    "paid": replace(REPEAT, code="paid", fees=(FEE,), four_eyes=guard("none", 0)),
    "dealt": replace(REPEAT, code="dealt", assignment="turn", four_eyes=guard("none", 0)),
    "alone": replace(REPEAT, code="alone", four_eyes=guard("none", 0)),
    "half": replace(REPEAT, code="half", four_eyes=guard("sampled", 50, "check", "issue")),
    "almost-none": replace(REPEAT, code="almost-none", four_eyes=guard("sampled", 1, "check", "issue")),
    "almost-all": replace(REPEAT, code="almost-all", four_eyes=guard("sampled", 99, "check", "issue")),
    "later": replace(REPEAT, code="later", valid_from=REPEAT.valid_from + 3650),
    "over": replace(REPEAT, code="over", valid_to=REPEAT.valid_from + 1),
    "final": replace(
        REPEAT, code="final", withdrawal="", outcomes=tuple(o for o in REPEAT.outcomes if o.kind != "withdrawn")
    ),
    "birth-half": replace(BIRTH, code="birth-half", four_eyes=guard("sampled", 50, "accept", "register")),
    "boats": replace(REPEAT, code="boats", registry="boats", four_eyes=guard("none", 0)),
}
"""Services that the pack has not: one trait each."""


def _with_step(definition: ServiceDefinition, code: str, **changes: object) -> ServiceDefinition:
    steps = tuple(replace(step, **changes) if step.code == code else step for step in definition.steps)
    return replace(definition, steps=steps)


def _with_appeal(**changes: object) -> ServiceDefinition:
    return replace(BIRTH, version=2, appeal=replace(BIRTH.appeal, **changes))


def _wrong() -> dict[str, ServiceDefinition]:
    """Definitions that are refused, each for one thing."""
    order = replace(CORRECTION.starts[0], trigger="order", step="decide")
    declare = BIRTH.step("declare").actions[0]
    return {
        "code-twice": replace(BIRTH, steps=(*BIRTH.steps, BIRTH.steps[0])),
        "unknown-name": replace(BIRTH, withdrawal="nowhere"),
        "dead-end": _with_step(BIRTH, "register", actions=BIRTH.step("register").actions[-1:]),
        "not-reached": replace(BIRTH, starts=BIRTH.starts[1:]),
        "basis": replace(BIRTH, legal_basis=(replace(BASES[0], unverified=False),)),
        "period": replace(BIRTH, valid_to=BIRTH.valid_from - 1),
        "guard-around": replace(CORRECTION, starts=(*CORRECTION.starts, order)),
        "amendment-alone": replace(CORRECTION, four_eyes=guard("none", 0)),
        "advance-back": _with_step(BIRTH, "declare", actions=(replace(declare, to="notify"),)),
        "requester-stops": _with_step(BIRTH, "declare", suspensions=("papers-awaited",)),
        "unknown-parameter": _with_appeal(due=replace(BIRTH.appeal.due, parameter="nowhere")),
        "unknown-institution": _with_appeal(to=("nowhere",)),
        "unknown-currency": replace(BIRTH, version=2, fees=(replace(FEE, currency="XAU"),)),
    }


def _bytes() -> dict[str, bytes]:
    first = encode(BIRTH)
    assert first[0] == 0xDC, "an array with a length of two bytes"
    return {
        **{name: encode(each) for name, each in _wrong().items()},
        "first": first,
        "second": encode(replace(BIRTH, version=2)),
        "third": encode(replace(BIRTH, version=3)),
        "cut": first[:-1],
        "longer": first + b"\x00",
        "deep": b"\x91" * 10_000 + b"\x00",
        "float": b"\xcb" + bytes(8),
        "other": encode(["birth", 1]),
        "not-canonical": b"\xdd\x00\x00" + first[1:],
    }


RAW = _bytes()


def raw(name: str) -> bytes:
    """Bytes of a name."""
    return RAW[name]
