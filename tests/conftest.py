"""What holds for every test: in CI nothing is skipped but what reads an absent ../shared. And a home to look at."""

import os

import hypothesis
import pytest

from kerege.node.home import Home
from kerege.testing.raion import seed
from tools.engine import DEFAULT, installed

ALLOWED = "../shared"
NO_ENGINE = pytest.mark.skip(reason="no CometBFT in .tools: make engine")


def pytest_collection_modifyitems(items):
    """Tests of real engines run on one worker, for a network is ten processes; without an engine they skip by name."""
    absent = DEFAULT not in installed()
    for item in items:
        if item.get_closest_marker("engine"):
            item.add_marker(pytest.mark.xdist_group("engine"))
            if absent:
                item.add_marker(NO_ENGINE)


def pytest_configure(config):
    """Let the programs that tests start share bytecode where Python may write none beside the sources.

    Each would compile three hundred files anew, which takes longer than most of what they are started for.
    """
    if hasattr(config, "cache") and os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ["PYTHONPYCACHEPREFIX"] = str(config.cache.mkdir("bytecode"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Turn a skip into a failure where CI would otherwise be green without having looked."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        _path, _line, reason = report.longrepr
        if ALLOWED not in reason:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid}: in CI nothing is skipped but for an absent {ALLOWED}. It said: {reason}"
    return report


# In CI the same examples each time, so that what is submitted does not fail by chance; elsewhere new ones are drawn.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
if os.environ.get("CI") == "true":
    hypothesis.settings.load_profile("ci")


@pytest.fixture(scope="session")
def raion(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A raion with sixty days of past, to be read: who wants to add blocks takes a copy."""
    home = Home(tmp_path_factory.mktemp("raion") / "home")
    seed(home, home.path.parent / "public", lambda _text: None)
    return home
