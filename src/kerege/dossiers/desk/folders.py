"""Where the controller finds a case's or a record's dossier: subject, purpose and newest version.

On the ledger a case and a record are random ids that name nobody; this mapping is sealed and shown to no one.
"""

from dataclasses import dataclass, replace

from kerege.dossiers.embedded_keys import IDENTITY
from kerege.dossiers.imports import ImportKeys
from kerege.dossiers.ports import Entry
from kerege.dossiers.sealing import join
from kerege.dossiers.store import Dossiers
from kerege.kernel.types import Identifier


@dataclass(frozen=True, slots=True)
class Folder:
    """The newest dossier of a case or record."""

    about: Identifier
    """Case id, or record id."""
    subject: Identifier
    """Random id of whose dossier it is."""
    purpose: str
    """`requests` for a case, `acts` for a record."""
    service: str
    """Service whose field list it follows."""
    version: int
    """Version of the dossier."""


class Folders:
    """The mapping from public random ids to dossiers."""

    def __init__(self, dossiers: Dossiers, imports: ImportKeys) -> None:
        self._dossiers = dossiers
        self._imports = imports

    def keep(self, *folders: Folder) -> None:
        """Note new versions; durable on return."""
        fields = [(("purpose", folder.purpose), ("service", folder.service)) for folder in folders]
        entries = [Entry(_name(folder.about, folder.version), 0, folder.subject, IDENTITY) for folder in folders]
        self._dossiers.write_mapping(entries, fields)

    def find(self, about: Identifier) -> Folder | None:
        """The newest version, or None where the controller has no dossier of it."""
        newest, version = None, 1
        while (found := self._dossiers.open_mapping(_name(about, version), IDENTITY)) is not None:
            entry, fields = found
            newest = Folder(about, entry.subject, fields["purpose"], fields["service"], version)
            version += 1
        return newest or self._find_imported(about)

    def _find_imported(self, about: Identifier) -> Folder | None:
        """The folder of an act of an old registry: derived, where a live one is noted."""
        if not self._dossiers.holds(about, 1, IMPORTED.purpose):
            return None
        return replace(IMPORTED, about=about, subject=self._imports.subject(about))


IMPORTED = Folder(bytes(16), bytes(16), "acts", "birth", 1)
"""What the folders of imported acts have in common."""


def _name(about: Identifier, version: int) -> bytes:
    return join("folder", about, version.to_bytes(4, "big"))
