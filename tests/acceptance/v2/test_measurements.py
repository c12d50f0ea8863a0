"""Measurements, as the official client lists and reads them."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import ErrorBADREQUEST, ErrorNOTFOUND, ErrorUNAUTHORIZED

from runcard.domain.actor import SystemActor
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.phase import Phase
from runcard.domain.runs.report import RunReport
from runcard.ingest.record_run import prepare_run, record_run
from tests.acceptance.v2.conftest import Sdk
from tests.acceptance.v2.inside import DAY, SECOND, Line, make_line
from tests.acceptance.v2.reporting import STARTED_AT, measurement, phase, report
from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.world import World

Fresh = Callable[[str], str]
Found = Callable[..., list[str]]


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def line(server: Server, user: TofuPilot, station: TofuPilot) -> Line:
    return make_line(server, user, station)


@pytest.fixture
def found(user: TofuPilot, line: Line) -> Found:
    """The line's measurements that a query finds, in its order, each as unit, attempt and name: `A1 voltage`."""

    def find(**asked: Any) -> list[str]:
        page = user.measurements.list(procedure_id=line.procedure_id, **asked)
        assert not page.meta.has_more
        return [spoken(one) for one in page.data]

    return find


def spoken(one: Any) -> str:
    return f"{one.serial_number[-1]}{one.retry_count} {one.measurement_name}"


RADIO = ["A0 registers", "A0 skipped", "A0 sweep", "A0 firmware", "A0 locked"]
OF_A = [*RADIO, "A1 voltage"]
LAST = ["B0 voltage", *OF_A]
ALL = [*LAST, "A0 voltage"]


def test_each_filter_on_runs(found: Found, line: Line, world: World) -> None:
    acme, prefix = world.acme, line.prefix
    assert found() == LAST
    assert found(exclude_retries=False) == ALL
    assert found(outcomes=["FAIL", "ERROR"]) == OF_A
    assert found(ids=[line.b]) == LAST[:1]
    assert found(duration_min="PT5M") == OF_A
    assert found(duration_max="PT30S") == LAST[:1]
    assert found(deployment_ids=[str(uuid4())]) == []
    assert found(procedure_versions=[f"{prefix}-V1"]) == OF_A
    assert found(environments=["preview"]) == []
    assert found(serial_numbers=[f"{prefix}-b", f"{prefix}-c"]) == LAST[:1]
    assert found(part_numbers=[f"{prefix}-pa"]) == OF_A
    assert found(revision_numbers=["r1"]) == LAST[:1]
    assert found(batch_numbers=[f"{prefix}-b1"]) == OF_A
    assert found(operated_by_ids=[str(acme.admin.actor.user_id)]) == OF_A
    assert found(operated_by_names=["Jo"]) == LAST[:1]
    assert found(created_by_station_ids=[str(acme.ict.actor.station_id)]) == LAST[:1]
    assert found(created_by_user_ids=[str(acme.engineer.actor.user_id)]) == OF_A


def test_each_filter_on_phases_and_measurements(found: Found, user: TofuPilot, line: Line) -> None:
    assert found(phase_name="power") == ["B0 voltage", "A1 voltage"]
    assert found(phase_names=["radio", "nothing"]) == RADIO
    assert found(phase_names=["radio", "power"], phase_name="radio") == RADIO
    assert found(phase_names=["power"], phase_name="radio") == []
    assert found(measurement_name="sweep") == ["A0 sweep"]
    assert found(measurement_name="Sweep") == []
    assert found(started_after=STARTED_AT + 10 * SECOND) == ["B0 voltage", *RADIO]
    assert found(started_before=STARTED_AT + 2 * SECOND) == ["A1 voltage"]
    assert found(measurement_outcomes=["FAIL"]) == ["A0 sweep"]
    assert found(measurement_outcomes=["FAIL"], exclude_retries=False) == ["A0 sweep", "A0 voltage"]
    assert found(measurement_outcomes=["UNSET"], outcomes=["PASS"]) == []
    sweep = user.measurements.list(procedure_id=line.procedure_id, measurement_name="sweep").data[0].id
    assert found(ids=[sweep]) == ["A0 sweep"]
    assert found(ids=[sweep, line.b]) == ["B0 voltage", "A0 sweep"]


def test_each_filter_on_values(found: Found) -> None:
    assert found(value_min=3.25) == ["B0 voltage", "A1 voltage"]
    assert found(value_max=3.25, exclude_retries=False) == ["A1 voltage", "A0 voltage"]
    assert found(value_min=3, value_max=4) == ["A1 voltage"]
    assert found(value_min=-100, value_max=0) == []
    assert found(value_bool=True) == ["A0 locked"]
    assert found(value_bool=False) == []
    assert found(value_strings=["v6", "v7"]) == ["A0 firmware"]
    assert found(value_strings=["V7"]) == []
    assert found(value_strings=["v7"], value_bool=True) == []
    for kind, name in {
        "boolean": "locked",
        "string": "firmware",
        "multidimensional": "sweep",
        "empty": "skipped",
        "json": "registers",
    }.items():
        assert found(measurement_types=[kind]) == [f"A0 {name}"]
    assert found(measurement_types=["numeric", "empty"]) == ["B0 voltage", "A0 skipped", "A1 voltage"]


def test_each_order_and_its_pages(user: TofuPilot, line: Line) -> None:
    def names(**asked: Any) -> list[str]:
        shown: list[str] = []
        cursor: int | None = None
        while True:
            page = user.measurements.list(
                procedure_id=line.procedure_id, exclude_retries=False, limit=2, cursor=cursor, **asked
            )
            shown += [spoken(one) for one in page.data]
            if not page.meta.has_more:
                assert page.meta.next_cursor is None
                return shown
            cursor = page.meta.next_cursor

    assert names() == ALL
    assert names(sort_order="asc") == ALL[::-1]
    assert names(sort_by="value") == ["B0 voltage", "A1 voltage", "A0 voltage", *RADIO]
    assert names(sort_by="value", sort_order="asc") == [
        "A0 voltage",
        "A1 voltage",
        "B0 voltage",
        *RADIO[::-1],
    ]
    by_outcome = [
        "A0 voltage",
        "A0 sweep",
        "A1 voltage",
        "A0 locked",
        "A0 firmware",
        "A0 registers",
        "B0 voltage",
        "A0 skipped",
    ]
    assert names(sort_by="outcome", sort_order="asc") == by_outcome
    assert names(sort_by="outcome") == by_outcome[::-1]
    by_serial = ["A0 voltage", *OF_A[::-1], "B0 voltage"]
    assert names(sort_by="serial_number", sort_order="asc") == by_serial
    assert names(sort_by="serial_number") == by_serial[::-1]
    by_phase = ["A0 voltage", "A1 voltage", "B0 voltage", *RADIO[::-1]]
    assert names(sort_by="phase_name", sort_order="asc") == by_phase
    assert names(sort_by="phase_name") == by_phase[::-1]
    by_name = ["firmware", "locked", "registers", "skipped", "sweep", "voltage", "voltage", "voltage"]
    assert [name[3:] for name in names(sort_by="measurement_name", sort_order="asc")] == by_name
    assert [name[3:] for name in names(sort_by="measurement_name")] == by_name[::-1]


def test_what_is_shown(station: TofuPilot, line: Line) -> None:
    page = station.measurements.list(procedure_id=line.procedure_id)
    shown = {spoken(one): one.model_dump() for one in page.data}
    voltage = shown["A1 voltage"]
    checks = voltage.pop("validators")
    assert voltage == {
        "id": voltage["id"],
        "phase_name": "power",
        "measurement_name": "voltage",
        "started_at": STARTED_AT + 2 * SECOND,
        "value": 3.25,
        "bool_value": None,
        "string_value": None,
        "units": "V",
        "measurement_outcome": "PASS",
        "run_id": line.a,
        "serial_number": f"{line.prefix}-A",
        "sample": "golden",
        "measurement_type": "numeric",
        "retry_count": 1,
        "is_final_attempt": True,
    }
    assert [(one["operator"], one["expected_value"], one["outcome"]) for one in checks] == [
        (">=", 3, "PASS"),
        ("<=", 3.5, "PASS"),
    ]
    values = {
        name[3:]: (one["measurement_type"], one["value"], one["bool_value"], one["string_value"])
        for name, one in shown.items()
        if name != "B0 voltage"
    }
    assert values == {
        "voltage": ("numeric", 3.25, None, None),
        "locked": ("boolean", None, True, None),
        "firmware": ("string", None, None, "v7"),
        "sweep": ("multidimensional", None, None, None),
        "skipped": ("empty", None, None, None),
        "registers": ("json", None, None, None),
    }
    repeated = station.measurements.list(procedure_id=line.procedure_id, exclude_retries=False).data[-1]
    assert (repeated.value, repeated.is_final_attempt) == (2.9, False)


def test_numbers_that_json_cannot_say_are_null_and_last(
    server: Server, user: TofuPilot, wire: httpx.Client, world: World, fresh: Fresh
) -> None:
    procedure_id = user.procedures.create(name=fresh("P")).id
    values = [float("nan"), 1.5, float("inf"), float("-inf"), -2, 2**62]
    measured = tuple(Measurement(f"m{number}", "UNSET", value) for number, value in enumerate(values))
    phases = (Phase("p", "PASS", STARTED_AT, STARTED_AT, measured),)
    run = prepare_run(
        RunReport(
            procedure=procedure_id, serial_number=fresh("SN"), part_number="P", outcome="PASS", phases=phases
        )
    )
    actor = world.acme.admin.actor
    server.change(lambda tx: record_run(tx.of(SystemActor(world.acme.id, "test")), actor, run))

    def found(**asked: Any) -> list[tuple[str, Any]]:
        answer = wire.get("/measurements", params={"procedure_id": procedure_id, "sort_by": "value"} | asked)
        return [(one["measurement_name"], one["value"]) for one in answer.json()["data"]]

    numbers = [("m4", -2), ("m1", 1.5), ("m5", 2**62)]
    nulls = [("m0", None), ("m2", None), ("m3", None)]
    assert found(sort_order="asc") == [*numbers, *nulls]
    assert found(sort_order="desc") == [*numbers[::-1], *nulls[::-1]]
    assert found(sort_order="asc", value_min="-1e308") == numbers
    assert found(value_max="nan") == []
    nan = user.measurements.list(procedure_id=procedure_id, sort_order="asc").data[0]
    assert (nan.measurement_type, nan.value) == ("numeric", None)
    assert user.measurements.get(id=nan.id).measured_value == "nan"


def test_pages_stay_true_while_runs_are_added(user: TofuPilot, fresh: Fresh) -> None:
    procedure_id = user.procedures.create(name=fresh("P")).id
    report(user, procedure_id, fresh("SN"), phases=[phase("p", *(measurement(f"m{n}", n) for n in range(3)))])
    first = user.measurements.list(procedure_id=procedure_id, limit=2, sort_by="value")
    late = phase("p", measurement("late", 99), started_at=STARTED_AT + DAY)
    report(user, procedure_id, fresh("SN"), phases=[late])
    second = user.measurements.list(
        procedure_id=procedure_id, limit=2, sort_by="value", cursor=first.meta.next_cursor
    )
    assert [one.measurement_name for one in (*first.data, *second.data)] == ["m2", "m1", "m0"]


def test_a_measurement_by_its_id(user: TofuPilot, station: TofuPilot, line: Line) -> None:
    listed = {spoken(one): one.id for one in user.measurements.list(procedure_id=line.procedure_id).data}
    of_run = {
        one["id"]: one
        for phase_ in user.runs.get(id=line.a).model_dump()["phases"]
        for one in phase_["measurements"]
    }
    radio = user.phases.list(procedure_id=line.procedure_id, names=["radio"]).data[0]
    shown = station.measurements.get(id=listed["A0 sweep"]).model_dump()
    assert user.measurements.get(id=listed["A0 sweep"]).model_dump() == shown
    assert shown["phase"] == {"id": radio.id, "name": "radio"}
    assert shown["run"] == {"id": line.a, "outcome": "FAIL", "serial_number": f"{line.prefix}-A"}
    assert shown["procedure"] == {"id": line.procedure_id, "name": f"Procedure {line.prefix}"}
    assert shown["docstring"] == "Gain over frequency"
    frequency, gain = shown["data_series"]
    assert (frequency["data"], frequency["units"], frequency["name"]) == ([1, 2, 3], "MHz", "frequency")
    assert (gain["data"], gain["validators"][0]["outcome"]) == ([0.5, -2.5, 1], "FAIL")
    assert [(one["type"], one["value"]) for one in gain["aggregations"]] == [("min", -2.5)]
    assert [(one["type"], one["value"]) for one in shown["aggregations"]] == [("count", 3)]
    for name in OF_A:
        one = user.measurements.get(id=listed[name]).model_dump()
        assert {key: one.get(key) for key in of_run[one["id"]]} == of_run[one["id"]]


def test_a_value_keeps_its_kind(user: TofuPilot, wire: httpx.Client, line: Line) -> None:
    listed = {spoken(one): one.id for one in user.measurements.list(procedure_id=line.procedure_id).data}
    shown = {name: wire.get(f"/measurements/{one}").json() for name, one in listed.items()}
    assert shown["A0 locked"]["measured_value"] is True
    assert shown["A0 firmware"]["measured_value"] == "v7"
    assert shown["A0 registers"]["measured_value"] == {"a": [1, 2]}
    assert shown["A1 voltage"]["measured_value"] == 3.25
    assert "measured_value" not in shown["A0 skipped"]
    assert "measured_value" not in shown["A0 sweep"]


def test_a_measurement_that_is_not_there(user: TofuPilot, station: TofuPilot, line: Line) -> None:
    of_a_phase = user.phases.list(procedure_id=line.procedure_id).data[0].id
    for client in (user, station):
        for unknown in (str(uuid4()), "nothing", line.a, of_a_phase):
            with pytest.raises(ErrorNOTFOUND, match="Measurement not found"):
                client.measurements.get(id=unknown)


def test_another_organization_sees_none(other: TofuPilot, user: TofuPilot, line: Line) -> None:
    shown = user.measurements.list(procedure_id=line.procedure_id).data[0]
    assert other.measurements.list(procedure_id=line.procedure_id).data == []
    assert other.measurements.list(procedure_id=line.procedure_id, ids=[shown.id, line.a]).data == []
    with pytest.raises(ErrorNOTFOUND):
        other.measurements.get(id=shown.id)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, "procedure_id"),
        ({"procedure_id": "FVT1"}, "procedure_id"),
        ({"ids": ["x"]}, "ids"),
        ({"outcomes": "UNSET"}, "outcomes"),
        ({"measurement_outcomes": "ERROR"}, "measurement_outcomes"),
        ({"measurement_types": "number"}, "measurement_types"),
        ({"value_min": "low"}, "value_min"),
        ({"value_max": "1,5"}, "value_max"),
        ({"value_min": "9" * 400}, "value_min"),
        ({"value_max": "1e999"}, "value_max"),
        ({"value_bool": "perhaps"}, "value_bool"),
        ({"duration_min": "5 s"}, "duration_min"),
        ({"started_before": "9999-12-31T23:59:59-14:00"}, "started_before"),
        ({"sort_by": "duration"}, "sort_by"),
        ({"limit": "1001"}, "limit"),
        ({"cursor": str(2**24 - 1)}, "cursor"),
        ({"batch_numbers": "nul\0"}, "batch_numbers"),
    ],
)
def test_bad_queries_are_told(wire: httpx.Client, line: Line, asked: dict[str, Any], told: str) -> None:
    usual = {"procedure_id": line.procedure_id} if asked else {}
    answer = wire.get("/measurements", params=usual | asked)
    assert answer.status_code == 400, answer.text
    said = answer.json()
    assert (said["code"], "validation" in said["message"]) == ("BAD_REQUEST", True)
    assert told in said["issues"][0]["message"]


@pytest.mark.parametrize(
    "asked",
    [
        {"duration_min": "-P999999999D", "duration_max": "P999999999D"},
        {"value_min": "-inf", "value_max": "nan"},
        {"value_strings": ["", "🔧"], "phase_name": "%", "measurement_name": "'"},
        {"started_after": "0001-01-01T00:00:00", "started_before": "9999-12-31T23:59:59.999999Z"},
    ],
)
def test_odd_queries_are_answered(wire: httpx.Client, line: Line, asked: dict[str, Any]) -> None:
    answer = wire.get("/measurements", params={"procedure_id": line.procedure_id} | asked)
    assert answer.status_code == 200, answer.text


def test_error_classes(sdk: Sdk, user: TofuPilot) -> None:
    with pytest.raises(ErrorBADREQUEST, match="procedure_id"):
        user.measurements.list(procedure_id="FVT1")
    nobody = sdk("rc_nobody")
    with pytest.raises(ErrorUNAUTHORIZED):
        nobody.measurements.list(procedure_id="FVT1")
    with pytest.raises(ErrorUNAUTHORIZED):
        nobody.measurements.get(id="nothing")
