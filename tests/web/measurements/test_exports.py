"""The tables of a measurement's page, as files for spreadsheets."""

from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean, stdev
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.servers import Server
from tests.web.browser import Browser
from tests.web.reporting import measurement, phase, record, report
from tests.web.sheets import csv_of, exports, xlsx_of

NAME, PHASE = 'Spannung "Ü" <b>', "=Prüfung Ø"
VALUES = [3.28, 3.31, 3.3, 3.29, 3.32, 3.3, 3.31, 3.3, 3.29, 3.31, 3.3, 3.32]
# The last of them is far beyond three sigmas.
LATER = [3.3, 3.31, 3.29, 3.3, 3.31, 3.29, 3.3, 3.31, 3.29, 3.3, 3.31, 3.58]


@pytest.fixture(scope="module")
def measured(server: Server) -> None:
    """Under a limit of 3.5 V, then under one of 3.6 V; the last value of these breaks a rule."""
    for number, value in enumerate([*VALUES, *LATER]):
        upper = 3.5 if number < len(VALUES) else 3.6
        volts = measurement(NAME, value, units="V", lower_limit=3.1, upper_limit=upper)
        body = report(f"FILE-{number}", started_at=f"2026-05-04T05:06:{number:02}Z")
        record(server, {**body, "phases": [phase(PHASE, volts)]})


def page_of(server: Server, **query: str) -> str:
    board = server.world.acme.board.id
    return f"/procedures/{board}/measurements?{urlencode({'name': NAME, 'period': 'all', **query})}"


def file_of(links: Sequence[str], table: str, ending: str) -> str:
    [link] = [one for one in links if one.partition("?")[0].endswith(f"/{table}.{ending}")]
    return link


@pytest.mark.usefixtures("measured")
def test_a_file_of_control_limits_has_a_row_for_each_pair_of_limits(server: Server, ada: Browser):
    links = exports(ada, page_of(server))
    head, first, second = xlsx_of(ada, file_of(links, "control-limits", "xlsx"))
    told = [dict(zip(head, row, strict=True)) for row in (first, second)]
    assert [one["Phase"] for one in told] == [PHASE, PHASE]
    assert [(one["Lower limit"], one["Upper limit"], one["n"]) for one in told] == [
        (3.1, 3.5, 12),
        (3.1, 3.6, 12),
    ]
    assert [one["Unit of measure"] for one in told] == ["V", "V"]
    assert told[0]["Centre"] == pytest.approx(fmean(VALUES), rel=1e-12)
    # d2 of two values is 1.128: Montgomery, Introduction to Statistical Quality Control, appendix VI.
    moved = fmean(abs(a - b) for a, b in pairwise(VALUES))
    assert told[0]["Sigma"] == pytest.approx(moved / 1.128, rel=1e-3)
    spread = told[0]["Upper control limit"] - told[0]["Centre"]
    assert spread == pytest.approx(3 * told[0]["Sigma"], rel=1e-9)
    assert told[0]["Centre"] - told[0]["Lower control limit"] == pytest.approx(spread, rel=1e-9)
    written = csv_of(ada, file_of(links, "control-limits", "spreadsheet.csv"))
    assert written[0] == list(head)
    assert written[1][:6] == [f"'{PHASE}", "3.1 … 3.5", "3.1", "3.5", "V", "12"]


@pytest.mark.usefixtures("measured")
def test_a_file_of_run_rules_has_those_that_are_broken(server: Server, ada: Browser):
    for rules in ("western_electric", "nelson"):
        page = ada.open(page_of(server, rules=rules))
        head, *rows = xlsx_of(ada, file_of(exports(ada, page_of(server, rules=rules)), "run-rules", "xlsx"))
        assert head == ("Broken run rule", "Points")
        assert [[says, str(points)] for says, points in rows] == [
            row for row in page.rows if row[0] in dict(rows)
        ]
        assert rows


@pytest.mark.usefixtures("measured")
def test_a_file_of_capability_has_all_digits(server: Server, ada: Browser):
    links = exports(ada, page_of(server))
    head, first, second = xlsx_of(ada, file_of(links, "capability", "xlsx"))
    told: list[dict[Any, Any]] = [dict(zip(head, row, strict=True)) for row in (first, second)]
    for one, values, upper in zip(told, (VALUES, LATER), (3.5, 3.6), strict=True):
        assert (one["Phase"], one["n"], one["Failed"], one["Unit of measure"]) == (PHASE, 12, 0, "V")
        assert one["Mean"] == pytest.approx(fmean(values), rel=1e-12)
        assert one["s"] == pytest.approx(stdev(values), rel=1e-9)
        assert one["Pp"] == pytest.approx((upper - 3.1) / (6 * stdev(values)), rel=1e-9)
        assert one["Ppk, 95 % from"] < one["Ppk"] < one["Ppk, 95 % to"]
        assert one["ppm outside, observed"] == 0
    assert csv_of(ada, file_of(links, "capability", "spreadsheet.csv"))[1][:2] == [f"'{PHASE}", "3.1 … 3.5"]


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("table", ["control-limits", "run-rules", "capability"])
def test_a_file_is_about_the_runs_that_its_page_is_about(
    server: Server, ada: Browser, vic: Browser, gus: Browser, table: str
):
    links = exports(ada, page_of(server))
    whole = file_of(links, table, "xlsx")
    assert len(xlsx_of(ada, whole)) > 1
    assert xlsx_of(vic, whole) == xlsx_of(ada, whole)
    assert len(xlsx_of(ada, f"{whole}&part=NONE")) == 1
    assert gus.http.get(whole).status_code == 404
    assert ada.http.get(whole.replace("period=all", "period=ever")).status_code == 400


def test_without_values_no_file_is_offered(server: Server, ada: Browser):
    assert exports(ada, page_of(server, part="NONE")) == []
