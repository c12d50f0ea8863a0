"""Pages hold together with many stations, procedures, batches and measurements, and with long and foreign names."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import StorageState, ViewportSize, expect

from tests.browser.layout.crowded_floor import LONG_RUN, STATIONS, CrowdedFloor, make_crowded_floor
from tests.browser.layout.faults import faults_on_the_wall, layout_faults
from tests.browser.site import explore
from tests.browser.windows import Windows, settled
from tests.servers import AnyServer, Installation
from tests.web.browser import Browser

WIDTHS = (1440, 1024, 390)
WALLS = (ViewportSize(width=1920, height=1080), ViewportSize(width=3840, height=2160))


class Crowd(NamedTuple):
    """urls: of a page of each kind, and of those that have the longest names and the most in them."""

    server: AnyServer
    floor: CrowdedFloor
    urls: list[str]


# Of the session: nothing can be recorded in this process while Playwright runs.
@pytest.fixture(scope="session")
def crowded_floor(chromium: Path, tmp_path_factory: pytest.TempPathFactory) -> CrowdedFloor:
    floor = make_crowded_floor(tmp_path_factory.mktemp("crowded"))
    Installation(floor.data_dir, None).runcard("rebuild", "analytics")
    return floor


@pytest.fixture(scope="module")
def crowd(crowded_floor: CrowdedFloor) -> Iterator[Crowd]:
    server = AnyServer(crowded_floor.data_dir, None)
    try:
        server.start()
        reader = Browser(server.url)
        reader.log_in(*crowded_floor.admin)
        yield Crowd(server, crowded_floor, crowded_urls(reader, crowded_floor))
        reader.close()
        server.stop()
    finally:
        server.close()


def crowded_urls(reader: Browser, floor: CrowdedFloor) -> list[str]:
    """Addresses of a page of each kind, and of those that are fuller than others of theirs."""
    found = [url for url in explore(reader).pages.values() if "kiosk=" not in url]
    return [*found, *_crowded(reader, floor)]


def _crowded(reader: Browser, floor: CrowdedFloor) -> Iterator[str]:
    for tab in ("runs", "duration", "yield", "capability"):
        yield f"/procedures/{floor.procedure_id}?tab={tab}"
    for by in ("station", "batch"):
        yield f"{floor.measurement_url}&by={by}"
    yield f"{floor.measurement_url}&since=2020-01-01&until=2999-12-31T23:59"
    for since in ("2020-01-01", "2020-01-01T12:30", "2020-01-01T12:30:15Z"):
        yield f"/?since={since}"
        yield f"/runs?since={since}"
    yield f"/stations/{floor.station_id}"
    yield f"/units/{LONG_RUN}"
    yield reader.open(f"/units/{LONG_RUN}").run_links[0]
    for failed in reader.open("/runs?outcome=FAIL").run_links[:3]:
        yield failed
        yield f"{failed}/comparison"


@pytest.fixture(scope="module")
def cookies(browser: Chromium, crowd: Crowd) -> StorageState:
    windows = Windows(browser, crowd.server.url)
    state = windows.log_in(crowd.floor.admin).context.storage_state()
    windows.close()
    return state


@pytest.fixture
def windows(browser: Chromium, crowd: Crowd) -> Iterator[Windows]:
    opened = Windows(browser, crowd.server.url)
    yield opened
    opened.close()
    assert opened.complaints == []


def test_nothing_overflows_is_cut_or_breaks_where_it_must_not(
    windows: Windows, cookies: StorageState, crowd: Crowd
):
    page = windows.open(cookies=cookies)
    found = []
    for url in crowd.urls:
        page.goto(url)
        settled(page)
        for width in WIDTHS:
            page.set_viewport_size(ViewportSize(width=width, height=900))
            found += [f"{width} {url}: {fault}" for fault in layout_faults(page)]
    assert found == []


@pytest.mark.parametrize("wall", WALLS, ids=["1080 lines", "2160 lines"])
def test_each_slide_for_the_wall_fits_its_screen(
    windows: Windows, cookies: StorageState, crowd: Crowd, wall: ViewportSize
):
    page = windows.open("/?kiosk=1", size=wall, cookies=cookies)
    seen: dict[str, list[str]] = {}
    silent: set[str] = set()
    while page.url not in seen:
        settled(page)
        seen[page.url] = [*layout_faults(page), *faults_on_the_wall(page)]
        silent |= set(page.locator("th a[href^='/stations/']").all_inner_texts())
        page.goto(page.get_by_role("link", name="go to the next").get_attribute("href") or "")
    assert {url: faults for url, faults in seen.items() if faults} == {}
    assert len(silent) == STATIONS


def test_a_screen_on_the_wall_is_paused_by_its_button_and_by_the_space_bar(
    windows: Windows, cookies: StorageState, crowd: Crowd
):
    page = windows.open(cookies=cookies)
    page.clock.install()
    page.goto("/?kiosk=1")
    title, button = page.get_by_role("heading", level=1), page.get_by_role("button")
    page.keyboard.press("Space")
    expect(button).to_have_text("Go on")
    page.clock.run_for("01:00")
    expect(title).to_have_text("The floor")
    button.click()
    expect(button).to_have_text("Pause")
    page.clock.run_for("00:20")
    expect(title).to_have_text("What needs a look")


def test_only_a_value_that_failed_is_marked_red(windows: Windows, cookies: StorageState, crowd: Crowd):
    run = [url for url in crowd.urls if url.startswith("/runs/") and not url.endswith("/comparison")][-1]
    page = windows.open(run, cookies=cookies)
    phase = page.locator("details.phase[data-outcome=FAIL]").first
    colours = [
        phase.locator(f"tr[data-outcome={outcome}] .place .at").first.evaluate(
            "one => getComputedStyle(one).fill"
        )
        for outcome in ("PASS", "FAIL")
    ]
    text, red = ("rgb(24, 34, 48)", "rgb(179, 32, 31)")
    assert colours == [text, red]


def test_a_group_has_one_colour_in_all_charts_and_legends_stay_short(
    windows: Windows, cookies: StorageState, crowd: Crowd
):
    page = windows.open(f"{crowd.floor.measurement_url}&by=batch", cookies=cookies)
    charts = [
        json.loads(page.locator(f"#{chart}-option").text_content() or "")
        for chart in ("control-chart", "histogram")
    ]
    control, bars = (
        {one["name"]: one["itemStyle"]["color"] for one in chart["series"] if one["type"] == kind}
        for chart, kind in zip(charts, ("scatter", "bar"), strict=True)
    )
    assert len(bars) == 7
    assert len(set(bars.values())) == 7
    assert bars.items() <= control.items()
    assert max(len(chart["legend"]["data"]) for chart in charts) <= 11
