"""What the tests share: a ledger that can be stopped, and short ways to dossiers and looks."""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from kerege.dossiers.controller import Controller
from kerege.dossiers.embedded_keys import HOUR
from kerege.dossiers.errors import LedgerUnreachable
from kerege.dossiers.ports import Grant, JobStart, Look, reference_commitment
from kerege.dossiers.store import Draft

NOW = 1_795_000_000_000
"""A moment in November 2026, as block time and as clock."""

OFFICER = b"officer-account-0001"


@dataclass
class Ledger:
    """The `LedgerView` of the tests: holds what a test put on it, answers only while running."""

    now: int = NOW
    running: bool = True
    grants: dict[bytes, Grant] = field(default_factory=dict)
    jobs: dict[bytes, JobStart] = field(default_factory=dict)
    tombstones: set[bytes] = field(default_factory=set)

    def access_granted(self, access: bytes) -> Grant | None:
        self._answer()
        return self.grants.get(access)

    def job_started(self, job: bytes) -> JobStart | None:
        self._answer()
        return self.jobs.get(job)

    def key_held(self, _key: bytes) -> bool:
        """No act holds anything."""
        return False

    def content(self, _about: bytes) -> bytes | None:
        """Nothing stands."""
        return None

    def blank_used(self, _key: bytes) -> bool:
        """No paper was issued."""
        return False

    def key_epoch(self, _registry: str) -> tuple[int, bool]:
        """The first, whole."""
        return 1, False

    def tombstone(self, commitment: bytes) -> bool:
        self._answer()
        return commitment in self.tombstones

    def time(self) -> int:
        self._answer()
        return self.now

    def start(self, kind: str) -> bytes:
        job = os.urandom(16)
        self.jobs[job] = JobStart(kind=kind)
        return job

    def grant(self, draft: Draft, *fields: str, **changes: object) -> Look:
        """Put a grant for a dossier on the ledger and give the look that it allows."""
        salt = os.urandom(32)
        access = os.urandom(16)
        granted = Grant(
            case=draft.record,
            references=(os.urandom(32), reference_commitment(draft.subject, draft.purpose, salt)),
            fields=fields,
            officer=OFFICER,
            role="registrar",
            until=self.now + HOUR,
        )
        self.grants[access] = replace(granted, **changes)  # type: ignore[arg-type]
        return Look(
            access=access,
            case=self.grants[access].case,
            case_version=1,
            officer=OFFICER,
            subject=draft.subject,
            purpose=draft.purpose,
            record=draft.record,
            version=draft.version,
            reference_salt=salt,
            fields=fields,
        )

    def _answer(self) -> None:
        if not self.running:
            raise LedgerUnreachable(reason="stopped")


def open_controller(home: Path, ledger: Ledger, **more: object) -> Controller:
    return Controller.open(home, ledger, clock=lambda: ledger.now, **more)  # type: ignore[arg-type]


def draft(*fields: tuple[str, str], purpose: str = "acts", **more: object) -> Draft:
    names, values = zip(*(fields or (("surname", "Асанова"), ("given_name", "Айгүл"), ("patronymic", ""))), strict=True)
    told: dict[str, object] = {
        "record": os.urandom(16),
        "version": 1,
        "subject": os.urandom(16),
        "purpose": purpose,
        "names": names,
        "values": values,
        "expires": NOW + HOUR,
    }
    return Draft(**(told | more))  # type: ignore[arg-type]
