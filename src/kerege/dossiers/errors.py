"""What the controller's store refuses, each with its facts and what to do about it.

Facts never hold a value, a salt, a key or a person's number: these errors reach logs and screens.
"""

from typing import ClassVar


class DossierError(Exception):
    """The encrypted store did not do what was asked: `facts` say with what, `cure` says what helps."""

    cure: ClassVar[str] = ""

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self._sentence())

    def _sentence(self) -> str:
        what = (type(self).__doc__ or "").split("\n", 1)[0].rstrip(".")
        facts = ", ".join(f"{name} {_plain(value)}" for name, value in self.facts.items())
        return f"{what}{f' ({facts})' if facts else ''}. {self.cure}".rstrip()


def _plain(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)


# -- the folder ------------------------------------------------------------------------------------------------------


class DossiersLocked(DossierError):
    """Another process has this dossier store open."""

    cure = "Stop the other process, or send it the command instead of opening the store here."


class DossiersExist(DossierError):
    """A dossier store or its keys are already in this folder."""

    cure = "Open it, or choose an empty folder: creating anew would make every dossier unreadable."


class DossiersAbsent(DossierError):
    """There is no dossier store in this folder."""

    cure = "Run `kerege init`, or name the right folder with --home."


class KeysMissing(DossierError):
    """The key service's folder is absent or incomplete while dossiers exist."""

    cure = "Put the newest unexpired backup of the keys back; without them no dossier can be opened."


class KeysExposed(DossierError):
    """A key file can be read by others than its owner."""

    cure = "Find out who read it; then `chmod -R go-rwx` the keys folder and rotate the epoch."


class KeysOlderThanDossiers(DossierError):
    """The keys were restored from a backup made before the last erasure."""

    cure = "Call `reapply` with the tombstones of the ledger before anything else; it erases again what was erased."


class WrongVersion(DossierError):
    """The store was written by another version of the format."""

    cure = "Run the release that wrote it, or migrate a copy."


class StoreDamaged(DossierError):
    """A file of the store is damaged."""

    cure = "Restore the folder from its backup, then run `kerege dossiers check`."


class StoreUnwritable(DossierError):
    """The store cannot be written; nothing was changed."""

    cure = "Free space on the disk, or make the folder writable, and try again."


class BackupExpired(DossierError):
    """This backup of keys has outlived its term and may bring erased data back."""

    cure = "Destroy it and take a newer one."


# -- the ledger ------------------------------------------------------------------------------------------------------


class LedgerUnreachable(DossierError):
    """The ledger does not answer, so nothing is opened."""

    cure = "Start the ledger; a look is on record before a key is released, never after."


# -- looks -----------------------------------------------------------------------------------------------------------


class AccessRefused(DossierError):
    """The key service releases no key for this look."""


class AccessNotOnLedger(AccessRefused):
    """No access under this id is granted on the ledger."""

    cure = "Submit disclosure.RequestAccess and wait until it is final."


class AccessExpired(AccessRefused):
    """The access was granted for a time that is over."""

    cure = "Request access again, with the ground that holds now."


class AccessOfAnother(AccessRefused):
    """The access was granted to another official."""

    cure = "Every official asks in their own name."


class DossierNotGranted(AccessRefused):
    """The access does not cover this dossier."""

    cure = "Request access to this dossier, and bring the salt of its reference."


class FieldNotGranted(AccessRefused):
    """The access does not cover this field."""

    cure = "Request access that names the field."


class RoleNotAllowed(AccessRefused):
    """The purpose of this dossier is open to other roles only."""

    cure = "The competent role asks under its own appointment."


class OwnDossier(AccessRefused):
    """The official is a party in this dossier."""

    cure = "Hand the case to a colleague; one's own data is asked for as a citizen."


class NotForPersons(AccessRefused):
    """Dossiers of this purpose are shown to nobody."""

    cure = "They are read by the controller's machine only."


class JobNotOnLedger(AccessRefused):
    """The start of this machine job is not on the ledger."""

    cure = "Submit disclosure.StartJob for this kind of job and wait until it is final."


class JobSpent(AccessRefused):
    """A run under this start has already begun."""

    cure = "Every run has its own start on the ledger: submit another."


# -- dossiers --------------------------------------------------------------------------------------------------------


class DossierMissing(DossierError):
    """There is no such dossier."""

    cure = "Check the record id and version; after a restore, run `kerege dossiers check`."


class FieldUnknown(DossierError):
    """The dossier has no such field."""

    cure = "Take the names from the service's field list."


class DossierExists(DossierError):
    """A dossier of this record version is already written."""

    cure = "A new attempt takes a new record id; what never reached the ledger is collected after its expiry."


class DossierErased(DossierError):
    """The dossiers of this subject and purpose were erased; their keys exist no more."""

    cure = "Nothing opens it again. A new request takes a new subject id."


class DraftInvalid(DossierError):
    """The dossier cannot be written as given."""

    cure = "Correct the named part."


class NotCanonical(DossierError):
    """The value is not in its canonical form."""

    cure = "Text is NFC and encodable in UTF-8; structured values are RFC 8785 JSON of text, integers, lists, objects."


class PurposeUnknown(DossierError):
    """No such purpose is defined."""

    cure = "Take one from the list of purposes."


class RetainedByLaw(DossierError):
    """Dossiers of this purpose are kept permanently."""

    cure = "Only an erasable purpose can be erased; a wrong entry is amended."


class HeldByLaw(DossierError):
    """A legal hold forbids to erase these dossiers."""

    cure = "Lift the hold by the authority that placed it, or wait for its end."


# -- numbers ---------------------------------------------------------------------------------------------------------


class PoolExhausted(DossierError):
    """No free number is left."""

    cure = "Add numbers to the pool: a further range of the pattern, or blanks received by the office."


class PatternAbsent(DossierError):
    """No pattern is in force on this day."""

    cure = "Add the dated pattern to the nation pack."


class ReservationUnknown(DossierError):
    """No such reservation: never made, or already returned."""

    cure = "Reserve again."


class ReservationCommitted(DossierError):
    """The reservation is already used by a transaction."""

    cure = "A used number is never returned; amend the record instead."


class NumberTaken(DossierError):
    """The number is already in use."""

    cure = "Compare the two records; a number is used once."


class BlankUnknown(DossierError):
    """No such blank was received."""

    cure = "Check series and number on the paper."


class BlankNotInState(DossierError):
    """The blank is not in a state that allows this."""

    cure = "Check the blank's status."


class KeyVersionUnknown(DossierError):
    """No uniqueness key has this version."""

    cure = "Use a version from the list; the newest one cannot be retired."


class FormRefused(DossierError):
    """The values do not fill the service's form; what to correct is named field by field."""

    cure = "Correct the fields named in `faults` and submit again; nothing was written."
