"""What holds for every page: it can be reached, read by everybody, on anything, and complains of nothing."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import StorageState, ViewportSize

from tests.browser.calls import make_calls
from tests.browser.changes import make_changes
from tests.browser.conftest import Demo
from tests.browser.imports import make_imports
from tests.browser.site import ROUTES, Site, explore
from tests.browser.windows import DESK, PHONE, Windows, scrolls_sideways, settled, violations
from tests.web.browser import Browser

# To these no page of a member leads.
FOR_STRANGERS = {"/log-in", "/setup/{token}", "/invitation/{token}"}
# Parts of pages that not every run and unit has; and nobody has put a picture into the demo, which has runs.
FOR_SOME = {
    "/bulk/runs/done",
    "/runs/{run_id}/series/{position}",
    "/runs/{run_id}/series/{position}/values.{file_format}",
    "/genealogy/{unit_id}",
    "/split-unit/{unit_id}",
    "/pictures/{picture_id}",
    "/first-run",
    # Of comments that have files.
    "/notes/{comment_id}/files/{file_id}",
    # Where values have been asked for.
    "/values.{file_format}",
}


@pytest.fixture(scope="module")
def site(demo: Demo) -> Iterator[Site]:
    make_calls(demo.server.url, demo.access.api_key)
    make_imports(demo.server.url, demo.access.api_key)
    make_changes(demo.server.url, demo.access.api_key)
    browser = Browser(demo.server.url)
    browser.log_in(*demo.admin)
    yield explore(browser)
    browser.close()


def test_something_leads_to_everything(site: Site):
    assert {route.path for route in ROUTES} - site.reached - FOR_SOME == FOR_STRANGERS


@pytest.mark.parametrize(
    ("size", "is_dark"), [(DESK, False), (PHONE, True)], ids=["light, on a desk", "dark, on a phone"]
)
def test_no_page_scrolls_sideways_or_breaks_a_rule_of_axe(
    windows: Windows, admin: StorageState, site: Site, size: ViewportSize, is_dark: bool
):
    page = windows.open(size=size, is_dark=is_dark, cookies=admin)
    found = []
    for url in site.pages.values():
        page.goto(url)
        found += violations(settled(page))
        if scrolls_sideways(page):
            found.append(f"{url} scrolls sideways")
    assert found == []


def test_who_is_not_logged_in_finds_no_barrier_either(windows: Windows):
    for path in ("/log-in", "/setup/nothing", "/no-such-page"):
        page = windows.open(path, size=PHONE)
        assert violations(page) == []
        assert not scrolls_sideways(page)
    # That is what the browser says of the two pages that there are not.
    assert len(windows.complaints) == 2
    windows.complaints.clear()
