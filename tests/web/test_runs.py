"""The list of runs."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report

FAR_FUTURE = datetime(2100, 1, 1, tzinfo=UTC)


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
                started_at=(FAR_FUTURE - timedelta(microseconds=number // 10)).isoformat(),
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


def test_a_run_is_shown_with_what_it_refers_to(server: Server, ada: Browser):
    body = report(
        "LISTED",
        run_passed=False,
        started_at=(FAR_FUTURE + timedelta(days=1)).isoformat(),
        duration="PT2M30S",
        procedure_version="1.2.3",
        operated_by=server.world.acme.engineer.email,
    )
    body["unit_under_test"] |= {"revision": "C", "batch_number": "B-77"}
    path = record(server, body)
    page = ada.open("/runs")
    assert page.run_links[0] == path
    assert page.outcomes[0] == "FAIL"
    for text in ("LISTED", "PCB-01", "rev C", "B-77", "Board", "1.2.3", "ICT-1", "Eve", "2100-01-02"):
        assert text in page.text
    assert "2 min 30 s" in page.text


def test_runs_of_another_organization_are_not_shown(server: Server, ada: Browser, gus: Browser):
    mine = record(server, report("MINE", started_at="2200-01-01T00:00:00Z"))
    assert mine in ada.open("/runs").run_links
    assert mine not in [path for page in all_pages(gus) for path in page.run_links]


@pytest.mark.parametrize(
    "after",
    [
        "",
        "x",
        "_",
        "2026-01-01",
        "2026-01-01T00:00:00Z_",
        "2026-01-01T00:00:00Z_42",
        f"yesterday_{UUID(int=7)}",
        f"0001-01-01T00:00:00%2B14:00_{UUID(int=7)}",
        "%00_%00",
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
