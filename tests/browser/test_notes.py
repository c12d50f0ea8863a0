"""Notes in a browser, by keyboard alone."""

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.browser.windows import Windows, violations


@pytest.fixture
def page(windows: Windows, admin: StorageState) -> Page:
    """Where an admin works."""
    return windows.open("/runs", cookies=admin)


def test_a_run_is_commented_tagged_and_given_a_cause_by_keyboard(page: Page) -> None:
    page.locator("table.runs tbody th a").first.press("Enter")
    notes = page.locator("#notes")
    notes.get_by_label("Comment", exact=True).fill("Checked, **fine**")
    notes.get_by_role("button", name="Comment", exact=True).press("Enter")
    expect(notes.locator(".comments strong").last).to_have_text("fine")

    notes.get_by_text("New tag").press("Enter")
    notes.get_by_label("Name of the new tag").press_sequentially("By keyboard")
    notes.get_by_label("Its colour").select_option("teal")
    notes.get_by_role("button", name="Make and add").press("Enter")
    expect(notes.get_by_role("link", name="By keyboard")).to_be_visible()

    notes.get_by_label("Cause").select_option("H-ESD")
    notes.get_by_role("button", name="Set cause").press("Enter")
    expect(page.locator("#history")).to_contain_text("Electrostatic discharge")
    assert violations(page) == []

    notes.get_by_role("button", name="Remove tag By keyboard").press("Enter")
    expect(notes.get_by_role("link", name="By keyboard")).to_have_count(0)
    expect(page.locator("#history")).to_contain_text("changed the tags of a run of unit")

    notes.locator(".comments summary", has_text="Delete").last.press("Enter")
    notes.get_by_role("button", name="Delete it").last.press("Enter")
    expect(notes.get_by_text("Checked, fine")).to_have_count(0)


def test_a_note_is_left_on_a_measurement_and_counted_on_its_run(page: Page) -> None:
    page.locator("table.runs tbody th a").first.click()
    page.locator(".measurements .note").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Notes on measurement")
    page.get_by_label("Comment", exact=True).fill("Settles late")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.locator(".comments")).to_contain_text("Settles late")
    page.locator(".trail a").click()
    expect(page.locator(".measurements .has-notes .count").first).to_have_text("1")
