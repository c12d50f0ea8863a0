"""Somebody drops report files onto the page, sees what becomes of them, and mends what was refused."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.acceptance.files import SAMPLES
from tests.browser.windows import PHONE, Windows, scrolls_sideways
from tests.importers.many_runs import junit_of

STDF = SAMPLES.parent / "stdf" / "lot2.stdf.gz"
# What is dropped is not on the disk of the browser: files are made where a page runs.
DROP = """(zone, names) => {
  const dropped = new DataTransfer();
  for (const name of names) dropped.items.add(new File([`no report ${name}`], name));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    zone.dispatchEvent(new DragEvent(kind, { dataTransfer: dropped, bubbles: true, cancelable: true }));
  }
}"""


@pytest.fixture
def page(windows: Windows, admin: StorageState) -> Page:
    """Where an admin works."""
    return windows.open("/imports", cookies=admin)


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def bring(page: Page, *paths: Path) -> None:
    """Send files, and wait until all have been answered."""
    page.locator("#files").set_input_files(paths)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("#sending")).to_contain_text("sent")


def test_files_are_imported_and_one_is_mended(page: Page, tmp_path: Path) -> None:
    broken = write(tmp_path, "<b>rework<-b>.xml", junit_of(["RW-1"], "Rework", None))
    bring(page, STDF, broken)
    rows = page.locator("#outcomes tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("recorded")
    expect(rows.nth(0)).to_contain_text("1\u2009569 runs")
    expect(rows.nth(1)).to_contain_text("Part number is required")
    # The rest of the page knows it too, and the form is ready for more.
    expect(page.locator("#imported")).to_contain_text(STDF.name)
    expect(page.locator(".tabs")).to_contain_text("Quarantine 4")
    assert page.locator("#files").evaluate("input => input.files.length") == 0

    bring(page, STDF)
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("already known")

    page.get_by_role("link", name="Quarantine").click()
    page.get_by_role("link", name="rework").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("<b>rework<-b>.xml")
    page.get_by_label("Part number").fill("MOD-2040")
    page.get_by_role("button", name="Retry").click()
    page.get_by_role("link", name="RW-1").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("RW-1")


def test_what_a_file_does_not_say_is_said_and_previewed(page: Page, tmp_path: Path) -> None:
    nameless = b'<testsuite name="Rework"><testcase name="said in the browser"/></testsuite>'
    file = write(tmp_path, "MOD-2040_RW-7.xml", nameless)
    section = page.locator(".stated")
    assert section.get_attribute("open") is None
    bring(page, file)
    expect(section.get_by_role("status")).to_contain_text("do not say their serial number")

    page.get_by_label("Pattern in the file's name").fill(
        "(?P<part_number>[^_]+)_(?P<serial_number>RW-[0-9]+)"
    )
    page.locator("#files").set_input_files([file])
    page.get_by_role("button", name="Preview", exact=True).click()
    row = page.locator("#outcomes tbody tr")
    expect(row).to_contain_text("would be recorded")
    expect(row).to_contain_text("stated: serial number, part number")
    expect(section.get_by_role("status")).to_be_hidden()
    # The file is still chosen, and so is imported with one more press.
    page.get_by_role("button", name="Import", exact=True).click()
    expect(row.get_by_role("link", name="RW-7 PASS")).to_be_visible()


def test_a_file_is_discarded_after_a_question(page: Page, tmp_path: Path) -> None:
    bring(page, write(tmp_path, "holiday.txt", b"no report of a holiday"))
    page.get_by_role("link", name="In quarantine of holiday.txt").click()
    page.locator(".confirm summary").click()
    page.get_by_role("button", name="Discard the file").click()
    page.wait_for_url("/imports/quarantine")
    expect(page.get_by_role("link", name="holiday.txt")).to_have_count(0)


def test_files_are_dropped(page: Page) -> None:
    page.locator(".drop-zone").evaluate(DROP, ["one.txt", "two.txt"])
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator("#sending")).to_have_text("2 files have been sent")
    expect(page.locator("#outcomes tbody tr")).to_have_count(2)
    expect(page.locator("#outcomes tbody")).to_contain_text("of no format that is read")


def test_a_file_that_is_too_large_is_not_even_sent(page: Page, tmp_path: Path) -> None:
    page.locator("form[data-sends]").evaluate("form => form.dataset.mostBytes = 10")
    bring(page, write(tmp_path, "large.stdf", b"x" * 11))
    row = page.locator("#outcomes tbody tr")
    expect(row).to_contain_text("not sent")
    expect(row).to_contain_text("runcard import FILE")


def test_who_was_logged_out_meanwhile_is_told(page: Page, windows: Windows, tmp_path: Path) -> None:
    page.context.clear_cookies()
    bring(page, write(tmp_path, "a.txt", b"x"))
    expect(page.locator("#outcomes tbody tr")).to_contain_text("Log in")


def test_a_server_that_does_not_answer(page: Page, windows: Windows, tmp_path: Path) -> None:
    page.route(
        "**/imports", lambda route: route.abort() if route.request.method == "POST" else route.continue_()
    )
    bring(page, write(tmp_path, "a.txt", b"x"))
    expect(page.locator("#outcomes tbody tr")).to_contain_text("The server did not answer")
    # The browser says so too.
    assert all("ERR_FAILED" in one for one in windows.complaints)
    windows.complaints.clear()


def test_on_a_phone_what_has_become_of_files_fits(
    windows: Windows, admin: StorageState, tmp_path: Path
) -> None:
    page = windows.open("/imports", size=PHONE, cookies=admin)
    bring(page, write(tmp_path, f"{'very_long_name_' * 12}.txt", b"x" * 99))
    assert not scrolls_sideways(page)
    page.get_by_role("link", name="In quarantine").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("very_long_name")
    assert not scrolls_sideways(page)


def test_columns_of_a_table_are_mapped_and_its_runs_shown_at_once(page: Page, tmp_path: Path) -> None:
    rows = [
        "Seriennummer;Datum;Ergebnis;Verstärkung [dB]",
        "MAP-1;2026-02-01;gelb;26,1",
        "MAP-2;2026-02-02;OK;26,2",
    ]
    bring(page, write(tmp_path, "alt.csv", "\n".join(rows).encode()))
    page.get_by_role("link", name="Map its columns").click()
    preview = page.locator("#preview")
    expect(preview).to_contain_text("'gelb' is none of PASS")
    page.get_by_label("Texts that mean FAIL").fill("gelb")
    expect(preview).to_contain_text("MAP-1")
    expect(preview).to_contain_text("Verstärkung 26.1 dB")
    # Whoever types is not disturbed.
    expect(page.get_by_label("Texts that mean FAIL")).to_be_focused()
    page.get_by_label("Name of Verstärkung").fill("gain")
    expect(preview).to_contain_text("gain 26.1 dB")
    page.get_by_label("Part, if no column says it").fill("MOD-2040")
    page.locator("[name=procedure]").select_option(index=1)
    with page.expect_response("**/preview"):
        page.get_by_label("Save as template").fill("Old tester")
    assert not scrolls_sideways(page)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("2 runs")).to_be_visible()
    page.goto("/imports")
    expect(page.get_by_label("Read as")).to_contain_text("Old tester")
