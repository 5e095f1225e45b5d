"""The import officer of a small dev home: imports text, remembers nothing between two calls but what is on disk."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from kerege.gateways.extracts.doing import open_wanted, run_import
from kerege.gateways.extracts.importer import Importer, Summary
from kerege.gateways.extracts.wanted import Wanted
from kerege.node import devkeys
from kerege.node.home import Home
from kerege.node.importing import IMPORTS, ROLE, setting_of
from kerege.node.workplace import Workplace, create_dev_home, open_workplace
from kerege.testing.signers import Ed25519Signer

HEADER = (
    "pin;surname;given_name;patronymic;sex;birth_date;place_code;place_name;mother_pin;father_pin;"
    "registered_on;act_number;office"
)
OFFICE = "ЗАГС-703230"


def row(number: int, **values: str) -> str:
    """A good row of births; the number makes PIN and act number its own."""
    cells = {
        "pin": f"222082019{number:05}",
        "surname": "Ырыскелдиев",
        "given_name": "Айбек",
        "patronymic": "",
        "sex": "Э",
        "birth_date": "22.08.2019",
        "place_code": "41703230000000",
        "place_name": "Чаткал району",
        "mother_pin": "",
        "father_pin": "",
        "registered_on": "05.09.2019",
        "act_number": f"2019/{number}",
        "office": OFFICE,
        **values,
    }
    return ";".join(cells[name] for name in HEADER.split(";"))


def rows_of(first: int, last: int) -> list[str]:
    """Good rows of a range of numbers, both ends included."""
    return [row(number) for number in range(first, last + 1)]


@dataclass
class ImportDesk:
    """One home, opened in this process."""

    home: Home
    workplace: Workplace

    @classmethod
    def create(cls, path: Path) -> Self:
        """A fresh dev home."""
        home = Home(path)
        create_dev_home(home, "kg")
        return cls(home, open_workplace(home))

    def importer(self, role: str = ROLE) -> Importer:
        """An importer that signs as somebody of a role."""
        ledger, controller, pack = self.workplace.ledger, self.workplace.controller, self.workplace.pack
        name = next(name for name, _ in devkeys.list_keys(self.home) if name.endswith(role))
        signer = Ed25519Signer(devkeys.read_key(self.home, name).seed)
        return Importer(ledger.door, controller, signer, setting_of(pack), self.home.path / IMPORTS)

    def write(self, name: str, lines: list[str]) -> Path:
        """A file of rows beside the home."""
        path = self.home.path.parent / name
        path.write_text("\r\n".join([HEADER, *lines, ""]), encoding="utf-8-sig", newline="")
        return path

    def bring(self, path: Path, *, role: str = ROLE, **given: Any) -> tuple[Summary, list[str]]:
        """Import a file; the summary, and the lines of the outcomes."""
        told = path.with_suffix(".outcomes")
        told.unlink(missing_ok=True)
        wanted = Wanted(file=path, outcomes=told, **given)
        extract = open_wanted(wanted, self.workplace.pack.extracts)
        summary = run_import(
            self.importer(role), extract, self.workplace.pack.texts, wanted, lambda _done, _total: None
        )
        return summary, told.read_text(encoding="utf-8").splitlines()[1:]

    def reopen(self) -> None:
        """Close everything and open it again."""
        self.workplace.close()
        self.workplace = open_workplace(self.home)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.workplace.close()
