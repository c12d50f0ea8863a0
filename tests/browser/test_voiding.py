"""Voiding, deleting and tagging by hand: each says what it did, and voids and deletions are undone where one stands."""

import re
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.browser.conftest import Demo
from tests.browser.windows import Windows, violations
from tests.servers import DEADLINE_S


@pytest.fixture
def failed(windows: Windows, admin: StorageState, demo: Demo) -> Page:
    """The page of a run that failed, the first of its unit, which was tested again."""
    headers = {"Authorization": f"Bearer {demo.access.api_key}"}
    with httpx.Client(base_url=f"{demo.server.url}/api/v2", headers=headers, timeout=DEADLINE_S) as client:

        def runs(**query: str) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = client.get("/runs", params=query).raise_for_status().json()["data"]
            return found

        for run in runs(outcomes="FAIL", voided="false"):
            of_unit = runs(
                serial_numbers=run["unit"]["serial_number"], sort_by="started_at", sort_order="asc"
            )
            if len(of_unit) > 1 and of_unit[0]["id"] == run["id"]:
                return windows.open(f"/runs/{run['id']}", cookies=admin)
    raise AssertionError("no first run failed")


def tile(page: Page, name: str) -> str:
    return page.locator(".tile, .card", has_text=re.compile(name, re.IGNORECASE)).first.inner_text()


def left_out(page: Page) -> int:
    """How many voided runs a page says that it leaves out."""
    note = page.get_by_role("note")
    return int(re.findall(r"\d+", note.inner_text())[0]) if note.count() else 0


def test_a_void_is_seen_in_the_yield_and_undone(windows: Windows, admin: StorageState, failed: Page) -> None:
    # Of one batch, so that one run more or less is seen in a rounded yield.
    batch = failed.locator(".facts").get_by_role("link").nth(2).inner_text()
    address = "/?" + urlencode({"period": "all", "batch": batch})
    overview = windows.open(address, cookies=admin)
    note, before = overview.get_by_role("note"), left_out(overview)
    yield_before = tile(overview, "First-pass yield")

    failed.get_by_text("Void…").focus()
    failed.keyboard.press("Enter")
    failed.get_by_label("Reason", exact=True).fill("Der Deckel stand offen – 蓋が開いていた")
    failed.keyboard.press("Enter")
    expect(failed.locator(".void-note")).to_contain_text("蓋が開いていた. No figure counts this run.")
    assert violations(failed) == []

    overview.reload()
    assert left_out(overview) == before + 1
    assert tile(overview, "First-pass yield") != yield_before
    note.get_by_role("link").click()
    serial = failed.locator("h1").inner_text()
    expect(overview.locator("tr.is-voided", has_text=serial).first).to_be_visible()
    unit = windows.open(str(failed.locator("h1 a").get_attribute("href")), cookies=admin)
    expect(unit.locator("#runs tr.is-voided")).to_contain_text("Attempt 1")

    failed.get_by_role("button", name="Let it count again").click()
    expect(failed.get_by_text("No figure counts this run")).to_have_count(0)
    expect(failed.locator("#history")).to_contain_text("let a run of unit")
    again = windows.open(address, cookies=admin)
    assert left_out(again) == before
    assert tile(again, "First-pass yield") == yield_before


def test_a_deletion_is_undone_at_once_or_from_the_bin(
    windows: Windows, admin: StorageState, failed: Page
) -> None:
    address, serial = failed.url, failed.locator("h1").inner_text()

    def delete() -> None:
        failed.locator(".deeds").get_by_text("Delete…").first.click()
        failed.get_by_label("Reason (may be left empty)").first.fill("Reported twice")
        failed.get_by_role("button", name="Delete", exact=True).first.click()
        expect(failed.get_by_role("status")).to_have_text("You deleted this run.")

    delete()
    assert violations(failed) == []
    failed.get_by_role("button", name="Undo").click()
    failed.wait_for_url(address)

    delete()
    old_link = windows.open(address, cookies=admin)
    expect(old_link.get_by_text("It can be restored until")).to_be_visible()
    unit = windows.open(f"/units/{serial}", cookies=admin)
    expect(unit.get_by_text("a run that was deleted")).to_be_visible()
    bin_ = windows.open("/trail", cookies=admin)
    bin_.get_by_role("link", name="Bin").click()
    expect(bin_.get_by_role("heading", name="Bin")).to_be_visible()
    bin_.get_by_label("Name").fill(serial)
    bin_.keyboard.press("Enter")
    bin_.get_by_role("button", name=f"Restore run of unit {serial}").click()
    bin_.wait_for_url(address)
    expect(bin_.locator("#history")).to_contain_text("restored a run of unit")


def test_thirty_runs_are_tagged_at_once_and_found_by_it(windows: Windows, admin: StorageState) -> None:
    page = windows.open("/runs", cookies=admin)
    boxes = page.locator("input[name=ids]")
    for place in range(30):
        boxes.nth(place).check()
    page.get_by_text("Change…").click()
    page.get_by_role("button", name="The ticked runs").click()
    expect(page.get_by_role("heading", name="30 runs", exact=True)).to_be_visible()
    assert violations(page) == []
    name = str(page.get_by_label("Tag").locator("option").first.inner_text())
    page.get_by_role("button", name="Add to 30 runs").click()
    expect(page.get_by_role("status")).to_contain_text("changed.")
    page.goto("/runs?" + urlencode({"tag": name}))
    assert page.locator("table.runs tbody tr").count() >= 30
    page.goto("/trail")
    expect(page.locator(".changes")).to_contain_text(name)
