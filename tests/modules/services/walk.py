"""People who try anything in any case, and officials who bring every case to an end."""

from hashlib import sha256
from typing import Any

from msgspec.structs import replace

from kerege.kernel.messages import Message
from kerege.modules.registries.messages import ReceiveBlanks
from kerege.modules.registries.types import CertificateDraft, CertificateKind, RecordDraft
from kerege.modules.services.messages import (
    Act,
    Appeal,
    AttachEvidence,
    Claim,
    Decide,
    Open,
    PayFee,
    Refer,
    Resume,
    Rule,
    Suspend,
    Withdraw,
)
from kerege.modules.services.types import REQUESTER, Action, Case, CaseStatus, Outcome, Ruling, ServiceDefinition, Step
from tests.modules.services.world import PEOPLE, POSTS, World, address, definition, digest

OFFICIALS = {name: (office, role) for office, _, _, role, names in POSTS for name in names}
OFFICES = {office: kind for office, kind, *_ in POSTS}
EVERYBODY = (*OFFICIALS, *PEOPLE[:3])
BLIND = digest("blind", 16)
SECRET = digest("secret", 32)
NAME_OF = {address(name): name for name in EVERYBODY}


class Walk:
    """A world with cases that are moved about."""

    def __init__(self, *extra: ServiceDefinition) -> None:
        self.world = World(*extra, rebuild=False)
        self.definitions = {d.code: d for d in (*map(definition, ("birth", "birth-correction")), *extra)}
        self.cases: list[str] = []
        self.number = 0
        blanks = [self.fresh("blank", 32) for _ in range(200)]
        self.blanks = iter(blanks)
        assert not self.world.send("keeper", ReceiveBlanks("ЗАГС-000000", "ЗАГС-708203", blanks, BLIND)).code

    def fresh(self, what: str, length: int) -> bytes:
        """Bytes that were not used yet."""
        self.number += 1
        return digest(f"{what}/{self.number}", length)

    def definition_of(self, case: Case) -> ServiceDefinition:
        return self.definitions[case.service]

    def open(self, service: str, start: int, sender: str, parties: list[str]) -> str:
        """Begin a case, if the sender may."""
        step = self.definitions[service].starts[start % len(self.definitions[service].starts)].step
        name = f"case-{len(self.cases)}"
        office = OFFICIALS[sender][0] if sender in OFFICIALS and step == "notify" else ""
        named = [address(party) for party in parties]
        message = Open(
            digest(name, 16), service, step, office, digest(name, 32), sha256(SECRET).digest(), named, BLIND
        )  # fmt: skip
        code = self.world.send(sender, message).code
        if not code:
            self.cases.append(name)
        return code

    def anything(self, name: str, sender: str, what: int, pick: int) -> str:
        """One move in a case by somebody, right or wrong; gives the refusal's code."""
        case, number = self.world.case(name), digest(name, 16)
        office = OFFICIALS[sender][0] if sender in OFFICIALS and case.office else ""
        asked = list(OFFICES)[pick % len(OFFICES)]
        moves: list[Message] = [
            *(self.take(name, case, action, office, asked) for action in self._some(case, pick)),
            Claim(number, office, [None, *map(address, EVERYBODY)][pick % (len(EVERYBODY) + 1)], BLIND),
            Claim(number, office, address(sender), BLIND),
            AttachEvidence(number, office, [digest("paper", 32)], BLIND),
            Suspend(number, office, ("papers-awaited", "registry-answer-awaited", "office-closed")[pick % 3], BLIND),
            Resume(number, office, BLIND),
            Withdraw(number, BLIND),
            Appeal(number, ("courts", "civil-registration-authority")[pick % 2], digest("why", 32), BLIND),
            Rule(number, office, (Ruling.UPHELD, Ruling.OVERTURNED)[pick % 2], BLIND),
            PayFee(number, "paper", 10_000, BLIND),
            Refer(number, office, asked, BLIND),
        ]  # fmt: skip
        return self.world.send(sender, moves[what % len(moves)]).code

    def _some(self, case: Case, pick: int) -> list[Action]:
        actions = self.definition_of(case).step(case.step).actions
        return [actions[(pick + n) % len(actions)] for n in range(3)]

    def take(self, name: str, case: Case, action: Action, office: str, asked: str) -> Message:
        """The message of an action, with all that it needs."""
        number, reasons = digest(name, 16), list(action.reasons[:1])
        if action.kind != "decide":
            step = self.definition_of(case).step(action.to)
            to = "" if step.roles == (REQUESTER,) else asked
            return Act(number, office, action.code, reasons, to, None, SECRET, [], BLIND)
        outcome = self.definition_of(case).outcome(action.to)
        record, persons, closes, kind, ground, papers_of, papers = self._drafts(case, outcome)
        return Decide(
            number, office, action.code, reasons, record, persons, closes, kind, ground, papers_of, papers, BLIND
        )  # fmt: skip

    def _drafts(self, case: Case, outcome: Outcome) -> tuple[Any, ...]:
        """Record, persons, closes, kind, ground, papers of, papers."""
        nothing: tuple[Any, ...] = (None, [], None, None, None, None, [])
        if outcome.writes == "record":
            key = self.fresh("key", 32)
            draft = RecordDraft(self.fresh("record", 16), "birth", key, key, [key], BLIND)
            return (draft, [], None, None, None, None, [])
        if outcome.writes == "amendment":
            return (None, [], self.record(), digest("kind", 32), digest("ground", 32), None, [])
        if outcome.writes == "certificate":
            kind = CertificateKind(outcome.certificates[0])
            number, blank = self.fresh("paper", 16), next(self.blanks)
            paper = CertificateDraft(number, kind, blank, "lost", case.service, BLIND)
            return (None, [], None, None, None, self.record(), [paper])
        return nothing

    def record(self) -> bytes:
        """A live record, or an id that stands for none."""
        rows = self.world.tables if self.world.rebuild else self.world._state()
        return next((key for key, row in rows["registries.record"].items() if row.status == "live"), bytes(16))

    # To the end

    def finish(self, name: str) -> int:
        """Bring a case to an end by lawful moves; the number of moves it took."""
        for moves in range(40):
            case = self.world.case(name)
            if case.status not in {CaseStatus.OPEN, CaseStatus.SUSPENDED, CaseStatus.APPEALED}:
                return moves
            sender, message = self.lawful(name, case)
            receipt = self.world.send(sender, message)
            assert not receipt.code, (case, sender, message, receipt.code, receipt.facts)
        raise AssertionError(f"no end: {self.world.case(name)}")

    def lawful(self, name: str, case: Case) -> tuple[str, Message]:
        """Who may do what next, on the shortest way to an end."""
        number, step = digest(name, 16), self.definition_of(case).step(case.step)
        if case.status is CaseStatus.APPEALED:
            ruler = {"courts": "judge", "civil-registration-authority": "supervisor"}[case.appeal]
            return ruler, Rule(number, OFFICIALS[ruler][0], Ruling.UPHELD, BLIND)
        if step.roles == (REQUESTER,):
            who = NAME_OF[case.requester] if case.requester else self._stranger(case)
            return who, self.take(name, case, step.actions[0], "", self._office_of_next(case, step))
        able = self._able(case, step)
        if not able and case.status is CaseStatus.OPEN:
            return self._referral(case, step, number)
        if case.official is not None and (holder := NAME_OF[case.official]) not in able and not self._overdue(case):
            return holder, Claim(number, case.office, None, BLIND)
        who = able[0] if case.official is None or self._overdue(case) else NAME_OF[case.official]
        if self.definition_of(case).assignment == "turn" and case.official != address(who):
            return who, Claim(number, case.office, address(who), BLIND)
        if case.status is CaseStatus.SUSPENDED:
            return who, Resume(number, case.office, BLIND)
        ends = [
            a for a in step.actions if a.kind == "decide" and self.definition_of(case).outcome(a.to).kind == "refused"
        ]
        return who, self.take(
            name, case, (ends or list(step.actions))[0], case.office, self._office_of_next(case, step)
        )

    def _referral(self, case: Case, step: Step, number: bytes) -> tuple[str, Message]:
        """Nobody at the office may act: who chose it chooses another, else the supervisor does."""
        others = [o for o, kind in OFFICES.items() if kind in step.office_kinds and o != case.office]
        to = next(office for office in others if self._able(replace(case, office=office), step))
        if case.requester and step.found == "by-request" and case.official is None:
            return NAME_OF[case.requester], Refer(number, "", to, BLIND)
        return "supervisor", Refer(number, "ЗАГС-000000", to, BLIND)

    def _overdue(self, case: Case) -> bool:
        return case.status is CaseStatus.OPEN and case.due < self.world.time + 1

    def _stranger(self, case: Case) -> str:
        taken = {act.account for act in case.acts}
        return next(name for name in PEOPLE if address(name) not in taken)

    def _office_of_next(self, case: Case, step: Step) -> str:
        target = next(action.to for action in step.actions if action.kind != "return")
        definition = self.definition_of(case)
        if all(target != each.code for each in definition.steps):
            return ""
        kinds = definition.step(target).office_kinds
        return next((office for office, kind in OFFICES.items() if kind in kinds), "")

    def _able(self, case: Case, step: Step) -> list[str]:
        """Officials who may act: at the office, in a role, no party, not first and second of the guard in one."""
        guard = self.definition_of(case).four_eyes
        first = [a.account for a in case.acts if a.step == guard.first and guard.second == step.code]
        barred = {case.requester, *case.parties, *(first if case.guarded is not False else [])}
        return [
            name
            for name, (office, role) in OFFICIALS.items()
            if office == case.office and role in step.roles and address(name) not in barred
        ]
