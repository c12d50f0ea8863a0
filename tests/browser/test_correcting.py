"""Correcting by hand: a run gets what is true, and the old link of a unit leads on."""

from playwright.sync_api import Page, StorageState, expect

from tests.browser.windows import Windows, violations


def first_unit(windows: Windows, admin: StorageState) -> Page:
    page = windows.open("/units", cookies=admin)
    page.locator("table.units tbody th a").first.click()
    return page


def test_a_corrected_serial_number_leads_on(windows: Windows, admin: StorageState) -> None:
    page = first_unit(windows, admin)
    old_address, old = page.url, page.locator("h1").inner_text()
    right = f"{old}-非常に長い製造番号-ΩŁ"
    page.get_by_role("link", name="Correct…").click()
    assert violations(page) == []
    page.get_by_label("Serial number", exact=True).fill(right)
    page.get_by_label("Reason", exact=True).fill("Das Etikett war falsch – ラベルが違った")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(right)
    expect(page.locator("#history")).to_contain_text("ラベルが違った")
    assert violations(page) == []
    old_link = windows.open(old_address, cookies=admin)
    expect(old_link.locator("h1")).to_have_text(right)
    expect(old_link.locator(".facts").first).to_contain_text(old)


def test_a_run_is_corrected_and_taken_back(windows: Windows, admin: StorageState) -> None:
    page = windows.open("/runs?corrected=no", cookies=admin)
    page.locator("table.runs tbody th a").first.click()
    address = page.url
    page.get_by_role("link", name="Correct…").click()
    assert violations(page) == []
    page.get_by_label("Operator").fill("Siobhán Ní Dhomhnaill")
    page.get_by_label("Reason", exact=True).fill("Somebody else was logged in")
    page.get_by_role("button", name="Correct", exact=True).click()
    page.wait_for_url(address)
    note = page.locator(".corrected-note")
    expect(note).to_contain_text("The report said: operator")
    assert violations(page) == []
    listed = windows.open("/runs?corrected=yes&operator=Siobh%C3%A1n+N%C3%AD+Dhomhnaill", cookies=admin)
    expect(listed.locator(".corrected").first).to_be_visible()
    note.get_by_role("button", name="Take it back").click()
    expect(note).to_have_count(0)
    expect(page.locator("#history")).to_contain_text("Taken back on its page")
