"""What stands inside a run and how it is shown again (sections 3.2, 3.3, 3.5 and 5 of the v1 contract)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.acceptance.wire import (
    Json,
    assert_error,
    create_run,
    measurement_of,
    phase_of,
    recorded,
    run_of,
    runs_of,
)
from tests.conftest import DatabaseKind

SHOWN_KEYS = {
    "id",
    "created_at",
    "started_at",
    "ended_at",
    "duration",
    "outcome",
    "created_by_user",
    "created_by_station",
    "operated_by",
    "procedure",
    "procedure_version",
    "unit",
    "phases",
    "attachments",
    "file_import",
    "logs",
    "sub_units",
}


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


def test_shape_of_a_run(admin, serial):
    bare = recorded(admin, run_of(serial))
    assert set(bare) == SHOWN_KEYS
    for name in ("phases", "attachments", "logs", "sub_units"):
        assert bare[name] == []
    assert bare["file_import"] is None
    told = recorded(admin, run_of(serial, docstring="Whole story", phases=[phase_of(docstring="Power up")]))
    assert set(told) == SHOWN_KEYS | {"docstring"}
    assert told["docstring"] == "Whole story"
    assert told["phases"][0]["docstring"] == "Power up"
    assert "docstring" not in recorded(admin, run_of(serial, phases=[phase_of()]))["phases"][0]


@pytest.mark.parametrize("passed", [True, False])
def test_outcome_is_what_the_station_says(admin, serial, passed):
    for outcome in ("PASS", "FAIL", "ERROR", "SKIP"):
        phases = [phase_of(measurement_of(1, outcome="FAIL"), outcome=outcome)]
        run = recorded(admin, run_of(serial, run_passed=passed, phases=phases))
        assert run["outcome"] == ("PASS" if passed else "FAIL")
        assert run["phases"][0]["outcome"] == outcome


@pytest.mark.parametrize("outcome", ["PASS", "FAIL", "ERROR", "TIMEOUT", "ABORTED"])
def test_outcome_wins_over_run_passed(admin, serial, outcome):
    assert recorded(admin, run_of(serial, run_passed=True, outcome=outcome))["outcome"] == outcome
    assert recorded(admin, run_of(serial, run_passed=False, outcome=None))["outcome"] == "FAIL"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("2024-03-01T12:00:00Z", "2024-03-01T12:00:00.000Z"),
        ("2024-03-01T12:00:00.5Z", "2024-03-01T12:00:00.500Z"),
        ("2024-03-01T12:00:00.123456Z", "2024-03-01T12:00:00.123456Z"),
        ("2024-03-01T12:00:00.123456789Z", "2024-03-01T12:00:00.123457Z"),
        ("2024-03-01T12:00:00", "2024-03-01T12:00:00.000Z"),
        ("2024-03-01T12:00:00.25", "2024-03-01T12:00:00.250Z"),
        ("2024-03-01T12:00:00+05:30", "2024-03-01T06:30:00.000Z"),
        ("2024-03-01T00:30:00-08:00", "2024-03-01T08:30:00.000Z"),
        ("2999-12-31T23:59:59Z", "2999-12-31T23:59:59.000Z"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
    ],
)
def test_started_at(admin, serial, sent, shown):
    assert recorded(admin, run_of(serial, started_at=sent))["started_at"] == shown


@pytest.mark.parametrize(
    ("sent", "shown", "ended_at"),
    [
        (None, "PT0S", "2024-03-01T12:00:00.000Z"),
        ("PT0S", "PT0S", "2024-03-01T12:00:00.000Z"),
        ("P", "PT0S", "2024-03-01T12:00:00.000Z"),
        ("PT", "PT0S", "2024-03-01T12:00:00.000Z"),
        ("PT27M15S", "PT27M15S", "2024-03-01T12:27:15.000Z"),
        ("PT0.500000S", "PT0.5S", "2024-03-01T12:00:00.500Z"),
        ("P1DT2H", "P1DT2H", "2024-03-02T14:00:00.000Z"),
        ("P2W", "P14D", "2024-03-15T12:00:00.000Z"),
        ("PT90S", "PT1M30S", "2024-03-01T12:01:30.000Z"),
    ],
)
def test_duration_and_end(admin, serial, sent, shown, ended_at):
    run = recorded(admin, run_of(serial, started_at="2024-03-01T12:00:00Z", duration=sent))
    assert (run["duration"], run["ended_at"]) == (shown, ended_at)


def test_end_is_used_only_without_a_duration(admin, serial):
    times = {"started_at": "2024-03-01T12:00:00Z", "ended_at": "2024-03-01T12:01:00Z"}
    assert recorded(admin, run_of(serial, **times))["duration"] == "PT1M"
    assert recorded(admin, run_of(serial, **times, duration="PT5S"))["duration"] == "PT5S"


def test_run_without_a_start_started_when_it_was_received(admin, serial):
    before = datetime.now(UTC)
    run = recorded(admin, run_of(serial, started_at=None, duration="PT3S"))
    created_at = datetime.fromisoformat(run["created_at"])
    assert before - timedelta(milliseconds=1) <= created_at <= datetime.now(UTC)
    assert run["started_at"] == run["created_at"]
    assert datetime.fromisoformat(run["ended_at"]) == created_at + timedelta(seconds=3)


def test_reception_time_is_not_the_stations_to_say(admin, serial):
    run = recorded(
        admin, run_of(serial, started_at="2001-01-01T00:00:00Z", created_at="2001-01-01T00:00:00Z")
    )
    assert run["created_at"] > "2024"


def test_phases_keep_order_times_and_retries(admin, serial):
    names = ["boot", "boot", "power", "boot", "power"]
    phases = [
        phase_of(name=name, start_time_millis=1_700_000_000_000 + n, end_time_millis=1_700_000_000_500.6 + n)
        for n, name in enumerate(names)
    ]
    run = recorded(admin, run_of(serial, phases=phases))
    assert [phase["name"] for phase in run["phases"]] == names
    assert run["phases"][1]["started_at"] == "2023-11-14T22:13:20.001Z"
    assert run["phases"][1]["ended_at"] == "2023-11-14T22:13:20.502Z"
    assert run["phases"][1]["duration"] == "PT0.501S"
    assert len({phase["id"] for phase in run["phases"]}) == 5


def test_phase_times_are_lenient(admin, serial):
    phases = [
        {"name": "untimed", "outcome": "PASS"},
        {"name": "null", "outcome": "SKIP", "start_time_millis": None, "end_time_millis": None},
        {"name": "backwards", "outcome": "PASS", "start_time_millis": 2000, "end_time_millis": 1000},
        {"name": "no end", "outcome": "ERROR", "start_time_millis": 1000},
    ]
    run = recorded(admin, run_of(serial, started_at="2024-03-01T12:00:00Z", phases=phases))
    shown = [(phase["started_at"], phase["ended_at"]) for phase in run["phases"]]
    at_start = ("2024-03-01T12:00:00.000Z", "2024-03-01T12:00:00.000Z")
    two, one = "1970-01-01T00:00:02.000Z", "1970-01-01T00:00:01.000Z"
    assert shown == [at_start, at_start, (two, two), (one, one)]


@pytest.mark.parametrize("measurements", [None, []])
def test_no_measurements_are_an_empty_list(admin, serial, measurements):
    run = recorded(admin, run_of(serial, phases=[phase_of(measurements=measurements)]))
    assert run["phases"][0]["measurements"] == []


def _measured(client, serial: str, **measurement: Any) -> Json:
    run = recorded(client, run_of(serial, phases=[phase_of({"name": "m", "outcome": "PASS"} | measurement)]))
    shown: Json = run["phases"][0]["measurements"][0]
    return shown


NOTHING = {
    "measured_value": None,
    "value": None,
    "string_value": None,
    "bool_value": None,
    "json_value": None,
    "data_series": None,
}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param(3.3, {"value": 3.3}, id="float"),
        pytest.param(0, {"value": 0}, id="zero"),
        pytest.param(-7, {"value": -7}, id="negative"),
        pytest.param(2**63 - 1, {"value": 2**63 - 1}, id="63 bits"),
        pytest.param(2**64 + 1, {"value": 2**64 + 1}, id="beyond 64 bits"),
        pytest.param(1e308, {"value": 1e308}, id="large"),
        pytest.param(5e-324, {"value": 5e-324}, id="denormal"),
        pytest.param(0.1 + 0.2, {"value": 0.1 + 0.2}, id="exact"),
        pytest.param(True, {"bool_value": True}, id="true"),
        pytest.param(False, {"bool_value": False}, id="false"),
        pytest.param("1.2.3", {"string_value": "1.2.3"}, id="text"),
        pytest.param("3.3", {"string_value": "3.3"}, id="numeric text"),
        pytest.param("nan", {"string_value": "nan"}, id="text nan"),
        pytest.param("", {"string_value": ""}, id="empty text"),
        pytest.param("\u0000\U0001f50c", {"string_value": "\u0000\U0001f50c"}, id="odd text"),
        pytest.param({"a": {"b": [1, None]}}, {"json_value": {"a": {"b": [1, None]}}}, id="object"),
        pytest.param({}, {"json_value": {}}, id="empty object"),
        pytest.param([1, 2, 3], {"json_value": [1, 2, 3]}, id="flat list"),
        pytest.param([], {"json_value": []}, id="empty list"),
        pytest.param([[]], {"json_value": [[]]}, id="empty row"),
        pytest.param([[1, 2], [3]], {"json_value": [[1, 2], [3]]}, id="ragged"),
        pytest.param([["cpu", 0, 45.0]], {"json_value": [["cpu", 0, 45.0]]}, id="text cell"),
        pytest.param([[1, True]], {"json_value": [[1, True]]}, id="boolean cell"),
        pytest.param([[1, None]], {"json_value": [[1, None]]}, id="null cell"),
        pytest.param(None, {}, id="null"),
    ],
)
def test_kinds_of_values(admin, serial, value, shown):
    measurement = _measured(admin, serial, measured_value=value)
    assert {name: measurement[name] for name in NOTHING} == NOTHING | {"measured_value": value} | shown
    for name in NOTHING:  # true is not 1
        assert type(measurement[name]) is type((NOTHING | {"measured_value": value} | shown)[name])


def test_absent_value_is_no_value(admin, serial):
    measurement = _measured(admin, serial)
    assert {name: measurement[name] for name in NOTHING} == NOTHING
    assert (measurement["units"], measurement["lower_limit"], measurement["upper_limit"]) == (
        None,
        None,
        None,
    )
    assert measurement["validators"] == []
    assert measurement["outcome"] == "PASS"


TABLE = [[0, 1.5, -1], [1, 2.5, -2]]


@pytest.mark.parametrize(
    ("units", "shown"),
    [
        (None, [None, None, None]),
        ("", [None, None, None]),
        ("dB", [None, None, "dB"]),
        (["s", "V", "A"], ["s", "V", "A"]),
        (["s"], ["s", None, None]),
        (["s", "", None], ["s", None, None]),
        (["s", "V", "A", "too many"], ["s", "V", "A"]),
        ([], [None, None, None]),
    ],
)
def test_units_of_a_table_stand_at_its_columns(admin, serial, units, shown):
    measurement = _measured(admin, serial, measured_value=TABLE, units=units)
    columns = [[0, 1], [1.5, 2.5], [-1, -2]]
    expected = [{"data": data, "units": unit} for data, unit in zip(columns, shown, strict=True)]
    assert measurement["data_series"] == expected
    assert measurement["measured_value"] is None


@pytest.mark.parametrize(
    ("units", "shown"),
    [("V", "V"), ("", None), (None, None), (["V"], "V"), (["V", "A"], "V, A"), ([], None), ([""], None)],
)
def test_units_of_a_single_value(admin, serial, units, shown):
    assert _measured(admin, serial, measured_value=3.3, units=units)["units"] == shown


def test_outcome_of_a_measurement_is_never_recomputed(admin, serial):
    for outcome in ("PASS", "FAIL", "UNSET"):
        measurement = _measured(admin, serial, measured_value=99, outcome=outcome, upper_limit=1)
        assert measurement["outcome"] == outcome


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"lower_limit": 3.1}, ["x >= 3.1"]),
        ({"upper_limit": 3}, ["x <= 3"]),
        ({"lower_limit": 5, "upper_limit": 3}, ["x >= 5", "x <= 3"]),
        ({"lower_limit": None, "upper_limit": None}, []),
        ({"validators": ["3.1 <= x <= 3.5"]}, ["3.1 <= x <= 3.5"]),
        ({"validators": ["anything at all"]}, ["anything at all"]),
        ({"validators": None}, []),
        ({"validators": []}, []),
    ],
)
def test_limits_are_shown_as_validators_too(admin, serial, sent, shown):
    measurement = _measured(admin, serial, measured_value=3.3, **sent)
    assert measurement["validators"] == shown
    assert measurement["lower_limit"] == sent.get("lower_limit")
    assert measurement["upper_limit"] == sent.get("upper_limit")


def test_limit_that_is_a_validator_as_well_is_shown_once(admin, serial):
    measurement = _measured(
        admin, serial, measured_value=3.3, lower_limit=3.1, upper_limit=3.5, validators=["3.1 <= x"]
    )
    assert measurement["validators"] == ["x <= 3.5", "3.1 <= x"]


def test_measurements_of_one_name_are_both_kept(admin, serial):
    run = recorded(admin, run_of(serial, phases=[phase_of(measurement_of(1), measurement_of(2))]))
    measurements = run["phases"][0]["measurements"]
    assert [(m["name"], m["value"]) for m in measurements] == [("vcc", 1), ("vcc", 2)]
    assert len({m["id"] for m in measurements}) == 2


def _step(**changes: Any) -> Json:
    times = {"started_at": "2024-03-01T12:00:00Z", "duration": "PT1.5S"}
    return {"name": "step", "step_passed": True, **times, **changes}


def test_steps_become_phases_behind_the_phases(admin, serial):
    steps = [
        _step(name="vcc", measurement_value=3.3, measurement_unit="V", limit_low=3, limit_high=3.5),
        _step(name="firmware", measurement_value="1.2.3", comparator="EQ"),
        _step(name="led", step_passed=False, measurement_value=True),
        _step(
            name="vcc",
            step_passed=None,
            measurement_value=0,
            measurement_unit="",
            started_at=None,
            duration=None,
        ),
        _step(name="numeric text", measurement_value="3.3", str_value="x"),
    ]
    body = run_of(serial, started_at="2024-01-01T00:00:00Z", phases=[phase_of(name="vcc")], steps=steps)
    run = recorded(admin, body)
    assert run["outcome"] == "PASS"
    shown = [(phase["name"], phase["outcome"], len(phase["measurements"])) for phase in run["phases"]]
    assert shown == [
        ("vcc", "PASS", 0),
        ("vcc", "PASS", 1),
        ("firmware", "PASS", 0),
        ("led", "FAIL", 0),
        ("vcc", "FAIL", 1),
        ("numeric text", "PASS", 0),
    ]
    vcc = run["phases"][1]
    assert (vcc["started_at"], vcc["ended_at"]) == ("2024-03-01T12:00:00.000Z", "2024-03-01T12:00:01.500Z")
    measurement = vcc["measurements"][0]
    assert measurement["name"] == "vcc"
    assert measurement["outcome"] == "PASS"
    assert (measurement["value"], measurement["units"]) == (3.3, "V")
    assert (measurement["lower_limit"], measurement["upper_limit"]) == (3, 3.5)
    assert measurement["validators"] == ["x >= 3", "x <= 3.5"]
    untimed = run["phases"][4]
    assert untimed["started_at"] == untimed["ended_at"] == "2024-01-01T00:00:00.000Z"
    assert (untimed["measurements"][0]["value"], untimed["measurements"][0]["units"]) == (0, None)


def _log(**changes: Any) -> Json:
    place = {"source_file": "test.py", "line_number": 7}
    return {"level": "INFO", "timestamp": "2024-03-01T12:00:00Z", "message": "hello", **place, **changes}


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("DEBUG", "DEBUG"),
        ("INFO", "INFO"),
        ("WARNING", "WARNING"),
        ("ERROR", "ERROR"),
        ("CRITICAL", "CRITICAL"),
        (" CRITICAL", "CRITICAL"),
        ("warn", "WARNING"),
        ("Fatal ", "CRITICAL"),
        ("success", "INFO"),
        (10, "DEBUG"),
        (25, "INFO"),
        (40.0, "ERROR"),
        (50, "CRITICAL"),
    ],
)
def test_log_levels(admin, serial, level, shown):
    run = recorded(admin, run_of(serial, logs=[_log(level=level)]))
    assert run["logs"][0]["level"] == shown


@pytest.mark.parametrize("level", ["", "TRACE", 0, 9, 51, -10, 60, True])
def test_no_log_level(admin, serial, level):
    answer = admin.post("/runs", json=run_of(serial, logs=[_log(), _log(level=level)]))
    assert_error(answer, 400, "BAD_REQUEST", at=["logs", 1, "level"])


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({}, {"message": "hello", "source_file": "test.py", "line_number": 7}),
        ({"message": ""}, {"message": "(empty)"}),
        ({"message": "x" * 10_001}, {"message": "x" * 10_000}),
        ({"message": "two\nlines\u0000"}, {"message": "two\nlines\u0000"}),
        ({"source_file": None}, {"source_file": "unknown"}),
        ({"source_file": ""}, {"source_file": "unknown"}),
        ({"source_file": "/a/" + "b" * 300 + "/c.py"}, {"source_file": "b" * 195 + "/c.py"}),
        ({"line_number": None}, {"line_number": 0}),
        ({"line_number": 12.0}, {"line_number": 12}),
        ({"timestamp": 1_709_294_400_000}, {"timestamp": "2024-03-01T12:00:00.000Z"}),
        ({"timestamp": 1_709_294_400_000.4}, {"timestamp": "2024-03-01T12:00:00.000Z"}),
        ({"timestamp": "2024-03-01T12:00:00.123456+01:00"}, {"timestamp": "2024-03-01T11:00:00.123456Z"}),
        ({"timestamp": "2024-03-01T12:00:00"}, {"timestamp": "2024-03-01T12:00:00.000Z"}),
    ],
)
def test_log_lines_are_mended(admin, serial, sent, shown):
    # The second line is as lines usually are: mending one must not depend on the others.
    run = recorded(admin, run_of(serial, logs=[_log(**sent), _log(message="usual")]))
    assert {name: run["logs"][0][name] for name in shown} == shown
    assert run["logs"][1]["message"] == "usual"


def test_logs_keep_their_order(admin, serial):
    messages = [f"line {n}" for n in range(100)]
    run = recorded(admin, run_of(serial, logs=[_log(message=message) for message in messages]))
    assert [log["message"] for log in run["logs"]] == messages
    assert len({log["id"] for log in run["logs"]}) == 100


def test_log_without_file_and_line(admin, serial):
    bare = {"level": "INFO", "timestamp": "2024-03-01T12:00:00Z", "message": "bare"}
    run = recorded(admin, run_of(serial, logs=[bare]))
    assert (run["logs"][0]["source_file"], run["logs"][0]["line_number"]) == ("unknown", 0)


def test_runs_of_a_unit_come_newest_first(admin, serial):
    ids = [create_run(admin, run_of(serial, started_at=f"20{30 - n}-01-01T00:00:00Z")) for n in range(5)]
    assert [run["id"] for run in runs_of(admin, serial)] == ids[::-1]


def test_null_is_absent_wherever_it_may_be(admin, serial):
    nulls = dict.fromkeys(
        [
            "procedure_name",
            "procedure_version",
            "started_at",
            "duration",
            "sub_units",
            "phases",
            "steps",
            "logs",
            "operated_by",
            "outcome",
            "ended_at",
            "docstring",
            "report_variables",
            "client",
            "client_version",
            "serial_number",
            "part_number",
        ]
    )
    run = recorded(admin, run_of(serial, unit={"revision": None, "batch_number": None}, **nulls))
    assert set(run) == SHOWN_KEYS
    assert run["outcome"] == "PASS"


def test_large_run_is_shown_whole(admin, serial):
    phases = [
        phase_of(*(measurement_of(n * 1000 + m, name=f"m{m}") for m in range(100)), name=f"phase {n}")
        for n in range(100)
    ]
    run = recorded(admin, run_of(serial, phases=phases))
    values = [m["value"] for phase in run["phases"] for m in phase["measurements"]]
    assert values == [n * 1000 + m for n in range(100) for m in range(100)]
