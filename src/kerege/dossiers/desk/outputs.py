"""What registration gives out: act numbers, PINs and blanks, with the uniqueness keys over them.

Each is set aside before the transaction that uses it, and becomes used or goes back when its receipt is there.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from types import TracebackType
from typing import Protocol, Self, TypeVar

from kerege.dossiers.books import FOUND
from kerege.dossiers.controller import Controller
from kerege.dossiers.ports import PinAuthority
from kerege.kernel.commitments import commitment
from kerege.kernel.days import civil, local_day
from kerege.kernel.types import Hash, Identifier, Time
from kerege.modules.registries.types import CertificateDraft, CertificateKind
from kerege.modules.services.rules import holds as holds_in
from kerege.modules.services.types import ServiceDefinition

PIN_FIELD = "child.pin"
"""The field that registration fills from the PIN authority."""
NUMBERED = ("act.office", "act.year", "act.number", PIN_FIELD)
"""What the authority gives out: an act keeps it through every amendment."""


class _Made(Protocol):
    """A number that was reserved."""

    @property
    def id(self) -> Identifier:
        """Of the reservation."""


_MadeT = TypeVar("_MadeT", bound=_Made)


@dataclass(frozen=True, slots=True)
class IssuedPaper:
    """A certificate on its way: its id on the ledger, and the blank it is printed on."""

    certificate: Identifier
    kind: str
    series: str
    number: int


class Held:
    """Numbers set aside one after the other; as a context, all go back where one, or what follows, cannot be had."""

    def __init__(self) -> None:
        self._commits: list[Callable[[Hash], None]] = []
        self._releases: list[Callable[[], None]] = []

    def add(self, commit: Callable[[Hash], None], release: Callable[[], None]) -> None:
        """Something reserved: how it becomes used by a transaction, and how it goes back."""
        self._commits.append(commit)
        self._releases.append(release)

    def commit(self, transaction: Hash) -> None:
        """All are used by a transaction."""
        for commit in self._commits:
            commit(transaction)

    def release(self) -> None:
        """All go back."""
        for release in self._releases:
            release()

    def __enter__(self) -> Self:
        """Begin to set aside."""
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        """Give back what was taken in vain."""
        if kind is not None:
            self.release()


class Outputs:
    """The authority's books at the desk. `expires` tells when a transaction made now can commit no more."""

    def __init__(
        self,
        controller: Controller,
        pins: PinAuthority,
        now: Callable[[], Time],
        expires: Callable[[], Time],
        offset_minutes: int,
    ) -> None:
        self._controller = controller
        self._pins = pins
        self._now = now
        self._expires = expires
        self._offset_minutes = offset_minutes

    def numbers(
        self, definition: ServiceDefinition, office: str, values: Mapping[str, str], held: Held
    ) -> dict[str, str]:
        """What registration gives out: the act's number, and the PIN where the person gets one."""
        if _of_old_acts(definition) and values.get("act.number"):
            kept = {code: values.get(code, "") for code in NUMBERED}
            return {**kept, "act.office": kept["act.office"] or office}
        year = civil(local_day(self._now(), self._offset_minutes))[0]
        numbers, registry = self._controller.act_numbers, definition.registry
        number = self._reserve_free(
            lambda: numbers.reserve(office, year, expires=self._expires()),
            numbers.commit,
            lambda made: (registry, "act", office, str(made.year), str(made.number)),
        )
        held.add(partial(numbers.commit, number.id), partial(numbers.release, number.id))
        outputs = {"act.office": office, "act.year": str(number.year), "act.number": str(number.number)}
        pin_field = next((field for field in definition.record_fields if field.code == PIN_FIELD), None)
        if pin_field is not None and holds_in(pin_field.asked, values):
            born = date.fromisoformat(values["birth.date"])
            pin = self._reserve_free(
                lambda: self._pins.reserve(values["child.sex"], born, expires=self._expires()),
                self._pins.commit,
                lambda made: (registry, "pin", made.pin),
            )
            outputs[PIN_FIELD] = pin.pin
            held.add(partial(self._pins.commit, pin.id), partial(self._pins.release, pin.id))
        return outputs

    def _reserve_free(
        self,
        reserve: Callable[[], _MadeT],
        commit: Callable[[Identifier, Hash], None],
        parts: Callable[[_MadeT], tuple[str, ...]],
    ) -> _MadeT:
        """A number that no act of the ledger has: what an old registry gave out is noted as used and passed over."""
        uniqueness, ledger = self._controller.uniqueness, self._controller.ledger
        while True:
            made = reserve()
            registry, *rest = parts(made)
            epoch, renewing = ledger.key_epoch(registry)
            epochs = (epoch, epoch - 1) if renewing else (epoch,)
            if not any(ledger.key_held(uniqueness.key(registry, *rest, version=each)) for each in epochs):
                return made
            commit(made.id, FOUND)

    def keys(self, registry: str, values: Mapping[str, str], epoch: int) -> list[bytes]:
        """Uniqueness keys of an epoch: over the act's number, and over the PIN where there is one."""
        prf = partial(self._controller.uniqueness.key, version=epoch)
        office, year = values["act.office"], values["act.year"]
        act = ("act", office, year) if year else ("act-as-written", office)
        keys = [prf(registry, *act, values["act.number"])]
        return [*keys, prf(registry, "pin", values[PIN_FIELD])] if values.get(PIN_FIELD) else keys

    def papers(
        self, office: str, service: str, kinds: Sequence[str], reason: str | None, held: Held
    ) -> tuple[list[CertificateDraft], tuple[IssuedPaper, ...]]:
        """Papers on blanks of the office's stock: what goes on the ledger, and what is printed."""
        drafts, issued = [], []
        blanks = self._controller.blanks
        for kind in kinds:
            blank, certificate = blanks.reserve(office, expires=self._expires()), os.urandom(16)
            held.add(partial(blanks.commit, blank.id), partial(blanks.release, blank.id))
            drafts.append(
                CertificateDraft(
                    certificate,
                    CertificateKind(kind),
                    self.blank_key(blank.series, blank.number),
                    reason,
                    service,
                    os.urandom(16),
                )
            )
            issued.append(IssuedPaper(certificate, kind, blank.series, blank.number))
        return drafts, tuple(issued)

    def blank_key(self, series: str, number: int) -> bytes:
        """What the ledger accounts for a blank under, in place of its series and number."""
        return self._controller.blanks.accounting_key(series, number)


def act_commitment(values: Mapping[str, str], salt: bytes) -> bytes:
    """What the ledger holds of the number of an act."""
    told = "/".join(values.get(code, "") for code in ("act.office", "act.year", "act.number"))
    return commitment("act", salt, told)


def _of_old_acts(definition: ServiceDefinition) -> bool:
    """Whether nobody requests what the service writes: an office brings acts that were written before."""
    return all(start.trigger == "office" for start in definition.starts)
