"""An import of births: judge every row, keep the accepted ones in dossiers, open their records on the ledger.

For each chunk of rows in this order: judged; values sealed in dossiers, durable; journal and index; then the messages,
from where they are durable on for some chunks together.
While some chunks are sealed and entered the next one is judged and the one after it read and looked up: rows that were
not in the index then stand in memory.
Ids, salts and blinds are derived from file and row, so that after a crash the journal says which chunks may have been
sent, the ledger which were, and what is missing is sent again as the same bytes.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from kerege.consensus.door import Door
from kerege.consensus.embedded import wall_clock
from kerege.dossiers.controller import Controller
from kerege.dossiers.store import Admitted
from kerege.durable import make_private_folder
from kerege.gateways.extracts import births
from kerege.gateways.extracts.closing import count_reached, parts_of
from kerege.gateways.extracts.errors import ExtractChanged, FormDiffers, ImportUnfinished, JournalMissing
from kerege.gateways.extracts.held import Chunk, Held
from kerege.gateways.extracts.index import Index
from kerege.gateways.extracts.journal import CHUNK, About, Journal, folder_of, numbers_of, read_about, source_of
from kerege.gateways.extracts.keeping import Keeping
from kerege.gateways.extracts.making import Maker, Prepared, Sealed, Setting
from kerege.gateways.extracts.reader import Extract
from kerege.gateways.extracts.row import Row
from kerege.gateways.extracts.rules import Outcome, Verdict, judge
from kerege.gateways.extracts.sending import Sender, Signer
from kerege.kernel.days import civil, local_day
from kerege.kernel.types import Hash, Identifier
from kerege.modules.disclosure.messages import StartJob
from kerege.modules.disclosure.types import JobKind
from kerege.modules.registries.messages import BeginImport, CloseImport
from kerege.modules.registries.state import IMPORT_SOURCES, IMPORTS
from kerege.modules.registries.types import Import, ImportStatus

_BLOCK = 1 << 20
Progress = Callable[[int, int], None]
"""(rows done, rows of the file)."""
OnRow = Callable[[Row, Verdict], None]


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
    open_end: bool = False
    """Whether the last line of the file has no end, so that what is missing after it shows nowhere."""

    def count(self, verdict: Verdict) -> None:
        """Count one row."""
        self.rows += 1
        self.outcomes[verdict.outcome] += 1


class Importer:
    """Imports files over one ledger and its dossiers, which it has for itself."""

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
        self._maker = Maker(door, controller, setting)

    def run(self, extract: Extract, on_row: OnRow, progress: Progress, *, set_aside: bool = False) -> Summary:
        """Import a file, or go on with it, or tell again what became of it.

        `on_row` is called for every row in order with its verdict. Raises `ExtractError`s, `FormDiffers`,
        `ImportUnfinished`, `ImportRefused`, and what door and dossiers raise; what was imported before stays.
        """
        make_private_folder(self._folder)
        with Index(self._folder / "index") as index, self._sender() as sender:
            source = self.source(extract)
            number = self._keys.number(source)
            self._check_form(extract, number)
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

    def _check_form(self, extract: Extract, number: Identifier) -> None:
        """What was begun is read as it was: one import never holds rows of two readings."""
        folder = folder_of(self._folder, number)
        begun = read_about(folder).form if Journal.exists(folder) else None
        if begun not in {None, extract.form}:
            raise FormDiffers(begun_with=begun, now=extract.form)

    def _settle_others(self, number: Identifier, index: Index, sender: Sender, *, set_aside: bool) -> None:
        """Every other import of this home is finished, or is ended now with the rows it has."""
        for other in numbers_of(self._folder):
            if other == number or self._row(other).status is ImportStatus.CLOSED:
                continue
            with Journal(folder_of(self._folder, other)) as journal:
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
                sender.send_now(BeginImport(self._setting.office, number, births.REGISTRY, source, blind))
            elif self._row(number).accepted or self._row(number).status is ImportStatus.CLOSED:
                raise JournalMissing(number=number.hex())
            today = local_day(self._row(number).since, self._setting.offset_minutes)
            since = date(*civil(today)).isoformat()
            Journal.begin(folder, About(number.hex(), source.hex(), since, rows, extract.form))
        journal = Journal(folder)
        summary = Summary(number.hex(), open_end=extract.open_end)
        return _Run(journal, source, number, index, index.place(source), sender, summary)

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
        sender.send_now(CloseImport(office, number, accepted, duplicate, review, rejected, root, blind))

    # Chunks

    def _import(self, extract: Extract, run: "_Run", on_row: OnRow, progress: Progress) -> None:
        done, earlier = run.journal.chunks, run.journal.verdicts()
        run.summary.resumed_at = min(run.journal.about.rows, done * CHUNK)
        tell = partial(_tell, run, on_row, progress)
        with (
            Held(run.index, run.place, self._keys, self._controller, self._door, run.announce) as held,
            Keeping(self._maker.make_durable, partial(self._take, run), tell) as keeping,
            ThreadPoolExecutor(1, "import-reader") as reader,
        ):
            chunks = _chunks(extract.rows())
            for rows in islice(chunks, done):
                verdicts = next(earlier)
                self._go_on(run, held.enter(rows), verdicts)
                tell(rows, verdicts)
            entered = done * CHUNK + 1
            following = reader.submit(_look_up_next, chunks, held)
            while (chunk := following.result()) is not None:
                held.turn_to(chunk, entered)
                # As it is before the next one is looked up: what is entered from now on may be missing there.
                entered = keeping.first_row() or chunk.rows[0].number
                following = reader.submit(_look_up_next, chunks, held)
                self._keep(run, keeping, chunk, held)
            keeping.settle()
        if run.summary.rows != run.journal.about.rows:
            raise ExtractChanged(file=extract.path)

    def _keep(self, run: "_Run", keeping: "Keeping[_Kept]", chunk: Chunk, held: Held) -> None:
        """Judge a new chunk and begin to keep it."""
        today = date.fromisoformat(run.journal.about.today)
        verdicts = [self._judge(row, held, today) for row in chunk.rows]
        prepared = self._maker.prepare(run.source, run.number, chunk, verdicts)
        admit, seal = partial(self._maker.admit, prepared), partial(self._seal, prepared, verdicts)
        keeping.begin(admit, seal, chunk.rows, verdicts)

    def _judge(self, row: Row, held: Held, today: date) -> Verdict:
        verdict = judge(row, held, self._setting.territory, today)
        if verdict.outcome is Outcome.ACCEPTED:
            held.accept(row)
        return verdict

    def _seal(self, prepared: Prepared, verdicts: Sequence[Verdict], admitted: Admitted) -> "_Kept":
        return _Kept(prepared, verdicts, self._maker.seal(prepared, admitted))

    def _take(self, run: "_Run", chunks: Sequence["_Kept"]) -> None:
        """New chunks whose dossiers lie sealed: journal, index, messages, in this order.

        The index after the journal, or a row of a chunk that the journal does not know would be its own duplicate.
        """
        made = self._maker.make([(each.prepared, each.sealed) for each in chunks])
        run.journal.append([(each.verdicts, one.leaves) for each, one in zip(chunks, made, strict=True)])
        _enter(run, [(each.prepared.chunk, each.verdicts) for each in chunks])
        run.sender.send([messages for one in made for _, messages in one.parts])

    def _go_on(self, run: "_Run", chunk: Chunk, verdicts: Sequence[Verdict]) -> None:
        """A chunk of the journal: what the ledger does not have of it is sent again."""
        _enter(run, [(chunk, verdicts)])
        told = parts_of(self._keys, run.source, chunk.rows[0].number, verdicts)
        if None not in self._door.states([part.key for part in told]):
            return
        run.sender.settle()
        prepared = self._maker.prepare(run.source, run.number, chunk, verdicts)
        sealed = self._maker.seal(prepared, self._maker.admit(prepared))
        self._maker.make_durable()
        (made,) = self._maker.make([(prepared, sealed)])
        run.sender.send([messages for key, messages in made.parts if self._door.state(key) is None])


class _Kept(NamedTuple):
    """A chunk whose dossiers lie sealed."""

    prepared: Prepared
    verdicts: Sequence[Verdict]
    sealed: Sealed


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
        self.sender.send_now(StartJob(job, JobKind.COMPARE))


def _enter(run: _Run, chunks: Sequence[tuple[Chunk, Sequence[Verdict]]]) -> None:
    """Accepted rows hold their PINs and act numbers from now on."""
    accepted = (
        (row.number, chunk.names[row.number])
        for chunk, verdicts in chunks
        for row, verdict in zip(chunk.rows, verdicts, strict=True)
        if verdict.accepted
    )
    run.index.add(run.place, ((number, (names.pin, names.act)) for number, names in accepted))


def _tell(run: _Run, on_row: OnRow, progress: Progress, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> None:
    """A chunk is kept: say so."""
    for row, verdict in zip(rows, verdicts, strict=True):
        run.summary.count(verdict)
        on_row(row, verdict)
    progress(run.summary.rows, run.journal.about.rows)


def _tell_again(extract: Extract, run: _Run, on_row: OnRow, progress: Progress) -> Summary:
    """The outcomes of an import that is finished: nothing is sent."""
    for chunk, verdicts in zip(_chunks(extract.rows()), run.journal.verdicts(), strict=True):
        _tell(run, on_row, progress, chunk, verdicts)
    run.summary.resumed_at = run.summary.rows
    return run.summary


def _look_up_next(chunks: Iterator[Sequence[Row]], held: Held) -> Chunk | None:
    """Read the next chunk and look it up; None at the end."""
    rows = next(chunks, None)
    return None if rows is None else held.look_up(rows)


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk
