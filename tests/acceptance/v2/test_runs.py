"""Runs, as the official client creates, reads, changes and deletes them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import (
    APIError,
    ErrorBADREQUEST,
    ErrorCONFLICT,
    ErrorFORBIDDEN,
    ErrorNOTFOUND,
    ErrorUNPROCESSABLECONTENT,
)

from tests.acceptance.v2.conftest import Sdk
from tests.acceptance.v2.reporting import STARTED_AT, measurement, phase, report
from tests.world import World

Fresh = Callable[[str], str]
Unchanged = Callable[[], AbstractContextManager[None]]


def test_a_run_comes_back_as_it_was_reported(user: TofuPilot, world: World, fresh: Fresh) -> None:
    serial, board = fresh("SN"), world.acme.board
    run_id = report(
        user,
        board.id,
        serial,
        outcome="FAIL",
        part_number="PCB-77",
        revision_number="B",
        batch_number="2026-W10",
        procedure_version="v1.2",
        operated_by=world.acme.admin.email,
        docstring="After the rework.",
        execution_id=f"start {serial}",
        slot_key="left",
        slot_name="Left slot",
        metadata={"fixture": "F-7", "cycles": 12, "clean": True},
        unit_metadata={"colour": "green"},
        config=[{"key": "LIMIT", "value": 3.5, "source": "station", "version": 2}],
        secrets=[{"key": "TOKEN", "source": "organization"}],
        logs=[
            {
                "level": "WARNING",
                "timestamp": STARTED_AT,
                "message": "warm",
                "source_file": "main.py",
                "line_number": 7,
            }
        ],
    )
    run = user.runs.get(id=run_id).model_dump()
    assert (run["outcome"], run["duration"], run["docstring"]) == ("FAIL", "PT5M", "After the rework.")
    assert (run["started_at"], run["ended_at"]) == (STARTED_AT, STARTED_AT + timedelta(minutes=5))
    assert run["procedure"]["id"] == str(board.id)
    assert run["procedure"]["version"]["tag"] == "v1.2"
    assert (run["unit"]["serial_number"], run["unit"]["sample"]) == (serial, None)
    assert (run["unit"]["part"]["number"], run["unit"]["part"]["revision"]["number"]) == ("PCB-77", "B")
    assert run["unit"]["batch"]["number"] == "2026-W10"
    assert run["operated_by"]["email"] == world.acme.admin.email
    assert run["created_by_user"]["email"] == world.acme.engineer.email
    assert run["created_by_station"] is None
    assert (run["execution_id"], run["slot_key"], run["slot_name"]) == (
        f"start {serial}",
        "left",
        "Left slot",
    )
    assert run["metadata"] == {"fixture": "F-7", "cycles": 12, "clean": True}
    assert run["config"] == [
        {"key": "LIMIT", "value": 3.5, "variable_id": None, "version": 2, "source": "station"}
    ]
    assert run["secrets"] == [
        {"key": "TOKEN", "variable_id": None, "version": None, "source": "organization"}
    ]
    assert [(log["level"], log["message"], log["line_number"]) for log in run["logs"]] == [
        ("WARNING", "warm", 7)
    ]


def test_a_bare_run_has_every_member(wire: httpx.Client, user: TofuPilot, world: World, fresh: Fresh) -> None:
    run = wire.get(f"/runs/{report(user, world.acme.board.id, fresh('SN'))}").json()
    for name in ("docstring", "operated_by", "created_by_station", "execution_id", "slot_key", "slot_name"):
        assert run[name] is None
    for name in ("phases", "logs", "attachments", "sub_units", "sequences", "config", "secrets"):
        assert run[name] == []
    assert run["metadata"] == {}
    assert run["unit"]["batch"] is None
    assert run["procedure"]["version"] is None


@pytest.mark.parametrize(
    "value", [3.3, -1, 0, 1e16, "text", True, False, {"a": {"b": [1]}}, [1, "two", False], [], None]
)
def test_values_keep_their_kind(
    user: TofuPilot, wire: httpx.Client, world: World, fresh: Fresh, value: Any
) -> None:
    run_id = report(
        user, world.acme.board.id, fresh("SN"), phases=[phase("p", measurement("m", value, units="V"))]
    )
    (shown,) = wire.get(f"/runs/{run_id}").json()["phases"][0]["measurements"]
    assert shown.get("measured_value") == value
    assert type(shown.get("measured_value")) is not bool or isinstance(value, bool)
    assert (shown["units"], shown["data_series"]) == ("V", [])
    user.runs.get(id=run_id)


def test_validators_come_back_with_all_that_is_known(
    user: TofuPilot, wire: httpx.Client, world: World, fresh: Fresh
) -> None:
    given = [
        {"outcome": "PASS", "operator": ">=", "expected_value": 3, "is_decisive": False},
        {"outcome": "FAIL", "operator": "in", "expected_value": ["a", "b"], "expression": "one of ours"},
        {"expression": "looks good"},
        {"operator": "is like", "expected_value": {"x": 1}},
        {"operator": "matches", "expected_value": 5},
    ]
    run_id = report(
        user, world.acme.board.id, fresh("SN"), phases=[phase("p", measurement("m", 4, validators=given))]
    )
    shown = wire.get(f"/runs/{run_id}").json()["phases"][0]["measurements"][0]["validators"]

    def told(*values: object) -> dict[str, object]:
        names = (
            "outcome",
            "operator",
            "expected_value",
            "expression",
            "is_decisive",
            "is_expression_only",
            "analytics_expression",
            "has_custom_expression",
        )
        return dict(zip(names, values, strict=True))

    assert shown == [
        told("PASS", ">=", 3, "x >= 3", False, False, "x >= 3", False),
        told("FAIL", "in", ["a", "b"], "one of ours", True, False, "x in a, b", True),
        told("UNSET", None, None, "looks good", True, True, None, False),
        told("UNSET", None, None, shown[3]["expression"], True, True, None, False),
        told("UNSET", "matches", 5, "x matches 5", True, False, "x matches 5", False),
    ]
    assert shown[3]["expression"] in (
        'x is like {"x":1}',
        'x is like {"x":1.0}',
    )  # the client may make it a float


def test_limits_become_validators(user: TofuPilot, wire: httpx.Client, world: World, fresh: Fresh) -> None:
    run_id = report(
        user,
        world.acme.board.id,
        fresh("SN"),
        phases=[
            phase(
                "p",
                measurement("m", 5, outcome="FAIL", lower_limit=1, upper_limit=4),
                measurement("n", "text", upper_limit=2),
            )
        ],
    )
    both, one = wire.get(f"/runs/{run_id}").json()["phases"][0]["measurements"]
    assert "lower_limit" not in both
    assert [(v["operator"], v["expected_value"], v["outcome"]) for v in both["validators"]] == [
        (">=", 1, "PASS"),
        ("<=", 4, "FAIL"),
    ]
    assert [(v["operator"], v["outcome"]) for v in one["validators"]] == [("<=", "UNSET")]


def test_series_aggregations_and_axes(
    user: TofuPilot, wire: httpx.Client, world: World, fresh: Fresh
) -> None:
    check = {"operator": "<=", "expected_value": 9, "outcome": "PASS"}
    mean = {"type": "Avg", "value": 2.5, "outcome": "PASS", "unit": "V", "validators": [check]}
    given = measurement(
        "sweep",
        x_axis={"data": [1, 2, 3], "units": "Hz", "name": "frequency"},
        y_axis=[
            {"data": [1.5, -2.5], "units": "V", "aggregations": [mean]},
            {"data": [], "description": "nothing", "validators": [check]},
        ],
        aggregations=[{"type": "max/range", "value": "odd"}],
        validators=[check],
    )
    run_id = report(user, world.acme.board.id, fresh("SN"), phases=[phase("p", given)])
    user.runs.get(id=run_id)
    (shown,) = wire.get(f"/runs/{run_id}").json()["phases"][0]["measurements"]
    assert "measured_value" not in shown
    assert shown["units"] is None
    x, y1, y2 = shown["data_series"]
    assert (x["data"], x["units"], x["name"]) == ([1, 2, 3], "Hz", "frequency")
    assert (y1["data"], y2["data"], y2["description"], y2["units"]) == ([1.5, -2.5], [], "nothing", None)
    (average,) = y1["aggregations"]
    assert (average["type"].lower(), average["value"], average["unit"]) == ("avg", 2.5, "V")
    assert average["validators"][0]["expression"] == "x <= 9"
    assert y2["validators"][0]["operator"] == "<="
    assert [(a["type"], a["value"], a["outcome"]) for a in shown["aggregations"]] == [
        ("max/range", "odd", None)
    ]
    assert len(shown["validators"]) == 1
    assert average["id"] != shown["aggregations"][0]["id"]


def test_phases_that_start_at_once_keep_their_order(user: TofuPilot, world: World, fresh: Fresh) -> None:
    """Fast phases start in the same millisecond, and some of them are tried again in turns."""
    names = [("power up", 0), ("boot", 0), ("power up", 1), ("boot", 1), ("aging", 0)]
    sent = [phase(name, retry_count=attempt) for name, attempt in names]
    run_id = report(user, world.acme.board.id, fresh("SN"), phases=sent)
    shown = user.runs.get(id=run_id).phases
    assert shown
    assert [(one.name, one.retry_count) for one in shown] == names


def test_phases_come_in_order_of_start_and_attempt(user: TofuPilot, world: World, fresh: Fresh) -> None:
    later = STARTED_AT + timedelta(seconds=30)
    run_id = report(
        user,
        world.acme.board.id,
        fresh("SN"),
        phases=[
            phase("b", started_at=later),
            phase("a", retry_count=2),
            phase("a", outcome="FAIL", retry_count=0),
            phase("a", outcome="ERROR", retry_count=1),
        ],
    )
    shown = user.runs.get(id=run_id).phases
    assert shown
    assert [(one.name, one.retry_count, one.outcome) for one in shown] == [
        ("a", 0, "FAIL"),
        ("a", 1, "ERROR"),
        ("a", 2, "PASS"),
        ("b", 0, "PASS"),
    ]
    assert [one.duration for one in shown] == ["PT1M", "PT1M", "PT1M", "PT30S"]


def test_sequences_nest_by_their_paths(user: TofuPilot, world: World, fresh: Fresh) -> None:
    sequences = [
        {"path": "main/cal", "name": "Calibration", "outcome": "SKIP"},
        {"path": "main", "name": "Main", "outcome": "PASS", "started_at": STARTED_AT, "ended_at": STARTED_AT},
    ]
    run_id = report(
        user,
        world.acme.board.id,
        fresh("SN"),
        sequences=sequences,
        phases=[phase("p", sequence_path="main/cal")],
    )
    run = user.runs.get(id=run_id).model_dump()
    assert [(s["path"], s["key"], s["parent_path"], s["duration"]) for s in run["sequences"]] == [
        ("main", "main", None, "PT0S"),
        ("main/cal", "cal", "main", None),
    ]
    assert run["phases"][0]["sequence_path"] == "main/cal"
    (listed,) = user.runs.list(ids=[run_id], include_sequences=True).data
    assert [one.path for one in listed.sequences or []] == ["main"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"serial_number": ""}, "serial number"),
        ({"serial_number": "  "}, "serial number"),
        ({"serial_number": "x" * 61}, "length"),
        ({"procedure_id": "FVT1"}, "uuid"),
        ({"batch_number": ""}, "batch"),
        ({"part_number": ""}, "part"),
        ({"operated_by": ""}, "operated_by"),
        ({"outcome": "MAYBE"}, "outcome"),
        ({"slot_key": "a"}, "execution_id"),
        ({"slot_name": "a", "execution_id": "e"}, "slot_key"),
        ({"sequences": [{"path": "a/b", "name": "x", "outcome": "PASS"}]}, "a/b"),
        (
            {
                "phases": [
                    phase("p", sequence_path="nowhere")
                    | {"started_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T00:00:00Z"}
                ]
            },
            "nowhere",
        ),
        ({"metadata": {f"k{n}": n for n in range(51)}}, "50"),
        ({"metadata": {"bad key": 1}}, "bad key"),
        ({"unit_metadata": {"k": "x" * 50_001}}, "50000"),
        ({"secrets": [{"key": "TOKEN", "value": "hunter2"}]}, "value"),
        ({"docstring": "nul\0"}, "nul"),
        ({"started_at": "yesterday"}, "started_at"),
    ],
)
def test_bad_input_is_told_and_changes_nothing(
    wire: httpx.Client, world: World, unchanged: Unchanged, given: dict[str, Any], told: str
) -> None:
    body = {
        "outcome": "PASS",
        "procedure_id": str(world.acme.board.id),
        "serial_number": "SN-BAD",
        "part_number": "PCB-1",
        "started_at": "2026-01-01T00:00:00Z",
        "ended_at": "2026-01-01T00:00:01Z",
    }
    with unchanged():
        answer = wire.post("/runs", json=body | given)
    assert answer.status_code == 400, answer.text
    said = answer.json()
    assert said["code"] == "BAD_REQUEST"
    assert told in said["issues"][0]["message"].lower()
    assert "hunter2" not in answer.text


class TestWhatTheClientRaises:
    def test_bad_request(self, user: TofuPilot, world: World) -> None:
        with pytest.raises(ErrorBADREQUEST, match="validation"):
            report(user, world.acme.board.id, " ")

    def test_end_before_start_is_an_error_without_a_class_of_its_own(
        self, user: TofuPilot, world: World, fresh: Fresh
    ) -> None:
        with pytest.raises(APIError) as raised:
            report(user, world.acme.board.id, fresh("SN"), ended_at=STARTED_AT - timedelta(seconds=1))
        assert raised.value.status_code == 400
        assert "ended_at" in str(raised.value)

    def test_unknown_procedure(self, user: TofuPilot, station: TofuPilot, fresh: Fresh) -> None:
        with pytest.raises(ErrorNOTFOUND, match=r"(?i)procedure"):
            report(user, uuid4(), fresh("SN"))
        with pytest.raises(ErrorFORBIDDEN, match="not authorized"):
            report(station, uuid4(), fresh("SN"))

    def test_a_procedure_that_a_station_is_not_linked_to(
        self, station: TofuPilot, world: World, fresh: Fresh
    ) -> None:
        with pytest.raises(ErrorFORBIDDEN, match="not authorized"):
            report(station, world.acme.final.id, fresh("SN"))

    def test_no_part_number(self, user: TofuPilot, world: World, fresh: Fresh) -> None:
        with pytest.raises(ErrorUNPROCESSABLECONTENT, match="Part number"):
            report(user, world.acme.board.id, fresh("SN"), part_number=None)

    def test_unknown_sub_unit(self, user: TofuPilot, world: World, fresh: Fresh) -> None:
        with pytest.raises(ErrorNOTFOUND, match="NOWHERE"):
            report(user, world.acme.board.id, fresh("SN"), sub_units=["NOWHERE"])

    def test_unknown_deployment(self, user: TofuPilot, world: World, fresh: Fresh) -> None:
        with pytest.raises(ErrorNOTFOUND, match="Deployment"):
            report(user, world.acme.board.id, fresh("SN"), deployment_id=str(uuid4()))


def test_an_operator_who_is_no_member_is_kept_by_name(user: TofuPilot, world: World, fresh: Fresh) -> None:
    for name in ("Jo from the night shift", "jo@elsewhere.test"):
        run = user.runs.get(id=report(user, world.acme.board.id, fresh("SN"), operated_by=name)).model_dump()
        assert run["operated_by"] == {"id": None, "name": name, "email": None}


class TestOnceForEachKey:
    """client_run_ref: the same report again is the same run."""

    def test_the_same_report_is_recorded_once(self, user: TofuPilot, world: World, fresh: Fresh) -> None:
        serial, key = fresh("SN"), fresh("REF")
        ids = {
            report(user, world.acme.board.id, serial, client_run_ref=key, metadata={"b": 1, "a": 2})
            for _ in range(3)
        }
        assert len(ids) == 1
        assert len(user.runs.list(serial_numbers=[serial]).data) == 1

    def test_the_same_report_from_many_at_once_is_recorded_once(
        self, sdk: Sdk, user: TofuPilot, world: World, fresh: Fresh
    ) -> None:
        serial, key = fresh("SN"), fresh("REF")
        clients = [sdk(world.acme.ict.api_key) for _ in range(8)]
        with ThreadPoolExecutor(len(clients)) as pool:
            made = list(
                pool.map(
                    lambda client: report(client, world.acme.board.id, serial, client_run_ref=key), clients
                )
            )
        assert len(set(made)) == 1
        assert [run.id for run in user.runs.list(serial_numbers=[serial]).data] == made[:1]

    def test_another_report_under_the_same_key_is_refused(
        self, user: TofuPilot, world: World, fresh: Fresh, unchanged: Unchanged
    ) -> None:
        serial, key = fresh("SN"), fresh("REF")
        report(user, world.acme.board.id, serial, client_run_ref=key)
        with unchanged(), pytest.raises(ErrorCONFLICT, match="client_run_ref"):
            report(user, world.acme.board.id, serial, client_run_ref=key, outcome="FAIL")

    def test_keys_of_another_organization_are_others(
        self, user: TofuPilot, other: TofuPilot, world: World, fresh: Fresh
    ) -> None:
        serial, key = fresh("SN"), fresh("REF")
        mine = report(user, world.acme.board.id, serial, client_run_ref=key)
        assert report(other, world.globex.board.id, serial, client_run_ref=key) != mine


def test_a_slot_has_one_run_in_each_execution(user: TofuPilot, world: World, fresh: Fresh) -> None:
    start = fresh("START")
    report(user, world.acme.board.id, fresh("SN"), execution_id=start, slot_key="1")
    report(user, world.acme.board.id, fresh("SN"), execution_id=start, slot_key="2")
    with pytest.raises(ErrorCONFLICT, match="slot"):
        report(user, world.acme.board.id, fresh("SN"), execution_id=start, slot_key="1")


def test_sub_units_are_those_that_the_run_named(user: TofuPilot, world: World, fresh: Fresh) -> None:
    child, parent, board = fresh("C"), fresh("P"), world.acme.board.id
    report(user, board, child, part_number="PSU-1")
    first = user.runs.get(id=report(user, board, parent, sub_units=[child.lower()])).model_dump()
    again = user.runs.get(id=report(user, board, parent, sub_units=[child])).model_dump()
    without = user.runs.get(id=report(user, board, parent)).model_dump()
    assert [(one["serial_number"], one["part_number"]) for one in first["sub_units"]] == [(child, "PSU-1")]
    assert again["sub_units"] == first["sub_units"]
    assert without["sub_units"] == []


def test_unit_metadata_is_merged(
    user: TofuPilot, wire: httpx.Client, world: World, fresh: Fresh, unchanged: Unchanged
) -> None:
    serial, board = fresh("SN"), world.acme.board.id
    report(user, board, serial, unit_metadata={"a": 1, "b": "x"})
    report(user, board, serial, unit_metadata={"b": "y", "c": True})
    shown = wire.get(f"/units/{serial}").json()["metadata"]
    assert shown == {"a": 1, "b": "y", "c": True}
    with unchanged(), pytest.raises(ErrorBADREQUEST, match="50"):
        report(user, board, serial, unit_metadata={f"k{n}": n for n in range(48)})


def test_metadata_of_a_run_is_merged(user: TofuPilot, world: World, fresh: Fresh) -> None:
    run_id = report(user, world.acme.board.id, fresh("SN"), metadata={"a": 1, "b": 2})
    assert user.runs.update_metadata(id=run_id, metadata={"a": None, "c": "x"}).id == run_id
    assert user.runs.update_metadata(id=run_id).id == run_id
    assert user.runs.get(id=run_id).metadata == {"b": 2, "c": "x"}
    with pytest.raises(ErrorNOTFOUND):
        user.runs.update_metadata(id=str(uuid4()), metadata={"a": 1})


class TestDeleting:
    def test_all_or_none(
        self, user: TofuPilot, wire: httpx.Client, world: World, fresh: Fresh, unchanged: Unchanged
    ) -> None:
        ids = [report(user, world.acme.board.id, fresh("SN"), metadata={"a": 1}) for _ in range(2)]
        with unchanged(), pytest.raises(ErrorNOTFOUND):
            user.runs.delete(ids=[*ids, str(uuid4())])
        assert user.runs.delete(ids=ids).id == ids
        for run_id in ids:
            with pytest.raises(ErrorNOTFOUND):
                user.runs.get(id=run_id)
        with pytest.raises(ErrorNOTFOUND):
            user.runs.delete(ids=ids[:1])

    def test_no_ids_delete_nothing(self, wire: httpx.Client, unchanged: Unchanged) -> None:
        with unchanged():
            assert wire.delete("/runs").status_code == 400

    def test_stations_may_not(self, station: TofuPilot, user: TofuPilot, world: World, fresh: Fresh) -> None:
        for run_id in (report(user, world.acme.board.id, fresh("SN")), str(uuid4())):
            with pytest.raises(APIError) as raised:
                station.runs.delete(ids=[run_id])
            assert raised.value.status_code == 403


def test_nobody_else_sees_or_changes_a_run(
    user: TofuPilot, other: TofuPilot, world: World, fresh: Fresh, unchanged: Unchanged
) -> None:
    run_id = report(user, world.acme.board.id, fresh("SN"))
    with unchanged():
        for call in (
            lambda: other.runs.get(id=run_id),
            lambda: other.runs.delete(ids=[run_id]),
            lambda: other.runs.update(id=run_id, attachments=[]),
            lambda: other.runs.update_metadata(id=run_id, metadata={"a": 1}),
        ):
            with pytest.raises(ErrorNOTFOUND):
                call()
    assert other.runs.list(ids=[run_id]).data == []


def test_unknown_runs_are_not_found_by_either_key(user: TofuPilot, station: TofuPilot) -> None:
    for client in (user, station):
        for run_id in (str(uuid4()), "not-an-id"):
            with pytest.raises(ErrorNOTFOUND):
                client.runs.get(id=run_id)
        with pytest.raises(ErrorNOTFOUND):
            client.runs.update(id=str(uuid4()), attachments=[])
