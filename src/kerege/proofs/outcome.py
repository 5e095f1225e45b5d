"""What a verification can come to: the exceptions inside, the verdict outside."""

from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum


class Malformed(Exception):
    """Bytes are not in the one form that the format allows; the reason says where."""


class Failed(Exception):
    """A check of a readable bundle did not hold."""

    def __init__(self, check: "Check", reason: str) -> None:
        """Name the `check` and give the `reason`, a stable code."""
        super().__init__(f"{check}: {reason}")
        self.check = check
        self.reason = reason


class Unusable(Exception):
    """An input cannot be judged at all; `check` says which, `reason` is a sentence in English."""

    def __init__(self, check: "Check", reason: str) -> None:
        """Name the input by its `check` and say why in `reason`."""
        super().__init__(f"{check}: {reason}")
        self.check = check
        self.reason = reason


class Exit(IntEnum):
    """Exit codes of `kerege verify`."""

    VALID = 0
    NOT_VALID = 1
    UNUSABLE = 2
    NOT_CURRENT = 3


class Check(StrEnum):
    """Everything that is checked, in the order of checking. The words are stable codes."""

    TRUST_FILE = "trust-file"
    BUNDLE_FILE = "bundle-file"
    CHECKPOINT_FILE = "checkpoint-file"
    LEDGER = "ledger"
    RECEIPT = "receipt"
    STATE_PATH = "state-path"
    LOG_PATH = "log-path"
    CERTIFICATE = "certificate"
    DISCLOSURES = "disclosures"
    SIGNATURES = "signatures"
    THRESHOLD = "threshold"
    FINAL = "final"
    FORK = "fork"
    STATUS = "status"
    AGE = "age"
    NEWER_CHECKPOINT = "newer-checkpoint"


class Result(StrEnum):
    """What a check came to."""

    PASSED = "passed"
    FAILED = "failed"
    ABSENT = "absent"
    """The bundle has no such part, or the question was not asked."""
    NOT_RUN = "not-run"
    """An earlier check failed."""


class Status(StrEnum):
    """Standing of what the bundle is about, as of its checkpoint."""

    VALID = "valid"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    ANNULLED = "annulled"
    MISSING = "missing"
    """The ledger holds no such certificate (proved absent)."""
    NOT_PROVEN = "not-proven"
    """A certificate has a status, but this bundle does not show it."""
    UNKNOWN = "unknown"
    """A status word that this verifier does not know."""
    REFUSED = "refused"
    """The receipt says that the transaction was refused: it changed nothing."""
    NO_STATUS = "no-status"
    """What happened stays so: this kind of entry has no later status."""


CURRENT = frozenset({Status.VALID, Status.NO_STATUS})


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check, what it came to, and a stable reason code (empty where it passed)."""

    check: Check
    result: Result
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Issued:
    """Who issued the certificate, as the receipt says: the handler checked the appointment when it issued."""

    certificate: bytes
    record: bytes
    version: int
    kind: str
    service: str
    office: str
    role: str
    appointment: bytes


@dataclass(frozen=True, slots=True)
class Final:
    """The engine's header that carries what the proof leads to, voted for by more than two thirds of the power."""

    chain: str
    height: int
    hash: bytes

    def to_json(self) -> dict[str, object]:
        """What is told to machines."""
        return {"chain": self.chain, "height": self.height, "hash": self.hash.hex()}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a verified bundle says; every field is covered by a hash or a signature."""

    ledger: str
    index: int
    size: int
    transaction: bytes | None
    height: int
    time: int
    signers: tuple[str, ...]
    engine: str
    """Who runs the ledger, as the trust file says: `one operator`, or the engine of several institutions."""
    as_of: int
    as_of_is_exact: bool
    """False where the bundle shows no block record: the checkpoint is then *not older* than `as_of`."""
    age: int
    """Milliseconds from `as_of` to the moment of verification, at least 0."""
    status: Status
    status_word: str
    """The status as the ledger spells it; a refusal's code for `refused`; else empty."""
    since: int | None
    issued: Issued | None
    disclosed: tuple[tuple[str, str], ...]
    stale: tuple[Check, ...]
    max_age_days: int | None
    final: Final | None = None
    """None: nobody asked whether the engine's validators voted for it."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a verification."""

    exit: Exit
    checks: tuple[CheckResult, ...]
    facts: Facts | None = None
    """None unless every hash and signature was verified."""
    failing: CheckResult | None = field(default=None)
    """The check that decided against the bundle (exit 1 and 2)."""

    def confirmed(self, final: Final) -> "Verdict":
        """Return it with what an engine has shown that was asked besides: that it is final."""
        if self.facts is None:
            raise AssertionError("what is not genuine is not asked for")
        checks = self._with(CheckResult(Check.FINAL, Result.PASSED))
        return replace(self, checks=checks, facts=replace(self.facts, final=final))

    def unconfirmed(self, exit_: Exit, reason: str) -> "Verdict":
        """Return what it comes to where an engine that was asked has not shown that; facts only where it may be so."""
        failing = CheckResult(Check.FINAL, Result.FAILED, reason)
        facts = self.facts if exit_ is Exit.NOT_CURRENT else None
        return replace(self, exit=exit_, checks=self._with(failing), facts=facts, failing=failing)

    def _with(self, result: CheckResult) -> tuple[CheckResult, ...]:
        return tuple(result if c.check is result.check else c for c in self.checks)

    def lines(self, lang: str = "en") -> list[str]:
        """Return the lines for a person: three, one per disclosed field, one if it is final; one if unusable.

        `lang` is `ky`, `ru` or `en`.
        """
        from .texts import lines  # noqa: PLC0415  (texts are needed only by those who print)

        return lines(self, lang)

    def to_json(self, lang: str = "en") -> dict[str, object]:
        """Return the verdict for machines: stable codes, and the lines in `lang`."""
        return {
            "format": "kerege-verdict/1",
            "exit": int(self.exit),
            "verdict": self.exit.name.lower().replace("_", "-"),
            "checks": [{"check": c.check, "result": c.result, "reason": c.reason} for c in self.checks],
            "facts": None if self.facts is None else _facts_json(self.facts),
            "lines": self.lines(lang),
        }


def _facts_json(facts: Facts) -> dict[str, object]:
    issued = facts.issued
    return {
        "ledger": facts.ledger,
        "index": facts.index,
        "size": facts.size,
        "transaction": None if facts.transaction is None else facts.transaction.hex(),
        "height": facts.height,
        "time": facts.time,
        "signers": list(facts.signers),
        "engine": facts.engine,
        "as_of": facts.as_of,
        "as_of_is_exact": facts.as_of_is_exact,
        "age": facts.age,
        "status": facts.status,
        "status_word": facts.status_word,
        "since": facts.since,
        "issued": None
        if issued is None
        else {
            "certificate": issued.certificate.hex(),
            "record": issued.record.hex(),
            "version": issued.version,
            "kind": issued.kind,
            "service": issued.service,
            "office": issued.office,
            "role": issued.role,
            "appointment": issued.appointment.hex(),
        },
        "disclosed": [{"field": name, "value": value} for name, value in facts.disclosed],
        "stale": list(facts.stale),
        "final": None if facts.final is None else facts.final.to_json(),
    }
