"""The verdict on a bundle: offline, from the bundle, the trust file and the time of asking; nothing else."""

from dataclasses import dataclass, field

from . import bundle as files
from . import canonical, commit, note, paths
from .bundle import Bundle
from .ed25519 import is_signed
from .note import Checkpoint, Signature
from .outcome import (
    CURRENT,
    Check,
    CheckResult,
    Exit,
    Facts,
    Failed,
    Final,
    Malformed,
    Result,
    Status,
    Unusable,
    Verdict,
)
from .paths import Walked
from .trust import Span, Trust, TrustedKey
from .trust import parse as parse_trust

DAY = 86_400_000
"""Milliseconds of a day."""
CLOCK_TOLERANCE = DAY
"""A checkpoint dated later than this machine's clock by more is not called current."""


_NOT_RUN = {check: CheckResult(check, Result.NOT_RUN) for check in Check}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and when."""

    trust: Trust
    now: int
    max_age_days: int | None
    checkpoint: bytes | None


@dataclass(slots=True)
class Checks:
    """Results so far, by check."""

    results: dict[Check, CheckResult] = field(default_factory=dict)

    def put(self, check: Check, result: Result, reason: str = "") -> None:
        """Note what a check came to."""
        self.results[check] = CheckResult(check, result, reason)

    def put_if(self, check: Check, *, passed: bool, reason: str) -> None:
        """Note that a check passed, or the reason why it did not."""
        self.put(check, Result.PASSED if passed else Result.FAILED, "" if passed else reason)

    def all(self) -> tuple[CheckResult, ...]:
        """Return every check, also those that were not reached."""
        return tuple((_NOT_RUN | self.results).values())

    def stale(self) -> tuple[Check, ...]:
        """Which checks say that what is genuine is not of today."""
        return tuple(c for c in (Check.AGE, Check.NEWER_CHECKPOINT) if self.results[c].result is Result.FAILED)

    def first_failing(self) -> CheckResult | None:
        """Return the check that decides against the file."""
        return next((c for c in self.results.values() if c.result is Result.FAILED), None)


def _check_signature(line: Signature, checkpoint: Checkpoint, trust: Trust, span: Span) -> TrustedKey:
    known = trust.find(line.name, line.key_id)
    if not known:
        raise Failed(Check.SIGNATURES, "unknown-key")
    key = next((k for k in known if k.valid_within(*span)), None)
    if key is None:
        raise Failed(Check.SIGNATURES, "key-not-valid-then")
    if not is_signed(key.key, checkpoint.note.body, line.signature):
        raise Failed(Check.SIGNATURES, "bad-signature")
    return key


def check_signatures(checkpoint: Checkpoint, trust: Trust, span: Span) -> tuple[str, ...]:
    """Return the names of the signers: every signature present must verify, under a key valid within the time span."""
    names = [s.name for s in checkpoint.note.signatures]
    if len(set(names)) != len(names):
        raise Failed(Check.SIGNATURES, "repeated")
    if names != sorted(names):
        raise Failed(Check.SIGNATURES, "not-sorted")
    signed = [_check_signature(line, checkpoint, trust, span) for line in checkpoint.note.signatures]
    if not trust.is_enough(signed, span):
        raise Failed(Check.THRESHOLD, "too-few")
    return tuple(names)


def _read_newer(asked: Question, size: int, as_of: int) -> Checkpoint | None:
    """Read and verify the checkpoint given apart; signatures of unknown keys are passed by, as C2SP asks."""
    if asked.checkpoint is None:
        return None
    try:
        checkpoint = note.parse_checkpoint(canonical.utf8(asked.checkpoint))
    except Malformed as error:
        raise Unusable(Check.CHECKPOINT_FILE, str(error)) from error
    if checkpoint.origin != asked.trust.origin:
        raise Unusable(Check.CHECKPOINT_FILE, "it is of another log")
    span = (as_of if checkpoint.size > size else 0, max(asked.now, as_of))
    signed = []
    for line in checkpoint.note.signatures:
        if not asked.trust.find(line.name, line.key_id):
            continue
        try:
            signed.append(_check_signature(line, checkpoint, asked.trust, span))
        except Failed as error:
            raise Unusable(Check.CHECKPOINT_FILE, "a signature on it does not verify") from error
    if not asked.trust.is_enough(signed, span):
        raise Unusable(Check.CHECKPOINT_FILE, "it bears too few signatures of trusted keys")
    return checkpoint


def _status(bundle: Bundle, walked: Walked) -> Status:
    if walked.receipt.code:
        return Status.REFUSED
    if not walked.issued:
        return Status.NO_STATUS
    if bundle.state is None:
        return Status.NOT_PROVEN
    return Status.MISSING if walked.standing is None else walked.standing.status


def _read(data: bytes) -> tuple[Bundle, Checkpoint]:
    try:
        parsed = files.parse(data)
        return parsed, note.parse_checkpoint(parsed.note)
    except Malformed as error:
        raise Unusable(Check.BUNDLE_FILE, str(error)) from error


def _check_ledger(bundle: Bundle, checkpoint: Checkpoint, trust: Trust) -> None:
    if bundle.ledger != trust.ledger:
        raise Failed(Check.LEDGER, "another-ledger")
    if checkpoint.origin != trust.origin:
        raise Failed(Check.LEDGER, "another-log")
    if bundle.record is not None and not trust.is_of_engine(bundle.record.validators):
        raise Failed(Check.LEDGER, "another-engine")


def _walk(bundle: Bundle, checkpoint: Checkpoint, checks: Checks) -> Walked:
    try:
        walked = paths.walk(bundle, checkpoint)
    except Malformed as error:
        raise Unusable(Check.BUNDLE_FILE, str(error)) from error
    state = Result.PASSED if bundle.state else Result.ABSENT
    checks.put(Check.RECEIPT, Result.PASSED)
    checks.put(Check.STATE_PATH, state)
    checks.put(Check.LOG_PATH, Result.PASSED)
    checks.put(Check.CERTIFICATE, state)
    checks.put(Check.DISCLOSURES, Result.PASSED if bundle.disclosures else Result.ABSENT)
    return walked


def _signing_span(bundle: Bundle, walked: Walked, now: int) -> Span:
    """Return when the checkpoint was signed: the block record's time, or else any time from the receipt to now."""
    if bundle.record is not None:
        return bundle.record.time, bundle.record.time
    return walked.receipt.time, max(now, walked.receipt.time)


def _final(bundle: Bundle, walked: Walked, checkpoint: Checkpoint, trust: Trust) -> Final | None:
    """Check the engine's commit, where the bundle holds one; raises `Failed`."""
    if bundle.commit is None or bundle.record is None or walked.state_root is None:
        return None
    return commit.check(bundle.commit, bundle.record.height, files.app_hash(walked.state_root, checkpoint.root), trust)


def check_newer(checkpoint: Checkpoint, as_of: int, asked: Question, checks: Checks) -> None:
    """Compare with the checkpoint given apart, if one is; raises `Failed` for a fork, `Unusable` for what is none."""
    newer = _read_newer(asked, checkpoint.size, as_of)
    if newer is None:
        for check in (Check.CHECKPOINT_FILE, Check.FORK, Check.NEWER_CHECKPOINT):
            checks.put(check, Result.ABSENT)
        return
    checks.put(Check.CHECKPOINT_FILE, Result.PASSED)
    if newer.size == checkpoint.size and newer.root != checkpoint.root:
        raise Failed(Check.FORK, "two-roots-of-one-size")
    checks.put(Check.FORK, Result.PASSED)
    checks.put_if(Check.NEWER_CHECKPOINT, passed=newer.size <= checkpoint.size, reason="newer-exists")


def check_age(as_of: int, asked: Question, checks: Checks) -> None:
    """Compare the checkpoint's time with that of asking."""
    if as_of > asked.now + CLOCK_TOLERANCE:
        checks.put(Check.AGE, Result.FAILED, "later-than-clock")
    elif asked.max_age_days is None:
        checks.put(Check.AGE, Result.ABSENT)
    else:
        checks.put_if(Check.AGE, passed=asked.now - as_of <= asked.max_age_days * DAY, reason="too-old")


def _judge(data: bytes, asked: Question, checks: Checks) -> Verdict:
    """Check all; hashes before signatures, since they are cheaper and refuse most tampering."""
    bundle, checkpoint = _read(data)
    checks.put(Check.BUNDLE_FILE, Result.PASSED)
    _check_ledger(bundle, checkpoint, asked.trust)
    checks.put(Check.LEDGER, Result.PASSED)
    walked = _walk(bundle, checkpoint, checks)
    span = _signing_span(bundle, walked, asked.now)
    signers = check_signatures(checkpoint, asked.trust, span)
    checks.put(Check.SIGNATURES, Result.PASSED)
    checks.put(Check.THRESHOLD, Result.PASSED)
    final = _final(bundle, walked, checkpoint, asked.trust)
    checks.put(Check.FINAL, Result.ABSENT if final is None else Result.PASSED)

    as_of, status = span[0], _status(bundle, walked)
    check_newer(checkpoint, as_of, asked, checks)
    checks.put_if(Check.STATUS, passed=status in CURRENT, reason=status)
    check_age(as_of, asked, checks)

    failing, standing = checks.first_failing(), walked.standing
    facts = Facts(
        ledger=bundle.ledger,
        index=bundle.index,
        size=checkpoint.size,
        transaction=walked.receipt.transaction,
        height=walked.receipt.height,
        time=walked.receipt.time,
        signers=signers,
        engine=asked.trust.engine,
        as_of=as_of,
        as_of_is_exact=bundle.record is not None,
        age=max(0, asked.now - as_of),
        status=status,
        status_word=walked.receipt.code if standing is None else standing.word,
        since=None if standing is None else standing.since,
        issued=None if walked.certificate is None else walked.certificate.issued,
        disclosed=tuple((d.field, d.value) for d in bundle.disclosures),
        stale=checks.stale(),
        max_age_days=asked.max_age_days,
        final=final,
    )
    return Verdict(Exit.VALID if failing is None else Exit.NOT_CURRENT, checks.all(), facts, failing)


def unusable(check: Check, reason: str) -> Verdict:
    """Return the verdict on an input that cannot be judged, for a `reason` in English."""
    checks = Checks()
    checks.put(check, Result.FAILED, reason)
    return Verdict(Exit.UNUSABLE, checks.all(), failing=checks.first_failing())


def verify_with(
    bundle: bytes, trust: Trust, *, now: int, max_age_days: int | None = None, checkpoint: bytes | None = None
) -> Verdict:
    """Like `verify`, with a trust file already read."""
    checks = Checks()
    checks.put(Check.TRUST_FILE, Result.PASSED)
    try:
        return _judge(bundle, Question(trust, now, max_age_days, checkpoint), checks)
    except Failed as failed:
        checks.put(failed.check, Result.FAILED, failed.reason)
        return Verdict(Exit.NOT_VALID, checks.all(), failing=checks.results[failed.check])
    except Unusable as bad:
        checks.put(bad.check, Result.FAILED, bad.reason)
        return Verdict(Exit.UNUSABLE, checks.all(), failing=checks.results[bad.check])


def verify(
    bundle: bytes, trust: bytes, *, now: int, max_age_days: int | None = None, checkpoint: bytes | None = None
) -> Verdict:
    """Judge a proof bundle; never raises for what a file holds.

    `now` is the time of asking in milliseconds since the Unix epoch. `max_age_days` and `checkpoint` (a signed note of
    the same log, from elsewhere) make a genuine but stale bundle exit 3; a checkpoint of the same size with another
    root proves a fork and makes it exit 1.
    """
    try:
        parsed = parse_trust(trust)
    except Malformed as error:
        return unusable(Check.TRUST_FILE, str(error))
    return verify_with(bundle, parsed, now=now, max_age_days=max_age_days, checkpoint=checkpoint)
