"""Metadata of runs: asked for, shown as columns, exported, and found."""

import csv
import io
from urllib.parse import urlencode

import pytest

from runcard.store.engine.scope import Scope
from runcard.store.metadata import find_keys_of_value, list_keys
from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.floor.test_search import hits, search
from tests.web.reporting import record, report
from tests.web.v2 import v2_client

NOTED = {
    "META-1": {"fixture": "FX-1", "humidity": 38.5, "reworked": False},
    "META-2": {"fixture": "FX-2", "humidity": 41, "reworked": True, "note": 'früh; "a" <b>'},
    "META-3": {"humidity": 45},
}


@pytest.fixture(scope="module")
def runs(server: Server) -> dict[str, str]:
    """Pages of runs whose metadata are `NOTED`, and of one without any, by serial number."""
    found = {serial: record(server, report(serial)) for serial in (*NOTED, "META-4")}
    with v2_client(server) as client:
        for serial, noted in NOTED.items():
            client.patch(f"/runs/{found[serial].rpartition('/')[2]}/metadata", json={"metadata": noted})
    return found


def listed(browser: Browser, **query: str | list[str]) -> Page:
    return browser.open(f"/runs?{urlencode({'search': 'META-', **query}, doseq=True)}")


def shown(page: Page, runs: dict[str, str]) -> set[str]:
    by_path = {path: serial for serial, path in runs.items()}
    return {by_path[path] for path in page.run_links}


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("fixture", {"META-1", "META-2"}),
        ("fixture=fx-2", {"META-2"}),
        ("humidity=41", {"META-2"}),
        ("humidity>=41", {"META-2", "META-3"}),
        ("humidity>38; humidity<45", {"META-1", "META-2"}),
        ("reworked=true", {"META-2"}),
        ("note~früh", {"META-2"}),
        ("*=FX-1", {"META-1"}),
        ("fixture=FX", set()),
    ],
)
def test_runs_are_found_by_their_metadata(
    runs: dict[str, str], ada: Browser, asked: str, found: set[str]
) -> None:
    page = listed(ada, metadata=asked)
    assert page.status == 200
    assert shown(page, runs) == found
    # In another order the copy finds them.
    assert shown(listed(ada, metadata=asked, sort="duration"), runs) == found


def test_what_cannot_be_understood_is_named(runs: dict[str, str], ada: Browser) -> None:
    page = listed(ada, metadata="humidity>much")
    assert page.status == 400
    assert "'much' is no number" in page.text


def test_keys_are_shown_as_columns_and_exported(runs: dict[str, str], ada: Browser) -> None:
    page = listed(ada, noted=["fixture", "humidity", "reworked", "note"], columns="outcome")
    rows = {row[1]: row[2:] for row in page.rows if row[1].startswith("META-")}
    assert rows == {
        "META-1": ["FX-1", "38.5", "false", ""],
        "META-2": ["FX-2", "41", "true", 'früh; "a" <b>'],
        "META-3": ["", "45", "", ""],
        "META-4": ["", "", "", ""],
    }
    assert "<b>" not in page.answer.text.replace("&lt;b&gt;", "")
    offered = [one["value"] for one in page.all("input") if one.get("name") == "noted" and "type" in one]
    assert {"fixture", "humidity", "note", "reworked"} <= set(offered)
    [url] = [link for link in page.links if link.startswith("/runs.csv")]
    rows_of_file = list(csv.DictReader(io.StringIO(ada.http.get(url).text)))
    assert {row["serial_number"]: row["metadata.humidity"] for row in rows_of_file} == {
        "META-1": "38.5",
        "META-2": "41",
        "META-3": "45",
        "META-4": "",
    }


def test_a_value_is_found_from_any_page(runs: dict[str, str], ada: Browser, gus: Browser) -> None:
    page = search(ada, "fx-2")
    [url] = [link for link in hits(page) if link.startswith("/runs?")]
    assert shown(ada.open(url), runs) == {"META-2"}
    assert not [link for link in hits(search(gus, "fx-2")) if link.startswith("/runs?")]


def test_keys_and_values_of_an_organization(runs: dict[str, str], server: Server) -> None:
    acme, globex = server.world.acme.id, server.world.globex.id
    with server.database() as database, database.read() as connection:
        assert {"fixture", "humidity", "note", "reworked"} <= set(list_keys(Scope(connection, acme), 100))
        assert len(list_keys(Scope(connection, acme), 2)) == 2
        assert "fixture" not in list_keys(Scope(connection, globex), 100)
        assert find_keys_of_value(Scope(connection, acme), "41.0", 10) == ["humidity"]
        assert find_keys_of_value(Scope(connection, acme), "TRUE", 10) == ["reworked"]
        assert find_keys_of_value(Scope(connection, acme), "nan", 10) == []
        assert find_keys_of_value(Scope(connection, globex), "41", 10) == []
