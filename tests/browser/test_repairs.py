"""Repairs in a browser: no unit of the demo has one, so one of them gets it here."""

import httpx
import pytest
from playwright.sync_api import StorageState, ViewportSize, expect

from tests.browser.conftest import Demo
from tests.browser.windows import DESK, PHONE, Windows, scrolls_sideways, settled, violations
from tests.repairing import import_reports, repair_of
from tests.servers import DEADLINE_S


@pytest.fixture(scope="module")
def repaired(demo: Demo) -> str:
    """The path of the page of a unit that was repaired."""
    headers = {"Authorization": f"Bearer {demo.access.api_key}"}
    with httpx.Client(base_url=f"{demo.server.url}/api/v2", headers=headers, timeout=DEADLINE_S) as client:
        serial: str = client.get("/units", params={"limit": 1}).json()["data"][0]["serial_number"]
        units = [
            *repair_of(serial)["subUnits"],
            {
                "sn": "A-SUB-UNIT-WITH-A-LONG-SERIAL-NUMBER",
                "pn": "PSU",
                "idx": 1,
                "failures": [{"code": "Bent"}],
            },
            {"sn": "ANOTHER", "pn": "PSU", "idx": 2, "replacedIdx": 1},
        ]
        import_reports(client, repair_of(serial, subUnits=units, location="Drammen"))
    return f"/units/{serial}"


@pytest.mark.parametrize(
    ("size", "is_dark"), [(DESK, False), (PHONE, True)], ids=["light, on a desk", "dark, on a phone"]
)
def test_the_time_line_leads_to_the_repair(
    windows: Windows, admin: StorageState, repaired: str, size: ViewportSize, is_dark: bool
):
    page = windows.open(repaired, size=size, is_dark=is_dark, cookies=admin)
    assert violations(settled(page)) == []
    assert not scrolls_sideways(page)
    page.locator(".activity").get_by_role("link", name="Repair", exact=True).click()
    card = page.locator("article:target")
    expect(card.get_by_role("heading", name="Repair")).to_be_in_viewport()
    more = card.get_by_text("More from its report")
    expect(card.get_by_text("Drammen")).to_be_hidden()
    more.press("Enter")
    expect(card.get_by_text("Drammen")).to_be_visible()
