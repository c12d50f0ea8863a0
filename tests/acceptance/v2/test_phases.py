"""Phases, as the official client lists and reads them."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import ErrorBADREQUEST, ErrorNOTFOUND, ErrorUNAUTHORIZED

from tests.acceptance.v2.conftest import Sdk
from tests.acceptance.v2.inside import DAY, SECOND, Line, make_line
from tests.acceptance.v2.reporting import STARTED_AT, phase, report
from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.world import World

Fresh = Callable[[str], str]


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def line(server: Server, user: TofuPilot, station: TofuPilot) -> Line:
    return make_line(server, user, station)


@pytest.fixture
def found(user: TofuPilot, line: Line) -> Callable[..., list[str]]:
    """The line's phases that a query finds, in its order, each as unit, name and attempt: `A power 1`."""

    def find(**asked: Any) -> list[str]:
        page = user.phases.list(procedure_id=line.procedure_id, **asked)
        assert not page.meta.has_more
        return [f"{(one.serial_number or '')[-1:]} {one.name} {one.retry_count}" for one in page.data]

    return find


LAST = ["B power 0", "A radio 0", "A power 1"]
ALL = [*LAST, "A power 0"]


def test_each_filter(found: Callable[..., list[str]], line: Line, world: World) -> None:
    acme, prefix = world.acme, line.prefix
    assert found() == LAST
    assert found(exclude_retries=True) == LAST
    assert found(exclude_retries=False) == ALL
    assert found(names=["radio", "nothing"]) == ["A radio 0"]
    assert found(outcomes=["FAIL"]) == ["A radio 0"]
    assert found(outcomes=["FAIL", "SKIP"], exclude_retries=False) == ["A radio 0", "A power 0"]
    assert found(sequence_paths=["main"]) == ["A radio 0"]
    assert found(started_after=STARTED_AT + 10 * SECOND) == ["B power 0", "A radio 0"]
    assert found(started_before=STARTED_AT + 10 * SECOND) == ["A radio 0", "A power 1"]
    assert found(run_outcomes=["PASS"]) == ["B power 0"]
    assert found(duration_min="PT30S") == ["B power 0", "A radio 0"]
    assert found(duration_max="PT30S", exclude_retries=False) == ["B power 0", "A power 1", "A power 0"]
    assert found(procedure_versions=[f"{prefix}-V1"]) == LAST[1:]
    assert found(operated_by_ids=[str(acme.admin.actor.user_id)]) == LAST[1:]
    assert found(operated_by_names=["Jo"]) == LAST[:1]
    assert found(created_by_station_ids=[str(acme.ict.actor.station_id)]) == LAST[:1]
    assert found(created_by_user_ids=[str(acme.engineer.actor.user_id)]) == LAST[1:]
    assert found(serial_numbers=[f"{prefix}-b"]) == LAST[:1]
    assert found(part_numbers=[f"{prefix}-pa"]) == LAST[1:]
    assert found(revision_numbers=["r1"]) == LAST[:1]
    assert found(batch_numbers=[f"{prefix}-b1"]) == LAST[1:]
    assert found(samples=["golden"]) == LAST[1:]
    assert found(samples=["production"]) == LAST[:1]
    assert found(samples=["production", "golden"]) == LAST
    assert found(environments=["production"]) == []
    assert found(deployment_ids=[str(uuid4())]) == []
    assert found(names=["power"], serial_numbers=[f"{prefix}-A"]) == ["A power 1"]


def test_ids_of_phases_and_of_runs(found: Callable[..., list[str]], user: TofuPilot, line: Line) -> None:
    every = user.phases.list(procedure_id=line.procedure_id, exclude_retries=False).data
    assert found(ids=[every[1].id]) == ["A radio 0"]
    assert found(ids=[line.b]) == ["B power 0"]
    assert found(ids=[line.b, every[1].id]) == ["B power 0", "A radio 0"]
    assert found(ids=[every[3].id]) == []
    assert found(ids=[every[3].id], exclude_retries=False) == ["A power 0"]
    assert found(ids=[str(uuid4())]) == []


def test_each_order_and_its_pages(user: TofuPilot, line: Line) -> None:
    def names(**asked: Any) -> list[str]:
        shown: list[str] = []
        cursor: int | None = None
        while True:
            page = user.phases.list(
                procedure_id=line.procedure_id, exclude_retries=False, limit=1, cursor=cursor, **asked
            )
            shown += [f"{(one.serial_number or '')[-1:]} {one.name} {one.retry_count}" for one in page.data]
            if not page.meta.has_more:
                assert page.meta.next_cursor is None
                return shown
            cursor = page.meta.next_cursor

    assert names() == ALL
    assert names(sort_order="asc") == ALL[::-1]
    by_duration = ["A radio 0", "B power 0", "A power 0", "A power 1"]
    assert names(sort_by="duration") == by_duration
    assert names(sort_by="duration", sort_order="asc") == by_duration[::-1]
    by_outcome = ["A power 0", "A radio 0", "A power 1", "B power 0"]
    assert names(sort_by="outcome", sort_order="asc") == by_outcome
    assert names(sort_by="outcome", sort_order="desc") == by_outcome[::-1]
    by_serial = ["A power 0", "A power 1", "A radio 0", "B power 0"]
    assert names(sort_by="serial_number", sort_order="asc") == by_serial
    assert names(sort_by="serial_number", sort_order="desc") == by_serial[::-1]
    by_name = ["A power 0", "A power 1", "B power 0", "A radio 0"]
    assert names(sort_by="phase_name", sort_order="asc") == by_name
    assert names(sort_by="phase_name", sort_order="desc") == by_name[::-1]


def test_what_is_shown(station: TofuPilot, line: Line) -> None:
    page = station.phases.list(procedure_id=line.procedure_id, exclude_retries=False, sort_order="asc")
    first, second, third, fourth = [one.model_dump() for one in page.data]
    assert first == {
        "id": first["id"],
        "name": "power",
        "outcome": "FAIL",
        "started_at": STARTED_AT,
        "ended_at": STARTED_AT + 2 * SECOND,
        "duration_ms": 2000,
        "retry_count": 0,
        "sequence_path": None,
        "is_final_attempt": False,
        "run_id": line.a,
        "run_outcome": "FAIL",
        "serial_number": f"{line.prefix}-A",
        "sample": "golden",
    }
    assert (second["is_final_attempt"], second["duration_ms"]) == (True, 1000)
    assert (third["is_final_attempt"], third["sequence_path"]) == (True, "main")
    assert (fourth["run_outcome"], fourth["sample"]) == ("PASS", None)


def test_phases_of_one_name_in_two_sequences_are_no_attempts_of_each_other(
    user: TofuPilot, fresh: Fresh
) -> None:
    procedure_id = user.procedures.create(name=fresh("P")).id
    paths = ("one", "two")
    report(
        user,
        procedure_id,
        fresh("SN"),
        sequences=[{"path": path, "name": path, "outcome": "PASS"} for path in paths],
        phases=[
            phase("p", sequence_path="one", retry_count=1),
            phase("p", sequence_path="two"),
            # Two phases that nobody numbered: neither repeats the other.
            phase("loop"),
            phase("loop"),
        ],
    )
    page = user.phases.list(procedure_id=procedure_id)
    assert [one.is_final_attempt for one in page.data] == [True] * 4


def test_pages_stay_true_while_runs_are_added(user: TofuPilot, fresh: Fresh) -> None:
    procedure_id = user.procedures.create(name=fresh("P")).id
    for number in range(3):
        report(user, procedure_id, fresh("SN"), phases=[phase(f"p{number}")])
    first = user.phases.list(procedure_id=procedure_id, limit=2)
    report(user, procedure_id, fresh("SN"), phases=[phase("late", started_at=STARTED_AT + DAY)])
    second = user.phases.list(procedure_id=procedure_id, limit=2, cursor=first.meta.next_cursor)
    assert [one.name for one in (*first.data, *second.data)] == ["p2", "p1", "p0"]
    assert user.phases.list(procedure_id=procedure_id).data[0].name == "late"


def test_a_run_is_there_as_soon_as_it_is_recorded_and_gone_as_soon_as_it_is_deleted(
    server: Server, user: TofuPilot, fresh: Fresh
) -> None:
    procedure_id = user.procedures.create(name=fresh("P")).id
    run_id = report(user, procedure_id, fresh("SN"), phases=[phase("p")])
    (shown,) = user.phases.list(procedure_id=procedure_id).data
    assert user.phases.get(id=shown.id).run.id == run_id
    user.runs.delete(ids=[run_id])
    assert user.phases.list(procedure_id=procedure_id).data == []
    with pytest.raises(ErrorNOTFOUND):
        user.phases.get(id=shown.id)


def test_a_phase_by_its_id(user: TofuPilot, station: TofuPilot, line: Line) -> None:
    radio = user.phases.list(procedure_id=line.procedure_id, names=["radio"]).data[0]
    shown = user.phases.get(id=radio.id).model_dump()
    assert station.phases.get(id=radio.id).model_dump() == shown
    measured = shown.pop("measurements")
    assert shown == {
        "id": radio.id,
        "name": "radio",
        "outcome": "FAIL",
        "started_at": STARTED_AT + 10 * SECOND,
        "ended_at": STARTED_AT + 70 * SECOND,
        "duration": "PT1M",
        "retry_count": 0,
        "sequence_path": "main",
        "run": {"id": line.a, "serial_number": f"{line.prefix}-A"},
        "procedure": {"id": line.procedure_id, "name": f"Procedure {line.prefix}"},
        "docstring": "Locks to the carrier.",
    }
    assert [one["name"] for one in measured] == ["locked", "firmware", "sweep", "skipped", "registers"]
    of_run = next(one for one in user.runs.get(id=line.a).model_dump()["phases"] if one["id"] == radio.id)
    assert measured == [
        one | {"docstring": found["docstring"]}
        for one, found in zip(of_run["measurements"], measured, strict=True)
    ]


def test_a_phase_that_is_not_there(user: TofuPilot, station: TofuPilot, line: Line) -> None:
    measured = user.measurements.list(procedure_id=line.procedure_id).data[0].id
    for client in (user, station):
        for unknown in (str(uuid4()), "nothing", line.a, measured):
            with pytest.raises(ErrorNOTFOUND, match="Phase not found"):
                client.phases.get(id=unknown)


def test_another_organization_sees_none(other: TofuPilot, user: TofuPilot, line: Line) -> None:
    shown = user.phases.list(procedure_id=line.procedure_id).data[0]
    assert other.phases.list(procedure_id=line.procedure_id).data == []
    assert other.phases.list(procedure_id=line.procedure_id, ids=[shown.id, line.a]).data == []
    with pytest.raises(ErrorNOTFOUND):
        other.phases.get(id=shown.id)


def test_an_unknown_procedure_has_no_phases(user: TofuPilot) -> None:
    page = user.phases.list(procedure_id=str(uuid4()))
    assert (page.data, page.meta.has_more, page.meta.next_cursor) == ([], False, None)


BAD = [
    ({}, "procedure_id"),
    ({"procedure_id": "FVT1"}, "procedure_id"),
    ({"ids": ["x"]}, "ids"),
    ({"outcomes": "GOOD"}, "outcomes"),
    ({"run_outcomes": "SKIP"}, "run_outcomes"),
    ({"samples": "silver"}, "samples"),
    ({"duration_min": "5 s"}, "duration_min"),
    ({"duration_max": "P1Y"}, "duration_max"),
    ({"started_after": "yesterday"}, "started_after"),
    ({"started_before": "9999-12-31T23:59:59-14:00"}, "started_before"),
    ({"sort_by": "run_id"}, "sort_by"),
    ({"sort_order": "up"}, "sort_order"),
    ({"limit": "0"}, "limit"),
    ({"limit": "1001"}, "limit"),
    ({"cursor": "-1"}, "cursor"),
    ({"cursor": str(2**24 - 1)}, "cursor"),
    ({"exclude_retries": "maybe"}, "exclude_retries"),
    ({"serial_numbers": "nul\0"}, "serial_numbers"),
]


@pytest.mark.parametrize(("asked", "told"), BAD)
def test_bad_queries_are_told(wire: httpx.Client, line: Line, asked: dict[str, Any], told: str) -> None:
    usual = {"procedure_id": line.procedure_id} if asked else {}
    answer = wire.get("/phases", params=usual | asked)
    assert answer.status_code == 400, answer.text
    said = answer.json()
    assert (said["code"], "validation" in said["message"]) == ("BAD_REQUEST", True)
    assert told in said["issues"][0]["message"]


ODD = [
    {"duration_min": "-P999999999D"},
    {"duration_max": "P999999999D"},
    {"names": ["%", "nul\ud7ff", "部品"], "serial_numbers": ["'", "🔧"]},
    {"started_after": "0001-01-01T00:00:00", "started_before": "9999-12-31T23:59:59.999999Z"},
    {"names": "", "ids": "", "sort_by": "", "cursor": "", "unknown": "1"},
    {"limit": "50.0", "cursor": "0.0"},
    {"cursor": "7"},
]


@pytest.mark.parametrize("asked", ODD)
def test_odd_queries_are_answered(wire: httpx.Client, line: Line, asked: dict[str, Any]) -> None:
    answer = wire.get("/phases", params={"procedure_id": line.procedure_id} | asked)
    assert answer.status_code == 200, answer.text


def test_error_classes(sdk: Sdk, user: TofuPilot) -> None:
    with pytest.raises(ErrorBADREQUEST, match="procedure_id"):
        user.phases.list(procedure_id="FVT1")
    nobody = sdk("rc_nobody")
    with pytest.raises(ErrorUNAUTHORIZED):
        nobody.phases.list(procedure_id="FVT1")
    with pytest.raises(ErrorUNAUTHORIZED):
        nobody.phases.get(id="nothing")
