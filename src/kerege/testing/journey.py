"""A case walked from its first step to its outcome by real officials' keys on a real ledger.

What a demonstration shows and what the examples of a nation's pack prove: every step is a signed
transaction, every look at a value is on the ledger before the value is read.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from kerege.consensus.bodies import next_body
from kerege.consensus.embedded import Answer
from kerege.dossiers.desk import Decision
from kerege.dossiers.ports import Look
from kerege.kernel.codec import decode
from kerege.kernel.messages import Message
from kerege.kernel.receipts import Receipt
from kerege.modules.registries.state import CERTIFICATES
from kerege.modules.services.state import CASES
from kerege.modules.services.types import REQUESTER, Step
from kerege.node import devkeys
from kerege.node.pack.types import Example, ExampleStep
from kerege.node.workplace import Workplace
from kerege.proofs import Disclosure
from kerege.testing.signers import Ed25519Signer


class NotApplied(Exception):
    """A transaction of the journey was refused, or was none: number and facts."""

    def __init__(self, code: str, facts: Sequence[tuple[str, object]]) -> None:
        super().__init__(f"{code} {dict(facts)}")
        self.code = code


@dataclass(slots=True)
class Played:
    """Where a journey ended."""

    case: bytes
    office: str
    """Office that decided."""
    record: bytes | None = None
    successor: bytes | None = None
    papers: list[tuple[bytes, bytes]] = field(default_factory=list)
    """(transaction, certificate) of each paper issued."""


class Journey:
    """Plays cases in one workplace. Offices stand in one raion, by kind; blanks are at hand."""

    def __init__(self, workplace: Workplace, territory: str = "708203") -> None:
        self.workplace = workplace
        self.desk = workplace.desk
        self._home = workplace.home
        codes = {office.kind: office.code for office in reversed(workplace.pack.offices)}
        here = {o.kind: o.code for o in workplace.pack.offices if o.code.endswith(territory)}
        self.offices: dict[str, str] = {**codes, **here}
        self._signers: dict[tuple[str, str, str], Ed25519Signer] = {}

    # Sending and looking

    def official(self, office: str, role: str, who: str = "") -> Ed25519Signer:
        """The signer of an official; two names in one post are two officials."""
        taken = [name for name in self._signers if name[:2] == (office, role)]
        if (office, role, who) not in self._signers:
            suffix = "" if not taken else f"-{len(taken) + 1}"
            key = devkeys.read_key(self._home, f"{office}/{role}{suffix}")
            self._signers[office, role, who] = Ed25519Signer(key.seed)
        return self._signers[office, role, who]

    def send(self, signer: Ed25519Signer, *messages: Message) -> Answer:
        """Sign, submit and wait until it is durable; raises `NotApplied`."""
        door = self.workplace.door
        body = next_body(door, signer.address, messages, self.workplace.now())
        (answer,) = door.submit([signer.transaction(body)])
        if answer.reason is not None or answer.receipt is None:
            code = "" if answer.reason is None else answer.reason.code
            raise NotApplied(code, [] if answer.reason is None else answer.reason.facts())
        receipt = decode(answer.receipt, Receipt)
        if receipt.code:
            raise NotApplied(receipt.code, receipt.facts)
        return answer

    def settle(self, signer: Ed25519Signer, decision: Decision) -> Answer:
        """Send a decision: what it reserved becomes used, or goes back."""
        try:
            answer = self.send(signer, decision.message)
        except NotApplied:
            decision.held.release()
            raise
        decision.held.commit(answer.id)
        return answer

    def look(
        self, signer: Ed25519Signer, about: bytes, case: bytes, office: str, fields: Sequence[str] = ()
    ) -> dict[str, Disclosure]:
        """Put the request to look on the ledger, then read."""
        shown = self.desk.read(self.ask(signer, about, case, office, fields))
        return {s.field: Disclosure(s.field, s.value, s.salt, s.position, s.count, s.path) for s in shown}

    def ask(self, signer: Ed25519Signer, about: bytes, case: bytes, office: str, fields: Sequence[str] = ()) -> Look:
        """Put the request to look on the ledger; the look it allows."""
        message, look = self.desk.request_look(about, case, signer.address, office, "case-handling", fields)
        self.send(signer, message)
        return look

    def new_person(self, office: str, role: str) -> Ed25519Signer:
        """A person with an own key, whose account an office opens and sponsors for one case."""
        person = Ed25519Signer(os.urandom(32))
        self.send(self.official(office, role), self.workplace.open_account(person.kind, person.key, office))
        return person

    def receive_blanks(self, office: str, series: str, first: int, last: int) -> None:
        """Blanks for an office, accounted for by the authority's keeper."""
        head = self.offices["civil-registration-head"]
        keeper = self.official(head, "blanks-keeper")
        self.settle(keeper, self.desk.receive_blanks(head, office, series, first, last))

    def bundle(self, transaction: bytes, certificate: bytes, shown: Sequence[Disclosure] = ()) -> bytes:
        """The proof bundle of a certificate as of the newest checkpoint."""
        key = CERTIFICATES.encode_key(certificate)
        return self.workplace.door.bundle(transaction, key, sorted(shown, key=lambda d: d.field))

    # Examples of a pack

    def play(self, service: str, example: Example, record: bytes | None = None, *, steps: int | None = None) -> Played:
        """Walk an example from its start to its outcome, or so many steps of it.

        `record`: the act that a later service is about.
        """
        definition = self.workplace.pack.service(service).definition
        start = next(s for s in definition.starts if s.trigger == example.trigger)
        values = dict(example.values)
        if record is not None:
            values = {k: record.hex() if k in {"amendment.record", "repeat.record"} else v for k, v in values.items()}
        requester = self.new_person(self.offices["tson"], "acceptor")
        first = definition.step(start.step)
        own = first.roles == (REQUESTER,)
        office = "" if own else self.offices[first.office_kinds[0]]
        opened, case, claim = self.desk.begin(service, start.step, office, values)
        self.send(requester if own else self.official(office, first.roles[0], example.path[0].who), opened)
        played = Played(case, office, record)
        roles = [step.role for step in example.path]
        for step, next_role in islice(zip(example.path, [*roles[1:], ""], strict=True), steps):
            signer = requester if step.role == REQUESTER else None
            brought = claim if signer else None
            self._step(service, played, step, next_role, values, signer, brought)
        return played

    def _step(
        self,
        service: str,
        played: Played,
        step: ExampleStep,
        next_role: str,
        values: Mapping[str, str],
        requester: Ed25519Signer | None,
        claim: bytes | None,
    ) -> None:
        """One step of the path; officials look before they act."""
        definition = self.workplace.pack.service(service).definition
        row = CASES.decode_value(self.workplace.door.state(CASES.encode_key(played.case)) or b"")
        action = next(a for a in definition.step(row.step).actions if a.code == step.action)
        signer = requester or self.official(row.office, step.role, step.who)
        if action.kind == "decide":
            seen = self.look(signer, played.case, played.case, row.office)
            played.office = row.office
            told = {name: shown.value for name, shown in seen.items()}
            self._decide(service, played, step, action.to, told, signer)
            return
        if step.role not in {REQUESTER, "midwife"}:
            self.look(signer, played.case, played.case, row.office)
        message = self.desk.act(
            played.case,
            row.office,
            step.action,
            values=values if requester else None,
            reasons=step.reasons,
            next_office=self._office_for(definition.step(action.to), next_role),
            claim=claim if row.requester is None else None,
        )
        self.send(signer, message)

    def _office_for(self, step: Step, role: str) -> str:
        """The office of this place at which the next actor of the path holds the role."""
        held = {kind.code for kind in self.workplace.pack.office_kinds if role in kind.roles}
        return next((self.offices[kind] for kind in step.office_kinds if kind in held), "")

    def _decide(
        self,
        service: str,
        played: Played,
        step: ExampleStep,
        outcome_code: str,
        values: Mapping[str, str],
        signer: Ed25519Signer,
    ) -> None:
        outcome = self.workplace.pack.service(service).definition.outcome(outcome_code)
        desk, case, office, record = self.desk, played.case, played.office, played.record
        action, reasons = step.action, step.reasons
        if outcome.writes == "record":
            decision = desk.register(case, office, action, values, papers=(), reasons=reasons)
            self.settle(signer, decision)
            played.record = decision.record
            if decision.record is not None and outcome.certificates:
                paper = desk.issue(decision.record, office, outcome.certificates[0], service, None)
                self._issued(played, self.settle(signer, paper), paper)
        elif outcome.writes == "amendment" and record is not None:
            kind = values["amendment.kind"]
            look = self.ask(signer, record, case, office)
            self.settle(signer, desk.amend(case, office, action, record, kind, values["amendment.ground"]))
            message, played.successor = desk.open_successor(look, 2, office, values, kind)
            self.send(signer, message)
        elif outcome.writes == "certificate" and record is not None:
            kind = values["repeat.kind"]
            reason = None if kind == "pin" else values["repeat.reason"]
            paper = desk.issue_in_case(case, office, action, record, kind, reason)
            self._issued(played, self.settle(signer, paper), paper)
        else:
            self.settle(signer, desk.decide(case, office, action, reasons))

    @staticmethod
    def _issued(played: Played, answer: Answer, decision: Decision) -> None:
        played.papers += [(answer.id, paper.certificate) for paper in decision.papers]
