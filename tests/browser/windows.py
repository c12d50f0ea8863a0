"""Windows of a real browser."""

from typing import NamedTuple

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    StorageState,
    ViewportSize,
)

from tests.servers import DEADLINE_S

DESK = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=360, height=780)


class Account(NamedTuple):
    email: str
    password: str


class Windows:
    """Opens windows on one server, each in a browser of its own as far as cookies go, and hears their complaints."""

    def __init__(self, browser: Browser, url: str) -> None:
        self._browser = browser
        self._url = url
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def open(
        self,
        path: str = "/",
        *,
        size: ViewportSize = DESK,
        is_dark: bool = False,
        cookies: StorageState | None = None,
    ) -> Page:
        """A new window. is_dark: what its system is set to."""
        context = self._browser.new_context(
            base_url=self._url,
            viewport=size,
            color_scheme="dark" if is_dark else "light",
            storage_state=cookies,
            timezone_id="Europe/Berlin",
        )
        self._contexts.append(context)
        context.set_default_timeout(DEADLINE_S * 1000)
        page = context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", self._hear_error)
        page.goto(path)
        return page

    def log_in(self, account: Account) -> Page:
        """A new window, in which somebody has filled in the form of the log-in."""
        page = self.open("/log-in")
        page.get_by_label("E-mail").fill(account.email)
        page.get_by_label("Password").fill(account.password)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("/")
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        self._contexts.clear()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type} at {message.location['url']}: {message.text}")

    def _hear_error(self, error: Error) -> None:
        self.complaints.append(str(error))


def violations(page: Page) -> list[str]:
    """The rules of axe that a page breaks."""
    found = Axe().run(page).response["violations"]
    return [
        f"{page.url}: {one['help']}: {node['html']} {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
    ]


def scrolls_sideways(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def settled(page: Page) -> Page:
    """The same page, with its charts drawn."""
    page.wait_for_load_state("load")
    charts = page.locator("[data-chart]")
    for at in range(charts.count()):
        charts.nth(at).locator("canvas, svg").first.wait_for(state="attached")
    return page
