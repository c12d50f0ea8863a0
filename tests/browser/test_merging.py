"""Merging two units by hand: the old link leads to the one that stands, until they are split."""

from playwright.sync_api import Page, StorageState, expect

from tests.browser.windows import Windows, violations


def newest_units(windows: Windows, admin: StorageState) -> tuple[Page, str]:
    """The page of the newest unit, and the serial number of the one before it."""
    page = windows.open("/units", cookies=admin)
    rows = page.locator("table.units tbody tr")
    other = rows.nth(1).locator("th a").first.inner_text()
    rows.first.locator("th a").first.click()
    return page, other


def test_two_units_are_merged_and_split(windows: Windows, admin: StorageState) -> None:
    page, other = newest_units(windows, admin)
    old_address, old = page.url, page.locator("h1").inner_text()
    page.get_by_role("link", name="Merge…").click()
    assert violations(page) == []
    page.get_by_role("combobox", name="Serial number").fill(other)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Runs and yield")).to_be_visible()
    assert violations(page) == []
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_label("Reason", exact=True).fill("Der Scanner las 8 statt B – 読み間違い")
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.locator("h1")).to_have_text(other)
    expect(page.locator("#history")).to_contain_text("読み間違い")
    assert violations(page) == []

    old_link = windows.open(old_address, cookies=admin)
    expect(old_link.locator("h1")).to_have_text(other)
    old_link.get_by_role("link", name="Split…").click()
    assert violations(old_link) == []
    old_link.get_by_label("Reason", exact=True).fill("They are two")
    old_link.keyboard.press("Enter")
    expect(old_link.locator("h1")).to_have_text(old)
    assert violations(old_link) == []
