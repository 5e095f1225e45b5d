"""One served ledger for all tests that only add to it."""

from collections.abc import Iterator

import httpx
import pytest

from kerege.node.home import Home
from tests.api.serving import Api, served


@pytest.fixture(scope="session")
def api(raion: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with served(raion, tmp_path_factory.mktemp("api")) as running:
        yield running


@pytest.fixture
def client(api: Api) -> Iterator[httpx.Client]:
    with api.client() as made:
        yield made
