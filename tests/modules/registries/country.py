"""A small country in which records are opened as they are outside: by a case and two officials.

A thin layer over the world of `tests/modules/services`: after every block the full invariants hold and the tables
rebuilt from the events equal the state, or the test that called fails.
"""

from collections.abc import Sequence
from typing import Any

from kerege.kernel.messages import Message
from kerege.kernel.receipts import Receipt
from kerege.modules.authority.messages import Appoint, SetRole
from kerege.modules.registries.messages import (
    BeginImport,
    BeginRekeying,
    CloseImport,
    ImportRecords,
    IssueCertificate,
    OpenSuccessor,
    ReceiveBlanks,
    RevokeCertificate,
)
from kerege.modules.registries.types import BlankStatus, CertificateDraft, CertificateKind, ImportedDraft, RecordDraft
from kerege.modules.services.messages import Act, Decide, Open
from tests.modules.services.world import MODULES, World, address, definition, digest

ZAGS, TSON, HEAD, MATERNITY = "ЗАГС-708203", "ЦОН-708203", "ЗАГС-000000", "РД-708203"
ZAGS_BISHKEK = "ЗАГС-711000"
BLIND = digest("blind", 16)
APPLIED = ""

Sent = tuple[str, list[Message]]


def key(name: str) -> bytes:
    """A uniqueness key, or the accounting key of a blank, of a name."""
    return digest(f"key/{name}", 32)


class Country(World):
    """Cases, records and papers by name. `clerk` also allots PINs and re-keys, `keeper` also imports."""

    def __init__(self, *, parameters: dict[str, Any] | None = None) -> None:
        super().__init__(definition("birth-import-review"), parameters=parameters)
        for name, role in (("clerk", "pin-officer"), ("keeper", "import-officer"), ("bishkek", "import-officer")):
            office = ZAGS_BISHKEK if name == "bishkek" else HEAD
            number = digest(f"appointment/{name}/{role}", 16)
            self.applied(self.govern(SetRole(role, [])))
            self.applied(self.govern(Appoint(number, address(name), office, role, self.time + 1, None)))
        self.wait(milliseconds=1)
        self.applied(self.send("keeper", ReceiveBlanks(HEAD, ZAGS, [key(f"blank {n}") for n in range(40)], BLIND)))

    @staticmethod
    def applied(receipt: Receipt) -> Receipt:
        """The receipt of something that must not be refused."""
        assert receipt.code == APPLIED, (receipt.code, receipt.facts)
        return receipt

    def declare(self, case: str, *, until: str = "register", parent: str = "parent") -> None:
        """A birth is declared and, unless told, accepted: the case waits at the ЗАГС."""
        number = digest(case, 16)
        steps: list[Sent] = [
            (parent, [Open(number, "birth", "declare", "", digest(f"{case}/content", 32), None, [], BLIND)]),
            (parent, [Act(number, "", "declare", [], TSON, None, None, [], BLIND)]),
        ]
        if until == "register":
            steps.append(("acceptor", [Act(number, TSON, "forward", [], ZAGS, None, None, [], BLIND)]))
        for receipt in self.block(steps):
            self.applied(receipt)

    def decision(self, case: str, record: str, keys: Sequence[str], **more: Any) -> Decide:
        """The decision that registers a birth, under uniqueness keys by name."""
        draft = RecordDraft(
            digest(record, 16), "birth", digest(f"{record}/content", 32), digest(f"{record}/act", 32),
            [key(name) for name in keys], digest(f"{record}/blind", 16), **more,
        )  # fmt: skip
        return Decide(digest(case, 16), ZAGS, "register", [], draft, [], None, None, None, None, [], BLIND)

    def register(self, record: str, *keys: str, office: str = ZAGS, **more: Any) -> Receipt:
        """A birth from its declaration to a live record; the receipt of the decision."""
        self.declare(f"case of {record}")
        return self.send("registrar", self.decision(f"case of {record}", record, keys or [record], **more))

    def paper(
        self,
        record: str,
        name: str,
        blank: int,
        kind: str = "primary",
        reason: str | None = None,
        by: str = "registrar",
    ) -> Receipt:
        """Issue a paper on a blank by number."""
        draft = CertificateDraft(
            digest(name, 16), CertificateKind(kind), key(f"blank {blank}"), reason, "birth", digest(f"{name}/blind", 16)
        )
        return self.send("registrar", IssueCertificate(ZAGS, digest(record, 16), draft))

    def revoke(self, name: str, blank: BlankStatus = BlankStatus.ISSUED, reason: str = "lost") -> Receipt:
        """Revoke a paper."""
        return self.send("registrar", RevokeCertificate(ZAGS, digest(name, 16), reason, blank, BLIND))

    def amend(self, record: str, case: str, *, kind: str = "clerical", secret: str = "") -> list[Receipt]:
        """A correction from its request to the closing of the record; receipts in order. Two officials sign."""
        number, blind = digest(case, 16), digest(f"{case}/blind", 16)
        told = [digest(f"{case}/{part}/{kind}/{secret}", 32) for part in ("content", "kind", "ground")]
        steps: list[Sent] = [
            ("parent", [Open(number, "birth-correction", "request", "", told[0], None, [], blind)]),
            ("parent", [Act(number, "", "submit", [], ZAGS, None, None, [], blind)]),
            ("registrar", [Act(number, ZAGS, "confirm", [], "", None, None, [], blind)]),
            (
                "registrar-2",
                [Decide(number, ZAGS, "amend", [], None, [], digest(record, 16), told[1], told[2], None, [], blind)],
            ),
        ]
        return [self.applied(receipt) for receipt in self.block(steps)]

    def succeed(self, record: str, version: int = 2) -> Receipt:
        """Open the next version of an amended record, under a new id."""
        content, act = (digest(f"{record}/{part}", 32) for part in ("content", "act"))
        blind = digest(f"{record}/blind", 16)
        message = OpenSuccessor(ZAGS, digest(record, 16), "birth", version, content, act, blind)
        return self.send("registrar-2", message)

    def begin_rekeying(self, epoch: int) -> Receipt:
        """Start a key epoch of the births."""
        return self.send("clerk", BeginRekeying(HEAD, "birth", epoch))

    def begin_import(self, number: str, source: str = "", by: str = "keeper", office: str = HEAD) -> Receipt:
        """Begin the import of a file; of its own unless told."""
        told = digest(f"file {source or number}", 32)
        return self.send(by, BeginImport(office, digest(number, 16), "birth", told, BLIND))

    @staticmethod
    def imported(record: str, keys: Sequence[bytes], office: str = ZAGS) -> ImportedDraft:
        """A record as an import brings it."""
        return ImportedDraft(
            digest(record, 16), digest(f"{record}/content", 32), digest(f"{record}/act", 32), list(keys), office
        )

    def import_records(
        self, number: str, *drafts: ImportedDraft, epoch: int = 1, before: Sequence[bytes] = (), **more: Any
    ) -> Receipt:
        """Open records under an import. `by` and `office`: another officer's."""
        by, office = more.get("by", "keeper"), more.get("office", HEAD)
        blind = digest(f"{number}/{self.sequence(by)}", 16)
        return self.send(by, ImportRecords(office, digest(number, 16), list(drafts), epoch, blind, list(before)))

    def close_import(self, number: str, accepted: int, by: str = "keeper", office: str = HEAD) -> Receipt:
        """Close an import."""
        root = digest(f"{number}/root", 32)
        return self.send(by, CloseImport(office, digest(number, 16), accepted, 1, 2, 3, root, BLIND))

    def row(self, table: str, *parts: Any) -> Any:
        """A row, or None."""
        declared = MODULES.tables[table]
        raw = self.store.rows.get(declared.encode_key(parts if declared.composite else parts[0]))
        return None if raw is None else declared.decode_value(raw)

    def table(self, name: str) -> dict[Any, Any]:
        """Every row of a table."""
        return dict(self.context().scan(MODULES.tables[name]))
