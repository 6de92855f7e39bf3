"""A real browser for tests, offline: chromium, driven by playwright; skips where there is none."""

import shutil
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
HARMLESS = ("warning: Method not implemented.",)  # gradio's own, when it ends its stream


@contextmanager
def chromium():
    """Playwright's browser, which ends with the block.

    Not to be kept for a whole session: its event loop would be in the way of other tests'.
    """
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("no chromium on this machine")
    playwright = pytest.importorskip("playwright.sync_api", reason="the extra browser is missing")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(browser, address, **options):
    """A page that shows an address; at the end, that nothing went wrong or was asked of a network.

    Args:
        browser: of `chromium`.
        address: what to open.
        options: of playwright's `new_context`, such as `viewport`.
    """
    context = browser.new_context(**options)
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address, wait_until="load")
    yield page
    context.close()
    wrong = [t for t in said if t.startswith(("error", "warning")) and t not in HARMLESS]
    parts = urlsplit(address)
    home = f"{parts.scheme}://{parts.netloc}"
    away = [url[:100] for url in asked if not url.startswith((home, "data:", "blob:"))]
    assert not wrong + away, wrong + away
