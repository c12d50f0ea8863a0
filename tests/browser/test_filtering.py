"""Filters by mouse and by keyboard: what is chosen applies in place, and the focus stays where it is."""

import pytest
from playwright.sync_api import Page, Request, Route, StorageState, expect

from tests.browser.windows import Windows

# The middle of the first bar of runs by outcome that is no line, and where it should lead.
FIRST_BAR = """() => {
    const chart = echarts.getInstanceByDom(document.querySelector("#runs .canvas"));
    const { data } = chart.getOption().series[0];
    const at = data.findIndex((one) => one.value > 0);
    const [x, y] = chart.convertToPixel({ seriesIndex: 0 }, [at, data[at].value / 2]);
    return { x, y, url: data[at].url };
}"""


@pytest.fixture
def overview(windows: Windows, admin: StorageState) -> Page:
    """The overview, whose clock stands still."""
    page = windows.open("/", cookies=admin)
    page.clock.install()
    page.reload()
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))
    page.evaluate("window.isSame = true")
    return page


def asked(page: Page) -> list[str]:
    """The addresses that the page asks for from now on."""
    found: list[str] = []

    def hear(request: Request) -> None:
        if request.resource_type in {"document", "xhr", "fetch"}:
            found.append(request.url.partition("?")[2])

    page.on("request", hear)
    return found


def test_arrows_move_over_choices_and_enter_applies_the_last(overview: Page):
    requests, period = asked(overview), overview.get_by_label("Period")
    period.focus()
    overview.keyboard.press("ArrowDown")
    overview.keyboard.press("ArrowDown")
    expect(period).to_have_value("365")
    assert requests == []
    overview.keyboard.press("Enter")
    overview.wait_for_url("/?period=365")
    overview.clock.run_for(100)
    expect(overview.get_by_role("heading", name="Runs by week")).to_be_visible()
    assert requests == ["period=365"]
    expect(period).to_be_focused()
    assert overview.evaluate("window.isSame")


def test_a_choice_that_is_left_applies_and_the_focus_goes_on(overview: Page):
    requests = asked(overview)
    overview.get_by_label("Period").focus()
    overview.keyboard.press("ArrowDown")
    overview.keyboard.press("Tab")
    overview.wait_for_url("/?period=90")
    overview.clock.run_for(100)
    expect(overview.locator("select[name=procedure]")).to_be_focused()
    assert requests == ["period=90"]


def test_a_choice_on_which_the_keyboard_rests_applies(overview: Page):
    requests, period = asked(overview), overview.get_by_label("Period")
    period.focus()
    overview.keyboard.press("ArrowUp")
    overview.clock.run_for(500)
    overview.keyboard.press("ArrowUp")
    overview.clock.run_for(900)
    assert requests == []
    overview.clock.run_for(200)
    overview.wait_for_url("/?period=yesterday")
    overview.clock.run_for(100)
    expect(period).to_be_focused()
    assert requests == ["period=yesterday"]


def test_days_are_asked_for_where_they_are_chosen_and_stay_with_other_filters(overview: Page):
    requests, period = asked(overview), overview.get_by_label("Period")
    since, until = overview.get_by_label("From", exact=True), overview.get_by_label("To", exact=True)
    expect(since).to_be_hidden()
    period.focus()
    overview.keyboard.press("End")
    expect(since).to_be_visible()
    overview.keyboard.press("Tab")
    expect(since).to_be_focused()
    # Day, month and year, in the order of the browser's language; each part makes another day.
    overview.keyboard.type("01022020")
    expect(since).to_have_value("2020-01-02")
    overview.clock.run_for(5000)
    assert requests == []
    overview.keyboard.press("Enter")
    overview.wait_for_url("/?since=2020-01-02")
    overview.clock.run_for(100)
    expect(since).to_be_focused()
    expect(period).to_have_value("range")

    until.fill("2030-01-02")
    overview.keyboard.press("Tab")
    overview.wait_for_url("/?since=2020-01-02&until=2030-01-02")
    overview.clock.run_for(100)
    overview.get_by_label("Station").select_option(label="Cell 1")
    overview.clock.run_for(1100)
    overview.wait_for_url("/?since=2020-01-02&until=2030-01-02&station=*")
    overview.clock.run_for(100)
    expect(until).to_have_value("2030-01-02")

    period.select_option("7")
    overview.clock.run_for(1100)
    overview.wait_for_url("/?period=7&station=*")
    overview.clock.run_for(100)
    expect(since).to_be_hidden()
    expect(overview.get_by_label("Station")).not_to_have_value("")


def test_what_the_mouse_chooses_applies_at_once(overview: Page):
    # The clock stands still, so nothing that waits would apply.
    overview.keyboard.press("ArrowDown")
    overview.locator("h1").click()
    overview.get_by_label("Period").select_option("365")
    overview.wait_for_url("/?period=365")


def test_what_is_under_way_is_not_asked_for_again(windows: Windows, admin: StorageState):
    """On a slow machine, a form that Enter sends twice is sent a second time long after the first."""
    page = windows.open("/runs", cookies=admin)
    requests, held = asked(page), list[Route]()
    page.route("**/runs?*", lambda route: held.append(route))  # noqa: PLW0108 (Playwright marks what it calls)
    page.evaluate("document.querySelector('.filters [name=outcome]').value = 'FAIL'")
    page.evaluate("document.querySelector('.filters').requestSubmit()")
    sent_at = page.evaluate("performance.now()")
    page.wait_for_function("at => performance.now() > at + 500", arg=sent_at)
    page.evaluate("document.querySelector('.filters').requestSubmit()")
    held[0].continue_()
    page.wait_for_url("/runs?*outcome=FAIL*")
    assert len(requests) == len(held) == 1


def test_charts_and_updates_go_on_after_a_filter_and_back_leads_back(windows: Windows, admin: StorageState):
    page = windows.open("/", cookies=admin)
    page.get_by_label("Period").select_option("all")
    page.wait_for_url("/?period=all")
    expect(page.locator("#runs canvas")).to_be_visible()
    expect(page.get_by_role("heading", name="Runs by month")).to_be_visible()
    page.go_back()
    page.wait_for_url("/")
    expect(page.get_by_role("heading", name="Runs by day")).to_be_visible()
    expect(page.get_by_label("Period")).to_have_value("30")
    expect(page.locator("#runs canvas")).to_be_visible()


def test_filters_that_were_opened_stay_open_and_keep_the_focus(windows: Windows, admin: StorageState):
    page = windows.open("/runs", cookies=admin)
    page.get_by_text("More filters").click()
    order = page.get_by_label("Order")
    order.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("/runs?*order=asc*")
    expect(order).to_be_visible()
    expect(order).to_be_focused()


def test_what_is_refused_is_told_on_a_page_of_its_own(windows: Windows, admin: StorageState):
    page = windows.open("/runs?since=2026-05-04&until=2026-05-05", cookies=admin)
    page.get_by_label("From", exact=True).fill("2026-05-06")
    page.keyboard.press("Tab")
    expect(page.locator("main")).to_contain_text("2026-05-06 is after until, 2026-05-05; swap them")
    # The browser tells of the answer's status.
    assert [
        one for one in windows.complaints if "status of 4" not in one and "Status Error Code 400" not in one
    ] == []
    windows.complaints.clear()
    page.go_back()
    expect(page.get_by_label("To", exact=True)).to_have_value("2026-05-05")


def test_a_click_on_a_day_opens_its_runs(windows: Windows, admin: StorageState):
    page = windows.open("/", cookies=admin)
    page.locator("#runs details.figures summary").click()
    link = page.locator("#runs tbody th a").first
    day = link.inner_text()
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"/runs?since={day}&until={day}")
    page.go_back()
    page.wait_for_url("/")
    bar = page.evaluate(FIRST_BAR)
    page.locator("#runs canvas").click(position={"x": bar["x"], "y": bar["y"]})
    page.wait_for_url(bar["url"])
    expect(page.locator("table.runs tbody tr").first).to_be_visible()


def test_logs_of_a_run_and_the_list_of_stations_are_filtered_in_place_too(
    windows: Windows, admin: StorageState
):
    page = windows.open("/runs?outcome=FAIL", cookies=admin)
    page.locator("table.runs tbody th a").first.click()
    page.wait_for_url("**/runs/*-*")
    for path, name in ((page.url, "level"), ("/stations", "state")):
        page.goto(path)
        page.evaluate("window.isSame = true")
        choice = page.locator(f"form[data-submits] select[name={name}]")
        choice.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**?*{name}=*")
        expect(choice).to_be_focused()
        expect(choice).not_to_have_value("")
        assert page.evaluate("window.isSame")
