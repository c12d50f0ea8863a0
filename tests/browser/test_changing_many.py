"""Changing many things at once by hand: stations are linked, and units get a class."""

import httpx
import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.browser.conftest import Demo
from tests.browser.windows import PHONE, Windows, scrolls_sideways, violations
from tests.servers import DEADLINE_S

NAMES = (
    "Endprüfung in der hintersten Ecke der zweiten Halle, links 01",
    "第二生産ライン最終検査ステーション番号二十七号機予備機",
    "محطة الاختبار النهائي للوحدات الإلكترونية في الخط الثاني",
)


@pytest.fixture(scope="module")
def new_stations(demo: Demo) -> None:
    """Three stations that may report nothing."""
    headers = {"Authorization": f"Bearer {demo.access.api_key}"}
    with httpx.Client(base_url=f"{demo.server.url}/api/v2", headers=headers, timeout=DEADLINE_S) as client:
        for name in NAMES:
            client.post("/stations", json={"name": name}).raise_for_status()


def choose(page: Page, noun: str) -> None:
    """Go on with the ticked rows, by keyboard."""
    page.get_by_text("Change…").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name=f"The ticked {noun}").focus()
    page.keyboard.press("Enter")


@pytest.mark.usefixtures("new_stations")
def test_three_stations_are_linked_at_once(windows: Windows, admin: StorageState) -> None:
    page = windows.open("/stations?state=new", cookies=admin)
    for name in NAMES:
        page.get_by_label(f"Tick station {name}").check()
    choose(page, "stations")
    expect(page.get_by_role("heading", name="3 stations", exact=True)).to_be_visible()
    page.get_by_label("PCB in-circuit test").check()
    page.get_by_role("button", name="See what changes").click()
    expect(page.get_by_text("gets PCB in-circuit test")).to_have_count(3)
    assert violations(page) == []
    page.set_viewport_size(PHONE)
    assert not scrolls_sideways(page)
    page.get_by_role("button", name="Link 3 stations").click()
    expect(page.get_by_role("status")).to_contain_text("3 stations changed.")
    page.get_by_role("link", name="See the history").click()
    for name in NAMES:
        expect(page.locator(".changes")).to_contain_text(name)
    page.goto("/stations?state=new")
    expect(page.locator("tbody tr", has_text="PCB in-circuit test")).to_have_count(3)


def test_a_box_of_a_row_does_not_lead_away(windows: Windows, admin: StorageState) -> None:
    page = windows.open("/stations", cookies=admin)
    box = page.locator("input[name=ids]").first
    box.click()
    expect(box).to_be_checked()
    assert page.url.endswith("/stations")


def test_two_units_get_a_class(windows: Windows, admin: StorageState) -> None:
    page = windows.open("/units", cookies=admin)
    for place in range(2):
        page.locator("input[name=ids]").nth(place).check()
    choose(page, "units")
    expect(page.get_by_role("heading", name="2 units", exact=True)).to_be_visible()
    page.locator("select[name=sample]").select_option("failing")
    page.get_by_label("keep their class").check()
    page.get_by_role("button", name="Give the class to 2 units").click()
    expect(page.get_by_role("status")).to_contain_text("2 units changed.")
    expect(page.locator("tbody .sample")).to_have_text(["failing", "failing"])
    assert violations(page) == []
