"""From a v1 body to a report: values of every kind, units, times, logs and the deprecated steps."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from runcard.api.v1.bodies import CreateRunBody, UsualRunBody
from runcard.api.v1.reports import report_of
from runcard.domain.errors import InvalidInput, RuncardError
from runcard.domain.runs.measurement import Measurement, Series
from runcard.domain.runs.phase import Log
from runcard.domain.runs.report import RunReport
from runcard.edge.requests.bodies import BodyDecoder
from runcard.ingest.record_run import prepare_run

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
decoder = BodyDecoder(CreateRunBody, UsualRunBody)


def report(**fields: Any) -> RunReport:
    body = {"run_passed": True, "procedure_id": "FVT1", "unit_under_test": {"serial_number": "SN1"}, **fields}
    return report_of(decoder.decode(json.dumps(body).encode()).body, NOW)


def issue_of(**fields: Any) -> tuple[str, str]:
    with pytest.raises(InvalidInput) as refused:
        report(**fields)
    (issue,) = refused.value.issues
    return issue.location, issue.message


def measured(**fields: Any) -> Measurement:
    phase = {"name": "p", "outcome": "PASS", "measurements": [{"name": "m", "outcome": "PASS", **fields}]}
    return report(phases=[phase]).phases[0].measurements[0]


@pytest.mark.parametrize(
    ("value", "kind", "stored"),
    [
        (3, "numeric", 3),
        (3.5, "numeric", 3.5),
        (True, "boolean", True),
        ("3.5", "string", "3.5"),
        ("", "string", ""),
        (None, "empty", None),
        ({"a": [1]}, "json", {"a": [1]}),
        ([1, 2, 3], "json", [1, 2, 3]),
        ([], "json", []),
        ([[]], "json", [[]]),
        ([["cpu", 0, 45.0]], "json", [["cpu", 0, 45.0]]),
        ([[1, 2], [3]], "json", [[1, 2], [3]]),
        ([[1, True]], "json", [[1, True]]),
        (float("nan"), "numeric", float("nan")),
        (2**63 - 1, "numeric", 2**63 - 1),
    ],
)
def test_values_keep_their_kind(value: Any, kind: str, stored: Any) -> None:
    measurement = measured(measured_value=value)
    assert (measurement.kind, repr(measurement.value), type(measurement.value)) == (
        kind,
        repr(stored),
        type(stored),
    )


def test_an_integer_beyond_64_bits_keeps_its_digits() -> None:
    measurement = measured(measured_value=10**30 + 7)
    assert (measurement.value, measurement.exact) == (1e30, str(10**30 + 7))


@pytest.mark.parametrize(
    ("units", "per_column"),
    [
        (["s", "V"], ["s", "V"]),
        (["s"], ["s", None]),
        (["s", "V", "A"], ["s", "V"]),
        ("V", [None, "V"]),
        (None, [None] * 2),
    ],
)
def test_a_table_of_numbers_is_a_series_a_column(units: Any, per_column: list[str | None]) -> None:
    measurement = measured(measured_value=[[1, 10], [2, 20.5]], units=units)
    assert measurement.series == (Series([1, 2], per_column[0]), Series([10, 20.5], per_column[1]))
    assert (measurement.kind, measurement.value, measurement.uom) == ("multidimensional", None, None)


@pytest.mark.parametrize(
    ("units", "uom"), [("V", "V"), ("", None), (None, None), (["V"], "V"), (["V", "A"], "V, A"), ([], None)]
)
def test_units_of_scalars(units: Any, uom: str | None) -> None:
    assert measured(measured_value=1, units=units).uom == uom


def test_limits_and_validators_are_kept_and_judge_nothing() -> None:
    measurement = measured(
        measured_value=9, outcome="PASS", lower_limit=1, upper_limit=5, validators=["1 <= x <= 5"]
    )
    assert (measurement.outcome, measurement.limits) == ("PASS", (1, 5))
    assert [(v.operator, v.expected, v.outcome) for v in measurement.validators] == [
        (">=", 1, "PASS"),
        ("<=", 5, "FAIL"),
    ]


def test_limits_of_any_size_are_floats() -> None:
    measurement = measured(measured_value=1, lower_limit=-(10**30), upper_limit=10**30)
    assert (measurement.lower_limit, measurement.upper_limit) == (-1e30, 1e30)
    step = {"name": "s", "measurement_value": 10**30, "limit_low": -(10**30), "limit_high": 3}
    prepare_run(report(steps=[step]))
    assert report(steps=[step]).phases[0].measurements[0].limits == (-1e30, 3)


def test_a_step_nested_too_deeply_is_named() -> None:
    deep: Any = 1
    for _ in range(200):
        deep = [deep]
    location, message = issue_of(steps=[{"name": "s"}, {"name": "s", "measurement_value": deep}])
    assert location == "steps.1.measurement_value"
    assert "nested" in message


class TestTimes:
    def test_phases_in_milliseconds(self) -> None:
        times = {"start_time_millis": 1.7e12 + 0.4, "end_time_millis": 1.7e12 + 500}
        phase = report(phases=[{"name": "p", "outcome": "PASS", **times}]).phases[0]
        assert phase.ended_at - phase.started_at == timedelta(milliseconds=500)

    def test_what_a_phase_does_not_say(self) -> None:
        phase = report(phases=[{"name": "p", "outcome": "SKIP"}], started_at="2026-01-01T00:00:00Z").phases[0]
        assert phase.started_at == phase.ended_at == datetime(2026, 1, 1, tzinfo=UTC)

    def test_an_end_before_the_start_is_clamped(self) -> None:
        phase = report(
            phases=[{"name": "p", "outcome": "PASS", "start_time_millis": 2000, "end_time_millis": 1000}]
        ).phases[0]
        assert phase.ended_at == phase.started_at

    @pytest.mark.parametrize(
        "text", ["2026-01-31T13:00:00+01:00", "2026-01-31T12:00:00", "2026-01-31T12:00:00.000000000Z"]
    )
    def test_starts_of_any_spelling(self, text: str) -> None:
        assert report(started_at=text).started_at == NOW

    def test_an_end_gives_the_duration_only_without_one(self) -> None:
        times = {"started_at": "2026-01-31T12:00:00Z", "ended_at": "2026-01-31T12:10:00Z"}
        assert report(**times).duration == timedelta(minutes=10)
        assert report(**times, duration="PT1M").duration == timedelta(minutes=1)

    @pytest.mark.parametrize("duration", ["1 minute", "P1Y", "", "PT-5S"])
    def test_what_is_no_duration(self, duration: str) -> None:
        location, message = issue_of(duration=duration)
        assert location == "duration"
        assert "duration" in message

    def test_what_is_no_time(self) -> None:
        assert issue_of(started_at="yesterday")[0] == "started_at"
        assert issue_of(started_at="0001-01-01T00:00:00+05:00")[0] == "started_at"
        assert (
            "phases.0" in issue_of(phases=[{"name": "p", "outcome": "PASS", "start_time_millis": 1e300}])[0]
        )


LINE = {
    "level": "INFO",
    "timestamp": "2026-01-31T12:00:00Z",
    "message": "hello",
    "source_file": "main.py",
    "line_number": 7,
}


class TestLogs:
    def log(self, **fields: Any) -> Log:
        return report(logs=[{**LINE, **fields}]).logs[0]

    def test_a_usual_line_is_taken_as_it_is(self) -> None:
        assert asdict(self.log()) == asdict(Log("INFO", NOW, "hello", "main.py", 7))

    @pytest.mark.parametrize(
        ("sent", "level"),
        [
            (" CRITICAL", "CRITICAL"),
            ("warn", "WARNING"),
            ("FATAL", "CRITICAL"),
            ("success", "INFO"),
            (40, "ERROR"),
            (25, "INFO"),
        ],
    )
    def test_levels_of_some_clients(self, sent: Any, level: str) -> None:
        assert self.log(level=sent).level == level

    def test_other_oddities(self) -> None:
        assert self.log(timestamp=1_769_860_800_000).timestamp == NOW
        assert self.log(timestamp="2026-01-31T12:00:00").timestamp == NOW
        assert self.log(message="").message == "(empty)"
        assert len(self.log(message="x" * 20_000).message) == 10_000
        assert self.log(source_file="").source_file == "unknown"
        assert self.log(source_file="a" * 300 + "/main.py").source_file.endswith("/main.py")
        assert len(self.log(source_file="a" * 300).source_file) == 200
        assert self.log(line_number=3.0).line_number == 3
        bare = {"level": "INFO", "timestamp": "2026-01-31T12:00:00Z", "message": "m"}
        assert report(logs=[bare]).logs[0] == Log("INFO", NOW, "m", "unknown", 0)

    @pytest.mark.parametrize(
        ("field", "value"),
        [("level", "LOUD"), ("level", 7), ("line_number", 1.5), ("line_number", 2**60), ("timestamp", 1e30)],
    )
    def test_what_no_line_may_hold(self, field: str, value: Any) -> None:
        assert issue_of(logs=[LINE, {**LINE, field: value}])[0] == f"logs.1.{field}"


class TestSteps:
    def test_a_number_becomes_a_measurement(self) -> None:
        step = {
            "name": "vcc",
            "step_passed": True,
            "started_at": "2026-01-31T12:00:00Z",
            "duration": "PT2S",
            "measurement_value": 3.3,
            "measurement_unit": "V",
            "limit_low": 3,
            "limit_high": 3.6,
        }
        made = report(phases=[{"name": "first", "outcome": "PASS"}], steps=[step])
        assert [phase.name for phase in made.phases] == ["first", "vcc"]
        assert made.phases[1].ended_at - made.phases[1].started_at == timedelta(seconds=2)
        assert made.phases[1].measurements == (Measurement("vcc", "PASS", 3.3, "V", 3, 3.6),)
        assert made.steps is not None

    @pytest.mark.parametrize("value", ["3.3", None, True, {"a": 1}])
    def test_anything_else_does_not(self, value: Any) -> None:
        made = report(steps=[{"name": "s", "step_passed": False, "measurement_value": value}])
        assert (made.phases[0].outcome, made.phases[0].measurements) == ("FAIL", ())

    def test_null_means_not_passed_at_the_start_of_the_run(self) -> None:
        step = {"name": "s", "step_passed": None, "started_at": None, "duration": None}
        phase = report(steps=[step], started_at="2026-01-01T00:00:00Z").phases[0]
        assert (phase.outcome, phase.started_at) == ("FAIL", datetime(2026, 1, 1, tzinfo=UTC))


def test_repeated_names_are_attempts() -> None:
    phases = [{"name": name, "outcome": "PASS"} for name in ("a", "b", "a", "a")]
    made = report(phases=phases, steps=[{"name": "b", "step_passed": True}])
    assert [(phase.name, phase.retry_count) for phase in made.phases] == [
        ("a", 0),
        ("b", 0),
        ("a", 1),
        ("a", 2),
        ("b", 1),
    ]


def test_flat_members_stand_in_for_nested_ones() -> None:
    flat = {"serial_number": "flat", "part_number": "P", "revision": "B", "batch_number": "L"}
    made = report(unit_under_test={"serial_number": "nested"}, **flat)
    assert (made.serial_number, made.part_number, made.revision_number, made.batch_number) == (
        "nested",
        "P",
        "B",
        "L",
    )
    assert report(unit_under_test=None, serial_number=" flat ").serial_number == "flat"


def test_empty_texts_and_nulls_mean_absent() -> None:
    made = report(
        unit_under_test={"serial_number": "S", "part_number": " ", "revision": "", "batch_number": None},
        procedure_version=" ",
        operated_by=None,
        phases=None,
        logs=None,
        steps=None,
        sub_units=None,
    )
    assert (made.part_number, made.revision_number, made.batch_number, made.procedure_version) == (None,) * 4
    assert (made.phases, made.logs, made.sub_units) == ((), (), ())


def test_without_a_serial_number() -> None:
    for unit in (None, {}, {"serial_number": " "}):
        assert issue_of(unit_under_test=unit) == ("unit_under_test.serial_number", "required")


def test_the_outcome() -> None:
    assert report(run_passed=False, phases=[{"name": "p", "outcome": "PASS"}]).outcome == "FAIL"
    assert report(run_passed=True, phases=[{"name": "p", "outcome": "FAIL"}]).outcome == "PASS"
    assert report(run_passed=True, outcome="TIMEOUT").outcome == "TIMEOUT"
    for wrong in ({"run_passed": 1}, {"run_passed": "true"}, {"outcome": "RUNNING"}, {"procedure_id": None}):
        assert issue_of(**wrong)[0] == next(iter(wrong))


def test_sub_units_as_objects_or_texts() -> None:
    assert report(sub_units=[{"serial_number": " a ", "part_number": "P"}, "b"]).sub_units == ("a", "b")


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
fields = st.sampled_from(
    [
        "run_passed",
        "procedure_id",
        "unit_under_test",
        "started_at",
        "duration",
        "sub_units",
        "phases",
        "steps",
        "logs",
    ]
)


@given(
    st.dictionaries(fields, json_values, max_size=4),
    st.dictionaries(st.text(max_size=12), json_values, max_size=4),
)
def test_any_json_makes_a_report_or_is_refused(wrong: dict[str, Any], measurement: dict[str, Any]) -> None:
    phase = {
        "name": "p",
        "outcome": "PASS",
        "measurements": [{"name": "m", "outcome": "PASS", **measurement}],
    }
    body = {"run_passed": True, "procedure_id": "F", "serial_number": "S", "phases": [phase], **wrong}
    try:
        prepared = prepare_run(report_of(decoder.decode(json.dumps(body).encode()).body, NOW))
    except RuncardError:
        return
    assert prepared.report.procedure


@given(json_values)
def test_any_measured_value_is_kept_or_refused(value: Any) -> None:
    try:
        measurement = measured(measured_value=value)
    except RuncardError:
        return
    assert measurement.kind in ("numeric", "boolean", "string", "multidimensional", "empty", "json")
