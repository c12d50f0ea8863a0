"""What a report becomes on the wire, and what is refused before it is kept."""

import json
import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard_client import (
    FileReport,
    InvalidReport,
    LogReport,
    MeasurementReport,
    PhaseReport,
    ValidatorReport,
)
from runcard_client.run_body import json_value, run_body
from tests.client.reporting import STARTED_AT, report_of


def body_of(**given: Any) -> Any:
    return json.loads(run_body(report_of(**({"serial_number": "SN-1"} | given)), "ref"))


def phase_of(*measurements: MeasurementReport, **given: Any) -> PhaseReport:
    usual: dict[str, Any] = {"name": "p", "outcome": "PASS", "started_at": STARTED_AT, "ended_at": STARTED_AT}
    return PhaseReport(**(usual | given), measurements=measurements)


def wrong(value: object) -> Any:
    """What a caller without a type checker may give."""
    return value


NO_ZONE = datetime(2026, 1, 1)  # noqa: DTZ001 (that is what is wrong with it)


def test_only_what_was_said_is_sent():
    assert body_of() == {
        "outcome": "PASS",
        "started_at": "2026-03-02T08:30:00.123456Z",
        "ended_at": "2026-03-02T08:35:00.123456Z",
        "serial_number": "SN-1",
        "client_run_ref": "ref",
        "part_number": "PCB-1",
    }


def test_times_are_told_in_utc():
    local = datetime(2026, 3, 2, 9, 30, tzinfo=timezone(timedelta(hours=1)))
    assert body_of(started_at=local)["started_at"] == "2026-03-02T08:30:00Z"


def test_a_limit_without_an_end_is_none():
    [phase] = body_of(phases=[phase_of(MeasurementReport("m", 1, low=-math.inf, high=2))])["phases"]
    assert phase["measurements"] == [{"name": "m", "outcome": "UNSET", "measured_value": 1, "upper_limit": 2}]


def test_what_a_device_wrote_is_kept_as_far_as_it_is_unicode():
    console = b"boot \xff ok\0".decode("utf-8", "surrogateescape")
    assert body_of(logs=[LogReport("INFO", STARTED_AT, console)])["logs"][0]["message"] == "boot ? ok\0"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"serial_number": "  "}, "serial_number is '  '; give at least 1 character"),
        ({"serial_number": None}, "serial_number is None; give a text"),
        (
            {"serial_number": "x" * 61},
            "serial_number 'xxxxxxxxxxxxxxxxxxxx'… has 61 characters; give at most 60",
        ),
        ({"procedure": ""}, "procedure is ''"),
        ({"part_number": "a\0b"}, "none of them NUL"),
        ({"client_run_ref": "x" * 256}, "client_run_ref"),
        ({"sub_units": [""]}, "sub_units is ''"),
        ({"outcome": "PASSED"}, "outcome is 'PASSED'; give one of PASS, FAIL, ERROR, TIMEOUT, ABORTED"),
        ({"started_at": NO_ZONE}, "started_at 2026-01-01T00:00:00 has no time zone"),
        ({"ended_at": datetime(2026, 1, 1, tzinfo=UTC)}, "is before started_at"),
        ({"metadata": {"a": math.nan}}, r"metadata\['a'\] is nan; give a text, a finite number or a boolean"),
        ({"metadata": {"a": [1]}}, r"metadata\['a'\] is \[1\]"),
        ({"serial_number": "SN\udcff"}, r"serial_number is 'SN\\udcff', which is no Unicode"),
        ({"files": [FileReport("", b"")]}, "files.name is ''"),
        ({"files": [FileReport("a", wrong("text"))]}, "files.content of a is str; give bytes"),
        (
            {"logs": [LogReport("INFO", NO_ZONE, "x")]},
            r"logs\[0\].logged_at .* has no time zone",
        ),
        ({"logs": [LogReport(wrong("LOUD"), STARTED_AT, "x")]}, r"logs\[0\].level is 'LOUD'"),
        (
            {"phases": [phase_of(outcome="TIMEOUT")]},
            r"phases\[0\].outcome is 'TIMEOUT'; give one of PASS, FAIL, SKIP",
        ),
        ({"phases": [phase_of(MeasurementReport("", 1))]}, r"phases\[0\].measurements\[0\].name is ''"),
        (
            {"phases": [phase_of(MeasurementReport("m", 1, low=wrong("3")))]},
            r"measurements\[0\].low is '3'; give a number",
        ),
        ({"phases": [phase_of(MeasurementReport("m", 1, high=math.nan))]}, r"measurements\[0\].high is nan"),
        (
            {"phases": [phase_of(MeasurementReport("m", wrong(object())))]},
            r"value is a object; give a number",
        ),
        (
            {"phases": [phase_of(MeasurementReport("m", 1, validators=[ValidatorReport(wrong("OK"))]))]},
            "outcome is 'OK'",
        ),
    ],
)
def test_what_is_wrong_is_named(given: dict[str, Any], told: str):
    with pytest.raises(InvalidReport, match=told):
        body_of(**given)


NUMBERS = st.integers() | st.floats()
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(value=JSON)
def test_every_value_is_json_and_stays_what_it_is_where_json_can_say_it(value: Any):
    written = json_value("value", value)
    told = json.loads(json.dumps(written, allow_nan=False))
    assert told == written
    if "nan" not in repr(value) and "inf" not in repr(value):
        assert told == value


def test_values_of_numpy_are_taken_by_what_they_hold():
    class Float32:
        """As numpy's scalars and arrays do."""

        def tolist(self) -> float:
            return 3.5

    assert json_value("value", [Float32(), (1, 2)]) == [3.5, [1, 2]]
