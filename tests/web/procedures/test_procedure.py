"""The page of a procedure, one tab after the other."""

import pytest

from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.web.browser import Browser
from tests.web.options import options, values
from tests.web.reporting import T0_MS, measurement, phase, record, report

SCRIPT = '<script>alert("1")</script>'


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


def timed(name: str, seconds: int, *inside: dict[str, object], outcome: str = "PASS") -> dict[str, object]:
    return phase(name, *inside, outcome=outcome, end_time_millis=T0_MS + 1000 * seconds)


@pytest.fixture(scope="module")
def recorded(server: Server) -> list[str]:
    """Four units, of which the last failed for its rail; phases took 2 and 1 seconds, and 5 in that run."""
    found = []
    for number, value in enumerate((3.3, 3.31, 3.29, 3.9)):
        outcome = "FAIL" if value > 3.5 else "PASS"
        inside = [
            timed(
                "rails",
                5 if value > 3.5 else 2,
                measurement("rail", value, outcome, units="V", lower_limit=3.1, upper_limit=3.5),
                measurement("steady", 1 + number / 1000, units="A", lower_limit=0, upper_limit=2),
                measurement("firmware", SCRIPT),
                outcome=outcome,
            ),
            timed(SCRIPT, 1),
        ]
        body = report(
            f"FLOOR-{number}",
            run_passed=outcome == "PASS",
            started_at=f"2026-05-0{number + 1}T05:06:07Z",
            duration=f"PT{10 + number}S",
            phases=inside,
        )
        found.append(record(server, body))
    return found


@pytest.fixture(scope="module")
def board(server: Server) -> str:
    return f"/procedures/{server.world.acme.board.id}"


def test_runs_are_counted_by_outcome_and_listed(recorded: list[str], board: str, ada: Browser):
    page = ada.open(f"{board}?period=all")
    assert page.status == 200
    assert page.run_links == recorded[::-1]
    drawn = options(page)["runs"]
    assert drawn["xAxis"]["data"] == ["2026-05"]
    assert {one["name"]: values(one) for one in drawn["series"]} == {"PASS": [3], "FAIL": [1]}


def test_durations_of_runs_and_phases(recorded: list[str], board: str, ada: Browser):
    assert recorded
    drawn = options(ada.open(f"{board}?period=all&tab=duration"))
    assert [values(one) for one in drawn["durations"]["series"]] == [[11.5], [12.85]]
    assert drawn["phases"]["yAxis"]["data"] == ["rails", SCRIPT]
    assert [one["data"] for one in drawn["phases"]["series"]] == [[2, 1], [4.55, 1]]


def test_what_fails_most_leads_to_the_measurement(recorded: list[str], board: str, ada: Browser):
    page = ada.open(f"{board}?period=all&tab=yield")
    assert "75.0 %" in page.text
    for said in (
        "first run passed; 95\u00a0% confidence interval:",
        "first or second run passed",
        "last run passed",
    ):
        assert said in page.text
    drawn = options(page)
    assert drawn["pareto-phases"]["xAxis"]["data"] == ["rails"]
    [bar] = drawn["pareto-measurements"]["series"][0]["data"]
    assert bar["value"] == 1
    assert recorded[-1] in ada.open(bar["url"]).run_links
    assert bar["url"] in page.links


def test_the_poor_measurements_come_first(recorded: list[str], board: str, ada: Browser):
    assert recorded
    page = ada.open(f"{board}?period=all&tab=capability")
    assert [row[0] for row in page.rows[1:]] == ["rail", "steady"]
    assert page.rows[1][1:4] == ["rails", "4", "1"]
    assert page.rows[1][10] == "3.1 … 3.5"
    assert len([one for one in page.all("svg") if one["class"] == "spark"]) == 2
    assert len(page.all("rect")) >= 3
    [link] = [one for one in page.links if "name=rail" in one]
    assert ada.open(link).run_links == recorded[::-1]
    assert any("name=firmware" in one for one in page.links)


def test_the_table_is_sorted_by_any_column(recorded: list[str], board: str, ada: Browser):
    assert recorded
    page = ada.open(f"{board}?period=all&tab=capability")
    heads = [one for one in page.all("th") if one.get("aria-sort")]
    assert [one["aria-sort"] for one in heads] == ["ascending"]
    sorts = [one for one in page.links if "sort=" in one or "order=" in one]
    assert len(sorts) == 10
    for link in sorts:
        assert {row[0] for row in ada.open(link).rows[1:]} == {"rail", "steady"}
    turned = ada.open(f"{board}?period=all&tab=capability&order=desc")
    assert [row[0] for row in turned.rows[1:]] == ["steady", "rail"]


def test_the_filter_stays_from_tab_to_tab(recorded: list[str], board: str, ada: Browser):
    assert recorded
    page = ada.open(f"{board}?period=all&tab=yield&version=9")
    tabs = [one for one in page.links if one.startswith(f"{board}?")]
    assert len(tabs) == 4
    assert all("version=9" in one and "period=all" in one for one in tabs)
    assert page.hidden_fields["tab"] == "yield"


@pytest.mark.parametrize("tab", ["runs", "duration", "yield", "capability"])
def test_without_runs_every_tab_says_so(recorded: list[str], board: str, ada: Browser, tab: str):
    assert recorded
    page = ada.open(f"{board}?period=all&tab={tab}&version=none")
    assert (page.status, page.run_links, options(page)) == (200, [], {})
    assert "in this period" in page.text


@pytest.mark.parametrize("tab", ["runs", "duration", "yield", "capability"])
def test_what_a_station_sent_is_text(recorded: list[str], board: str, ada: Browser, tab: str):
    assert recorded
    page = ada.open(f"{board}?period=all&tab={tab}")
    assert all("src" in one or one.get("type") == "application/json" for one in page.all("script"))


def test_an_identifier_leads_there_too(recorded: list[str], ada: Browser):
    assert ada.open("/procedures/FVT1?period=all").run_links == recorded[::-1]


def test_another_organization_sees_none_of_it(recorded: list[str], board: str, gus: Browser):
    assert recorded
    assert gus.open(board).status == 404


@pytest.mark.parametrize(
    ("query", "named"), [("tab=none", "tab"), ("sort=x", "sort"), ("offset=-1", "offset")]
)
def test_a_query_that_says_nothing_is_named(board: str, ada: Browser, query: str, named: str):
    page = ada.open(f"{board}?{query}")
    assert page.status == 400
    assert f"{named}: " in page.text
