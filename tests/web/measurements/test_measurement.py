"""The page of a measurement: control chart, histogram, capability, comparison and correlation."""

import statistics
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.options import options
from tests.web.reporting import measurement, phase, record, report

SCRIPT = '<script>alert("1")</script>'
VALUES = [3.28, 3.31, 3.3, 3.29, 3.32, 3.3, 3.31, 3.3]


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


def path(procedure: str, name: str, **query: str) -> str:
    return f"/procedures/{procedure}/measurements?{urlencode({'name': name, 'period': 'all', **query})}"


def of_unit(number: int, *inside: dict[str, Any]) -> dict[str, Any]:
    """A run of a part of its own."""
    body = report(f"MEAS-{number}", started_at=f"2026-05-04T05:06:{number:02}Z")
    body["unit_under_test"]["part_number"] = "MEASURED"
    return {**body, "phases": [phase("rails", *inside)]}


@pytest.fixture(scope="module")
def measured(server: Server) -> list[str]:
    """The runs, in order: eight from one station, the last of them under wider limits, and three from another."""
    acme = server.world.acme
    found = []
    for number, value in enumerate(VALUES):
        upper = 3.5 if number < 7 else 3.6
        rail = measurement("rail", value, units="V", lower_limit=3.1, upper_limit=upper)
        firmware = measurement("firmware", "v1" if number % 4 else SCRIPT)
        ready = measurement("ready", number != 2, outcome="PASS" if number != 2 else "FAIL")
        current = measurement("current", value / 10, units="A")
        found.append(record(server, of_unit(number, rail, firmware, ready, current)))
    for number in range(8, 11):
        rail = measurement("rail", 3.4 + number / 500, units="V", lower_limit=3.1, upper_limit=3.6)
        found.append(record(server, of_unit(number, rail), acme.fct.api_key))
    return found


@pytest.fixture(scope="module")
def board(server: Server) -> str:
    return str(server.world.acme.board.id)


def points(page: Page, name: str) -> list[Any]:
    series = options(page)["control-chart"]["series"]
    return [point for one in series if one.get("name") == name for point in one["data"]]


def test_values_stand_in_order_and_lead_to_their_runs(measured: list[str], board: str, ada: Browser):
    page = ada.open(path(board, "rail"))
    assert page.status == 200
    shown = sorted(
        (one["value"][0], one["value"][1], one["url"])
        for station in ("ICT-1", "FCT-1")
        for one in points(page, station)
    )
    assert [value for _, value, _ in shown] == [*VALUES, *(3.4 + number / 500 for number in range(8, 11))]
    assert [url for *_, url in shown] == measured
    assert page.run_links == measured[::-1]


def test_limits_break_where_they_changed(measured: list[str], board: str, ada: Browser):
    assert measured
    page = ada.open(path(board, "rail"))
    across = options(page)["control-chart"]["series"][0]["markLine"]["data"]
    assert across == [{"xAxis": 7}]
    limits = points(page, "Limits")
    assert limits == [
        *([[0, 3.1], [6, 3.1], ["-", "-"], [0, 3.5], [6, 3.5], ["-", "-"]]),
        *([[7, 3.1], [10, 3.1], ["-", "-"], [7, 3.6], [10, 3.6], ["-", "-"]]),
    ]


def test_capability_is_told_for_each_specification(measured: list[str], board: str, ada: Browser):
    assert measured
    page = ada.open(path(board, "rail"))
    for some, upper in ((VALUES[:7], 3.5), ([VALUES[7], 3.416, 3.418, 3.42], 3.6)):
        mean, s = statistics.mean(some), statistics.stdev(some)
        ppk = min(upper - mean, mean - 3.1) / (3 * s)
        [row] = [one for one in page.rows if f"3.1 … {upper:g}" in one and f"{ppk:.2f}" in one]
        assert row[2:6] == [str(len(some)), "0", f"{mean:.5g} V", f"{s:.5g}"]
    text = page.text
    assert "what TofuPilot calls Cpk is this Ppk" in text


def test_stations_are_compared(measured: list[str], board: str, ada: Browser):
    assert measured
    page = ada.open(path(board, "rail"))
    assert options(page)["means"]["yAxis"]["data"] == ["FCT-1", "ICT-1"]
    assert "ANOVA: F" in page.text
    assert "Kruskal-Wallis: H" in page.text
    assert "means" not in options(ada.open(path(board, "rail", by="nothing")))


def test_bins_hold_every_value(measured: list[str], board: str, ada: Browser):
    drawn = options(ada.open(path(board, "rail")))["histogram"]
    bars = [one for one in drawn["series"] if one["type"] == "bar"]
    assert sum(sum(one["data"]) for one in bars) == len(measured)
    [curve] = [one for one in drawn["series"] if one["type"] == "line"]
    assert [one["xAxis"] for one in curve["markLine"]["data"]] == [3.1, 3.5, 3.6]


def test_what_is_left_out_is_told_in_words_and_may_be_chosen(server: Server, board: str, ada: Browser):
    over = measurement("output", float("inf"), outcome="FAIL", units="V")
    for number, (name, inside) in enumerate(
        [
            ("cold", [measurement("output", 1.0, units="V"), measurement("output", 1100.0, units="mV")]),
            (
                "hot",
                [measurement("output", 10.0, units="V"), measurement("output", 9999.0, units="mV"), over],
            ),
        ]
    ):
        body = report(
            f"LEFT-{number}", started_at=f"2026-05-05T05:06:{number:02}Z", phases=[phase(name, *inside)]
        )
        record(server, body)
    page = ada.open(path(board, "output", by="nothing"))
    assert "These figures are of hot, in mV: the latest." in page.text
    assert "1 value is infinite or not a number and is not in these figures." in page.text
    assert "2 values are of other phases and are not in these figures." in page.text
    assert any(one.get("aria-label", "").startswith("Histogram of 2 values") for one in page.all("div"))
    cold = ada.open(path(board, "output", phase="cold", uom="V", by="nothing"))
    assert "not in these figures" not in cold.text
    assert "Unit of measure" in cold.text
    assert "1 value is infinite" in ada.open(f"/procedures/{board}?tab=capability&period=all").text


def test_texts_and_booleans_are_bars(measured: list[str], board: str, ada: Browser):
    assert measured
    page = ada.open(path(board, "firmware", by="nothing"))
    assert set(options(page)) == {"texts"}
    assert options(page)["texts"]["yAxis"]["data"] == ["v1", SCRIPT]
    assert options(page)["texts"]["series"][0]["data"] == [6, 2]
    ready = options(ada.open(path(board, "ready")))["texts"]
    assert (ready["yAxis"]["data"], ready["series"][0]["data"]) == (["true", "false"], [7, 1])


def test_what_a_station_sent_is_text(measured: list[str], board: str, server: Server, ada: Browser):
    assert measured
    record(server, {**report("MEAS-X"), "phases": [phase(SCRIPT, measurement(SCRIPT, 1.0, units=SCRIPT))]})
    for name in ("firmware", SCRIPT):
        page = ada.open(path(board, name))
        assert page.status == 200
        assert all("src" in one or one.get("type") == "application/json" for one in page.all("script"))


def test_another_measurement_of_the_same_runs(measured: list[str], board: str, ada: Browser):
    page = ada.open(path(board, "rail"))
    [link] = [one for one in page.links if "against=current" in one]
    drawn = options(ada.open(link.partition("#")[0]))["correlation"]
    assert [one["value"] for one in drawn["series"][0]["data"]] == [
        [value, pytest.approx(value / 10)] for value in VALUES
    ]
    assert [one["url"] for one in drawn["series"][0]["data"]] == measured[:8]


def test_the_filter_is_kept(measured: list[str], board: str, ada: Browser):
    page = ada.open(path(board, "rail", version="none-such", by="batch"))
    assert measured
    assert "No values" in page.text
    assert page.hidden_fields["name"] == "rail"


def test_another_organization_sees_none_of_it(measured: list[str], board: str, server: Server, gus: Browser):
    assert measured
    assert gus.open(path(board, "rail")).status == 404
    page = gus.open(path(str(server.world.globex.board.id), "rail"))
    assert (page.status, page.run_links) == (200, [])
    assert "No values" in page.text


def test_a_stranger_logs_in_first(board: str, stranger: Browser):
    assert stranger.open(path(board, "rail")).path.startswith("/log-in")


@pytest.mark.parametrize(
    ("query", "named"),
    [("", "name"), ("name=rail&by=colour", "by"), ("name=rail&last=7", "last"), ("name=%00", "name")],
    ids=["without a name", "by", "last", "nul"],
)
def test_a_query_that_says_nothing_is_named(board: str, ada: Browser, query: str, named: str):
    page = ada.open(f"/procedures/{board}/measurements?{query}")
    assert page.status == 400
    assert f"{named}: " in page.text
