"""The main job, from end to end, as a story that a reader can follow: `make demo`.

An old registry moves in, and one of its acts is proven, corrected and certified anew.
A hospital notifies a birth, a parent declares with an own key, a ЦОН accepts and a ЗАГС registers, both after
their looks are on the ledger; the certificate is exported and verified without the node; chosen fields are
disclosed; the act is corrected; a bundle made after that is superseded.
"""

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

from rich.console import Console

from kerege import proofs
from kerege.cli.wiring import CommandError
from kerege.gateways.extracts import births
from kerege.gateways.extracts.doing import open_wanted, run_import
from kerege.gateways.extracts.importer import Importer
from kerege.gateways.extracts.wanted import Wanted
from kerege.modules.registries.state import RECORDS
from kerege.node.faults import in_one_sentence
from kerege.node.home import Home
from kerege.node.importing import IMPORTS, ROLE, setting_of
from kerege.node.ledger import remove_home
from kerege.node.workplace import create_dev_home, open_workplace, reach_workplace
from kerege.testing import extracts
from kerege.testing.imported import correct
from kerege.testing.journey import Journey, NotApplied, Played

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
    "parent1.basis_document": "брак 2019/118",
    "parent1.basis": "marriage",
    "parent2.role": "father",
    "parent2.standing": "person",
    "parent2.surname": "Асанов",
    "parent2.given_names": "Бакыт",
    "parent2.citizenship": "KG",
    "parent2.identifier_scheme": "kg-pin",
    "parent2.identifier_value": "20507199300021",
    "parent2.basis_document": "брак 2019/118",
    "parent2.basis": "marriage",
    "declarant.role": "parent",
    "declarant.surname": "Асанова",
    "declarant.given_names": "Айгүл",
    "declarant.identifier_scheme": "kg-pin",
    "declarant.identifier_value": "11203199500017",
    "evidence.kind": "medical-notification",
    "evidence.number": "2026/1184",
    "evidence.date": "2026-11-11",
    "evidence.issuer": "Аламүдүн районунун төрөт үйү",
}
MATERNITY, CENTRE, REGISTRY, AUTHORITY = "РД-708203", "ЦОН-708203", "ЗАГС-708203", "ЗАГС-000000"
CORRECTION: Mapping[str, str] = {
    "child.name_latin": "Asanov Nursultan Bakytovich",
    "amendment.kind": "clerical",
    "amendment.ground": "office-error",
    "amendment.ordered_by": "registry-office",
    "amendment.document_number": "К-12/26",
    "amendment.document_date": "2026-11-19",
    "amendment.document_issuer": REGISTRY,
    "amendment.fields": "child.name_latin",
}
SHOWN = ("child.surname", "child.given_names", "birth.date")
OLD_ROWS, OLD_SEED = 1_000, 7
ONCE = "a ledger has this birth, these blanks and this old registry once; play it again on a fresh ledger"


def play(folder: Path, console: Console, running: Home | None = None) -> int:
    """Tell the story in a fresh folder; returns the exit code of the last verification (3: superseded).

    On a ledger of its own, or on the one whose node is `running`, alone or in a network.
    """
    started = time.monotonic()
    home = running or Home(folder / "home")
    if running is None:
        remove_home(folder, home)
        create_dev_home(home, "kg")
    folder.mkdir(parents=True, exist_ok=True)
    with open_workplace(home) if running is None else reach_workplace(home) as workplace:
        begins = "A ledger begins" if running is None else "A ledger runs"
        console.print(f"[bold]{begins}[/bold]: {workplace.door.ledger}, nation kg, throw-away keys")
        journey = Journey(workplace)
        _move_in(folder, journey, console)
        played = _birth(journey, console)
        _export(journey, played, folder / "certificate.json", SHOWN, console)
        shutil.copy(home.trust, folder / "trust.json")
        _verify(folder, "certificate.json", console)
        _correct(journey, played, console)
        _export(journey, played, folder / "superseded.json", (), console)
    code = _verify(folder, "superseded.json", console)
    console.print(f"\n{time.monotonic() - started:.1f} s. Left in {folder}:")
    console.print("  certificate.json, superseded.json, imported.json, outcomes.csv, trust.json")
    _hints(folder, home, console)
    return code


def _move_in(folder: Path, journey: Journey, console: Console) -> None:
    """A generated extract of an old registry is imported; its outcomes are those it was made to deserve."""
    workplace, home = journey.workplace, journey.workplace.home
    file, truth, told = folder / "old-registry.csv", folder / "old-registry.truth.csv", folder / "outcomes.csv"
    today = datetime.fromtimestamp(workplace.door.head().time / 1000, UTC).date()
    extracts.write(file, truth, OLD_ROWS, OLD_SEED, today=today)
    signer = journey.official(AUTHORITY, ROLE)
    door, controller, pack = workplace.door, workplace.controller, workplace.pack
    importer = Importer(door, controller, signer, setting_of(pack), home.path / IMPORTS)
    wanted = Wanted(file=file, outcomes=told)
    extract = open_wanted(wanted, pack.extracts)
    summary = run_import(importer, extract, pack.texts, wanted, lambda _done, _total: None)
    same = told.read_bytes() == truth.read_bytes()
    counts = ", ".join(f"{count} {outcome}" for outcome, count in summary.outcomes.items())
    console.print(f"0 an old registry moves in        {summary.rows} rows: {counts}; as they deserve: {same}")
    source, accepted = importer.source(extract), {line.split(",")[0] for line in _accepted(told)}
    row = next(row for row in extract.rows() if str(row.number) in accepted and row.office == REGISTRY)
    record = controller.imports.record(source, row.number)
    held = proofs.entry.verify(door.prove(RECORDS.encode_key(record)), proofs.trust.parse(home.trust.read_bytes()))
    if held.value is None or not same:
        sys.exit("the import is not what it should be")
    console.print(
        f"  row {row.number} is proven                  record {record.hex()[:12]}…, by its path to the state root"
    )
    journey.receive_blanks(REGISTRY, "АР", 1, 5)
    played = correct(journey, record, births.values_of(row), REGISTRY, CENTRE)
    (folder / "imported.json").write_bytes(journey.bundle(*played.papers[0]))
    shutil.copy(home.trust, folder / "trust.json")
    console.print("  corrected and certified anew")
    _verify(folder, "imported.json", console)
    file.unlink()


def _accepted(outcomes: Path) -> list[str]:
    return [line for line in outcomes.read_text(encoding="utf-8").splitlines() if ",accepted," in line]


def _birth(journey: Journey, console: Console) -> Played:
    desk = journey.desk
    midwife = journey.official(MATERNITY, "midwife")
    acceptor = journey.official(CENTRE, "acceptor")
    registrar = journey.official(REGISTRY, "registrar")
    journey.receive_blanks(REGISTRY, "ЖТ", 1, 20)

    opened, case, claim = desk.begin("birth", "notify", MATERNITY, CHILD)
    journey.send(midwife, opened, desk.act(case, MATERNITY, "send"))
    console.print(f"1 the hospital notifies           case {case.hex()[:12]}…")

    parent = journey.new_person(CENTRE, "acceptor")
    journey.send(parent, desk.act(case, "", "declare", values={**CHILD, **PARENTS}, next_office=CENTRE, claim=claim))
    console.print("2 a parent declares               with an own key, which no office holds")

    seen = journey.look(acceptor, case, case, CENTRE)
    journey.send(acceptor, desk.act(case, CENTRE, "forward", next_office=REGISTRY))
    console.print(f"3 the ЦОН looks, then accepts     {len(seen)} fields seen, the look is on the ledger")

    seen = journey.look(registrar, case, case, REGISTRY)
    values = {name: shown.value for name, shown in seen.items()}
    decision = desk.register(case, REGISTRY, "register", values, papers=())
    journey.settle(registrar, decision)
    if decision.record is None:
        sys.exit("the decision wrote no record")
    paper = desk.issue(decision.record, REGISTRY, "primary", "birth", None)
    answer = journey.settle(registrar, paper)
    console.print(f"4 the ЗАГС looks, then registers  record {decision.record.hex()[:12]}…, PIN and act number given")
    return Played(case, REGISTRY, decision.record, None, [(answer.id, paper.papers[0].certificate)])


def _export(journey: Journey, played: Played, file: Path, fields: Sequence[str], console: Console) -> None:
    """Write the certificate's bundle as of now; the fields to disclose are looked at first, on the ledger."""
    shown = {}
    if fields and played.record is not None:
        registrar = journey.official(REGISTRY, "registrar")
        shown = journey.look(registrar, played.record, played.case, REGISTRY, fields)
    file.write_bytes(journey.bundle(*played.papers[0], list(shown.values())))
    console.print(f"  exported {file.name}: {file.stat().st_size} bytes, {len(shown)} fields disclosed")


def _correct(journey: Journey, played: Played, console: Console) -> None:
    """A clerical correction: requested by a parent, checked by one registrar, decided by another."""
    desk, record = journey.desk, played.record
    if record is None:
        sys.exit("nothing to correct")
    first, second = journey.official(REGISTRY, "registrar"), journey.official(REGISTRY, "registrar", "another")
    act = {name: s.value for name, s in journey.look(first, record, played.case, REGISTRY).items()}
    asked = {**act, **CORRECTION, "amendment.record": record.hex()}
    parent = journey.new_person(CENTRE, "acceptor")
    opened, case, _ = desk.begin("birth-correction", "request", "", asked)
    journey.send(parent, opened, desk.act(case, "", "submit", next_office=REGISTRY))
    journey.look(first, case, case, REGISTRY)
    journey.send(first, desk.act(case, REGISTRY, "confirm"))
    seen = {name: s.value for name, s in journey.look(second, case, case, REGISTRY).items()}
    look = journey.ask(second, record, case, REGISTRY)
    journey.settle(
        second, desk.amend(case, REGISTRY, "amend", record, seen["amendment.kind"], seen["amendment.ground"])
    )
    message, successor = desk.open_successor(look, 2, REGISTRY, seen, seen["amendment.kind"])
    journey.send(second, message)
    console.print(f"5 the act is corrected            old id closed, new id {successor.hex()[:12]}…")


def _verify(folder: Path, name: str, console: Console) -> int:
    """Verify in a process that has the two files and nothing of the node."""
    command = [sys.executable, "-I", "-m", "kerege.proofs", name, "--trust", "trust.json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    console.print(f"  kerege verify {name} --trust trust.json → exit {done.returncode}")
    console.print("    " + done.stdout.strip().replace("\n", "\n    "), highlight=False)
    if done.stderr:
        console.print(done.stderr, highlight=False)
    return done.returncode


def _hints(folder: Path, home: Home, console: Console) -> None:
    console.print("By hand:")
    place = quote(str(home.path))
    for command in (
        f"verify {quote(f'{folder}/certificate.json')} --trust {quote(f'{folder}/trust.json')}",
        f"verify-ledger --home {place}",
        f"dossiers check --home {place}",
        f"show looks --home {place}",
    ):
        console.print(f"  .venv/bin/kerege {command}", highlight=False, soft_wrap=True)


def main() -> int:
    """`python -m kerege.testing.demo [--folder DIR] [--home DIR]`: 0 where every step ended as told."""
    parser = argparse.ArgumentParser(description="A birth from notification to a corrected act, verified offline.")
    parser.add_argument("--folder", type=Path, default=Path("var/demo"))
    parser.add_argument("--home", type=Path, help="the home of a running node, alone or in a network")
    wanted = parser.parse_args()
    running = None if wanted.home is None else Home(wanted.home)
    try:
        with in_one_sentence():
            return 0 if play(wanted.folder, Console(), running) == 3 else 1  # noqa: PLR2004 - genuine, and superseded: as it must end
    except NotApplied as refused:
        sys.stderr.write(f"kerege: refused with {refused.code}: {ONCE}.\n")
        return 2
    except CommandError as fault:
        sys.stderr.write(f"kerege: {fault}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
