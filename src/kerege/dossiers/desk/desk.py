"""The controller's workplace. Each method writes what must be durable first and returns unsigned messages.

Officials and citizens sign with their own keys elsewhere; the desk holds none. Values leave through
`read` alone, after the look is on the ledger.
"""

import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from msgspec.structs import replace

from kerege.dossiers.controller import Controller
from kerege.dossiers.derivations import Hashing
from kerege.dossiers.desk.folders import Folder, Folders
from kerege.dossiers.desk.outputs import NUMBERED, PIN_FIELD, Held, IssuedPaper, Outputs, act_commitment
from kerege.dossiers.embedded_keys import REQUESTS
from kerege.dossiers.errors import DossierExists, DossierMissing, FieldNotGranted, FormRefused
from kerege.dossiers.forms import World, find_faults, kept_fields
from kerege.dossiers.ports import Look, PinAuthority
from kerege.dossiers.sealing import join
from kerege.dossiers.store import Draft, Shown, Written
from kerege.kernel.commitments import commitment
from kerege.kernel.messages import Message
from kerege.kernel.transaction import MAXIMUM_AHEAD
from kerege.kernel.types import Address, Hash, Identifier, Time
from kerege.modules.disclosure.messages import RequestAccess
from kerege.modules.identity.types import PersonDraft
from kerege.modules.registries.messages import IssueCertificate, OpenSuccessor, ReceiveBlanks
from kerege.modules.registries.types import CertificateDraft, RecordDraft
from kerege.modules.services.messages import Act, Decide, Open
from kerege.modules.services.types import REQUESTER, ServiceDefinition

CIVIL = "civil"
"""Sector of pseudonyms in civil status."""

ADOPTION = "adoption"
ACTS = "acts"
NAMED = "amendment.fields"
"""Field of a request in which an amendment says what it changes."""

RANDOM_ID = re.compile("[0-9a-f]{32}")
ATTEMPTS = 16
"""How often one amendment may be taken up again with other values."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision ready to be signed, with what it reserved: settle it when the receipt is there."""

    message: Message
    record: Identifier | None
    papers: tuple[IssuedPaper, ...]
    held: Held
    """`commit` it with the transaction's id once it is applied; `release` it where it was refused or never sent."""


class Desk:
    """Turns clear values into dossiers and messages, for every service alike.

    `definitions` are the services in force by code; `now` gives block time, a lower bound of now; `world`
    gives what the country knows today for a service's form.
    """

    def __init__(
        self,
        controller: Controller,
        definitions: Mapping[str, ServiceDefinition],
        pins: PinAuthority,
        now: Callable[[], Time],
        *,
        offset_minutes: int,
        world: Callable[[str], World],
    ) -> None:
        self._controller = controller
        self._definitions = definitions
        self._now = now
        self._world = world
        self._outputs = Outputs(controller, pins, now, self._expires, offset_minutes)
        self.folders = Folders(controller)

    # Requests

    def begin(
        self, service: str, step: str, office: str, values: Mapping[str, str], *, parties: Sequence[Address] = ()
    ) -> tuple[Open, Identifier, bytes]:
        """Open a case: the message, the case's id, and the claim code for who will request (random, used once)."""
        if self._definitions[service].step(step).roles == (REQUESTER,):
            self.check_form(service, values)
        case, claim = os.urandom(16), os.urandom(32)
        written = self._write(Folder(case, os.urandom(16), REQUESTS, service, 1), values)
        message = Open(
            case=case,
            service=service,
            step=step,
            office=office,
            content=written.root,
            claim=sha256(claim).digest(),
            parties=list(parties),
            blind=os.urandom(16),
        )
        return message, case, claim

    def act(
        self,
        case: Identifier,
        office: str,
        action: str,
        *,
        values: Mapping[str, str] | None = None,
        reasons: Sequence[str] = (),
        next_office: str = "",
        claim: bytes | None = None,
    ) -> Act:
        """Take an action in a case; with `values`, what is asked is written anew."""
        content = None
        if values is not None:
            before = self._folder(case)
            self.check_form(before.service, values)
            fresh = replace(before, version=self.folders.next_version(case))
            content = self._write(fresh, values).root
        return Act(
            case=case,
            office=office,
            action=action,
            reasons=list(reasons),
            next_office=next_office,
            content=content,
            claim=claim,
            evidence=[],
            blind=os.urandom(16),
        )

    # Looks

    def request_look(
        self,
        about: Identifier,
        case: Identifier,
        officer: Address,
        office: str,
        ground: str,
        fields: Sequence[str] = (),
    ) -> tuple[RequestAccess, Look]:
        """Ask to see fields of a case's or a record's dossier: the message, and the look it will allow.

        A record's only where the case is about it: what the case's request names, and what was written in the case.
        """
        folder, access = self._folder(about), os.urandom(16)
        shown = tuple(fields) or tuple(self._slots(folder))
        message = RequestAccess(
            access=access,
            case=case,
            office=office,
            ground=ground,
            references=[self.folders.reference(folder, access)],
            fields=list(shown),
            blind=os.urandom(16),
        )
        look = Look(
            access=access,
            case=case,
            case_version=folder.version if about == case else self._folder(case).version,
            officer=officer,
            subject=folder.subject,
            purpose=folder.purpose,
            record=about,
            version=folder.version,
            reference_salt=self.folders.reference_salt(folder, access),
            fields=shown,
        )
        return message, look

    def read(self, look: Look) -> tuple[Shown, ...]:
        """Show what a granted look allows; raises what the key service refuses with."""
        return self._controller.dossiers.read(look)

    # Decisions

    def register(
        self,
        case: Identifier,
        office: str,
        action: str,
        values: Mapping[str, str],
        *,
        papers: Sequence[str] = ("primary",),
        reasons: Sequence[str] = (),
    ) -> Decision:
        """Decide that a record is written: reserves PIN, act number and blanks, writes the act's dossier.

        An act of an old registry has its number, and its PIN where there is one, and keeps them.
        """
        folder = self._folder(case)
        self.check_form(folder.service, values)
        with Held() as held:
            outputs = self._outputs.numbers(self._definitions[folder.service], office, values, held)
            drafts, issued = self._outputs.papers(office, folder.service, papers, None, held)
            record = self._draft_record(folder, outputs, {**values, **outputs})
        persons = [self._person(folder.subject, outputs.get(PIN_FIELD, ""))]
        message = self._decide(
            case, office, action, reasons=list(reasons), record=record, persons=persons, papers=drafts
        )
        return Decision(message, record.record, issued, held)

    def _draft_record(self, folder: Folder, outputs: Mapping[str, str], values: Mapping[str, str]) -> RecordDraft:
        """Write the dossier of a new act of a case, and what opens its record."""
        record, definition = os.urandom(16), self._definitions[folder.service]
        written = self._write(Folder(record, folder.subject, ACTS, folder.service, 1), values, named=[folder.about])
        # While the authority renews its keys, an act brings both, or somebody could be registered again in between.
        epoch, renewing = self._controller.ledger.key_epoch(definition.registry)
        return RecordDraft(
            record,
            definition.registry,
            written.root,
            act_commitment(outputs, os.urandom(32)),
            self._outputs.keys(definition.registry, outputs, epoch),
            os.urandom(16),
            epoch,
            self._outputs.keys(definition.registry, outputs, epoch - 1) if renewing else [],
        )

    def decide(self, case: Identifier, office: str, action: str, reasons: Sequence[str] = ()) -> Decision:
        """Decide without writing a register: a refusal with its reasons."""
        return Decision(self._decide(case, office, action, reasons=list(reasons)), None, (), Held())

    def issue_in_case(
        self, case: Identifier, office: str, action: str, record: Identifier, kind: str, reason: str | None
    ) -> Decision:
        """Decide that a paper of a live record is issued: changes no record."""
        with Held() as held:
            drafts, issued = self._outputs.papers(office, self._folder(case).service, [kind], reason, held)
        message = self._decide(case, office, action, papers_of=record, papers=drafts)
        return Decision(message, record, issued, held)

    def amend(self, case: Identifier, office: str, action: str, record: Identifier, kind: str, ground: str) -> Decision:
        """Decide an amendment: closes the record; kind and ground leave only commitments, whatever they are."""
        message = self._decide(
            case,
            office,
            action,
            closes=record,
            kind=commitment("amendment.kind", os.urandom(32), kind),
            ground=commitment("amendment.ground", os.urandom(32), ground),
        )
        return Decision(message, None, (), Held())

    def open_successor(
        self, look: Look, version: int, office: str, values: Mapping[str, str], kind: str
    ) -> tuple[OpenSuccessor, Identifier]:
        """Open the next version of an amended act under a new id; the link is kept in a dossier only.

        `look`: a granted look at the whole act that is amended. What the amendment does not name in `amendment.fields`
        is taken from there as it stands, never from the request, and number and PIN always: an amendment moves no
        uniqueness key. What the act did not say may be added in today's form. Ids and salts are derived, so that what
        was cut off between the two transactions of an amendment is finished by calling this again. Raises
        `FieldNotGranted`, `FormRefused`.
        """
        before, derive = self._folder(look.record), self._controller.amendments
        slots, shown = self._slots(before), {each.field: each.value for each in self.read(look)}
        kept = self._kept(self._definitions[before.service], values)
        unseen = [code for code in slots if code in kept and code not in shown]
        if unseen:
            raise FieldNotGranted(access=look.access, field=unseen[0])
        known = {code: values.get(code, "") for code in slots}
        known |= {code: shown[code] for code in slots if code in NUMBERED or (code in kept and shown[code])}
        self._check_added(before.service, known, {code for code in kept if code in known and not shown[code]})
        source = _digest(derive.source(), look.record, office, kind, *known.values())
        record = derive.record(source, version)
        subject = derive.subject(record) if kind == ADOPTION else before.subject
        successor = Folder(record, subject, ACTS, before.service, 1)
        written = self._write(successor, known, named=[look.case], derived=True)
        self._link(look.record, record, before.subject, ADOPTION if kind == ADOPTION else "links")
        message = OpenSuccessor(
            office=office,
            record=record,
            registry=self._definitions[before.service].registry,
            version=version,
            content=written.root,
            act=act_commitment(known, derive.salt(record, "act")),
            blind=derive.blind(source, version, "successor"),
        )
        return message, record

    def issue(self, record: Identifier, office: str, kind: str, service: str, reason: str | None) -> Decision:
        """Issue a paper of a live record: changes no record."""
        with Held() as held:
            drafts, issued = self._outputs.papers(office, service, [kind], reason, held)
        return Decision(IssueCertificate(office, record, drafts[0]), record, issued, held)

    def receive_blanks(self, office: str, target: str, series: str, first: int, last: int) -> Decision:
        """A run of blanks for an office: the message that accounts for them publicly.

        They enter the office's stock once that is settled: a paper is never printed on one the ledger does not know.
        """
        blanks = self._controller.blanks
        blanks.check_new(target, series, first, last)
        keys = [self._outputs.blank_key(series, number) for number in range(first, last + 1)]
        message = ReceiveBlanks(office, target, keys, os.urandom(16))
        held = Held()
        held.add(lambda _: blanks.receive(target, series, first, last), lambda: None)
        return Decision(message, None, (), held)

    # Parts

    @staticmethod
    def _decide(
        case: Identifier,
        office: str,
        action: str,
        *,
        reasons: list[str] | None = None,
        record: RecordDraft | None = None,
        persons: list[PersonDraft] | None = None,
        closes: Identifier | None = None,
        kind: Hash | None = None,
        ground: Hash | None = None,
        papers_of: Identifier | None = None,
        papers: list[CertificateDraft] | None = None,
    ) -> Decide:
        return Decide(
            case=case,
            office=office,
            action=action,
            reasons=reasons or [],
            record=record,
            persons=persons or [],
            closes=closes,
            kind=kind,
            ground=ground,
            papers_of=papers_of,
            papers=papers or [],
            blind=os.urandom(16),
        )

    def check_form(self, service: str, values: Mapping[str, str]) -> None:
        """Raise `FormRefused` with everything to correct; nothing is written where the form does not hold."""
        definition = self._definitions[service]
        kept = self._kept(definition, values) if _amends(definition) else frozenset()
        faults = find_faults(definition, values, self._world(service), kept=kept)
        if faults:
            raise FormRefused(service=service, faults=faults)

    @staticmethod
    def _kept(definition: ServiceDefinition, values: Mapping[str, str]) -> frozenset[str]:
        """What an amendment leaves as the act has it."""
        return kept_fields(definition, values.get(NAMED, "")) | {*NUMBERED}

    def _check_added(self, service: str, values: Mapping[str, str], added: Collection[str]) -> None:
        """Raise `FormRefused` for what an amendment adds beside the fields it names: nobody has judged that yet."""
        faults = find_faults(self._definitions[service], values, self._world(service))
        wrong = tuple(fault for fault in faults if fault.field in added)
        if wrong:
            raise FormRefused(service=service, faults=wrong)

    def _folder(self, about: Identifier) -> Folder:
        found = self.folders.find(about)
        if found is None:
            raise DossierMissing(record=about, version=1)
        return found

    def _slots(self, folder: Folder) -> list[str]:
        """Codes of a dossier's fields, in their fixed order."""
        definition = self._definitions[folder.service]
        listed = definition.record_fields
        if folder.purpose == REQUESTS:
            listed = listed + definition.request_fields
        return [field.code for field in listed]

    def _named(self, folder: Folder, values: Mapping[str, str]) -> list[Identifier]:
        """Records that a request names by their random ids; what is no id names nothing."""
        definition = self._definitions[folder.service]
        codes = [field.code for field in definition.request_fields if field.kind == "random"]
        told = [values.get(code, "") for code in codes]
        return [bytes.fromhex(value) for value in told if RANDOM_ID.fullmatch(value)]

    def _write(
        self, folder: Folder, values: Mapping[str, str], *, named: Sequence[Identifier] = (), derived: bool = False
    ) -> Written:
        """Every slot is written, the unused ones empty, so that their number says nothing.

        `derived`: under salts that the same dossier always gets, so that it may be there already.
        """
        names = tuple(self._slots(folder))
        draft = Draft(
            record=folder.about,
            version=folder.version,
            subject=folder.subject,
            purpose=folder.purpose,
            names=names,
            values=tuple(values.get(name, "") for name in names),
            expires=self._expires(),
            named=(*named, *(self._named(folder, values) if folder.purpose == REQUESTS else ())),
            seed=self._controller.amendments.seed(folder.about) if derived else None,
            again=derived,
        )
        (written,) = self._controller.dossiers.write([draft])
        self.folders.keep([(folder, written.root)])
        return written

    def _expires(self) -> Time:
        """When a transaction made now can commit no more."""
        return self._now() + MAXIMUM_AHEAD

    def _person(self, subject: Identifier, pin: str) -> PersonDraft:
        pseudonym = self._controller.pseudonyms.assign(subject, CIVIL)
        pin_commitment = commitment("pin", os.urandom(32), pin) if pin else None
        # Two slots for everybody, so that nobody sees how many parents stand in the act.
        guardians = [(os.urandom(16), commitment("guardianship", os.urandom(32), subject.hex())) for _ in range(2)]
        return PersonDraft(pseudonym, CIVIL, pin_commitment, guardians, os.urandom(16))

    def _link(self, old: Identifier, new: Identifier, subject: Identifier, purpose: str) -> None:
        """One row for every amendment, whatever its kind: their number then says nothing.

        An amendment that was taken up again with other values has a link for each attempt; one record of them exists.
        """
        for version in range(1, ATTEMPTS + 1):
            draft = Draft(
                record=old,
                version=version,
                subject=subject,
                purpose=purpose,
                names=("successor",),
                values=(new.hex(),),
                expires=self._expires(),
                seed=self._controller.amendments.seed(new),
                again=True,
            )
            try:
                self._controller.dossiers.write([draft])
            except DossierExists:
                if version == ATTEMPTS:
                    raise
            else:
                return


def _amends(definition: ServiceDefinition) -> bool:
    return any(outcome.writes == "amendment" for outcome in definition.outcomes)


def _digest(hashing: Hashing, *parts: bytes | str) -> Hash:
    hashing.update(join(*parts))
    return hashing.digest()
