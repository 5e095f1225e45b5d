"""The command `verify`: BUNDLE --trust FILE [--json] [--max-age DAYS] [--checkpoint FILE] [--lang ky|ru|en]."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import entry
from .canonical import SIZE_LIMIT
from .outcome import Check, Exit, Unusable, Verdict
from .texts import LANGUAGES
from .verify import unusable, verify

Outcome = Verdict | entry.Judged

_DAYS_LIMIT = 100_000


def _days(word: str) -> int:
    if not (word.isascii() and word.isdigit() and len(word) <= 6 and int(word) <= _DAYS_LIMIT):  # noqa: PLR2004
        raise argparse.ArgumentTypeError(f"a whole number of days from 0 to {_DAYS_LIMIT}, not {word!r}")
    return int(word)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kerege verify",
        description="Verify a proof bundle offline.",
        epilog="Exit codes: 0 valid and current as of its checkpoint, 1 not valid, 2 unusable input, "
        "3 genuine but superseded, revoked, annulled, refused, stale or without proof of its status.",
    )
    parser.add_argument("bundle", metavar="BUNDLE", help="proof bundle to verify")
    parser.add_argument("--trust", metavar="FILE", required=True, help="trust file, from a source you trust")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    parser.add_argument("--max-age", metavar="DAYS", type=_days, help="a checkpoint older than this is stale (exit 3)")
    parser.add_argument(
        "--checkpoint", metavar="FILE", help="newest known checkpoint: an older bundle is stale (exit 3)"
    )
    parser.add_argument("--lang", choices=LANGUAGES, default="en", help="language of the lines")
    return parser


def _read(name: str, check: Check) -> bytes:
    """Read a file of at most 1 MiB; one byte more tells the verifier that it is larger."""
    try:
        with Path(name).open("rb") as file:
            return file.read(SIZE_LIMIT + 1)
    except OSError as error:
        raise Unusable(check, f"{name!r}: {error.strerror or 'not readable'}") from error
    except ValueError as error:
        raise Unusable(check, f"{name!r} is not the name of a file") from error


@dataclass(frozen=True, slots=True)
class _Inputs:
    """What the files held, each read once: one of them may be a pipe."""

    bundle: bytes
    trust: bytes
    checkpoint: bytes | None = None


def _inputs(arguments: argparse.Namespace) -> _Inputs:
    trust = _read(arguments.trust, Check.TRUST_FILE)
    bundle = _read(arguments.bundle, Check.BUNDLE_FILE)
    newer = None if arguments.checkpoint is None else _read(arguments.checkpoint, Check.CHECKPOINT_FILE)
    return _Inputs(bundle, trust, newer)


def parse(argv: Sequence[str]) -> argparse.Namespace | Exit:
    """Read the arguments; an exit code where they are wrong, or asked for help."""
    try:
        return _parser().parse_args(argv)
    except SystemExit as stop:
        return Exit.UNUSABLE if stop.code else Exit.VALID


def judge(arguments: argparse.Namespace) -> Outcome:
    """Verify what the arguments name."""
    try:
        given = _inputs(arguments)
    except Unusable as bad:
        return unusable(bad.check, bad.reason)
    ask = entry.judge if entry.is_entry(given.bundle) else verify
    now = time.time_ns() // 1_000_000
    return ask(given.bundle, given.trust, now=now, max_age_days=arguments.max_age, checkpoint=given.checkpoint)


def _say(text: str) -> None:
    """Print in UTF-8 whatever the locale, since the lines hold Cyrillic."""
    data = (text + "\n").encode("utf-8", "backslashreplace")
    sys.stdout.flush()
    if hasattr(sys.stdout, "buffer"):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        sys.stdout.write(data.decode())


def tell(outcome: Outcome, arguments: argparse.Namespace) -> None:
    """Print an outcome as the arguments say."""
    if arguments.json:
        told = outcome.to_json() if isinstance(outcome, entry.Judged) else outcome.to_json(arguments.lang)
        _say(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        _say("\n".join(outcome.lines(arguments.lang)))


def main(argv: Sequence[str]) -> int:
    """Verify as the arguments say, print the outcome and return the exit code (wrong arguments: 2)."""
    arguments = parse(argv)
    if isinstance(arguments, Exit):
        return int(arguments)
    outcome = judge(arguments)
    tell(outcome, arguments)
    return int(outcome.exit)
