"""Which runs of a unit the pages of figures count: chosen in the filter bar, kept from page to page."""

import re

import pytest

from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.options import options, values
from tests.web.reporting import measurement, phase, record, report


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def board(server: Server) -> str:
    """The page of a procedure with two units: one that passed, and one that failed three times before it passed."""
    for number, value in enumerate((3.3, 9.0, 9.0, 9.0, 3.4)):
        outcome = "PASS" if value < 5 else "FAIL"
        rail = measurement("retested_rail", value, outcome, units="V", lower_limit=0, upper_limit=5)
        body = report(
            "AGAIN-1" if number else "AGAIN-0",
            run_passed=outcome == "PASS",
            started_at=f"2026-05-04T05:06:0{number}Z",
            phases=[phase("rails", rail, outcome=outcome)],
        )
        record(server, body)
    return f"/procedures/{server.world.acme.board.id}"


def chosen(page: Page) -> str:
    """The chosen attempts, as the filter bar says."""
    [found] = re.findall(r" selected>(\w+(?: completed)? runs? of each unit)<", page.answer.text)
    return str(found)


@pytest.mark.parametrize(
    ("query", "said", "n"),
    [
        ("", "Last run of each unit", "2"),
        ("&attempts=first", "First run of each unit", "2"),
        ("&attempts=all", "All runs of each unit", "5"),
    ],
)
def test_the_capability_of_a_procedure(board: str, ada: Browser, query: str, said: str, n: str):
    page = ada.open(f"{board}?period=all&tab=capability{query}")
    assert chosen(page) == said
    [row] = [row for row in page.rows if row[0] == "retested_rail"]
    assert row[2] == n
    [link] = [one for one in page.links if "name=retested_rail" in one]
    assert ("attempts=" in link) == bool(query)


@pytest.mark.parametrize(("query", "n"), [("", 2), ("&attempts=first", 2), ("&attempts=all", 5)])
def test_what_stands_side_by_side_is_of_the_same_runs(board: str, ada: Browser, query: str, n: int):
    page = ada.open(f"{board}/measurements?name=retested_rail&period=all{query}")
    control = options(page)["control-chart"]["series"]
    [values] = [one["data"] for one in control if one.get("name") == "ICT-1"]
    assert len(values) == n
    assert page.text.count(f"Counted: {chosen(page).lower()}") == 3


def test_runs_and_failures_follow_the_filter(board: str, ada: Browser):
    runs = options(ada.open(f"{board}?period=all&attempts=last"))["runs"]
    assert {one["name"]: values(one) for one in runs["series"]} == {"PASS": [2]}
    failed = ada.open(f"{board}?period=all&tab=yield&attempts=all")
    assert "all runs of each unit" in failed.text
    assert options(failed)["pareto-measurements"]["series"][0]["data"][0]["value"] == 3
    first = ada.open(f"{board}?period=all&tab=yield&attempts=first")
    assert options(first)["pareto-measurements"]["series"][0]["data"][0]["value"] == 1


def test_the_filter_stays_from_page_to_page_but_lists_of_runs_have_none(board: str, ada: Browser):
    page = ada.open(f"{board}?period=all&attempts=last")
    tabs = [one for one in page.links if one.startswith(f"{board}?") or one == board]
    assert tabs
    assert all("attempts=last" in one for one in tabs)
    lists = {one for one in page.links if one.startswith("/runs?")}
    assert lists
    for runs in lists:
        assert "attempts" not in runs
        assert ada.open(runs).status == 200
    assert ada.open("/runs?attempts=last").status == 400


def test_pages_of_yields_offer_the_first_completed_run(board: str, ada: Browser):
    assert board
    page = ada.open("/parts/PCB-01?period=all")
    assert chosen(page) == "First run of each unit"
    assert "Last run of each unit" not in page.answer.text
    page = ada.open("/parts/PCB-01?period=all&attempts=first_completed")
    assert (page.status, chosen(page)) == (200, "First completed run of each unit")


@pytest.mark.parametrize("path", ["/", "/procedures", "/stations/{ict}"])
def test_every_page_of_figures_offers_it(server: Server, board: str, ada: Browser, path: str):
    assert board
    path = path.format(ict=server.world.acme.ict.actor.station_id)
    page = ada.open(f"{path}?attempts=last")
    assert page.status == 200
    assert chosen(page) == "Last run of each unit"
    assert ada.open(f"{path}?attempts=second").status == 400
