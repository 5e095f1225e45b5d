"""What the parts of a network say: one JSON object a line, for programs and for `kerege network logs`.

The engine writes the same way (its setting `log_format`); what a process says before it has a log stays plain text.
"""

import json
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO

import structlog

FIRST = ("time", "level", "member", "height", "text")
"""Fields in this order; others behind them."""


class Log:
    """The lines of one process. May be used from several threads. A line for which there is no room is lost: a full
    disk must end nobody who could go on once there is room again.
    """

    def __init__(self, member: str, out: TextIO | None = None) -> None:
        self.member = member
        self.height: int | None = None
        """Of the newest block that this process knows: it stands in every line."""
        self.alarms = 0
        """Lines so far that somebody should read."""
        self._logger = structlog.wrap_logger(
            structlog.PrintLogger(sys.stderr if out is None else out),
            processors=[structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"), self._complete, _written],
        )

    def tell(self, text: str) -> None:
        """Something to know."""
        with suppress(OSError):
            self._logger.info(text, level="info")

    def mend(self, text: str, member: str = "") -> None:
        """Something that was dealt with; about another member where it is named."""
        with suppress(OSError):
            self._logger.warning(text, level="warning", **({"member": member} if member else {}))

    def alarm(self, text: str) -> None:
        """Something that somebody must look at."""
        self.alarms += 1
        with suppress(OSError):
            self._logger.error(text, level="error")

    def _complete(self, _logger: object, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        entry.setdefault("member", self.member)
        if self.height is not None:
            entry.setdefault("height", self.height)
        return entry


def _written(_logger: object, _method: str, entry: MutableMapping[str, Any]) -> str:
    entry["text"] = entry.pop("event")
    ordered = {name: entry.pop(name) for name in FIRST if name in entry}
    return json.dumps({**ordered, **entry}, ensure_ascii=False, default=str)


def text_of(line: str) -> str:
    """What a line says, without when and who."""
    entry = _entry(line)
    return line if entry is None else str(entry.get("text", entry.get("_msg", line)))


def readable(line: str, who: str = "") -> str:
    """A line of a log for people: time, level, text, and what else stands in it; what is no JSON stays as it is.

    `who` wrote it, as the reader is told before it: another member that it is about is named.
    """
    entry = _entry(line)
    if entry is None:
        return line
    time = str(entry.pop("time", entry.pop("ts", "")))
    level, text = str(entry.pop("level", "")), str(entry.pop("text", entry.pop("_msg", "")))
    member = str(entry.pop("member", ""))
    text = f"{member}: {text}" if who and member not in {"", *who.split()} else text
    rest = [f"{name}={value}" for name, value in entry.items() if value not in (None, "")]
    return " ".join(part for part in (_seconds(time), level, text, *rest) if part)


def _entry(line: str) -> dict[str, Any] | None:
    """The object of a line of ours or of the engine's; None where it is neither."""
    if not line.startswith("{"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and ("text" in entry or "_msg" in entry) else None


def _seconds(time: str) -> str:
    """A time to the second: parts of it are for programs."""
    return f"{time.partition('.')[0]}Z" if "." in time else time
