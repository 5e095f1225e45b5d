"""What becomes of an act of an old registry: proven, corrected, certified anew."""

from collections.abc import Mapping
from hashlib import sha256

from kerege import proofs
from kerege.consensus.prover import Prover
from kerege.kernel.merkle import leaf_hash
from kerege.modules.registries.state import RECORDS
from kerege.modules.registries.types import Record
from kerege.testing.journey import Journey, Played

FILLED: Mapping[str, str] = {
    "child.surname_form": "family",
    "child.name_script": "cyrillic",
    "birth.plurality": "1",
    "birth.order": "1",
    "birth.outcome": "live",
    "declarant.role": "parent",
    "declarant.surname": "Ырыскелдиева",
    "declarant.given_names": "Айнура",
    "declarant.identifier_scheme": "none",
    "evidence.kind": "none",
    "evidence.none_reason": "archive-lost",
}
"""What the act on paper shows and the old registry's extract does not say."""


PARENT: Mapping[str, str] = {"surname": "Токтогулова", "given_names": "Айгүл", "citizenship": "KG", "basis": "marriage"}


def completed(values: Mapping[str, str]) -> dict[str, str]:
    """The values of an old act with what today's form asks for beside them."""
    filled = {**FILLED, **values}
    for slot in ("parent1", "parent2"):
        if values.get(f"{slot}.role"):
            filled |= {f"{slot}.{name}": value for name, value in PARENT.items()}
    patronymic = values.get("child.patronymic", "")
    if patronymic:
        filled["child.patronymic_form"] = "uulu-kyzy" if patronymic.endswith(("уулу", "кызы")) else "ovich-ovna"
    return filled


def prove_row(prover: Prover, key: bytes) -> bytes | None:
    """The row under a state key, or None for a proven absence, by the public proof rules alone.

    Raises `AssertionError` where the path does not lead to the newest block's state root.
    """
    head = prover.head()
    proof = prover.state(key, head)
    if proof.value is None:
        root = proofs.tree.root_of_absent(key, proof.other, list(proof.siblings))
    else:
        root = proofs.tree.root_of_present(key, proof.value, list(proof.siblings))
    module = key.partition(b".")[0]
    leaf = leaf_hash(bytes([len(module)]) + module + root)
    reached = proofs.merkle.root_of_path(leaf, proof.module_position, proof.module_count, list(proof.module_path))
    if reached != head.state_root or sha256(b"kerege/app/1" + reached + head.log_root).digest() != head.app_hash:
        raise AssertionError("the path does not lead to the state root of the newest block")
    return proof.value


def record_of(raw: bytes) -> Record:
    """The record of its stored bytes."""
    return RECORDS.decode_value(raw)


def correct(
    journey: Journey,
    record: bytes,
    values: Mapping[str, str],
    office: str,
    centre: str,
    changed: Mapping[str, str] | None = None,
) -> Played:
    """A clerical correction of an imported act: asked for by a parent, decided by two registrars, certified anew.

    `changed`: what the request says differently, beside the field that it names.
    """
    desk = journey.desk
    asked = {
        **completed(values),
        "child.name_latin": "Corrected",
        "amendment.record": record.hex(),
        "amendment.kind": "clerical",
        "amendment.ground": "office-error",
        "amendment.ordered_by": "registry-office",
        "amendment.document_number": "К-1/26",
        "amendment.document_date": "2026-01-19",
        "amendment.document_issuer": office,
        "amendment.fields": "child.name_latin",
        **(changed or {}),
    }
    first, second = journey.official(office, "registrar"), journey.official(office, "registrar", "another")
    parent = journey.new_person(centre, "acceptor")
    opened, case, _ = desk.begin("birth-correction", "request", "", {k: v for k, v in asked.items() if v})
    journey.send(parent, opened, desk.act(case, "", "submit", next_office=office))
    journey.look(first, record, case, office)
    journey.look(first, case, case, office)
    journey.send(first, desk.act(case, office, "confirm"))
    seen = {name: shown.value for name, shown in journey.look(second, case, case, office).items()}
    look = journey.ask(second, record, case, office)
    journey.settle(second, desk.amend(case, office, "amend", record, seen["amendment.kind"], seen["amendment.ground"]))
    message, successor = desk.open_successor(look, 2, office, seen, seen["amendment.kind"])
    journey.send(second, message)
    paper = desk.issue(successor, office, "primary", "birth-correction", None)
    answer = journey.settle(second, paper)
    return Played(case, office, record, successor, [(answer.id, paper.papers[0].certificate)])
