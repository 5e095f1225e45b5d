"""What a chunk of judged rows becomes: sealed dossiers, and the messages that open records and cases.

Ids, salts and blinds are derived from file and row: the same rows become the same messages again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kerege.consensus.bodies import HOUR
from kerege.consensus.door import Door
from kerege.dossiers.controller import Controller
from kerege.dossiers.desk import Folder, Folders
from kerege.dossiers.store import Draft
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
        forms = (setting.record_fields, setting.review_fields)
        self._slots = {codes: {code: place for place, code in enumerate(codes)} for codes in forms}
        """Field codes of a service → place of each."""

    def make(self, source: Hash, number: Identifier, chunk: Chunk, verdicts: Sequence[Verdict]) -> Made:
        """Seal the values of a chunk in dossiers and make its messages; raises what dossiers raise.

        `source`: the keyed hash of the file; `number`: the import's id.
        """
        pairs = list(zip(chunk.rows, verdicts, strict=True))
        accepted = [row for row, verdict in pairs if verdict.accepted]
        reviewed = [(row, verdict) for row, verdict in pairs if verdict.outcome is Outcome.REVIEW]
        parts: list[tuple[bytes, list[Message]]] = []
        leaves: list[bytes] = []
        if accepted:
            drafts = self._records(source, chunk, accepted)
            before = [key for row in accepted for keys in chunk.names[row.number].unique[1:] for key in keys]
            leaves = [draft.record + draft.content for draft in drafts]
            blind = self._keys.blind(source, accepted[0].number, "records")
            message = ImportRecords(self._setting.office, number, drafts, chunk.epoch, blind, before)
            parts.append((RECORDS.encode_key(drafts[0].record), [message]))
        cases = self._cases(source, number, reviewed)
        for start in range(0, len(cases), REVIEWS):
            group = cases[start : start + REVIEWS]
            messages: list[Message] = [message for pair in group for message in pair]
            parts.append((CASES.encode_key(group[0][0].case), messages))
        return Made(leaves, parts)

    def _records(self, source: Hash, chunk: Chunk, rows: Sequence[Row]) -> list[ImportedDraft]:
        keys, codes, expires = self._keys, self._setting.record_fields, self._expires()
        ids = [keys.record(source, row.number) for row in rows]
        folders = [Folder(each, keys.subject(each), "acts", births.SERVICE, 1) for each in ids]
        pairs = zip(folders, rows, strict=True)
        written = self._dossiers.write(
            [self._draft(folder, codes, births.values_of(row), expires) for folder, row in pairs]
        )
        made = []
        for identifier, row, kept in zip(ids, rows, written, strict=True):
            act = commitment("act", keys.salt(identifier, "act"), "/".join((row.office, *births.act_of(row))))
            unique = list(chunk.names[row.number].unique[0])
            office = row.office if row.office in self._setting.offices else self._setting.office
            made.append(ImportedDraft(identifier, kept.root, act, unique, office))
        return made

    def _cases(self, source: Hash, number: Identifier, rows: Sequence[tuple[Row, Verdict]]) -> list[tuple[Open, Act]]:
        """Cases for the office of the act, opened by the office that imports: for each the opening and the sending."""
        made = []
        own = self._setting.office
        for (row, _), content in zip(rows, self._requests(source, number, rows), strict=True):
            case = self._keys.record(source, row.number)
            office = row.office if row.office in self._setting.open_offices else own
            blind = self._keys.blind(source, row.number, "case")
            opening = Open(case, births.REVIEW_SERVICE, "submit", own, content, None, [], blind)
            made.append((opening, Act(case, own, "send", [], office, None, None, [], blind)))
        return made

    def _requests(self, source: Hash, number: Identifier, rows: Sequence[tuple[Row, Verdict]]) -> list[Hash]:
        """Keep what a person must look at; gives the content root of each row's request."""
        if not rows:
            return []
        codes, expires = self._setting.review_fields, self._expires()
        drafts, folders = [], []
        for row, verdict in rows:
            case = self._keys.record(source, row.number)
            folder = Folder(case, self._keys.subject(case), "requests", births.REVIEW_SERVICE, 1)
            doubt = {"import.number": number.hex(), "import.row": str(row.number), "import.detail": verdict.detail}
            folders.append(folder)
            drafts.append(self._draft(folder, codes, births.values_of(row) | doubt, expires))
        written = self._dossiers.write(drafts)
        self._folders.keep([(folder, each.root) for folder, each in zip(folders, written, strict=True)])
        return [each.root for each in written]

    def _draft(self, folder: Folder, codes: tuple[str, ...], values: Mapping[str, str], expires: int) -> Draft:
        """The dossier of a row: every slot, under salts that the same row always gets."""
        slots, filled = self._slots[codes], [""] * len(codes)
        for code, value in values.items():
            if code in slots:
                filled[slots[code]] = value
        return Draft(
            record=folder.about,
            version=folder.version,
            subject=folder.subject,
            purpose=folder.purpose,
            names=codes,
            values=tuple(filled),
            expires=expires,
            salts=self._keys.salts(folder.about, len(codes)),
            again=True,
        )

    def _expires(self) -> int:
        return self._door.head().time + 24 * HOUR
