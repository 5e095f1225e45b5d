"""Pictures of the pages for docs/: `python -m tools.pictures URL`, of a raion that `make up` shows."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parents[1] / "docs/pictures"


def main() -> int:
    """Take start.png, case.png and verify.png."""
    if len(sys.argv) != 2:  # noqa: PLR2004 - the program and the address
        sys.stderr.write("python -m tools.pictures http://127.0.0.1:8080\n")
        return 2
    url = sys.argv[1].rstrip("/")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 760})
        page.goto(f"{url}/?lang=en")
        page.wait_for_timeout(1_500)
        page.screenshot(path=FOLDER / "start.png")
        case = str(page.locator("main a[href^='/cases/']").first.get_attribute("href"))
        page.goto(url + case)
        page.screenshot(path=FOLDER / "case.png")
        _verify(page, url)
        browser.close()
    return 0


def _verify(page: Page, url: str) -> None:
    certificate = page.request.get(f"{url}/download/certificate.json").body()
    page.goto(f"{url}/verify#en")
    files = page.locator("input[type=file]")
    files.first.set_input_files({"name": "certificate.json", "mimeType": "application/json", "buffer": certificate})
    page.wait_for_timeout(1_500)
    page.screenshot(path=FOLDER / "verify.png", full_page=True)


if __name__ == "__main__":
    sys.exit(main())
