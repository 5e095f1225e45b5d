"""What a chunk of judged rows becomes: sealed dossiers, and the messages that open records and cases.

Ids, salts and blinds are derived from file and row: the same rows become the same messages again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from kerege.consensus.bodies import HOUR
from kerege.consensus.door import Door
from kerege.dossiers.controller import Controller
from kerege.dossiers.desk import Folder, Folders
from kerege.dossiers.store import Admitted, Draft
from kerege.gateways.extracts import births
from kerege.gateways.extracts.closing import REVIEWS
from kerege.gateways.extracts.held import Chunk
from kerege.gateways.extracts.row import Row
from kerege.gateways.extracts.rules import Outcome, Verdict
from kerege.kernel.commitments import commitment
from kerege.kernel.messages import Message
from kerege.kernel.types import Hash, Identifier
from kerege.modules.registries.messages import ImportRecords
from kerege.modules.registries.state import RECORDS
from kerege.modules.registries.types import ImportedDraft
from kerege.modules.services.messages import Act, Open
from kerege.modules.services.state import CASES

_DOUBT = ("import.number", "import.row", "import.detail")
"""Slots of a review case that say what it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What an import needs to know of the country."""

    office: str
    """Office that imports; its head office stands in for offices that are no more."""
    offices: frozenset[str]
    """Codes of the offices that the ledger knows: all of them may be named in a record."""
    open_offices: frozenset[str]
    """Those of them that decide cases today."""
    territory: frozenset[str]
    """Codes of the classifier."""
    offset_minutes: int
    record_fields: tuple[str, ...]
    """Slots of an act of birth, in their order."""
    review_fields: tuple[str, ...]
    """Slots of a review case, in their order."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A chunk of judged rows as the dossiers that it becomes, nothing of it kept yet."""

    source: Hash
    """The keyed hash of the file."""
    number: Identifier
    """The import's id."""
    chunk: Chunk
    accepted: Sequence[Row]
    reviewed: Sequence[Row]
    folders: Sequence[Folder]
    """Of the case of each row for review."""
    drafts: list[Draft]
    """The act of each accepted row, then what each of these cases asks; empty once they are admitted."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """The dossiers of a chunk."""

    acts: Sequence[tuple[Identifier, Hash]]
    """Of each accepted row: id and content root of its record."""
    requests: Sequence[Hash]
    """Content root of what each case asks."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a chunk became."""

    leaves: Sequence[bytes]
    """Of each accepted row: id and content root of its record."""
    parts: Sequence[tuple[bytes, list[Message]]]
    """(state key that stands once it is applied, messages of one transaction)."""


class Maker:
    """Makes what chunks of one import, or of several, become."""

    def __init__(self, door: Door, controller: Controller, setting: Setting) -> None:
        self._door = door
        self._dossiers = controller.dossiers
        self._keys = controller.imports
        self._folders = Folders(controller)
        self._setting = setting
        self._act_slots = _filler(setting.record_fields, births.CODES)
        self._request_slots = _filler(setting.review_fields, births.CODES + _DOUBT)

    def prepare(self, source: Hash, number: Identifier, chunk: Chunk, verdicts: Sequence[Verdict]) -> Prepared:
        """Turn a chunk of one import into dossiers to be written; nothing is kept."""
        pairs = list(zip(chunk.rows, verdicts, strict=True))
        accepted = [row for row, verdict in pairs if verdict.accepted]
        doubts = [(row, verdict) for row, verdict in pairs if verdict.outcome is Outcome.REVIEW]
        reviewed = [row for row, _ in doubts]
        expires = self._door.head().time + 24 * HOUR
        acts = self._drafts(
            self._folders_of(source, accepted, "acts", births.SERVICE),
            self._setting.record_fields,
            [self._act_slots(births.texts_of(row)) for row in accepted],
            expires,
        )
        folders = self._folders_of(source, reviewed, "requests", births.REVIEW_SERVICE)
        asked = [self._request_slots(_texts_of_doubt(number, row, verdict)) for row, verdict in doubts]
        requests = self._drafts(folders, self._setting.review_fields, asked, expires)
        return Prepared(source, number, chunk, accepted, reviewed, folders, acts + requests)

    def admit(self, prepared: Prepared) -> Admitted:
        """Register the dossiers of a chunk; raises what dossiers raise."""
        admitted = self._dossiers.admit(prepared.drafts)
        prepared.drafts.clear()  # a chunk may wait for its turn, and drafts are most of it
        return admitted

    def seal(self, prepared: Prepared, admitted: Admitted) -> Sealed:
        """Seal the dossiers of a chunk, not yet durably; raises what dossiers raise."""
        written = self._dossiers.seal(admitted)
        acts, requests = written[: len(prepared.accepted)], written[len(prepared.accepted) :]
        return Sealed([(each.record, each.root) for each in acts], [each.root for each in requests])

    def make_durable(self) -> None:
        """Have the dossiers sealed so far on the medium; raises what dossiers raise."""
        self._dossiers.make_durable()

    def make(self, chunks: Sequence[tuple[Prepared, Sealed]]) -> list[Made]:
        """Note where the dossiers of the cases are, durably, and make the messages of some chunks."""
        self._folders.keep(
            pair for prepared, sealed in chunks for pair in zip(prepared.folders, sealed.requests, strict=True)
        )
        return [self._make(*chunk) for chunk in chunks]

    def _make(self, prepared: Prepared, sealed: Sealed) -> Made:
        parts: list[tuple[bytes, list[Message]]] = []
        drafts = self._imported(prepared, sealed.acts)
        if drafts:
            parts.append((RECORDS.encode_key(drafts[0].record), [self._opening(prepared, drafts)]))
        if sealed.requests:
            cases = self._cases(prepared, sealed.requests)
            for start in range(0, len(cases), REVIEWS):
                group = cases[start : start + REVIEWS]
                messages: list[Message] = [message for pair in group for message in pair]
                parts.append((CASES.encode_key(group[0][0].case), messages))
        return Made([draft.record + draft.content for draft in drafts], parts)

    def _imported(self, prepared: Prepared, acts: Sequence[tuple[Identifier, Hash]]) -> list[ImportedDraft]:
        names, offices = prepared.chunk.names, self._setting.offices
        salts = self._keys.salts([record for record, _ in acts], "act")
        made = []
        for row, (record, root), salt in zip(prepared.accepted, acts, salts, strict=True):
            number = "/".join((row.office, *row.act))
            act = commitment("act", salt, number)
            office = row.office if row.office in offices else self._setting.office
            made.append(ImportedDraft(record, root, act, list(names[row.number].unique[0]), office))
        return made

    def _opening(self, prepared: Prepared, drafts: list[ImportedDraft]) -> ImportRecords:
        chunk, rows = prepared.chunk, prepared.accepted
        before = [key for row in rows for keys in chunk.names[row.number].unique[1:] for key in keys]
        blind = self._keys.blind(prepared.source, rows[0].number, "records")
        return ImportRecords(self._setting.office, prepared.number, drafts, chunk.epoch, blind, before)

    def _cases(self, prepared: Prepared, roots: Sequence[Hash]) -> list[tuple[Open, Act]]:
        """Cases for the office of the act, opened by the office that imports: for each the opening and the sending."""
        made = []
        own = self._setting.office
        for row, folder, content in zip(prepared.reviewed, prepared.folders, roots, strict=True):
            case = folder.about
            office = row.office if row.office in self._setting.open_offices else own
            blind = self._keys.blind(prepared.source, row.number, "case")
            opening = Open(case, births.REVIEW_SERVICE, "submit", own, content, None, [], blind)
            made.append((opening, Act(case, own, "send", [], office, None, None, [], blind)))
        return made

    def _folders_of(self, source: Hash, rows: Sequence[Row], purpose: str, service: str) -> list[Folder]:
        abouts = self._keys.records([(source, row.number) for row in rows])
        pairs = zip(abouts, self._keys.subjects(abouts), strict=True)
        return [Folder(about, subject, purpose, service, 1) for about, subject in pairs]

    def _drafts(
        self, folders: Sequence[Folder], codes: tuple[str, ...], told: Sequence[tuple[str, ...]], expires: int
    ) -> list[Draft]:
        """Dossiers of rows: every slot, under salts that the same row always gets."""
        seeds = self._keys.seeds([folder.about for folder in folders])
        return [
            Draft(
                record=folder.about,
                version=folder.version,
                subject=folder.subject,
                purpose=folder.purpose,
                names=codes,
                values=values,
                expires=expires,
                seed=seed,
                again=True,
            )
            for folder, values, seed in zip(folders, told, seeds, strict=True)
        ]


def _texts_of_doubt(number: Identifier, row: Row, verdict: Verdict) -> tuple[str, ...]:
    """What a person must look at: the row, and why."""
    return (*births.texts_of(row), number.hex(), str(row.number), verdict.detail)


def _filler(slots: Sequence[str], told: Sequence[str]) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    """A function that puts values, in the order of the codes `told`, into slots; those of no code stay empty."""
    places = {code: place for place, code in enumerate(told)}
    pick: Callable[[tuple[str, ...]], Any] = itemgetter(*(places.get(slot, len(told)) for slot in slots))
    return lambda values: pick((*values, ""))
