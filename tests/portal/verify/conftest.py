"""A real browser, the page opened from a file, and bundles of a real ledger."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from rich.console import Console

from kerege.portal.verify import build_page
from kerege.testing.demo import play
from tests.portal.verify.twin import Twin


@pytest.fixture(scope="session")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page as somebody saved it, without a trust file."""
    path = tmp_path_factory.mktemp("page") / "verify.html"
    path.write_bytes(build_page())
    return path


@pytest.fixture(scope="session")
def twin(browser: Browser, page_file: Path) -> Iterator[Twin]:
    """The verifier in the browser, for whole batches of bundles."""
    page = browser.new_page()
    page.goto(page_file.as_uri())
    yield Twin(page)
    page.close()


@dataclass(frozen=True)
class Opened:
    """A page, with all that it asked for and all that it complained of since it was opened."""

    page: Page
    requests: list[str]
    complaints: list[str]


@pytest.fixture
def opened(browser: Browser, page_file: Path) -> Iterator[Opened]:
    """The page, opened from a file in English, in a context of its own."""
    context = browser.new_context(locale="en-GB", viewport={"width": 1000, "height": 900})
    context.set_default_timeout(5000)
    page = context.new_page()
    found = Opened(page, [], [])
    page.on("request", lambda request: found.requests.append(request.url))
    page.on("console", lambda message: found.complaints.append(message.text))
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.goto(page_file.as_uri())
    yield found
    context.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make demo` leaves: certificate.json, superseded.json, trust.json, made by a real ledger."""
    folder = tmp_path_factory.mktemp("demo")
    assert play(folder, Console(quiet=True)) == 3  # its last word: the certificate is superseded
    return folder
