"""A SQLite file and a real PostgreSQL to project the raion into."""

import itertools
import shutil

import pytest
from sqlalchemy import create_engine, text

from kerege.node.home import Home
from kerege.testing.postgres import INSTALL, find_binaries, postgres


@pytest.fixture
def living(raion, tmp_path) -> Home:
    """A copy of the raion that may go on."""
    shutil.copytree(raion.path, tmp_path / "home")
    return Home(tmp_path / "home")


@pytest.fixture(scope="session")
def server():
    if find_binaries() is None:
        pytest.skip(INSTALL)
    with postgres() as running:
        yield running


_number = itertools.count()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path) -> str:
    """Address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/readmodel.sqlite"
    server = request.getfixturevalue("server")
    name = f"test{next(_number)}"
    engine = create_engine(server.url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return str(server.url).replace("/postgres?", f"/{name}?")
