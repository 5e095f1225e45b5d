"""Registers against a naive book of what should stand, over random histories.

After every block the ledger's full invariants hold and its tables are rebuilt from the events (`World`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kerege.kernel.receipts import Receipt
from kerege.modules.registries.messages import MergeRecords, Rekey, SplitRecords, WriteOffBlank
from kerege.modules.registries.types import BlankStatus, KeyEpoch
from tests.modules.registries.country import APPLIED, BLIND, HEAD, ZAGS, Country, key
from tests.modules.services.world import digest

PINS = st.integers(0, 4)
CHOICE = st.integers(0, 2**16)
BLANKS = st.integers(0, 39)
FILES = st.integers(0, 5)
WRITTEN_OFF = st.sampled_from([BlankStatus.SPOILED, BlankStatus.LOST, BlankStatus.RETURNED])


@dataclass
class Paper:
    """A paper as the book has it."""

    record: str
    kind: str
    blank: int
    status: str = "valid"


@dataclass
class Book:
    """What should stand, kept the simplest way."""

    records: dict[str, tuple[str, int]] = field(default_factory=dict)
    """(status, version)"""
    papers: dict[str, Paper] = field(default_factory=dict)
    blanks: dict[int, str] = field(default_factory=lambda: dict.fromkeys(range(40), "received"))
    keys: dict[str, int] = field(default_factory=dict)
    """Keys held: the epoch under which each stands."""
    epoch: int = 1
    tickets: int = 0
    merges: dict[str, tuple[str, list[str]]] = field(default_factory=dict)
    """Duplicate → survivor, papers superseded; merges in force."""
    imports: dict[str, tuple[str, int]] = field(default_factory=dict)
    """(status, records opened under it)"""
    files: dict[int, str] = field(default_factory=dict)
    """File → its import."""
    provenance: dict[str, str] = field(default_factory=dict)
    """Imported record → its import."""

    def live(self, name: str) -> bool:
        """Whether the record is live."""
        return self.records[name][0] == "live"

    def valid(self, record: str) -> list[str]:
        """Valid papers of a record."""
        return [name for name, paper in self.papers.items() if paper.record == record and paper.status == "valid"]

    @property
    def renewing(self) -> bool:
        """Whether a re-keying is under way."""
        return any(epoch < self.epoch for epoch in self.keys.values())


def under(name: str, epoch: int) -> bytes:
    """A key as the authority computes it in an epoch."""
    return key(f"{name} in epoch {epoch}")


class Registers(RuleBasedStateMachine):
    """Everything that may be done with registers, in any order; each answer is known beforehand."""

    def __init__(self) -> None:
        super().__init__()
        self.country = Country(parameters={"accounts.rate_burst": 10**6})
        self.book = Book()
        self.count = 0

    def fresh(self, what: str) -> str:
        """A name not used before."""
        self.count += 1
        return f"{what} {self.count}"

    def pick(self, names: Mapping[str, object], choice: int) -> str:
        """One of the names."""
        return sorted(names)[choice % len(names)]

    def answer(self, receipt: Receipt, expected: str) -> bool:
        """Whether it was applied; fails where the answer is another one than the book says."""
        assert receipt.code == expected, (receipt.code, receipt.facts)
        return expected == APPLIED

    @rule(pin=PINS | st.none(), old_draft=st.booleans())
    def register(self, pin: int | None, old_draft: bool) -> None:
        """A birth, with or without a PIN; sometimes a draft that was made in the epoch before."""
        book, record = self.book, self.fresh("record")
        names = [f"act of {record}", *([] if pin is None else [f"pin {pin}"])]
        epoch = book.epoch - 1 if old_draft and book.epoch > 1 else book.epoch
        case = f"case of {record}"
        self.country.declare(case)
        before = [under(n, epoch - 1) for n in names] if book.renewing and epoch == book.epoch else []
        decision = self.country.decision(case, record, [], epoch=epoch, before=before)
        assert decision.record is not None
        decision.record.keys.extend(under(n, epoch) for n in names)
        expected = APPLIED
        if epoch != book.epoch:
            expected = "registries.15"
        elif any(name in book.keys for name in names):
            expected = "registries.2"
        if self.answer(self.country.send("registrar", decision), expected):
            book.records[record] = ("live", 1)
            book.keys.update(dict.fromkeys(names, epoch))

    @rule(file=FILES, again=st.none() | CHOICE)
    def begin_import(self, file: int, again: int | None) -> None:
        """A file of an old registry, perhaps one that was imported, perhaps under a number in use."""
        book, number = self.book, self.fresh("import")
        if again is not None and book.imports:
            number = self.pick(book.imports, again)
        expected = "registries.19" if file in book.files else "registries.1" if number in book.imports else APPLIED
        if self.answer(self.country.begin_import(number, str(file)), expected):
            book.imports[number] = ("open", 0)
            book.files[file] = number

    @precondition(lambda self: self.book.imports)
    @rule(choice=CHOICE, pins=st.lists(PINS | st.none(), min_size=1, max_size=4), old_drafts=st.booleans())
    def import_records(self, choice: int, pins: list[int | None], old_drafts: bool) -> None:
        """Rows of a file, all or none: some PINs are held, or come twice in the message."""
        book, number = self.book, self.pick(self.book.imports, choice)
        epoch = book.epoch - 1 if old_drafts and book.epoch > 1 else book.epoch
        rows = {record: [f"act of {record}", *([] if pin is None else [f"pin {pin}"])]
                for record, pin in ((self.fresh("record"), pin) for pin in pins)}  # fmt: skip
        names = [name for keys in rows.values() for name in keys]
        drafts = [self.country.imported(record, [under(n, epoch) for n in keys]) for record, keys in rows.items()]
        before = [under(n, epoch - 1) for n in names] if book.renewing and epoch == book.epoch else []
        expected = APPLIED
        if book.imports[number][0] == "closed":
            expected = "registries.21"
        elif epoch != book.epoch:
            expected = "registries.15"
        elif any(name in book.keys for name in names) or len(set(names)) < len(names):
            expected = "registries.2"
        if self.answer(self.country.import_records(number, *drafts, epoch=epoch, before=before), expected):
            book.records.update(dict.fromkeys(rows, ("live", 1)))
            book.provenance.update(dict.fromkeys(rows, number))
            book.keys.update(dict.fromkeys(names, epoch))
            book.imports[number] = ("open", book.imports[number][1] + len(rows))

    @precondition(lambda self: self.book.imports)
    @rule(choice=CHOICE, off=st.sampled_from([0, 0, 0, 1, 5]))
    def close_import(self, choice: int, off: int) -> None:
        """A file is imported to its end, or its rows are counted wrong."""
        number = self.pick(self.book.imports, choice)
        status, opened = self.book.imports[number]
        expected = "registries.21" if status == "closed" else "registries.23" if off else APPLIED
        if self.answer(self.country.close_import(number, opened + off), expected):
            self.book.imports[number] = ("closed", opened)

    @precondition(lambda self: self.book.records)
    @rule(choice=CHOICE, blank=BLANKS, repeat=st.booleans(), reason=st.sampled_from([None, "lost"]))
    def issue(self, choice: int, blank: int, repeat: bool, reason: str | None) -> None:
        """A paper, primary or repeat, on any blank."""
        book, record, name = self.book, self.pick(self.book.records, choice), self.fresh("paper")
        kind = "repeat" if repeat else "primary"
        expected = APPLIED
        if not book.live(record):
            expected = "registries.4"
        elif repeat == (reason is None):
            expected = "registries.9"
        elif not repeat and any(book.papers[each].kind == "primary" for each in book.valid(record)):
            expected = "registries.8"
        elif book.blanks[blank] != "received":
            expected = "registries.7"
        if self.answer(self.country.paper(record, name, blank, kind, reason), expected):
            book.papers[name] = Paper(record, kind, blank)
            book.blanks[blank] = "issued"

    @precondition(lambda self: self.book.papers)
    @rule(choice=CHOICE, blank=st.sampled_from([BlankStatus.ISSUED, BlankStatus.SPOILED, BlankStatus.LOST]))
    def revoke(self, choice: int, blank: BlankStatus) -> None:
        """A paper is lost, spoiled, or revoked while still out."""
        paper = self.book.papers[name := self.pick(self.book.papers, choice)]
        expected = APPLIED if paper.status == "valid" else "registries.6"
        if self.answer(self.country.revoke(name, blank), expected):
            paper.status = "revoked"
            self.book.blanks[paper.blank] = blank.value

    @rule(blank=BLANKS, status=WRITTEN_OFF)
    def write_off(self, blank: int, status: BlankStatus) -> None:
        """A blank at hand is accounted for."""
        expected = APPLIED if self.book.blanks[blank] == "received" else "registries.7"
        message = WriteOffBlank(ZAGS, key(f"blank {blank}"), status, BLIND)
        if self.answer(self.country.send("registrar", message), expected):
            self.book.blanks[blank] = status.value

    @precondition(lambda self: any(map(self.book.live, self.book.records)))
    @rule(choice=CHOICE, kind=st.sampled_from(["clerical", "adoption", "annulled"]))
    def amend(self, choice: int, kind: str) -> None:
        """A live record is closed by a case of two officials."""
        book = self.book
        record = self.pick({name: row for name, row in book.records.items() if row[0] == "live"}, choice)
        self.country.amend(record, self.fresh("amendment"), kind=kind)
        for name in book.valid(record):
            book.papers[name].status = "superseded"
        book.records[record] = ("closed", book.records[record][1])
        book.tickets += 1

    @rule(version=st.integers(1, 4))
    def succeed(self, version: int) -> None:
        """The next version of something amended."""
        record = self.fresh("record")
        expected = "registries.18" if version < 2 else APPLIED if self.book.tickets else "registries.10"
        if self.answer(self.country.succeed(record, version), expected):
            self.book.tickets -= 1
            self.book.records[record] = ("live", version)

    @precondition(lambda self: self.book.records)
    @rule(one=CHOICE, other=CHOICE)
    def merge(self, one: int, other: int) -> None:
        """A duplicate is merged."""
        book = self.book
        duplicate, survivor = self.pick(book.records, one), self.pick(book.records, other)
        expected = APPLIED if book.live(duplicate) and book.live(survivor) else "registries.4"
        if duplicate == survivor:
            expected = "registries.13"
        ids = digest(duplicate, 16), digest(survivor, 16)
        message = MergeRecords(HEAD, *ids, digest("ground", 32), digest(self.fresh("blind"), 16))
        if self.answer(self.country.send("supervisor", message), expected):
            superseded = book.valid(duplicate)
            book.merges[duplicate] = (survivor, superseded)
            book.records[duplicate] = ("merged", book.records[duplicate][1])
            for name in superseded:
                book.papers[name].status = "superseded"

    @precondition(lambda self: self.book.records)
    @rule(choice=CHOICE, again=st.booleans())
    def split(self, choice: int, again: bool) -> None:
        """A merge is taken back."""
        book = self.book
        duplicate = self.pick(book.records if again or not book.merges else book.merges, choice)
        expected = APPLIED if duplicate in book.merges else "registries.12"
        message = SplitRecords(HEAD, digest(duplicate, 16), digest(self.fresh("blind"), 16))
        if self.answer(self.country.send("supervisor", message), expected):
            for name in book.merges.pop(duplicate)[1]:
                book.papers[name].status = "valid"
            book.records[duplicate] = ("live", book.records[duplicate][1])

    @rule(skip=st.integers(0, 1))
    def begin_rekeying(self, skip: int) -> None:
        """The authority's key changes, once the change before is complete."""
        expected = "registries.15" if skip or self.book.renewing else APPLIED
        if self.answer(self.country.begin_rekeying(self.book.epoch + 1 + skip), expected):
            self.book.epoch += 1

    @precondition(lambda self: self.book.keys)
    @rule(count=st.integers(1, 6), start=CHOICE)
    def rekey(self, count: int, start: int) -> None:
        """Some keys are renewed: those still due, or among them one that is not."""
        book = self.book
        names = sorted(book.keys)
        part = (names[start % len(names) :] + names)[: min(count, len(names))]
        epoch = book.epoch
        pairs = [(under(n, epoch - 1), under(n, epoch)) for n in part]
        expected = APPLIED if all(book.keys[name] == epoch - 1 for name in part) else "registries.14"
        if self.answer(self.country.send("clerk", Rekey(HEAD, "birth", pairs, BLIND)), expected):
            book.keys.update(dict.fromkeys(part, epoch))

    @invariant()
    def the_ledger_says_what_the_book_says(self) -> None:
        """Every row, both ways."""
        book, country = self.book, self.country
        rows = country.table("registries.record")
        records = {k: (r.status.value, r.version) for k, r in rows.items()}
        assert records == {digest(name, 16): row for name, row in book.records.items()}
        brought = {k: r.provenance for k, r in rows.items() if r.provenance is not None}
        assert brought == {digest(name, 16): digest(number, 16) for name, number in book.provenance.items()}
        imports = {k: (row.status.value, row.accepted) for k, row in country.table("registries.import").items()}
        assert imports == {digest(number, 16): row for number, row in book.imports.items()}
        sources = country.table("registries.import_source")
        assert sources == {digest(f"file {file}", 32): digest(number, 16) for file, number in book.files.items()}
        papers = {
            k: (p.record, p.kind.value, p.blank, p.status.value)
            for k, p in country.table("registries.certificate").items()
        }
        assert papers == {
            digest(name, 16): (digest(p.record, 16), p.kind, key(f"blank {p.blank}"), p.status)
            for name, p in book.papers.items()
        }
        blanks = {k: row.status.value for k, row in country.table("registries.blank").items()}
        assert blanks == {key(f"blank {number}"): status for number, status in book.blanks.items()}
        held = {k: row.epoch for k, row in country.table("registries.unique").items()}
        assert held == {under(name, epoch): epoch for name, epoch in book.keys.items()}
        counts = country.row("registries.key_epoch", "birth") or KeyEpoch(1, 0, 0)
        renewed = sum(epoch == book.epoch for epoch in book.keys.values())
        assert counts == KeyEpoch(book.epoch, len(book.keys), renewed)
        assert (country.row("registries.ticket", ZAGS) or 0) == book.tickets


TestRegisters = Registers.TestCase
TestRegisters.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)
