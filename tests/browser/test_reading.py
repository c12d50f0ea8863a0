"""Ways through the demo: from the overview to what failed, by keys, by links that are shared, by day and by night."""

import re

from playwright.sync_api import StorageState, expect

from tests.browser.conftest import Demo
from tests.browser.windows import Windows


def test_who_is_not_logged_in_is_led_back_to_the_page_that_was_asked_for(windows: Windows, demo: Demo):
    page = windows.open("/runs?outcome=FAIL")
    expect(page).to_have_title("Log in · Runcard")
    page.get_by_label("E-mail").fill(demo.admin.email)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("E-mail or password is wrong.")
    # The browser tells of the answer's status.
    assert [one for one in windows.complaints if "status of 4" not in one] == []
    windows.complaints.clear()

    page.get_by_label("Password").fill(demo.admin.password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("/runs?outcome=FAIL")
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_title("Log in · Runcard")


def test_the_api_is_shown_though_nothing_of_strangers_may_run_there(windows: Windows):
    page = windows.open("/api/docs")
    page.locator(".opblock-tag").first.click()
    expect(page.locator(".opblock").first).to_be_visible()


def test_a_failure_is_traced_from_the_overview_to_its_measurement_and_its_station(
    windows: Windows, admin: StorageState
):
    page = windows.open("/", cookies=admin)
    card = page.locator("section.card", has=page.get_by_role("heading", name="Latest failures"))
    row = card.locator("tbody tr").first
    serial_number, station = (
        row.locator("th").inner_text(),
        row.locator("td[data-label=Station]").inner_text(),
    )
    row.get_by_role("link").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(serial_number)
    expect(page.locator("main .outcome").first).to_have_text("FAIL")
    run = page.url
    measurement = page.locator(".measurements tr[data-outcome=FAIL] th a").first
    name = measurement.inner_text()
    measurement.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    expect(page.locator("[data-chart] canvas").first).to_be_visible()

    page.go_back()
    page.wait_for_url(run)
    page.get_by_role("link", name=station, exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(station)
    page.wait_for_url("**/stations/*")


def test_a_filter_is_in_the_address_and_tells_another_browser_the_same(
    windows: Windows, admin: StorageState, demo: Demo
):
    page = windows.open("/?period=all", cookies=admin)
    everything = page.locator(".tiles").inner_text()
    page.get_by_label("Station").select_option(label="Cell 1")
    page.wait_for_url("**station=*")
    expect(page.locator(".tiles")).not_to_have_text(everything, use_inner_text=True)
    figures = page.locator(".tiles").inner_text()

    other = windows.log_in(demo.admin)
    other.goto(page.url)
    expect(other.get_by_label("Station")).to_have_value(page.get_by_label("Station").input_value())
    assert other.locator(".tiles").inner_text() == figures

    page.go_back()
    page.wait_for_url("/?period=all")
    expect(page.locator(".tiles")).to_have_text(everything, use_inner_text=True)


def test_rows_are_walked_by_arrows_and_opened_by_enter(windows: Windows, admin: StorageState):
    page = windows.open("/runs", cookies=admin)
    links = page.locator("table.walk tbody th a")
    page.keyboard.press("ArrowDown")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(links.nth(0)).to_be_focused()
    serial_number = links.nth(0).inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/*")
    expect(page.get_by_role("heading", level=1)).to_contain_text(serial_number)


def test_a_station_is_opened_from_anywhere_in_its_row(windows: Windows, admin: StorageState):
    page = windows.open("/stations", cookies=admin)
    row = page.locator("table tbody tr").nth(1)
    name = row.locator("th > a").inner_text()
    row.locator("td[data-label=Team]").click(force=True)  # the link lies over it
    page.wait_for_url("**/stations/*")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_only_what_failed_is_chosen_by_keyboard(windows: Windows, admin: StorageState):
    page = windows.open("/runs?outcome=FAIL", cookies=admin)
    page.locator("table.walk tbody th a").first.click()
    page.wait_for_url("**/runs/*")
    page.get_by_role("link", name="Failed only").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**show=failed*")
    expect(page.get_by_role("link", name="Failed only")).to_have_attribute("aria-current", "true")
    expect(page.locator(".measurements tr[data-outcome=PASS]")).to_have_count(0)
    expect(page.locator(".measurements tr[data-outcome=FAIL]").first).to_be_visible()


def test_a_slash_leads_to_the_search_from_anywhere(windows: Windows, admin: StorageState):
    page = windows.open("/", cookies=admin)
    page.keyboard.press("/")
    field = page.get_by_role("searchbox")
    expect(field).to_be_focused()
    page.keyboard.type("a/b")
    expect(field).to_have_value("a/b")
    field.fill("AMP-2200")
    page.keyboard.press("Enter")
    page.wait_for_url("**AMP-2200*")
    expect(page.locator("main")).to_contain_text("AMP-2200")


def test_light_and_dark_follow_the_system(windows: Windows, admin: StorageState):
    page = windows.open("/", cookies=admin, is_dark=True)
    by_night = page.evaluate("getComputedStyle(document.body).backgroundColor")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != by_night


def test_times_are_in_the_readers_zone_with_utc_on_hover(windows: Windows, admin: StorageState):
    page = windows.open("/runs", cookies=admin)
    expect(page.get_by_role("contentinfo")).to_contain_text("Times are in Europe/Berlin")
    time = page.locator("tbody time").first
    expect(time).to_have_attribute("title", re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"))


def test_a_reader_who_has_travelled_is_told_the_times_of_where_they_are(
    windows: Windows, admin: StorageState
):
    page = windows.open("/runs", cookies=admin)
    page.context.add_cookies([{"name": "runcard_zone", "value": "Asia%2FTokyo", "url": page.url}])
    page.goto("/runs")
    expect(page.get_by_role("contentinfo")).to_contain_text("Times are in Europe/Berlin; point at one")
    page.context.add_cookies([{"name": "runcard_zone", "value": "UTC", "url": page.url}])
    # Without scripts nothing tells the zone of the reader.
    page.route("**/first.js*", lambda route: route.abort())
    page.goto("/runs")
    expect(page.get_by_role("contentinfo")).to_have_text("Times are in UTC.")
    windows.complaints.clear()


def test_paper_holds_what_was_found_and_nothing_that_is_pressed(windows: Windows, admin: StorageState):
    page = windows.open("/", cookies=admin, is_dark=True)
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    expect(page.locator("[data-chart] canvas").first).to_be_visible()
    for what in ("nav", "form", "button", "summary"):
        assert [one for one in page.locator(what).all() if one.is_visible()] == []
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(24, 34, 48)"


def test_what_is_opened_does_not_move_the_button_that_opened_it(windows: Windows, admin: StorageState):
    page = windows.open("/runs", cookies=admin)
    more = page.get_by_text("More filters")
    before = more.bounding_box()
    more.click()
    expect(page.locator("#revision-field")).to_be_visible()
    assert more.bounding_box() == before
