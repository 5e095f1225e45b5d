"""A dev home with its ledger and dossiers, and a desk of the import officer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateways.importing.desk import ImportDesk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[ImportDesk]:
    """An import officer's desk over a fresh home."""
    with ImportDesk.create(tmp_path / "home") as made:
        yield made
