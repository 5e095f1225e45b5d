"""The command `verify`: BUNDLE --trust FILE [--json] [--max-age DAYS] [--checkpoint FILE] [--lang ky|ru|en]."""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from . import entry
from .canonical import SIZE_LIMIT
from .outcome import Check, Exit, Unusable, Verdict
from .texts import LANGUAGES
from .verify import unusable, verify

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


def _judge(arguments: argparse.Namespace) -> Verdict:
    try:
        trust = _read(arguments.trust, Check.TRUST_FILE)
        bundle = _read(arguments.bundle, Check.BUNDLE_FILE)
        newer = None if arguments.checkpoint is None else _read(arguments.checkpoint, Check.CHECKPOINT_FILE)
    except Unusable as bad:
        return unusable(bad.check, bad.reason)
    now = time.time_ns() // 1_000_000
    return verify(bundle, trust, now=now, max_age_days=arguments.max_age, checkpoint=newer)


def _held(arguments: argparse.Namespace) -> int | None:
    """Judge a state proof and tell it; None where the file means to be none, or one of the files cannot be read."""
    try:
        data, trusted = _read(arguments.bundle, Check.BUNDLE_FILE), _read(arguments.trust, Check.TRUST_FILE)
    except Unusable:
        return None
    if not entry.is_entry(data):
        return None
    code, told = entry.judge(data, trusted)
    _say(json.dumps(told, indent=2) if arguments.json else entry.lines(told, arguments.lang))
    return int(code)


def _say(text: str) -> None:
    """Print in UTF-8 whatever the locale, since the lines hold Cyrillic."""
    data = (text + "\n").encode("utf-8", "backslashreplace")
    sys.stdout.flush()
    if hasattr(sys.stdout, "buffer"):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        sys.stdout.write(data.decode())


def main(argv: Sequence[str]) -> int:
    """Verify as the arguments say, print the outcome and return the exit code (wrong arguments: 2)."""
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as stop:
        return int(Exit.UNUSABLE) if stop.code else int(Exit.VALID)
    held = _held(arguments)
    if held is not None:
        return held
    verdict = _judge(arguments)
    if arguments.json:
        _say(json.dumps(verdict.to_json(arguments.lang), ensure_ascii=False, indent=2))
    else:
        _say("\n".join(verdict.lines(arguments.lang)))
    return int(verdict.exit)
