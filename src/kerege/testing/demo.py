"""The main job, from end to end, as a story that a reader can follow: `make demo`.

A hospital notifies a birth, a parent declares with an own key, a ЦОН accepts and a ЗАГС registers, both after
their looks are on the ledger; the certificate is exported and verified without the node; chosen fields are
disclosed; the act is corrected; a bundle made after that is superseded.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console

from kerege.consensus.embedded import Answer
from kerege.dossiers.desk import Decision, Desk
from kerege.dossiers.ports import Look
from kerege.kernel.messages import Message
from kerege.kernel.transaction import Body
from kerege.modules.registries.state import CERTIFICATES
from kerege.node import devkeys
from kerege.node.home import Home
from kerege.node.workplace import Workplace, create_dev_home, open_workplace
from kerege.proofs import Disclosure
from kerege.testing.signers import Ed25519Signer

CHILD: Mapping[str, str] = {
    "child.surname": "Асанов",
    "child.surname_form": "family",
    "child.given_names": "Нурсултан",
    "child.patronymic": "Бакытович",
    "child.patronymic_form": "ovich-ovna",
    "child.name_script": "cyrillic",
    "child.name_latin": "Asanov Nursultan",
    "child.sex": "male",
    "birth.date": "2026-11-10",
    "birth.place_country": "KG",
    "birth.place_territory": "41708203000000",
    "birth.facility": "maternity",
    "birth.plurality": "1",
    "birth.order": "1",
    "birth.outcome": "live",
}
PARENTS: Mapping[str, str] = {
    "parent1.role": "mother",
    "parent1.standing": "person",
    "parent1.surname": "Асанова",
    "parent1.given_names": "Айгүл",
    "parent1.citizenship": "KG",
    "parent1.identifier_scheme": "kg-pin",
    "parent1.identifier_value": "11203199500017",
    "parent1.basis": "marriage",
    "parent2.role": "father",
    "parent2.standing": "person",
    "parent2.surname": "Асанов",
    "parent2.given_names": "Бакыт",
    "parent2.citizenship": "KG",
    "parent2.identifier_scheme": "kg-pin",
    "parent2.identifier_value": "20507199300021",
    "parent2.basis": "marriage",
    "declarant.role": "parent",
    "declarant.surname": "Асанова",
    "declarant.given_names": "Айгүл",
}
MATERNITY, CENTRE, REGISTRY, AUTHORITY = "РД-708203", "ЦОН-708203", "ЗАГС-708203", "ЗАГС-000000"
SHOWN = ("child.surname", "child.given_names", "birth.date")


class Stage:
    """Who signs what: sends messages as somebody and says what happened."""

    def __init__(self, workplace: Workplace, console: Console) -> None:
        self.workplace = workplace
        self.desk: Desk = workplace.desk
        self.console = console

    def say(self, text: str) -> None:
        """One line of the story."""
        self.console.print(text)

    def send(self, signer: Ed25519Signer, *messages: Message) -> Answer:
        """Sign, submit, wait until it is durable; stop the story where it was refused."""
        door = self.workplace.ledger.door
        body = Body(
            ledger=door.ledger,
            sender=signer.address,
            lane=0,
            sequence=door.next_sequence(signer.address),
            valid_until=door.head().time + 3_600_000,
            salt=os.urandom(16),
            messages=list(messages),
        )
        (answer,) = door.submit([signer.transaction(body)])
        if answer.receipt is None:
            sys.exit(f"not a transaction: {answer.reason}")
        code = self.workplace.code_of(answer)
        if code:
            sys.exit(f"refused: {code}")
        return answer

    def settle(self, signer: Ed25519Signer, decision: Decision) -> Answer:
        """Send a decision; what it reserved becomes used, or goes back."""
        try:
            answer = self.send(signer, decision.message)
        except SystemExit:
            decision.release()
            raise
        decision.commit(answer.id)
        return answer

    def look(
        self, signer: Ed25519Signer, about: bytes, case: bytes, office: str, fields: Sequence[str] = ()
    ) -> dict[str, Disclosure]:
        """Put the request to look on the ledger, then read."""
        message, look = self.desk.request_look(about, case, signer.address, office, "case-handling", fields)
        self.send(signer, message)
        return self.read(look)

    def read(self, look: Look) -> dict[str, Disclosure]:
        """What the granted look shows, as a bundle discloses it."""
        return {
            s.field: Disclosure(s.field, s.value, s.salt, s.position, s.count, s.path) for s in self.desk.read(look)
        }


def play(folder: Path, console: Console) -> int:
    """Tell the story in a fresh folder; returns the exit code of the last verification (3: superseded)."""
    started = time.monotonic()
    shutil.rmtree(folder, ignore_errors=True)
    home = Home(folder / "home")
    create_dev_home(home, "kg")
    with open_workplace(home) as workplace:
        stage = Stage(workplace, console)
        console.print(f"[bold]A ledger begins[/bold]: {workplace.ledger.machine.ledger}, nation kg, throw-away keys")
        case, transaction, certificate, record = _birth(stage, home)
        _export(stage, folder, "certificate.json", transaction, certificate, case, record)
        shutil.copy(home.trust, folder / "trust.json")
        _verify(folder, "certificate.json", console)
        _correct(stage, home, record)
        _export(stage, folder, "superseded.json", transaction, certificate, case, None)
    code = _verify(folder, "superseded.json", console)
    console.print(
        f"\n{time.monotonic() - started:.1f} s. Left in {folder}: certificate.json, superseded.json, trust.json, home/"
    )
    _hints(folder, console)
    return code


def _official(home: Home, name: str) -> Ed25519Signer:
    return Ed25519Signer(devkeys.read_key(home, name).seed)


def _birth(stage: Stage, home: Home) -> tuple[bytes, bytes, bytes, bytes]:
    desk = stage.desk
    midwife = _official(home, f"{MATERNITY}/midwife")
    acceptor = _official(home, f"{CENTRE}/acceptor")
    registrar = _official(home, f"{REGISTRY}/registrar")
    keeper = _official(home, f"{AUTHORITY}/blanks-keeper")
    stage.send(keeper, desk.receive_blanks(AUTHORITY, REGISTRY, "ЖТ", 1, 20))

    opened, case, claim = desk.begin("birth", "notify", MATERNITY, CHILD)
    stage.send(midwife, opened)
    stage.send(midwife, desk.act(case, MATERNITY, "send"))
    stage.say(f"1 the hospital notifies          case {case.hex()[:12]}…")

    parent = Ed25519Signer(os.urandom(32))
    stage.send(midwife, stage.workplace.open_account(parent.kind, parent.key, MATERNITY))
    declared = {**CHILD, **PARENTS}
    stage.send(parent, desk.act(case, "", "declare", values=declared, next_office=CENTRE, claim=claim))
    stage.say("2 a parent declares              with an own key, which no office holds")

    seen = stage.look(acceptor, case, case, CENTRE)
    stage.send(acceptor, desk.act(case, CENTRE, "forward", next_office=REGISTRY))
    stage.say(f"3 the ЦОН looks, then accepts    {len(seen)} fields seen, the look is on the ledger")

    seen = stage.look(registrar, case, case, REGISTRY)
    values = {field: shown.value for field, shown in seen.items()}
    decision = desk.register(case, REGISTRY, "register", values, papers=())
    stage.settle(registrar, decision)
    if decision.record is None:
        sys.exit("the decision wrote no record")
    paper = desk.issue(decision.record, REGISTRY, "primary", "birth", None)
    answer = stage.settle(registrar, paper)
    stage.say(f"4 the ЗАГС looks, then registers  record {decision.record.hex()[:12]}…, PIN and act number reserved")
    return case, answer.id, paper.papers[0].certificate, decision.record


def _export(
    stage: Stage, folder: Path, name: str, transaction: bytes, certificate: bytes, case: bytes, record: bytes | None
) -> None:
    shown: list[Disclosure] = []
    if record is not None:
        registrar = _official(stage.workplace.ledger.home, f"{REGISTRY}/registrar")
        shown = sorted(stage.look(registrar, record, case, REGISTRY, SHOWN).values(), key=lambda d: d.field)
    door = stage.workplace.ledger.door
    (folder / name).write_bytes(door.bundle(transaction, CERTIFICATES.encode_key(certificate), shown))
    stage.say(f"  exported {name}, {(folder / name).stat().st_size} bytes, {len(shown)} fields disclosed")


def _correct(stage: Stage, home: Home, record: bytes) -> None:
    desk = stage.desk
    first = _official(home, f"{REGISTRY}/registrar")
    second = _official(home, f"{REGISTRY}/registrar-2")
    parent = Ed25519Signer(os.urandom(32))
    stage.send(first, stage.workplace.open_account(parent.kind, parent.key, REGISTRY))
    opened, case, _ = desk.begin("birth-correction", "request", "", {})
    stage.send(parent, opened)
    stage.send(parent, desk.act(case, "", "submit", next_office=REGISTRY))
    stage.look(first, case, case, REGISTRY)
    stage.send(first, desk.act(case, REGISTRY, "confirm"))
    seen = stage.look(second, record, case, REGISTRY)
    values = {field: shown.value for field, shown in seen.items()}
    stage.settle(second, desk.amend(case, REGISTRY, "amend", record, "clerical", "letter misread in the notification"))
    corrected = {**values, "child.name_latin": "Asanov Nursultan Bakytovich"}
    message, successor = desk.open_successor(record, 2, REGISTRY, corrected, "clerical")
    stage.send(second, message)
    stage.say(
        f"5 the act is corrected           old id closed, new id {successor.hex()[:12]}…, the link only in a dossier"
    )


def _verify(folder: Path, name: str, console: Console) -> int:
    """Verify in a process that has the two files and nothing of the node."""
    command = [sys.executable, "-I", "-m", "kerege.proofs", name, "--trust", "trust.json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    console.print(f"  kerege verify {name} --trust trust.json → exit {done.returncode}")
    console.print("    " + done.stdout.strip().replace("\n", "\n    "), highlight=False)
    if done.stderr:
        console.print(done.stderr, highlight=False)
    return done.returncode


def _hints(folder: Path, console: Console) -> None:
    console.print("By hand:")
    for command in (
        f"kerege verify {folder}/certificate.json --trust {folder}/trust.json",
        f"kerege verify-ledger --home {folder}/home",
        f"kerege dossiers check --home {folder}/home",
        f"kerege show looks --home {folder}/home",
    ):
        console.print(f"  .venv/bin/{command}", highlight=False)


def main() -> int:
    """`python -m kerege.testing.demo [--folder DIR]`: 0 where every step ended as told."""
    parser = argparse.ArgumentParser(description="A birth from notification to a corrected act, verified offline.")
    parser.add_argument("--folder", type=Path, default=Path("var/demo"))
    folder = parser.parse_args().folder
    return 0 if play(folder, Console()) == 3 else 1  # noqa: PLR2004 - genuine, and superseded: as it must end


if __name__ == "__main__":
    sys.exit(main())
