"""A case as a line: what is done, where it is now, until when, and what stopped the clock."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kerege.consensus.door import Door
from kerege.modules.services.state import CASES
from kerege.modules.services.types import Case, CaseStatus, ServiceDefinition

MOST = 500
"""Cases that a list looks at."""


@dataclass(frozen=True, slots=True)
class Station:
    """One step of a case's path."""

    step: str
    state: str
    """done, now or ahead."""
    at: int | None
    """When it was done."""
    office: str
    role: str


@dataclass(frozen=True, slots=True)
class CaseLine:
    """What a page shows of a case."""

    case: str
    service: str
    status: str
    office: str
    step: str
    roles: tuple[str, ...]
    opened: int
    due: int
    overdue: bool
    cause: str
    owner: str
    stopper: str
    until: int | None
    """What stopped the clock, who caused it, which office stopped it, and when it goes on by itself."""
    outcome: str
    reasons: tuple[str, ...]
    stations: tuple[Station, ...]


def line_of(identifier: bytes, row: Case, services: Mapping[str, ServiceDefinition], now: int) -> CaseLine:
    """The line of a case, as of a block time."""
    definition = services.get(row.service)
    steps = () if definition is None else definition.steps
    current = next((step for step in steps if step.code == row.step), None)
    open_ = row.status in {CaseStatus.OPEN, CaseStatus.SUSPENDED}
    acts = {act.step: act for act in row.acts}
    stations = []
    for step in steps:
        act = acts.get(step.code)
        state = "now" if open_ and step.code == row.step else "done" if act is not None else "ahead"
        office = row.office if state == "now" else "" if act is None else act.office
        if state == "ahead" and not open_:
            continue
        at = None if act is None else act.at
        stations.append(Station(step.code, state, at, office, step.roles[0] if step.roles else ""))
    return CaseLine(
        case=identifier.hex(),
        service=row.service,
        status=row.status.value,
        office=row.office,
        step=row.step,
        roles=() if current is None else tuple(current.roles),
        opened=row.opened,
        due=row.due,
        overdue=row.status is CaseStatus.OPEN and row.due < now,
        cause="" if row.stop is None else row.stop.cause,
        owner="" if row.stop is None else row.stop.owner,
        stopper="" if row.stop is None else row.stop.office,
        until=None if row.stop is None else row.stop.until,
        outcome=row.outcome,
        reasons=tuple(row.reasons),
        stations=tuple(stations),
    )


def lines(door: Door, services: Mapping[str, ServiceDefinition], limit: int = MOST) -> Iterator[CaseLine]:
    """Cases of the ledger, in the order of their random ids."""
    now = door.head().time
    for key, raw in door.scan(CASES.prefix, b"", limit):
        yield line_of(CASES.decode_key(key), CASES.decode_value(raw), services, now)


def find_line(door: Door, services: Mapping[str, ServiceDefinition], identifier: bytes) -> CaseLine | None:
    """One case, or None."""
    raw = door.state(CASES.encode_key(identifier))
    return None if raw is None else line_of(identifier, CASES.decode_value(raw), services, door.head().time)
