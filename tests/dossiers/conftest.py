from collections.abc import Iterator
from pathlib import Path

import pytest

from kerege.dossiers.controller import Controller
from tests.dossiers.support import Ledger


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def controller(home: Path, ledger: Ledger) -> Iterator[Controller]:
    with Controller.create(home, ledger, clock=lambda: ledger.now) as opened:
        yield opened
