"""A controller's workplace on one machine: the ledger, the dossiers, the desk and the nation's pack together."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Self

from kerege.consensus.door import Door
from kerege.consensus.embedded import Clock, wall_clock
from kerege.dossiers.controller import Controller
from kerege.dossiers.desk import Desk
from kerege.dossiers.pins import PinPattern
from kerege.kernel.days import iso, local_day
from kerege.modules.accounts.messages import Open
from kerege.modules.accounts.types import AccountKind
from kerege.node import devkeys
from kerege.node.genesis import Post, genesis_of
from kerege.node.home import Home, HomeError
from kerege.node.ledger import Ledger, begin_ledger, new_ledger_id, open_ledger
from kerege.node.ledger_view import DoorView
from kerege.node.pack import Pack, PackError, nation_folder, read_pack, world_of
from kerege.node.wire import reach


@dataclass(slots=True)
class Workplace:
    """Everything the controller of civil registration has on its machine. A context manager."""

    home: Home
    door: Door
    now: Clock
    controller: Controller
    desk: Desk
    pack: Pack
    opened: Ledger | None = None
    """The ledger where this process holds it; None where a running node does."""

    @property
    def ledger(self) -> Ledger:
        """The ledger that this process holds; raises `HomeError` where a running node does."""
        if self.opened is None:
            reason = f"the ledger of {self.home.path} is held by its node: ask through its door."
            raise HomeError(reason)
        return self.opened

    def close(self) -> None:
        """Close the dossiers, and the ledger where it was opened here."""
        self.controller.close()
        if self.opened is not None:
            self.opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @staticmethod
    def open_account(kind: int, key: bytes, office: str) -> Open:
        """The message by which an office opens and sponsors a fresh account for one case."""
        return Open(office=office, kind=AccountKind.PERSON, key_kind=kind, key=key, sponsored=True)


def read_nation(code: str) -> Pack:
    """The pack of a nation shipped with this release; raises `HomeError` where there is none or it is bad."""
    folder = nation_folder(code)
    packs = {each.name for each in nation_folder("").iterdir() if each.is_dir() and each.name.isalpha()}
    if code not in packs:
        known = ", ".join(sorted(packs))
        reason = f"there is no pack of the nation {code}: choose one of {known}."
        raise HomeError(reason)
    try:
        return read_pack(folder)
    except PackError as fault:
        raise HomeError(str(fault)) from None


def create_dev_home(home: Home, nation: str, *, clock: Clock = wall_clock) -> Pack:
    """A new ledger of a nation with throw-away keys for every office, and empty dossiers beside it."""
    pack = read_nation(nation)
    keys = devkeys.draw_keys(pack)
    posts = [Post(key.office, key.role, key.public) for key in keys]
    genesis = genesis_of(pack, posts, new_ledger_id(nation, dev=True), clock())
    begin_ledger(home, genesis)
    devkeys.write_keys(home, keys, pack.nation.prefix)
    Controller.prepare(home.path)
    home.write_about(genesis.ledger, nation, genesis.prefix, dev=True)
    return pack


def open_workplace(
    home: Home, *, clock: Clock = wall_clock, alarm: Callable[[str], None] = lambda _text: None
) -> Workplace:
    """Open a home with its dossiers for writing."""
    ledger = open_ledger(home, clock=clock, alarm=alarm)
    try:
        controller = Controller.open(home.path, DoorView(ledger.door), clock=clock)
    except BaseException:
        ledger.close()
        raise
    return furnish(home, ledger.door, controller, now=clock, opened=ledger)


def furnish(
    home: Home, door: Door, controller: Controller, *, now: Clock = wall_clock, opened: Ledger | None = None
) -> Workplace:
    """A workplace over any door: with the nation's services on its desk."""
    pack = read_nation(home.read_about()["nation"])
    return Workplace(home, door, now, controller, make_desk(pack, door, controller), pack, opened)


@contextmanager
def reach_workplace(home: Home) -> Iterator[Workplace]:
    """A workplace over the running node of a home; raises `HomeError` where none runs."""
    home.read_about()
    node = reach(home.socket)
    if node is None:
        reason = f"no node of {home.path} runs: start it with `kerege up` or `kerege network up`, and the same --home."
        raise HomeError(reason)
    with node as door, Controller.open(home.path, DoorView(door)) as controller:
        yield furnish(home, door, controller)


def make_desk(pack: Pack, door: Door, controller: Controller) -> Desk:
    """The controller's desk with a nation's services."""
    return Desk(
        controller,
        {service.definition.code: service.definition for service in pack.services},
        controller.pins(pin_patterns(pack), offset_minutes=pack.nation.offset_minutes),
        lambda: door.head().time,
        offset_minutes=pack.nation.offset_minutes,
        world=lambda service: world_of(pack, service, local_day(door.head().time, pack.nation.offset_minutes)),
    )


_PARTS = {"S": "sex", "DD": "day", "MM": "month", "YYYY": "year", "N": "serial"}


def pin_patterns(pack: Pack) -> list[PinPattern]:
    """The dated patterns of the PIN that the pack states: layout, digit of the sex, pool of serials."""
    dated = {p.name: p for p in pack.parameters}
    patterns = []
    for entry in dated["identity.pin_pattern"].history:
        day = entry.valid_from or 0
        digits = dated["identity.pin_sex_digits"].on(day)
        pool = dated["identity.pin_pool"].on(day)
        if digits is None or pool is None or not isinstance(digits.value, tuple):
            reason = "the pack's PIN pattern lacks the digits of the sex or the pool: add them to parameters.yaml."
            raise HomeError(reason)
        first, _, last = str(pool.value).partition("-")
        parts, serial = _layout(str(entry.value))
        patterns.append(
            PinPattern(
                since=date.fromisoformat(iso(day)),
                parts=parts,
                sex={sex: digit for digit, _, sex in (pair.partition("=") for pair in digits.value)},
                serial_digits=serial,
                pool=((int(first), int(last)),),
            )
        )
    return patterns


def _layout(pattern: str) -> tuple[tuple[Any, ...], int]:
    """Parts of a pattern such as SDDMMYYYYNNNNN, and how many digits its serial has."""
    parts, serial, at = [], 0, 0
    while at < len(pattern):
        letters = next(t for t in ("YYYY", "DD", "MM", "S", "N") if pattern.startswith(t, at))
        if letters == "N":
            serial += 1
        if not (letters == "N" and serial > 1):
            parts.append(_PARTS[letters])
        at += len(letters)
    return tuple(parts), serial
