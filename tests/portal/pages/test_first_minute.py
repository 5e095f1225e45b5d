"""The first minute: what the terminal says, what the pages say, and that it is true."""

import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from litestar import Litestar
from litestar.testing import TestClient
from playwright.sync_api import Browser

from kerege.dossiers.files import FolderLock
from kerege.modules.registries.state import IMPORTS
from kerege.node.home import Home
from kerege.node.wire import SocketDoor
from kerege.node.workplace import read_nation
from kerege.portal.pages import search as finding
from kerege.portal.pages.routes import LANGUAGES, Portal, routes, texts
from kerege.portal.pages.search import patterns
from kerege.testing.first_minute import EVERY
from tests.portal.pages.conftest import Up

DAY = 24 * 3_600_000
ROUTES = sys.modules["kerege.portal.pages.routes"]
"""The module: the package has a function of this name."""


def get(up: Up, path: str, **values: str) -> httpx.Response:
    return httpx.get(up.url + path, params=values or None, timeout=20)


def test_it_serves_within_a_minute_and_says_where(up):
    assert up.seconds < 60
    for word in ("look", "a case", "verify", "find", "stop     Ctrl-C", up.url):
        assert word in up.told


def test_a_port_in_use_is_one_sentence_with_the_cure(up, tmp_path):
    port = up.url.rpartition(":")[2]
    command = [sys.executable, "-m", "kerege.testing.first_minute", "--folder", str(tmp_path / "h"), "--port", port]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert done.stderr.count("\n") <= 2
    assert port in done.stderr
    assert "make up PORT=" in done.stderr.replace("\n", " ")
    done = subprocess.run(
        [sys.executable, "-m", "kerege.node", "up", "--home", str(up.home), "--port", port],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_height_and_block_time_rise_by_ordinary_transactions(up):
    first = get(up, "/live.json").json()
    until, now = time.monotonic() + 15, first
    while time.monotonic() < until:
        now = get(up, "/live.json").json()
        if now["height"] > first["height"]:
            break
        time.sleep(0.5)
    assert now["height"] > first["height"]
    assert now["time"] > first["time"]
    with SocketDoor(Home(up.home).socket) as door:
        block = door.block(now["height"])
    assert block is not None
    (raw,) = block.transactions
    assert b"services.Open" in raw


def test_the_raion_waits_while_a_command_has_the_dossiers(up):
    """Such as an import beside it; it goes on when that is done, and such a command waits for the raion."""
    held = FolderLock(up.home / "dossiers")
    before = get(up, "/live.json").json()["height"]
    time.sleep(2 * EVERY)
    still = get(up, "/live.json").json()["height"]
    held.close()
    assert still == before
    until = time.monotonic() + 3 * EVERY
    while get(up, "/live.json").json()["height"] == still and time.monotonic() < until:
        time.sleep(0.5)
    assert get(up, "/live.json").json()["height"] > still
    check = [sys.executable, "-m", "kerege.node", "dossiers", "check", "--home", str(up.home)]
    assert subprocess.run(check, capture_output=True, check=False, timeout=60).returncode == 0


def test_the_raion_has_what_was_promised(up):
    page = get(up, "/", lang="en").text
    rows = re.findall(r"<tr><td>(.*?)</tr>", page, re.DOTALL)
    assert sum("Overdue" in row for row in rows) == 1
    stopped = [row for row in rows if "Clock stopped" in row]
    assert len(stopped) == 1
    assert "another body; stopped by ЗАГС-708203" in stopped[0]
    (link,) = re.findall(r"/cases/[0-9a-f]{32}", stopped[0])
    assert "stopped by <strong>ЗАГС-708203</strong>" in get(up, link, lang="en").text
    assert sum("refused" in row for row in rows) == 1
    with SocketDoor(Home(up.home).socket) as door:
        first, last = door.block(1), door.head()
    assert first is not None
    assert 59 < (last.time - first.time) / DAY < 61


def test_the_search_that_is_printed_can_be_copied(up):
    link = re.search(r"http://\S+word=\S+", up.told)
    assert link is not None
    assert link[0].isascii()
    assert httpx.get(link[0], timeout=20).status_code == 200


@pytest.mark.parametrize("path", ["/", "/verify", "/live.json", "/download/trust.json"])
def test_the_head_of_a_page(up, path):
    answer = httpx.head(up.url + path, timeout=20)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == get(up, path).headers["content-type"]


@pytest.mark.parametrize(
    ("lang", "told"), [("ky", "Мындай барак жок"), ("ru", "Такой страницы нет"), ("en", "no such page")]
)
def test_a_browser_is_answered_with_a_page_where_there_is_none(up, lang, told):
    """A person reads in their language that there is nothing; a program still gets a problem."""
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "accept-language": f"{lang}-KG,{lang};q=0.9"}
    for path in ("/nothing", "/cases", "/download/other", "/%ff", f"/nothing?lang={lang}"):
        answer = httpx.get(up.url + path, headers=browser, timeout=20)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8"), path
        assert told in answer.text
        assert f'lang="{lang}"' in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert "application/problem+json" in httpx.get(up.url + "/nothing", timeout=20).headers["content-type"]
    assert "json" in httpx.get(up.url + "/api/v1/nothing", headers=browser, timeout=20).headers["content-type"]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/?word=" + "a" * 5000, 400), ("/?first=x", 400), ("/?lang=toolong", 400), ("/?first=-1", 400)],
)
def test_a_browser_that_asks_for_nonsense_is_answered_with_a_page(up, path, status):
    answer = httpx.get(up.url + path, headers={"accept": "text/html", "accept-language": "ru"}, timeout=20)
    assert answer.status_code == status
    assert "Запрос непонятен" in answer.text


def test_a_page_knows_its_methods(up):
    answer = httpx.post(up.url + "/verify", headers={"accept": "text/html"}, timeout=20)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert httpx.options(up.url + "/", timeout=20).headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.filterwarnings("ignore:.*declared using deprecated")
def test_only_a_throw_away_ledger_is_called_fictitious(up):
    assert f"verify-ledger --home {up.home}" in get(up, "/", lang="en").text
    with pages_of(up) as client:
        real = client.get("/", params={"lang": "en"}).text
    assert texts()["en"]["footer"] in get(up, "/", lang="en").text
    assert texts()["en"]["footer"] not in real
    assert "--home" not in real


@contextmanager
def pages_of(up: Up) -> Iterator[TestClient[Litestar]]:
    """The pages of the running ledger, in this process."""
    with SocketDoor(Home(up.home).socket) as door:
        pack = read_nation("kg")
        services = {each.definition.code: each.definition for each in pack.services}
        portal = Portal(door, pack.texts, services, b"{}", up.public, pack.nation.offset_minutes)
        with TestClient(Litestar(list(routes(portal)))) as client:
            yield client


@pytest.mark.filterwarnings("ignore:.*declared using deprecated")
def test_a_search_ends_in_time_and_goes_on_where_it_ended(up, monkeypatch):
    monkeypatch.setattr(ROUTES, "search", partial(finding.search, seconds=0))
    at, hits = 0, 0
    with pages_of(up) as client:
        whole = client.get("/", params={"lang": "en", "word": "ЗАГС-708203", "first": 0}).text
        for _ in range(5):
            page = client.get("/", params={"lang": "en", "word": "ЗАГС-708203", "first": at}).text
            assert f"in blocks {at} to {at} of " in page
            hits += sum(map(int, re.findall(r"Hits: (\d+)<", page)))
            (at,) = map(int, re.findall(r"first=(\d+)#search", page))
        assert (at, hits > 0, "Search the other" in whole) == (5, True, True)
        assert "of " in client.get("/", params={"lang": "en", "word": "x", "first": 10**15}).text


@pytest.mark.filterwarnings("ignore:.*declared using deprecated")
def test_two_searches_at_once_are_one(up):
    with pages_of(up) as client, finding._one_at_a_time:
        page = client.get("/", params={"lang": "en", "word": "ЗАГС-708203"})
        assert (page.status_code, "Somebody else is searching" in page.text) == (200, True)
        assert client.get("/", params={"lang": "en"}).status_code == 200, "the page itself waits for nobody"


@pytest.mark.filterwarnings("ignore:.*declared using deprecated")
def test_the_table_of_cases_is_short_and_counts_the_rest(up, monkeypatch):
    monkeypatch.setattr(ROUTES, "LISTED", 3)
    with pages_of(up) as client:
        page = client.get("/", params={"lang": "en"}).text
    assert page.count("<tr><td>") == 3
    rest = re.search(r"Cases not listed here: (\d+)", page)
    assert rest is not None
    assert int(rest[1]) > 0
    assert page.count("Overdue") == 1, "what waits for somebody is listed first"


def test_two_hundred_births_moved_in(up):
    with SocketDoor(Home(up.home).socket) as door:
        (raw,) = [raw for _, raw in door.scan(IMPORTS.prefix)]
    told = IMPORTS.decode_value(raw)
    assert told.accepted + told.duplicate + told.review + told.rejected == 200
    assert told.accepted > 150


def test_a_case_is_a_line_with_who_holds_it_and_until_when(up):
    link = re.search(r"/cases/[0-9a-f]{32}", up.told)
    assert link is not None
    page = get(up, link[0], lang="en")
    assert page.status_code == 200
    assert "Now" in page.text
    assert "ЗАГС-708203" in page.text
    assert "Due: 2" in page.text
    for wrong in ("/cases/" + "0" * 32, "/cases/xyz"):
        missing = get(up, wrong, lang="en")
        assert (missing.status_code, "There is no such case" in missing.text) == (404, True)


def test_the_childs_name_is_in_no_block_and_an_office_is(up):
    name = re.search(r"the child's name (\S+):", up.told)
    assert name is not None
    for word in (name[1], name[1].upper(), "22708201900031"):
        assert "Hits: 0<" in get(up, "/", lang="en", word=word).text
    assert "Hits: 0<" not in get(up, "/", lang="en", word="ЗАГС-708203").text


def test_no_file_of_the_home_without_its_keys_shows_a_name(up):
    """Also while the node runs: the certificate and what the terminal says lie beside the home."""
    words = sorted({value for code, value in shown_values() if is_telling(code, value)})
    assert len(words) > 10
    assert any(word in (up.public / "certificate.json").read_text(encoding="utf-8") for word in words)
    for path in (each for each in up.home.rglob("*") if each.is_file()):
        if path.relative_to(up.home).parts[0] != "keys":
            raw = path.read_bytes()
            assert [word for word in words for form in patterns(word) if form in raw] == [], path


def shown_values() -> list[tuple[str, str]]:
    """Field and value of the births that the raion plays."""
    names = {"plain", "refusal-with-reasons", "names-uulu-and-tegin", "foundling"}
    examples = [each for each in read_nation("kg").service("birth").examples if each.name in names]
    return [pair for each in examples for pair in each.values.items()]


def is_telling(code: str, value: str) -> bool:
    """A person's name or number: places and offices are public, and short values occur by chance."""
    name = not value.isascii() and not {" ", "-"} & set(value)
    return len(value) > 4 and "territory" not in code and (name or value.isdecimal())


@pytest.mark.parametrize("word", ["<script>alert(1)</script>", "\u202e", "%", "а" * 100])
def test_hostile_words_are_words(up, word):
    page = get(up, "/", word=word)
    assert page.status_code == 200
    assert "<script>alert" not in page.text


def test_the_certificate_verifies_offline_from_the_download(up, tmp_path):
    for name in ("certificate.json", "trust.json"):
        (tmp_path / name).write_bytes(get(up, f"/download/{name}").content)
    command = [sys.executable, "-I", "-m", "kerege.proofs", "certificate.json", "--trust", "trust.json"]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    assert get(up, "/download/raion.json").status_code == 404
    assert get(up, "/download/..%2fhome.json").status_code == 404


@pytest.mark.alone
def test_pages_are_small_and_quick_and_strict(up):
    sizes, times = [], []
    page = get(up, "/")
    for path in ("/", "/verify"):
        for _ in range(20):
            started = time.perf_counter()
            page = get(up, path)
            times.append(time.perf_counter() - started)
        sizes.append(len(page.content))
        policy = page.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
    for asset in re.findall(r'(?:href|src)="(/static/[^"]+)"', get(up, "/").text):
        answer = get(up, asset)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        sizes.append(len(answer.content))
    assert sum(sizes) <= 200 * 1024
    assert statistics.quantiles(times, n=20)[-1] < 0.25  # the goal of 50 ms is measured in benchmarks.importing


def test_every_language_has_every_text(up):
    found = texts()
    assert {frozenset(words) for words in found.values()} == {frozenset(found["en"])}
    for lang in LANGUAGES:
        page = get(up, "/", lang=lang)
        assert f'<html lang="{lang}">' in page.text
        assert found[lang]["heading"] in page.text
    assert '<html lang="ky">' in httpx.get(up.url, headers={"Accept-Language": "ky-KG,ru;q=0.5"}, timeout=20).text


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("width", [320, 1100])
def test_pages_in_a_real_browser(up: Up, browser: Browser, lang: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(f"{up.url}/?lang={lang}")
    age = page.locator("[data-age]")
    page.wait_for_function("/[0-9]/.test(document.querySelector('[data-age]').textContent)")
    before = age.inner_text()
    page.wait_for_function("text => document.querySelector('[data-age]').textContent !== text", arg=before)
    link = page.locator("main a[href^='/cases/']").first.get_attribute("href")
    for path in (f"/?lang={lang}", str(link), "/?word=x"):
        page.goto(up.url + path)
        assert Axe().run(page).response["violations"] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []
    page.close()


def test_without_script_the_page_says_the_same(up: Up, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{up.url}/?lang=en")
    assert page.locator("[data-height]").inner_text().isdigit()
    assert re.fullmatch(r"[0-9]+ s", page.locator("[data-age]").inner_text())
    page.get_by_label("Name or word").fill("ЗАГС-708203")
    page.get_by_role("button", name="Search all blocks").click()
    assert "Hits: 0" not in page.locator(".found").inner_text()
    context.close()


def test_it_is_used_by_keyboard(up: Up, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{up.url}/?lang=en")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "word":
            break
    page.keyboard.type("nobody")
    page.keyboard.press("Enter")
    page.wait_for_selector(".found")
    assert "Hits: 0" in page.locator(".found").inner_text()
    page.close()


def test_no_clear_row_of_the_old_registry_stays(up):
    assert not list(Path(up.home).rglob("*.csv"))
