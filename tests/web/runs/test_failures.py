"""What failed in a run, and the choice to see nothing else."""

import re
from collections.abc import Sequence
from typing import Any

import pytest

from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.web.browser import Browser, Page
from tests.web.reporting import measurement, phase, record, report

NAN, INF = float("nan"), float("inf")


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


def failing(serial_number: str, *phases: dict[str, Any]) -> dict[str, Any]:
    return report(serial_number, run_passed=False, phases=phases)


def failures(page: Page) -> Sequence[list[str]]:
    """The rows of what failed, without its head."""
    at = next(number for number, row in enumerate(page.rows) if row[-1:] == ["Why"])
    rows = page.rows[at + 1 :]
    ends = (number for number, row in enumerate(rows) if row[:1] == ["Measurement"])
    return rows[: next(ends, len(rows))]


@pytest.mark.parametrize(
    ("fields", "row"),
    [
        ({"value": 3.3, "units": "V", "upper_limit": 3.1}, ["3.3V", "≤ 3.1", "0.2 V above the upper limit"]),
        ({"value": 4, "lower_limit": 5, "upper_limit": 6}, ["4", "5 … 6", "1 below the lower limit"]),
        ({"value": 9, "upper_limit": 5, "validators": ["x == 3"]}, ["9", "≤ 5", "4 above the upper limitx == 3FAIL"]),
        ({"value": NAN, "units": "V", "lower_limit": 5}, ["nanV", "≥ 5", "not a number"]),
        ({"value": INF, "upper_limit": 5}, ["inf", "≤ 5", "above the upper limit"]),
        ({"value": 1e308, "upper_limit": -1e308}, ["1e+308", "≤-1e+308", "above the upper limit"]),
        ({"value": False, "validators": ["x == True"]}, ["false", "", "x == TrueFAIL"]),
        ({"value": "v1", "validators": ["x == 'v2'"]}, ["v1", "", "x == 'v2'FAIL"]),
        ({"value": None, "lower_limit": 5}, ["–", "≥ 5", "no value"]),
        ({"value": 5, "lower_limit": 3}, ["5", "≥ 3", "within its limits, but the station says that it failed"]),
        ({"value": "odd"}, ["odd", "", "The station does not say why."]),
        ({"value": "line 1\nline 2"}, ["line 1…", "", "The station does not say why."]),
        ({"value": [[1, 2], [2, 9], [3, NAN]], "upper_limit": 5}, ["3 × 2 values", "≤ 5", "2 of 3 values outside"]),
    ],
    ids=[
        "upper", "lower", "several checks", "nan", "inf", "no end",
        "boolean", "text", "no value", "within", "no reason", "lines", "series",
    ],
)  # fmt: skip
def test_a_failed_measurement_is_shown_against_its_limits(
    server: Server, ada: Browser, fields: dict[str, Any], row: list[str]
):
    body = failing("WHY", phase("p", measurement("m", outcome="FAIL", **fields), outcome="FAIL"))
    page = ada.open(record(server, body))
    [shown] = failures(page)
    assert shown == ["p: m", *row]
    has_bar = any(svg.get("class") == "place" for svg in page.all("svg"))
    is_number = isinstance(fields["value"], int | float) and fields["value"] == fields["value"]
    assert has_bar == (bool(shown[2]) and is_number and abs(fields["value"]) < 1e308)


def test_a_phase_without_a_failed_measurement_says_so(server: Server, ada: Browser):
    fine = measurement("m", 1)
    body = failing("PHASE-ALONE", phase("f", fine, outcome="FAIL"), phase("e", outcome="ERROR"))
    assert failures(ada.open(record(server, body))) == [
        ["f", "", "", "The phase failed; none of its measurements failed."],
        ["e", "", "", "The phase broke off with an error; none of its measurements failed."],
    ]


def test_attempts_of_one_phase_are_told_apart(server: Server, ada: Browser):
    bad = phase("p", measurement("m", 1, "FAIL"), outcome="FAIL")
    page = ada.open(record(server, failing("TWICE", bad, bad)))
    assert [row[0] for row in failures(page)] == ["p: m", "p: mretry 1"]


def test_of_many_failures_the_first_ten_stand_there(server: Server, ada: Browser):
    many = [measurement(f"m{number}", number, "FAIL", lower_limit=1000) for number in range(100)]
    path = record(
        server, failing("HUNDRED", phase("p", *many, outcome="FAIL"), phase("q", measurement("ok", 1)))
    )
    page = ada.open(path)
    assert [row[0] for row in failures(page)] == [f"p: m{number}" for number in range(10)]
    assert "and 90 more" in page.text
    more = ada.open(f"{path}?show=failed")
    assert f"{path}?show=failed#phases" in page.links
    assert len([one for one in more.all("tr") if one.get("id", "").startswith("measurement-")]) == 100


def shown_places(page: Page) -> list[str]:
    """The phases and measurements that are shown, by their anchors."""
    ids = [one.attributes.get("id", "") for one in page.elements]
    return [one for one in ids if re.fullmatch(r"(phase|measurement)-\d+", one)]


def mixed(serial_number: str) -> dict[str, Any]:
    return failing(
        serial_number,
        phase("good", measurement("a", 1), measurement("b", 2)),
        phase("again", measurement("c", 3, "FAIL"), measurement("d", 4), outcome="FAIL"),
        phase("again", measurement("c", 3), measurement("d", 4)),
        phase("broken", outcome="ERROR"),
    )


def test_only_what_failed_is_shown_where_that_is_asked(server: Server, ada: Browser):
    path = record(server, mixed("ONLY"))
    everything, failed = ada.open(path), ada.open(f"{path}?show=failed")
    assert len(shown_places(everything)) == 10
    anchors = shown_places(failed)
    assert len(anchors) == 3
    assert set(anchors) < set(shown_places(everything)), "with the numbers that they have among all"
    assert "“Failed only” hides 2 phases and 5 measurements" in everything.text
    assert "2 phases and 5 measurements hidden" in failed.text
    assert all("open" in one for one in failed.all("details") if one.get("id", "").startswith("phase-"))
    current = [one for one in failed.all("a") if one.get("aria-current") == "true"]
    assert [one["href"] for one in current] == [f"{path}?show=failed#phases"]
    assert f"{path}#phase-1" in failed.links, "the timeline leads to what is hidden"


def test_there_is_no_choice_where_nothing_failed(server: Server, ada: Browser):
    path = record(server, report("FINE", phases=[phase("p", measurement("m", 1))]))
    assert "Failed only" not in ada.open(path).text
    asked = ada.open(f"{path}?show=failed")
    assert "Nothing failed in this run." in asked.text
    assert f"{path}#phases" in asked.links


def test_the_form_of_the_logs_keeps_the_choice(server: Server, ada: Browser):
    line = {"timestamp": "2026-01-02T03:04:05Z", "source_file": "a.py", "line_number": 1}
    path = record(server, mixed("KEPT") | {"logs": [{**line, "level": "INFO", "message": "m"}]})
    assert ada.open(f"{path}?show=failed").hidden_fields["show"] == "failed"
    assert f"{path}?show=failed&level=INFO#phases" in ada.open(f"{path}?level=INFO").links


def test_a_choice_that_is_none_is_named(server: Server, ada: Browser):
    page = ada.open(f"{record(server, report('CHOICE'))}?show=passed")
    assert page.status == 400
    assert "show: " in page.text


def test_failed_phases_come_in_pages_of_their_own(server: Server, ada: Browser):
    phases = [
        phase(
            f"p{number}",
            *(measurement(f"m{at}", at, "FAIL" if at < 60 else "PASS") for at in range(100)),
            outcome="FAIL",
        )
        for number in range(6)
    ]
    path = record(server, failing("PAGED", *phases))
    first = ada.open(f"{path}?show=failed")
    assert len(shown_places(first)) == 4 * 61
    assert f"{path}?phases=2&show=failed#phases" in first.links
    assert len(shown_places(ada.open(f"{path}?phases=2&show=failed"))) == 2 * 61
