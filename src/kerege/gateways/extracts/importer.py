"""An import of births: judge every row, keep the accepted ones in dossiers, open their records on the ledger.

For each chunk of rows in this order: judged; values sealed in dossiers, durable; journal and index; then the messages.
Ids, salts and blinds are derived from file and row, so that after a crash the journal says which chunks may have been
sent, the ledger which were, and what is missing is sent again as the same bytes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path

from kerege.consensus.door import Door
from kerege.consensus.embedded import wall_clock
from kerege.dossiers.controller import Controller
from kerege.dossiers.desk import Folder, Folders
from kerege.dossiers.store import Draft
from kerege.gateways.extracts import births
from kerege.gateways.extracts.closing import REVIEWS, count_reached, parts_of
from kerege.gateways.extracts.errors import ExtractChanged, ImportUnfinished, JournalMissing
from kerege.gateways.extracts.held import Held
from kerege.gateways.extracts.index import Index
from kerege.gateways.extracts.journal import CHUNK, About, Journal, Lock, folder_of, source_of
from kerege.gateways.extracts.reader import Extract
from kerege.gateways.extracts.row import Row
from kerege.gateways.extracts.rules import Outcome, Verdict, judge
from kerege.gateways.extracts.sending import HOUR, Sender, Signer
from kerege.kernel.commitments import commitment
from kerege.kernel.days import civil, local_day
from kerege.kernel.messages import Message
from kerege.kernel.types import Hash, Identifier
from kerege.modules.disclosure.messages import StartJob
from kerege.modules.disclosure.types import JobKind
from kerege.modules.registries.messages import BeginImport, CloseImport, ImportRecords
from kerege.modules.registries.state import IMPORT_SOURCES, IMPORTS, RECORDS
from kerege.modules.registries.types import Import, ImportedDraft, ImportStatus
from kerege.modules.services.messages import Act, Open
from kerege.modules.services.state import CASES

_BLOCK = 1 << 20
Progress = Callable[[int, int], None]
"""(rows done, rows of the file)."""
OnRow = Callable[[Row, Verdict], None]


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


@dataclass(slots=True)
class Summary:
    """What became of a file."""

    number: str
    """Id of the import, hex."""
    rows: int = 0
    outcomes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(map(str, Outcome), 0))
    """Outcome → rows."""
    transactions: int = 0
    """Sent by this run: 0 where the file was imported before."""
    resumed_at: int = 0
    """Rows that an earlier run had done."""

    def count(self, verdict: Verdict) -> None:
        """Count one row."""
        self.rows += 1
        self.outcomes[verdict.outcome] += 1


class Importer:
    """Imports files over one ledger and its dossiers; one at a time over a home."""

    def __init__(
        self,
        door: Door,
        controller: Controller,
        signer: Signer,
        setting: Setting,
        folder: Path,
        now: Callable[[], int] = wall_clock,
    ) -> None:
        """`folder`: where journals and the index lie, `imports/` of the home."""
        self._now = now
        self._door = door
        self._controller = controller
        self._signer = signer
        self._setting = setting
        self._folder = folder
        self._keys = controller.imports
        self._folders = Folders(controller.dossiers, controller.imports)

    def run(self, extract: Extract, on_row: OnRow, progress: Progress, *, set_aside: bool = False) -> Summary:
        """Import a file, or go on with it, or tell again what became of it.

        `on_row` is called for every row in order with its verdict. Raises `ExtractError`s, `ImportRunning`,
        `ImportUnfinished`, `ImportRefused`, and what door and dossiers raise; what was imported before stays.
        """
        with Lock(self._folder), Index(self._folder / "index.sqlite") as index, self._sender() as sender:
            source = self.source(extract)
            number = self._keys.number(source)
            self._settle_others(number, index, sender, set_aside=set_aside)
            run = self._begin(extract, source, number, index, sender)
            with run.journal:
                if self._row(number).status is ImportStatus.CLOSED:
                    return _tell_again(extract, run, on_row, progress)
                self._import(extract, run, on_row, progress)
                self._close(run)
            run.summary.transactions = sender.sent
            return run.summary

    # Beginning and ending

    def _sender(self) -> Sender:
        return Sender(self._door, self._signer, self._now)

    def source(self, extract: Extract) -> Hash:
        """The keyed hash of the whole file."""
        hashing = self._keys.source()
        with extract.path.open("rb") as file:
            while block := file.read(_BLOCK):
                hashing.update(block)
        return hashing.digest()

    def _row(self, number: Identifier) -> Import:
        raw = self._door.state(IMPORTS.encode_key(number))
        if raw is None:
            raise JournalMissing(number=number.hex())
        return IMPORTS.decode_value(raw)

    def _settle_others(self, number: Identifier, index: Index, sender: Sender, *, set_aside: bool) -> None:
        """Every other import of this home is finished, or is ended now with the rows it has."""
        for folder in sorted(self._folder.glob("*/about.json")):
            with Journal(folder.parent) as journal:
                other = bytes.fromhex(journal.about.number)
                if other == number or self._row(other).status is ImportStatus.CLOSED:
                    continue
                if not set_aside:
                    raise ImportUnfinished(
                        number=journal.about.number, rows_done=journal.chunks * CHUNK, of=journal.about.rows
                    )
                self._end(journal, index, sender)

    def _begin(self, extract: Extract, source: Hash, number: Identifier, index: Index, sender: Sender) -> "_Run":
        known = self._door.state(IMPORT_SOURCES.encode_key(source)) is not None
        folder = folder_of(self._folder, number)
        if not Journal.exists(folder):
            rows = extract.count()
            if not known:
                blind = self._keys.blind(source, 0, "begin")
                sender.send([BeginImport(self._setting.office, number, births.REGISTRY, source, blind)])
                sender.settle()
            elif self._row(number).accepted or self._row(number).status is ImportStatus.CLOSED:
                raise JournalMissing(number=number.hex())
            today = local_day(self._row(number).since, self._setting.offset_minutes)
            Journal.begin(folder, About(number.hex(), source.hex(), date(*civil(today)).isoformat(), rows))
        journal = Journal(folder)
        return _Run(journal, source, number, index, index.place(source), sender, Summary(number.hex()))

    def _close(self, run: "_Run") -> None:
        run.sender.settle()
        self._end(run.journal, run.index, run.sender)

    def _end(self, journal: Journal, index: Index, sender: Sender) -> None:
        """Close the import on the ledger with the counts and the root of what reached it."""
        reached = count_reached(journal, self._keys, self._door.states)
        source, number = source_of(journal.about), bytes.fromhex(journal.about.number)
        index.drop(index.place(source), reached.lost)
        accepted, duplicate, review, rejected = (reached.counts[outcome] for outcome in Outcome)
        blind = self._keys.blind(source, journal.chunks, "close")
        office, root = self._setting.office, reached.root.digest()
        sender.send([CloseImport(office, number, accepted, duplicate, review, rejected, root, blind)])
        sender.settle()

    # Chunks

    def _import(self, extract: Extract, run: "_Run", on_row: OnRow, progress: Progress) -> None:
        total, today = run.journal.about.rows, date.fromisoformat(run.journal.about.today)
        done, earlier = run.journal.chunks, run.journal.verdicts()
        run.summary.resumed_at = min(total, done * CHUNK)
        with Held(run.index, run.place, self._keys, self._controller, self._door, run.announce) as held:
            for position, chunk in enumerate(_chunks(extract.rows())):
                held.enter(chunk)
                if position < done:
                    verdicts = next(earlier)
                    self._go_on(run, held, chunk, verdicts)
                else:
                    held.look_up()
                    verdicts = [self._judge(row, held, today) for row in chunk]
                    self._take(run, held, chunk, verdicts)
                for row, verdict in zip(chunk, verdicts, strict=True):
                    run.summary.count(verdict)
                    on_row(row, verdict)
                progress(run.summary.rows, total)
        if run.summary.rows != total:
            raise ExtractChanged(file=extract.path)

    def _judge(self, row: Row, held: Held, today: date) -> Verdict:
        verdict = judge(row, held, self._setting.territory, today)
        if verdict.outcome is Outcome.ACCEPTED:
            held.accept(row)
        return verdict

    def _take(self, run: "_Run", held: Held, chunk: Sequence[Row], verdicts: Sequence[Verdict]) -> None:
        """A new chunk: dossiers, journal, index, messages, in this order.

        The index after the journal, or a row of a chunk that the journal does not know would be its own duplicate.
        """
        made = self._make(run, held, chunk, verdicts)
        run.journal.append(verdicts, made.leaves)
        _enter(run, held, made.accepted)
        for _, messages in made.parts:
            run.sender.send(messages)

    def _go_on(self, run: "_Run", held: Held, chunk: Sequence[Row], verdicts: Sequence[Verdict]) -> None:
        """A chunk of the journal: what the ledger does not have of it is sent again."""
        _enter(run, held, _split(chunk, verdicts)[0])
        parts = parts_of(self._keys, run.source, chunk[0].number, verdicts)
        if None not in self._door.states([part.key for part in parts]):
            return
        run.sender.settle()
        for key, messages in self._make(run, held, chunk, verdicts).parts:
            if self._door.state(key) is None:
                run.sender.send(messages)

    def _make(self, run: "_Run", held: Held, chunk: Sequence[Row], verdicts: Sequence[Verdict]) -> "_Made":
        """Seal the values of a chunk in dossiers and make its messages; the same again for the same rows."""
        accepted, reviewed = _split(chunk, verdicts)
        parts: list[tuple[bytes, list[Message]]] = []
        leaves: list[bytes] = []
        if accepted:
            drafts = self._records(run, held, accepted)
            before = [key for row in accepted for keys in held.names(row).unique[1:] for key in keys]
            leaves = [draft.record + draft.content for draft in drafts]
            blind = self._keys.blind(run.source, accepted[0].number, "records")
            message = ImportRecords(self._setting.office, run.number, drafts, held.epoch, blind, before)
            parts.append((RECORDS.encode_key(drafts[0].record), [message]))
        messages = self._cases(run, reviewed)
        for start in range(0, len(reviewed), REVIEWS):
            case = self._keys.record(run.source, reviewed[start][0].number)
            group = [message for pair in messages[start : start + REVIEWS] for message in pair]
            parts.append((CASES.encode_key(case), group))
        return _Made(accepted, leaves, parts)

    def _records(self, run: "_Run", held: Held, rows: Sequence[Row]) -> list[ImportedDraft]:
        keys, codes, expires = self._keys, self._setting.record_fields, self._expires()
        ids = [keys.record(run.source, row.number) for row in rows]
        folders = [Folder(each, keys.subject(each), "acts", births.SERVICE, 1) for each in ids]
        pairs = zip(folders, rows, strict=True)
        drafts = [self._draft(folder, codes, births.values_of(row), expires) for folder, row in pairs]
        written = self._controller.dossiers.write(drafts)
        made = []
        for identifier, row, kept in zip(ids, rows, written, strict=True):
            year, number = births.act_of(row)
            told = f"{row.office}/{year}/{number}"
            made.append(
                ImportedDraft(
                    identifier,
                    kept.root,
                    commitment("act", keys.salt(identifier, "act"), told),
                    list(held.names(row).unique[0]),
                    row.office if row.office in self._setting.offices else self._setting.office,
                )
            )
        return made

    def _expires(self) -> int:
        return self._door.head().time + 24 * HOUR

    def _cases(self, run: "_Run", rows: Sequence[tuple[Row, Verdict]]) -> list[tuple[Message, Message]]:
        """Cases for the office of the act, opened by the office that imports: for each the opening and the sending."""
        made: list[tuple[Message, Message]] = []
        for (row, _), content in zip(rows, self._requests(run, rows), strict=True):
            case = self._keys.record(run.source, row.number)
            office = row.office if row.office in self._setting.open_offices else self._setting.office
            blind = self._keys.blind(run.source, row.number, "case")
            own = self._setting.office
            made.append(
                (
                    Open(case, births.REVIEW_SERVICE, "submit", own, content, None, [], blind),
                    Act(case, own, "send", [], office, None, None, [], blind),
                )
            )
        return made

    def _requests(self, run: "_Run", rows: Sequence[tuple[Row, Verdict]]) -> list[Hash]:
        """Keep what a person must look at; gives the content root of each row's request."""
        if not rows:
            return []
        codes, expires = self._setting.review_fields, self._expires()
        drafts, folders = [], []
        for row, verdict in rows:
            case = self._keys.record(run.source, row.number)
            folder = Folder(case, self._keys.subject(case), "requests", births.REVIEW_SERVICE, 1)
            values = {**births.values_of(row), **_review(run, row, verdict)}
            folders.append(folder)
            drafts.append(self._draft(folder, codes, values, expires))
        written = self._controller.dossiers.write(drafts)
        self._folders.keep(*[folder for folder in folders if self._folders.find(folder.about) is None])
        return [each.root for each in written]

    def _draft(self, folder: Folder, codes: Sequence[str], values: Mapping[str, str], expires: int) -> Draft:
        """The dossier of a row: every slot, under salts that the same row always gets."""
        return Draft(
            record=folder.about,
            version=folder.version,
            subject=folder.subject,
            purpose=folder.purpose,
            fields=tuple([(code, values.get(code, "")) for code in codes]),
            expires=expires,
            salts=self._keys.salts(folder.about, len(codes)),
            again=True,
        )


@dataclass(frozen=True, slots=True)
class _Run:
    """One import under way."""

    journal: Journal
    source: Hash
    number: Identifier
    index: Index
    place: int
    sender: Sender
    summary: Summary

    def announce(self, job: Identifier) -> None:
        """Put a run of the comparison on the ledger, before it opens the first dossier."""
        self.sender.send([StartJob(job, JobKind.COMPARE)])
        self.sender.settle()


@dataclass(frozen=True, slots=True)
class _Made:
    """What a chunk became."""

    accepted: Sequence[Row]
    leaves: Sequence[bytes]
    parts: Sequence[tuple[bytes, list[Message]]]
    """(state key that stands once it is applied, messages of one transaction)."""


def _enter(run: _Run, held: Held, accepted: Sequence[Row]) -> None:
    """Accepted rows hold their PINs and act numbers from now on."""
    pairs = [(held.names(row), row.number) for row in accepted]
    run.index.add((name, run.place, number) for names, number in pairs for name in (names.pin, names.act))


def _tell_again(extract: Extract, run: _Run, on_row: OnRow, progress: Progress) -> Summary:
    """The outcomes of an import that is finished: nothing is sent."""
    for chunk, verdicts in zip(_chunks(extract.rows()), run.journal.verdicts(), strict=True):
        for row, verdict in zip(chunk, verdicts, strict=True):
            run.summary.count(verdict)
            on_row(row, verdict)
        progress(run.summary.rows, run.journal.about.rows)
    run.summary.resumed_at = run.summary.rows
    return run.summary


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


def _split(chunk: Sequence[Row], verdicts: Sequence[Verdict]) -> tuple[list[Row], list[tuple[Row, Verdict]]]:
    """The rows that become records, and those that become cases."""
    pairs = list(zip(chunk, verdicts, strict=True))
    accepted = [row for row, verdict in pairs if verdict.outcome is Outcome.ACCEPTED]
    return accepted, [(row, verdict) for row, verdict in pairs if verdict.outcome is Outcome.REVIEW]


def _review(run: _Run, row: Row, verdict: Verdict) -> dict[str, str]:
    return {"import.number": run.number.hex(), "import.row": str(row.number), "import.detail": verdict.detail}
