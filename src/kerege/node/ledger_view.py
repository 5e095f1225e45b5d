"""What the key service sees of the ledger: committed looks, job starts and tombstones, read through the door."""

from kerege.consensus.door import Door
from kerege.consensus.embedded import Stopped
from kerege.consensus.whole import BeingRestored
from kerege.dossiers.errors import LedgerUnreachable
from kerege.dossiers.ports import Grant, JobStart
from kerege.modules.disclosure.state import JOBS, LOOKS, TOMBSTONES
from kerege.modules.registries.keeper import FIRST_EPOCH
from kerege.modules.registries.state import BLANKS, EPOCHS, RECORDS, UNIQUE
from kerege.modules.registries.types import BlankStatus
from kerege.modules.services.state import CASES
from kerege.node.wire import WireFault

_UNREACHABLE = (OSError, Stopped, BeingRestored, WireFault)


class DoorView:
    """The key service's `LedgerView` over a door; a ledger that does not answer releases no key."""

    def __init__(self, door: Door) -> None:
        self._door = door

    def access_granted(self, access: bytes) -> Grant | None:
        """See `LedgerView`."""
        raw = self._state(LOOKS.encode_key(access))
        row = None if raw is None else LOOKS.decode_value(raw)
        if row is None or row.denial:
            return None
        return Grant(
            case=row.case,
            references=tuple(row.references),
            fields=tuple(row.fields),
            officer=row.officer,
            role=row.role,
            until=row.until,
        )

    def job_started(self, job: bytes) -> JobStart | None:
        """See `LedgerView`."""
        raw = self._state(JOBS.encode_key(job))
        return None if raw is None else JobStart(kind=JOBS.decode_value(raw).kind.value)

    def tombstone(self, commitment: bytes) -> bool:
        """See `LedgerView`."""
        return self._state(TOMBSTONES.encode_key(commitment)) is not None

    def key_held(self, key: bytes) -> bool:
        """See `LedgerView`."""
        return self._state(UNIQUE.encode_key(key)) is not None

    def content(self, about: bytes) -> bytes | None:
        """See `LedgerView`."""
        case, record = self._state(CASES.encode_key(about)), self._state(RECORDS.encode_key(about))
        if case is not None:
            return CASES.decode_value(case).content
        return None if record is None else RECORDS.decode_value(record).content

    def blank_used(self, key: bytes) -> bool:
        """See `LedgerView`."""
        raw = self._state(BLANKS.encode_key(key))
        return raw is not None and BLANKS.decode_value(raw).status is BlankStatus.ISSUED

    def key_epoch(self, registry: str) -> tuple[int, bool]:
        """See `LedgerView`."""
        raw = self._state(EPOCHS.encode_key(registry))
        if raw is None:
            return FIRST_EPOCH, False
        row = EPOCHS.decode_value(raw)
        return row.epoch, row.renewed < row.held

    def time(self) -> int:
        """See `LedgerView`."""
        try:
            return self._door.head().time
        except _UNREACHABLE as error:
            raise LedgerUnreachable from error

    def _state(self, key: bytes) -> bytes | None:
        try:
            return self._door.state(key)
        except _UNREACHABLE as error:
            raise LedgerUnreachable from error
