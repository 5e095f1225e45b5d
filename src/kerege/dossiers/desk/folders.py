"""Where the controller finds a case's or a record's dossier: subject, purpose and the version that stands.

On the ledger a case and a record are random ids that name nobody; this mapping is sealed and shown to no one.
"""

from collections.abc import Iterable, Iterator

from msgspec import Struct
from msgspec.structs import replace

from kerege.dossiers.controller import Controller
from kerege.dossiers.embedded_keys import IDENTITY
from kerege.dossiers.ports import Entry, reference_commitment
from kerege.dossiers.sealing import join
from kerege.kernel.types import Hash, Identifier


class Folder(Struct, frozen=True):
    """One version of the dossier of a case or record."""

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

    def __init__(self, controller: Controller) -> None:
        self._dossiers = controller.dossiers
        self._imports = controller.imports
        self._looks = controller.looks
        self._ledger = controller.ledger

    def keep(self, versions: Iterable[tuple[Folder, Hash]]) -> None:
        """Note versions with their content roots; durable on return, the same again is no error."""
        named = {_name(folder.about, folder.version): (folder, root) for folder, root in versions}
        there = self._dossiers.held(list(named), 0, IDENTITY)
        entries, fields = [], []
        for name, (folder, root) in named.items():
            if name not in there:
                entries.append(Entry(name, 0, folder.subject, IDENTITY))
                fields.append((("purpose", folder.purpose), ("service", folder.service), ("root", root.hex())))
        if entries:
            self._dossiers.write_mapping(entries, fields)

    def find(self, about: Identifier) -> Folder | None:
        """The version that the ledger commits to, or None where the controller has no dossier of it.

        A version that was only prepared is nobody's business: what is shown, checked and decided is what was sent. Of
        what is not on the ledger at all it is the newest, for whoever is about to send it.
        """
        versions = list(self._versions(about))
        if not versions:
            return self._find_imported(about)
        standing = self._ledger.content(about)
        if standing is None:
            return versions[-1][0]
        return next((folder for folder, root in reversed(versions) if root == standing.hex()), None)

    def next_version(self, about: Identifier) -> int:
        """The number of a version to be prepared: above all that ever were."""
        return 1 + sum(1 for _ in self._versions(about))

    def reference_salt(self, folder: Folder, access: Identifier) -> bytes:
        """What makes a look's reference to a dossier random to all but the controller."""
        return self._looks.salt(access, f"{folder.purpose}/{folder.subject.hex()}")

    def reference(self, folder: Folder, access: Identifier) -> Hash:
        """What a look names in public: only the controller can tell whose dossier it means, and tells its subject."""
        return reference_commitment(folder.subject, folder.purpose, self.reference_salt(folder, access))

    def _versions(self, about: Identifier) -> Iterator[tuple[Folder, str]]:
        """All versions that were prepared, in order, with their content roots."""
        version = 1
        while (found := self._dossiers.open_mapping(_name(about, version), IDENTITY)) is not None:
            entry, fields = found
            yield Folder(about, entry.subject, fields["purpose"], fields["service"], version), fields["root"]
            version += 1

    def _find_imported(self, about: Identifier) -> Folder | None:
        """The folder of an act of an old registry: derived, where a live one is noted."""
        if not self._dossiers.holds(about, 1, IMPORTED.purpose):
            return None
        return replace(IMPORTED, about=about, subject=self._imports.subject(about))


IMPORTED = Folder(bytes(16), bytes(16), "acts", "birth", 1)
"""What the folders of imported acts have in common."""


def _name(about: Identifier, version: int) -> bytes:
    return join("folder", about, version.to_bytes(4, "big"))
