"""The list of runs."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest

from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report

# No clock that is further ahead is believed.
AHEAD = datetime.now(UTC) + timedelta(hours=20)


def all_pages(browser: Browser) -> list[Page]:
    pages = [browser.open("/runs")]
    while older := [link for link in pages[-1].links if link.startswith("/runs?after=")]:
        pages.append(browser.open(older[0]))
        assert len(pages) < 20, "the list does not end"
    return pages


def test_paging_over_120_runs_never_repeats_or_loses_one(server: Server, gus: Browser):
    key, procedure = server.world.globex.admin.api_key, server.world.globex.board.identifier
    # Ten runs a moment, so that the borders of pages fall between runs that started together.
    paths = [
        record(
            server,
            report(
                f"SN-{number}",
                procedure,
                started_at=(AHEAD - timedelta(microseconds=number // 10)).isoformat(),
            ),
            key,
        )
        for number in range(120)
    ]
    pages = all_pages(gus)
    assert [len(page.run_links) for page in pages] == [50, 50, 20]
    shown = [path for page in pages for path in page.run_links]
    assert sorted(shown) == sorted(paths)
    order = {path: number // 10 for number, path in enumerate(paths)}
    assert [order[path] for path in shown] == sorted(order.values())
    assert "/runs" in pages[1].links

    def newer(page: Page) -> Page:
        [link] = [one["href"] for one in page.all("a") if one.get("rel") == "prev"]
        return gus.open(link)

    assert all("120 runs" in page.text for page in pages)
    assert newer(pages[2]).run_links == pages[1].run_links
    assert newer(newer(pages[2])).run_links == pages[0].run_links
    assert "Newest" not in newer(pages[1]).text
    assert "Newer" not in pages[0].text


def test_a_newer_page_that_is_not_full_is_the_first_one(server: Server, ada: Browser):
    fields = [("NEWER", f"2026-06-01T00:{minute:02}:00Z") for minute in range(55)]
    paths = [record(server, report(serial, started_at=start)) for serial, start in fields]
    first = ada.open("/runs?serial=NEWER")
    place = f"2026-06-01T00:30:00.000Z_{paths[30].removeprefix('/runs/')}"
    assert ada.open(f"/runs?serial=NEWER&before={place}").run_links == first.run_links == paths[:4:-1]


def test_a_page_begins_or_ends_at_a_place_and_not_both(ada: Browser):
    place = f"2026-01-01T00:00:00Z_{UUID(int=7)}"
    page = ada.open(f"/runs?after={place}&before={place}")
    assert page.status == 400
    assert "before: " in page.text


def test_it_is_told_how_many_runs_there_are(server: Server, ada: Browser):
    for passed in (True, True, False):
        record(server, report("TOTAL", run_passed=passed))

    def totals(query: str) -> list[str]:
        text = ada.open(f"/runs?{query}").answer.text
        return re.findall(r'<span class="hint total">(.*?)</span>', text)

    assert totals("serial=TOTAL") == ["3 runs"]
    assert totals("serial=TOTAL&outcome=FAIL") == ["1 run"]
    assert totals("serial=TOTAL&outcome=ERROR") == []


def test_a_run_is_shown_with_what_it_refers_to(server: Server, ada: Browser):
    body = report(
        "LISTED",
        run_passed=False,
        started_at=(AHEAD + timedelta(hours=1)).isoformat(),
        duration="PT2M30S",
        procedure_version="1.2.3",
        operated_by=server.world.acme.engineer.email,
    )
    body["unit_under_test"] |= {"revision": "C", "batch_number": "B-77"}
    path = record(server, body)
    page = ada.open("/runs")
    assert page.run_links[0] == path
    assert page.outcomes[0] == "FAIL"
    for text in ("LISTED", "PCB-01", "Revision", "B-77", "Board", "1.2.3", "ICT-1", "Eve", f"{AHEAD:%Y-%m}"):
        assert text in page.text
    assert "2 min 30 s" in page.text


def test_runs_of_another_organization_are_not_shown(server: Server, ada: Browser, gus: Browser):
    mine = record(server, report("MINE", started_at=(AHEAD + timedelta(hours=2)).isoformat()))
    assert mine in ada.open("/runs").run_links
    assert mine not in [path for page in all_pages(gus) for path in page.run_links]


@pytest.mark.parametrize(
    "after",
    [
        "x",
        "_",
        "2026-01-01",
        "2026-01-01T00:00:00Z_",
        "2026-01-01T00:00:00Z_42",
        f"yesterday_{UUID(int=7)}",
        f"0001-01-01T00:00:00%2B14:00_{UUID(int=7)}",
        "%FF_%FE",
    ],
)
def test_a_malformed_place_in_the_list_is_a_400_page(ada: Browser, after: str):
    page = ada.open(f"/runs?after={after}")
    assert page.status == 400
    assert "is no place in the list" in page.text


def test_before_the_first_run_there_is_nothing(ada: Browser):
    page = ada.open(f"/runs?after=0001-01-01T00:00:00.000Z_{UUID(int=7)}")
    assert page.status == 200
    assert "There are no older runs." in page.text
    assert "/runs" in page.links


FILTERED: dict[str, dict[str, Any]] = {
    "PASS": {"started_at": "2026-02-01T10:00:00Z", "duration": "PT1M", "procedure_version": "9.1"},
    "FAIL": {"started_at": "2026-02-02T10:00:00Z", "duration": "PT2M", "run_passed": False},
}


@pytest.fixture(scope="module")
def filtered(server: Server) -> dict[str, str]:
    """Paths of a run that passed and one that failed, of a part of their own."""
    acme = server.world.acme
    paths = {}
    for outcome, fields in FILTERED.items():
        body = report(f"FLT-{outcome}", **fields, operated_by=acme.engineer.email)
        body["unit_under_test"] |= {"part_number": "FLT", "revision": outcome[0], "batch_number": outcome}
        paths[outcome] = record(server, body, acme.ict.api_key if outcome == "PASS" else acme.fct.api_key)
    return paths


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["FAIL", "PASS"]),
        ("sort=started_at&order=asc", ["PASS", "FAIL"]),
        ("sort=created_at", ["FAIL", "PASS"]),
        ("sort=duration&order=asc", ["PASS", "FAIL"]),
        ("sort=outcome&order=asc", ["FAIL", "PASS"]),
        ("sort=serial_number&order=asc", ["FAIL", "PASS"]),
        ("sort=revision_number", ["PASS", "FAIL"]),
        ("outcome=PASS", ["PASS"]),
        ("revision=f", ["FAIL"]),
        ("batch=pass", ["PASS"]),
        ("version=9.1", ["PASS"]),
        ("serial=flt-fail", ["FAIL"]),
        ("search=LT-PA", ["PASS"]),
        ("operator=eve", ["FAIL", "PASS"]),
        ("operator=Nobody", []),
        ("min_s=61", ["FAIL"]),
        ("max_s=60", ["PASS"]),
        ("since=2026-02-02", ["FAIL"]),
        ("until=2026-02-01", ["PASS"]),
        ("period=today", []),
        ("sample=production", ["FAIL", "PASS"]),
        ("sample=golden", []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_filters_and_orders(ada: Browser, filtered: dict[str, str], query: str, found: list[str]):
    page = ada.open(f"/runs?part=FLT&{query}")
    assert page.status == 200
    assert page.run_links == [filtered[outcome] for outcome in found]
    assert ("No run matches these filters." in page.text) == (not found)


def test_an_operator_is_found_by_address(server: Server, ada: Browser, filtered: dict[str, str]):
    page = ada.open(f"/runs?part=FLT&operator={server.world.acme.engineer.email.upper()}")
    assert page.run_links == [filtered["FAIL"], filtered["PASS"]]


def test_procedure_and_station_are_chosen_by_id(server: Server, ada: Browser, filtered: dict[str, str]):
    acme = server.world.acme
    by_station = ada.open(f"/runs?part=FLT&station={acme.fct.actor.station_id}")
    assert by_station.run_links == [filtered["FAIL"]]
    assert ada.open(f"/runs?part=FLT&procedure={acme.board.id}").run_links == [
        filtered["FAIL"],
        filtered["PASS"],
    ]
    assert ada.open(f"/runs?part=FLT&procedure={acme.final.id}").run_links == []


@pytest.mark.usefixtures("filtered")
def test_the_filter_stands_filled_in_and_is_kept_by_links(ada: Browser):
    page = ada.open("/runs?part=FLT&outcome=FAIL&columns=outcome&columns=slot")
    [chosen] = [one["value"] for one in page.all("option") if "selected" in one and one["value"] == "FAIL"]
    assert chosen == "FAIL"
    assert [one["value"] for one in page.all("input") if one.get("name") == "part"] == ["FLT", "FLT"]
    sorting = [link for link in page.links if "sort=outcome" in link]
    assert sorting == ["/runs?part=FLT&outcome=FAIL&sort=outcome&order=asc&columns=outcome&columns=slot"]
    assert ada.open(sorting[0]).run_links == page.run_links


@pytest.mark.usefixtures("filtered")
def test_columns_are_chosen(ada: Browser):
    def headings(page: Page) -> list[str]:
        [head] = re.findall(r"<thead>(.*?)</thead>", page.answer.text, re.DOTALL)
        return re.sub(r"<[^>]+>|\s+", " ", head).split()

    page = ada.open("/runs?part=FLT&columns=docstring&columns=outcome&columns=started_at")
    assert headings(page) == ["Outcome", "Run", "of", "unit", "Started", "Note"]
    assert [one.get("aria-sort") for one in page.all("th") if "aria-sort" in one] == ["descending"]
    checked = {one["value"] for one in page.all("input") if "checked" in one}
    assert checked == {"docstring", "outcome", "started_at"}


def test_pages_of_another_order_leave_out_what_comes_meanwhile(server: Server, ada: Browser):
    paths = {}
    for number in range(60):
        body = report(f"ORD-{number:02}", duration=f"PT{number + 10}S")
        body["unit_under_test"]["part_number"] = "ORD"
        paths[record(server, body)] = number
    first = ada.open("/runs?part=ORD&sort=duration&order=asc")
    late = report("ORD-LATE", duration="PT1S")
    late["unit_under_test"]["part_number"] = "ORD"
    late_path = record(server, late)
    [older] = [link for link in first.links if "cursor=" in link]
    second = ada.open(older)
    [previous] = [one["href"] for one in second.all("a") if one.get("rel") == "prev"]
    assert ada.open(previous).run_links[0] == late_path, "the first page is what is first now"
    shown = [*first.run_links, *second.run_links]
    assert [paths[path] for path in shown] == list(range(60))
    assert ada.open("/runs?part=ORD&sort=duration&order=asc").run_links[0] == late_path


def test_new_runs_announce_themselves(server: Server, ada: Browser, gus: Browser):
    query = "part=NEWS&outcome=FAIL"
    [line] = [one for one in ada.open(f"/runs?{query}").all("p") if "hx-get" in one]
    news = line["hx-get"]
    assert ada.open(news).text.strip() == ""
    for serial, passed in (("NEWS-1", False), ("NEWS-2", True), ("NEWS-3", False)):
        body = report(serial, run_passed=passed)
        body["unit_under_test"]["part_number"] = "NEWS"
        record(server, body)
        told = ada.open(news)
        expected = "1 new run" if serial != "NEWS-3" else "2 new runs"
        assert told.text.strip() == expected
        assert told.links == [f"/runs?{query}"]
    assert gus.open(news).text.strip() == ""
    assert len(ada.open(told.links[0]).run_links) == 2


@pytest.mark.parametrize(
    "sort",
    [
        "started_at",
        "created_at",
        "duration",
        "outcome",
        "serial_number",
        "part_number",
        "revision_number",
    ],
)
def test_no_order_shows_runs_of_another_organization(
    server: Server, gus: Browser, filtered: dict[str, str], sort: str
):
    globex = server.world.globex
    path = record(server, report("OURS", globex.board.identifier), globex.admin.api_key)
    shown = {
        link for order in ("asc", "desc") for link in gus.open(f"/runs?sort={sort}&order={order}").run_links
    }
    assert shown
    assert shown.isdisjoint(filtered.values())
    assert path in gus.open(f"/runs?sort={sort}&serial=OURS").run_links


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("outcome=MAYBE", "outcome"),
        ("sort=colour", "sort"),
        ("order=up", "order"),
        ("columns=colour", "columns"),
        ("min_s=-1", "min_s"),
        ("max_s=nan", "max_s"),
        ("max_s=1e300", "max_s"),
        ("min_s=2&max_s=1", "min_s"),
        ("sort=duration&cursor=-1", "cursor"),
        ("station=ICT-1", "station"),
        ("search=%00", "search"),
        ("since=2026-13-01", "since"),
    ],
    ids=lambda value: value,
)
@pytest.mark.parametrize("path", ["/runs", "/runs/news", "/runs.csv"], ids=["page", "news", "file"])
def test_a_query_that_says_nothing_is_named(ada: Browser, path: str, query: str, named: str):
    page = ada.open(f"{path}?{query}")
    assert page.status == 400
    assert f"{named}: " in page.text


@pytest.mark.parametrize("path", ["/runs", "/runs/news", "/runs.csv", "/runs.parquet"])
def test_a_stranger_is_asked_to_log_in(stranger: Browser, path: str):
    page = stranger.open(f"{path}?{urlencode({'part': 'FLT'})}")
    assert page.path.startswith("/log-in")
