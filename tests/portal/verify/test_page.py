"""The page as people meet it, in a real browser: from a file, by keyboard, small, printed, without script."""

import hashlib
import http.server
import json
import threading
from importlib.resources import files

import pytest
from playwright.sync_api import expect

from kerege.portal.verify import build_page, headers, page_texts
from tests.portal.verify.twin import LANGUAGES
from tests.proofs.naive import CERTIFICATE_EVENT, LOG_KEY, World, noise, note, receipt, row
from tests.proofs.votes import TRUSTED, VOTED, Votes

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RED = {"light": "rgb(253, 236, 237)", "dark": "rgb(66, 20, 23)"}
DROP = """
(files) => {
  const carried = new DataTransfer();
  for (const [name, text] of files) carried.items.add(new File([text], name));
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
}
"""


def choose(page, demo, name="certificate.json"):
    page.set_input_files("#trust", demo / "trust.json")
    page.set_input_files("#certificate", demo / name)
    expect(page.locator("#certificate-chosen")).to_contain_text(name)
    expect(page.locator("#lines li")).to_have_count(3)


def open_all(page):
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")


def exit_of(page):
    return page.locator("#answer").get_attribute("data-exit")


def test_a_certificate_is_verified_from_a_file_without_a_request(opened, demo):
    page = opened.page
    assert page.url.startswith("file://")
    assert opened.requests == [page.url]
    choose(page, demo)
    assert exit_of(page) == "0"
    expect(page.locator("#verdict")).to_contain_text("Valid")
    first, second, third = page.locator("#lines li").all_inner_texts()
    assert "UNCHANGED" in first
    assert "STATUS as of" in second
    assert "VALID since" in second
    assert "ISSUED BY office" in third
    fields = dict(zip(*[iter(page.locator("#fields tbody :is(th, td)").all_inner_texts())] * 2, strict=True))
    assert fields["child.surname"] == "Асанов"
    page.click("#change")
    page.click("#restore")
    page.click("#languages a[lang=ru]")
    assert opened.requests == [page.url.partition("#")[0]]
    assert opened.complaints == []


def test_a_superseded_certificate_is_genuine_but_not_current(opened, demo):
    choose(opened.page, demo, "superseded.json")
    assert exit_of(opened.page) == "3"
    expect(opened.page.locator("#lines")).to_contain_text("SUPERSEDED since")
    expect(opened.page.locator("#failing")).to_contain_text("Check 14 of 16")
    expect(opened.page.locator("#fields")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_one_changed_byte_turns_it_red_and_names_the_failing_check(opened, demo, scheme):
    page = opened.page
    page.emulate_media(color_scheme=scheme)
    choose(page, demo)
    colour = "getComputedStyle(document.getElementById('said')).backgroundColor"
    assert page.evaluate(colour) != RED[scheme]
    seen = set()
    for _ in range(40):
        page.click("#change")
        assert exit_of(page) in {"1", "2"}
        assert page.evaluate(colour) == RED[scheme]
        failing = page.locator("#failing").inner_text()
        expect(page.locator("#failing")).to_be_visible()
        assert page.locator("#checks .failed").count() == 1
        seen.add(failing.partition("(")[2].partition(":")[0])
        expect(page.locator("#changed")).to_contain_text("changed: ")
        expect(page.locator("#verdict")).to_contain_text("✗")
    assert len(seen) > 1, seen
    page.click("#restore")
    assert exit_of(page) == "0"
    expect(page.locator("#change")).to_be_focused()
    expect(page.locator("#restore")).to_be_hidden()


def test_another_file_is_another_question(opened, demo):
    page = opened.page
    choose(page, demo)
    page.click("#change")
    page.set_input_files("#certificate", demo / "superseded.json")
    expect(page.locator("#lines")).to_contain_text("SUPERSEDED")
    expect(page.locator("#restore")).to_be_hidden()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_languages_are_switched_and_kept_in_the_address_only(opened, demo, lang):
    page = opened.page
    choose(page, demo)
    page.click(f"#languages a[lang={lang}]")
    assert page.url.endswith(f"#{lang}")
    assert page.evaluate("document.documentElement.lang") == lang
    assert page.locator("h1").inner_text() == page_texts(lang)["title"]
    expect(page.locator("#languages a[aria-current]")).to_have_attribute("lang", lang)
    expect(page.locator("#lines")).to_contain_text({"ky": "ЖАРАКТУУ", "ru": "ДЕЙСТВУЕТ", "en": "VALID"}[lang])
    assert page.evaluate("Object.keys(localStorage).length + document.cookie.length") == 0
    page.reload()
    assert page.locator("h1").inner_text() == page_texts(lang)["title"]


@pytest.mark.parametrize(("locale", "lang"), [("ky-KG", "ky"), ("ru-RU", "ru"), ("en-US", "en"), ("de-DE", "ky")])
def test_the_browser_says_the_first_language(browser, page_file, locale, lang):
    context = browser.new_context(locale=locale)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.locator("h1").inner_text() == page_texts(lang)["title"]
    context.close()


def test_files_are_dropped_in_any_order(opened, demo):
    page = opened.page
    page.evaluate(DROP, [[name, (demo / name).read_text()] for name in ("trust.json", "certificate.json")])
    expect(page.locator("#lines li")).to_have_count(3)
    assert exit_of(page) == "0"
    expect(page.locator("#certificate-chosen")).to_contain_text("certificate.json")
    assert page.evaluate("document.getElementById('trust').files[0].name") == "trust.json"
    page.evaluate(DROP, [["cat.txt", "meow"]])
    expect(page.locator("#failing")).to_contain_text("bundle-file: not JSON")


def test_age_and_a_newer_checkpoint(opened):
    page, old = opened.page, receipt([CERTIFICATE_EVENT], time=1_600_000_000_000)
    world = World(time=1_700_000_000_000, row=row(since=1), receipt=old)
    newer = note(world.origin, 8, noise("newer"), [LOG_KEY])
    page.evaluate(DROP, [["a.json", world.bundle.decode()], ["t.json", world.trust.decode()]])
    expect(page.locator("#lines li")).to_have_count(3)
    assert exit_of(page) == "0"
    page.click("details.more summary")
    page.fill("#max-age", "5")
    assert exit_of(page) == "3"
    expect(page.locator("#lines")).to_contain_text("TOO OLD: more than 5 days")
    page.fill("#max-age", "-1")
    expect(page.locator("#max-age")).to_have_attribute("aria-invalid", "true")
    page.fill("#max-age", "")
    expect(page.locator("#max-age")).to_have_attribute("aria-invalid", "false")
    assert exit_of(page) == "0"
    page.evaluate(DROP, [["newer.txt", newer]])
    expect(page.locator("#lines")).to_contain_text("OUT OF DATE")
    expect(page.locator("#newer-chosen")).to_contain_text("newer.txt")


def test_what_was_voted_for_is_said_to_be_final(opened):
    """A fourth line; without the votes nothing is said, and with others the file is not valid."""
    page, old = opened.page, receipt([CERTIFICATE_EVENT], time=1_600_000_000_000)
    world = VOTED.but(time=1_700_000_000_000, row=row(since=1), receipt=old)
    page.evaluate(DROP, [["a.json", world.bundle.decode()], ["t.json", TRUSTED.decode()]])
    expect(page.locator("#lines li")).to_have_count(4)
    assert exit_of(page) == "0"
    expect(page.locator("#lines li").last).to_contain_text("✓FINAL: header 10 of kg-chain")
    page.evaluate(DROP, [["a.json", world.but(commit=None).bundle.decode()]])
    expect(page.locator("#lines li")).to_have_count(3)
    page.evaluate(DROP, [["a.json", world.but(commit=Votes(after=2)).bundle.decode()]])
    expect(page.locator("#failing")).to_contain_text("Check 12 of 16")
    assert exit_of(page) == "1"


def test_by_keyboard_alone(opened, demo):
    """Tab reaches everything in the order in which it is read, the focus is seen, Enter and Space work."""
    page = opened.page
    choose(page, demo)
    page.evaluate("document.activeElement.blur()")
    page.evaluate("scrollTo(0, 0)")
    reached = []
    for _ in range(8):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        width = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert width == "3px", reached
    assert reached == ["A", "A", "A", "certificate", "trust", "SUMMARY", "change", "SUMMARY"]
    page.focus("#change")
    page.keyboard.press("Enter")
    assert exit_of(page) in {"1", "2"}
    page.keyboard.press("Tab")
    expect(page.locator("#restore")).to_be_focused()
    page.keyboard.press("Space")
    assert exit_of(page) == "0"


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", ["certificate.json", "superseded.json"])
def test_nothing_is_cut_off_at_320_pixels(opened, demo, lang, name):
    page = opened.page
    page.set_viewport_size({"width": 320, "height": 640})
    page.click(f"#languages a[lang={lang}]")
    choose(page, demo, name)
    page.click("#change")
    open_all(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    wide = "[...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > 320.5).length"
    assert page.evaluate(wide) == 0


def violations(page):
    found = page.evaluate("async (tags) => (await axe.run(document, {runOnly: tags})).violations", WCAG)
    return [(v["id"], [n["html"] for n in v["nodes"]]) for v in found]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_axe_finds_nothing(opened, demo, lang, scheme):
    page = opened.page
    page.emulate_media(color_scheme=scheme)
    page.click(f"#languages a[lang={lang}]")
    page.evaluate(AXE)
    assert violations(page) == []
    for name in ("certificate.json", "superseded.json"):
        choose(page, demo, name)
        open_all(page)
        assert violations(page) == []
        page.click("#change")
        assert violations(page) == []
    page.set_input_files("#trust", demo / "certificate.json")
    expect(page.locator("#failing")).to_contain_text("trust-file")
    assert violations(page) == []


def test_without_script_it_says_the_command(browser, page_file):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    text = page.inner_text("main")
    for word in ("kerege verify certificate.json --trust trust.json", "JavaScript", "буйрук", "командой", "command"):
        assert word in text
    expect(page.locator("#app")).to_be_hidden()
    expect(page.locator("#languages")).to_be_hidden()
    context.close()


def test_printed_it_keeps_the_answer_and_leaves_out_the_controls(opened, demo):
    page = opened.page
    choose(page, demo)
    page.emulate_media(media="print")
    expect(page.locator("#lines")).to_be_visible()
    expect(page.locator("#fields")).to_be_visible()
    expect(page.locator("#checked")).to_be_visible()
    expect(page.locator("#papers")).to_contain_text(hashlib.sha256((demo / "trust.json").read_bytes()).hexdigest())
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.getElementById('lines')).color") == "rgb(23, 25, 28)"
    for control in ("#drop", "#change", "#languages"):
        expect(page.locator(control)).to_be_hidden()


def test_a_shown_value_cannot_become_markup_or_reorder_a_line(opened, demo, tmp_path):
    """What a file holds is written as text; here in the file's name and in a reason."""
    page = opened.page
    strange = tmp_path / "<img src=x onerror=alert(1)>.json"
    strange.write_bytes((demo / "certificate.json").read_bytes())
    page.set_input_files("#certificate", strange)
    page.set_input_files("#trust", demo / "trust.json")
    expect(page.locator("#certificate-chosen")).to_contain_text("<img src=x")
    assert page.locator("img").count() == 0
    assert opened.complaints == []


@pytest.fixture
def served(demo):
    """The page with a ledger's trust file, served with its headers; and the list of what was asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            for name, value in headers().items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(build_page((demo / "trust.json").read_bytes()))

        def log_message(self, *_arguments):
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/verify", asked
    server.shutdown()
    server.server_close()


def test_served_with_a_trust_file_it_needs_the_certificate_only(browser, demo, served):
    address, asked = served
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(address)
    expect(page.locator("#trust-chosen")).to_contain_text("from the server")
    context.set_offline(True)
    page.set_input_files("#certificate", demo / "certificate.json")
    expect(page.locator("#lines li")).to_have_count(3)
    assert exit_of(page) == "0"
    assert asked == ["/verify"]
    assert complaints == []
    context.close()


def test_the_policy_stops_what_is_not_the_pages_own(opened):
    """Somebody's script, style, image or request does not run, whatever puts it there."""
    page = opened.page
    tried = page.evaluate(
        """async () => {
          const script = document.createElement("script");
          try { script.textContent = "globalThis.stolen = 1"; } catch { /* trusted types */ }
          document.body.append(script);
          const asked = await fetch("https://example.org/").then(() => "sent", () => "stopped");
          return [globalThis.stolen ?? null, asked];
        }"""
    )
    assert tried == [None, "stopped"]
    assert json.dumps(opened.complaints).count("Content Security Policy") >= 1
