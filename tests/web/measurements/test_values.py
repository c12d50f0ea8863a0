"""Values that are found by what they are, each of which leads to its run."""

import csv
import io
from urllib.parse import urlencode

import pytest

from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.reporting import measurement, phase, record, report

NAME = 'Spannung "V1" <b>'
VALUES = {"VAL-1": 3.1, "VAL-2": 3.3, "VAL-3": 3.5, "VAL-4": float("nan")}


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def runs(server: Server) -> dict[str, str]:
    """The page of each run, by serial number; VAL-3 fails, and measures twice until it does."""
    found = {}
    for at, (serial, value) in enumerate(VALUES.items()):
        bound = {"units": "V", "lower_limit": 3.0, "upper_limit": 3.4}
        outcome = "FAIL" if serial == "VAL-3" else "PASS"
        attempts = [phase("rails", measurement(NAME, value, outcome, **bound))]
        if serial == "VAL-3":
            attempts.insert(0, phase("rails", measurement(NAME, 3.45, "FAIL", **bound), outcome="FAIL"))
        body = report(serial, started_at=f"2026-05-04T05:06:0{at}Z")
        found[serial] = record(server, {**body, "phases": attempts})
    return found


def values(browser: Browser, **query: str) -> Page:
    return browser.open(f"/values?{urlencode({'period': 'all', 'measurement': NAME, **query})}")


def shown(page: Page) -> list[str]:
    """The units whose values are listed."""
    return [row[0] for row in page.rows if row[0].startswith("VAL-")]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["VAL-4", "VAL-3", "VAL-2", "VAL-1"]),
        ({"at_least": "3.3"}, ["VAL-3", "VAL-2"]),
        ({"at_least": "3.31"}, ["VAL-3"]),
        ({"at_most": "3.3"}, ["VAL-2", "VAL-1"]),
        ({"at_least": "3.2", "at_most": "3.4"}, ["VAL-2"]),
        ({"outcome": "FAIL"}, ["VAL-3"]),
        ({"outcome": "FAIL", "all_attempts": "yes"}, ["VAL-3", "VAL-3"]),
        ({"phase": "rails", "at_most": "3.2"}, ["VAL-1"]),
        ({"phase": "other"}, []),
        ({"at_least": "3", "sort": "value", "order": "asc"}, ["VAL-1", "VAL-2", "VAL-3"]),
        ({"measurement": NAME.upper()}, []),
    ],
)
def test_values_are_found(
    runs: dict[str, str], ada: Browser, query: dict[str, str], found: list[str]
) -> None:
    page = values(ada, **query)
    assert page.status == 200
    assert shown(page) == found


def test_each_value_leads_to_where_it_was_measured(runs: dict[str, str], ada: Browser) -> None:
    page = values(ada, at_least="3.2", at_most="3.4")
    [link] = [one for one in page.links if one.startswith(runs["VAL-2"])]
    anchor = link.partition("#")[2]
    assert anchor
    assert f'id="{anchor}"' in ada.open(link).answer.text
    [row] = [row for row in page.rows if row[0] == "VAL-2"]
    assert row[1:5] == [f"{NAME}rails", "3.3 V", "3 … 3.4", "PASS"]
    assert "<b>" not in page.answer.text


def test_the_page_of_a_measurement_leads_to_its_values(
    runs: dict[str, str], ada: Browser, server: Server
) -> None:
    board = server.world.acme.board.id
    page = ada.open(f"/procedures/{board}/measurements?{urlencode({'name': NAME, 'period': 'all'})}")
    [link] = [one for one in page.links if one.startswith("/values")]
    assert shown(ada.open(link)) == ["VAL-4", "VAL-3", "VAL-2", "VAL-1"]


def test_nothing_is_looked_for_until_something_is_asked(runs: dict[str, str], ada: Browser) -> None:
    page = ada.open("/values")
    assert "Which values?" in page.text
    assert shown(page) == []


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"at_least": "4", "at_most": "3"}, "4 is more than at_most, 3; swap them"),
        ({"at_least": "much"}, "at_least"),
        ({"outcome": "MAYBE"}, "outcome"),
        ({"value": "3"}, "value"),
    ],
)
def test_what_cannot_be_asked_is_named(ada: Browser, query: dict[str, str], told: str) -> None:
    page = values(ada, **query)
    assert page.status == 400
    assert told in page.text


def test_another_organization_finds_nothing(runs: dict[str, str], gus: Browser) -> None:
    assert "No value matches these filters" in values(gus).text


def test_values_are_taken_away_as_files(runs: dict[str, str], ada: Browser, server: Server) -> None:
    [url] = [
        one
        for one in values(ada, sort="value", order="asc").links
        if one.startswith("/values.spreadsheet.csv")
    ]
    answer = ada.http.get(url)
    assert answer.status_code == 200
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    told = [(row["Unit"], row["Number"], row["Other value"], row["Unit of measure"]) for row in rows]
    assert told == [
        ("VAL-1", "3.1", "", "V"),
        ("VAL-2", "3.3", "", "V"),
        ("VAL-3", "3.5", "", "V"),
        ("VAL-4", "", "nan", "V"),
    ]
    assert runs["VAL-1"].endswith(rows[0]["Run ID"])
    text = "=" + "Ü" * 100
    record(server, report("VAL-TEXT", phases=[phase("p", measurement("a long text", text))]))
    long = ada.http.get("/values.spreadsheet.csv?period=all&measurement=a+long+text").text
    assert f",'{text}," in long, "whole, where the page cuts it"
    refused = ada.open("/values.xlsx")
    assert refused.status == 400
    assert "name a measurement" in refused.text
