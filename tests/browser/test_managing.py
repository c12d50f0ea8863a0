"""What an admin does in the browser counts for stations and people at once."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, StorageState, expect
from sqlalchemy import update

from runcard.store.engine.tables import sessions
from tests.acceptance.environments import current_environment
from tests.browser.conftest import Demo
from tests.browser.windows import Account, Windows, violations

PROGRAM = Path(__file__).with_name("station_program.py")


@pytest.fixture
def page(windows: Windows, admin: StorageState) -> Page:
    """Where an admin works."""
    return windows.open(cookies=admin)


@pytest.fixture(scope="module")
def procedure(demo: Demo) -> str:
    """The id of one of the demo's procedures."""
    listed = demo.server.runcard("procedure", "list")
    return str(listed[0]["id"])


def report(folder: Path, *arguments: str) -> str:
    """Report a run as a station does; its id."""
    return current_environment().run(folder, str(PROGRAM), *arguments).split()[-1]


def test_a_new_station_reports_with_its_key(page: Page, demo: Demo, procedure: str, tmp_path: Path):
    page.goto("/stations")
    page.get_by_text("New station", exact=True).click()
    page.locator("#new-name").fill("Cell 3")
    page.get_by_role("button", name="Create it and its key").click()
    key = page.locator("#api-key").inner_text()
    run_id = report(tmp_path, demo.server.url, key, procedure, "CELL3-0001", "MOD-2040")

    page.goto("/runs")
    row = page.get_by_role("row").filter(has_text="CELL3-0001")
    expect(row).to_contain_text("Cell 3")
    row.get_by_role("link", name="CELL3-0001").click()
    page.wait_for_url(f"/runs/{run_id}")
    # The key was shown once.
    page.get_by_role("link", name="Cell 3").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cell 3")
    expect(page.locator("body")).not_to_contain_text(key)


def test_a_pattern_reads_part_numbers_out_of_serial_numbers(
    page: Page, demo: Demo, procedure: str, tmp_path: Path
):
    page.goto("/settings/organization")
    pattern = page.get_by_label("Pattern")
    pattern.fill("^(?P<part_number>[A-Z]+)")
    # It is tried on units that there are, as it is typed.
    preview = page.locator("#preview tbody tr")
    expect(preview.first.locator("td").first).to_have_text(re.compile(r"^[A-Z]+$"))
    pattern.fill(r"^(?P<part_number>GAIN-\d+)-")
    expect(preview.first.locator("td").first).to_have_text("nothing")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_be_visible()

    run_id = report(tmp_path, demo.server.url, demo.access.station_api_key, procedure, "GAIN-7-0001")
    page.goto(f"/runs/{run_id}")
    expect(page.get_by_role("link", name="GAIN-7", exact=True)).to_be_visible()


def test_somebody_is_invited_joins_and_is_suspended(windows: Windows, page: Page, demo: Demo):
    guest = Account("guest@northwind.example", "a long password of a guest")
    page.goto("/settings/members")
    page.get_by_label("E-mail").fill(guest.email)
    page.locator("form.filters [name=role]").select_option("viewer")
    page.get_by_role("button", name="Make a link").click()
    link = page.locator("#link").inner_text()

    theirs = windows.open(link)
    theirs.get_by_label("Your name").fill("Gale Guest")
    theirs.get_by_label("Password").fill(guest.password)
    theirs.get_by_role("button", name="Join").click()
    theirs.wait_for_url("/")
    theirs.goto("/stations")
    expect(theirs.get_by_text("New station", exact=True)).to_have_count(0)

    page.goto("/settings/members")
    row = page.get_by_role("row").filter(has_text=guest.email)
    row.get_by_text("Suspend", exact=False).first.click()
    row.get_by_role("button", name="Suspend them").click()
    expect(row).to_contain_text("suspended")

    theirs.reload()
    expect(theirs).to_have_title("Log in · Runcard")
    theirs.get_by_label("E-mail").fill(guest.email)
    theirs.get_by_label("Password").fill(guest.password)
    theirs.get_by_role("button", name="Log in").click()
    expect(theirs.get_by_role("alert")).to_be_visible()
    # The browser tells of the status of that answer.
    assert all("status of 4" in one for one in windows.complaints)
    windows.complaints.clear()


def test_a_role_is_changed_after_the_password_is_given_again(windows: Windows, page: Page, demo: Demo):
    made = demo.server.runcard("user", "create", "rae@northwind.example", "--role", "viewer")
    page.goto("/settings/members")
    long_ago = update(sessions).values(confirmed_at=None)
    demo.server.change(lambda shared: shared.connection.execute(long_ago))
    row = page.get_by_role("row").filter(has_text=made["email"])
    row.locator("select[name=role]").select_option("operator")
    row.get_by_role("button", name="Set").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your password, please")
    assert violations(page) == []
    password = page.get_by_label("Password of")
    password.fill("not the password")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("alert")).to_have_text("The password is wrong.")
    password.fill(demo.access.password)
    password.press("Enter")
    page.wait_for_url("/settings/members")
    expect(row.locator("select[name=role]")).to_have_value("operator")
    # The browser tells of the status of the pages that ask.
    assert all("status of 403" in one for one in windows.complaints)
    windows.complaints.clear()


def test_old_runs_go_after_it_was_asked(page: Page, demo: Demo):
    page.goto("/settings/organization")
    page.get_by_label("Days to keep runs").fill("30")
    # What would go is shown as it is typed.
    row = page.locator("#retention-preview tbody tr").first
    expect(row).to_contain_text("started")
    shown = row.locator("td").first.inner_text()
    total = int(re.sub(r"\D", "", shown))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Nothing is saved yet")).to_be_in_viewport()
    expect(page.locator("#question")).to_contain_text(f"{total:,} runs".replace(",", "\u202f"))
    assert violations(page) == []
    page.get_by_role("button", name="Save, and delete them").click()
    expect(page.get_by_role("status")).to_be_visible()
    # What the server does a part of each day.
    today = demo.server.runcard("retention")["runs"]
    assert 0 < today < total
    assert today + demo.server.runcard("retention", "--at-once")["runs"] == total

    page.reload()
    page.get_by_role("button", name="Show what would be deleted now").click()
    expect(page.locator("#retention-preview")).to_contain_text("Nothing is that old yet.")
    expect(page.get_by_role("table").filter(has_text="Deleted lately")).to_contain_text(shown)


def test_a_choice_of_colours_holds_against_the_system(page: Page):
    page.goto("/settings/appearance")
    page.get_by_label("Dark").check()
    page.get_by_role("button", name="Save").click()
    html = page.locator("html")
    expect(html).to_have_attribute("data-bs-theme", "dark")
    page.goto("/")
    expect(html).to_have_attribute("data-bs-theme", "dark")
    page.emulate_media(color_scheme="dark")
    page.emulate_media(color_scheme="light")
    expect(html).to_have_attribute("data-bs-theme", "dark")


def test_two_procedures_of_one_name_are_merged_and_split_again(
    windows: Windows, admin: StorageState, demo: Demo, tmp_path: Path
) -> None:
    page = windows.open("/procedures", cookies=admin)
    addresses = []
    for identifier in ("TWICE-1", "TWICE-2"):
        made = demo.server.runcard(
            "procedure", "create", "Burn-in", "--identifier", identifier, "--same-name"
        )
        report(tmp_path, demo.server.url, demo.access.api_key, made["id"], f"{identifier}-0001", "MOD-2040")
        addresses.append(f"/procedures/{made['id']}")
    first, second = addresses

    page.goto(f"{first}/merge")
    page.locator("select[name=into]").select_option(label="Burn-in (TWICE-2)")
    expect(page.get_by_role("heading", name="What would happen")).to_be_visible()
    page.get_by_role("button", name="Merge TWICE-1 into TWICE-2").click()
    page.wait_for_url(second)
    expect(page.locator("#merging")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("link", name="TWICE-1-0001").first).to_be_visible()

    page.goto(f"{second}/change")
    page.get_by_text("Take the merge of TWICE-1 back…").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("It gets back 1 run, with their versions.")).to_be_visible()
    assert violations(page) == []
    page.get_by_label("Reason", exact=True).fill("They were two after all")
    page.keyboard.press("Enter")
    page.wait_for_url(second)
    expect(page.locator("#merging")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("link", name="TWICE-1-0001")).to_have_count(0)
    page.goto(first)
    expect(page.get_by_role("link", name="TWICE-1-0001").first).to_be_visible()
    expect(page.locator("#history")).to_contain_text("took back the merge of")
    expect(page.locator("#history")).to_contain_text("They were two after all")
