"""Procedures, as the official client creates, reads, changes and deletes them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select, update
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import APIError, ErrorBADREQUEST, ErrorNOTFOUND

from runcard.domain.actor import SystemActor
from runcard.store.engine import tables as t
from runcard.store.engine.database import Database
from runcard.store.stations.rows import link_procedures
from tests.acceptance.conftest import Unchanged
from tests.acceptance.v2.conftest import Sdk
from tests.acceptance.v2.reporting import STARTED_AT, phase, report
from tests.servers import Server
from tests.trails import changed_past_runcard
from tests.world import World

Fresh = Callable[[str], str]


@pytest.fixture
def procedure(user: TofuPilot, fresh: Fresh) -> str:
    """The id of a procedure without runs."""
    return user.procedures.create(name=fresh("Burn-in")).id


def test_a_procedure_is_read_as_it_was_made(user: TofuPilot, world: World, fresh: Fresh) -> None:
    name = fresh("Final")
    made = user.procedures.create(name=f"  {name} ")
    eve = {"id": str(world.acme.engineer.actor.user_id), "name": "Eve", "email": world.acme.engineer.email}
    shown = user.procedures.get(id=made.id).model_dump()
    created_at = shown.pop("created_at")
    assert shown == {
        "id": made.id,
        "name": name,
        "created_by_user": eve,
        "runs_count": 0,
        "recent_runs": [],
        "stations": [{"id": str(world.acme.fct.actor.station_id), "name": "FCT-1"}],
    }
    (listed,) = user.procedures.list(search_query=name.lower()).model_dump()["data"]
    assert listed == {
        "id": made.id,
        "name": name,
        "created_at": created_at,
        "created_by_user": eve,
        "linkedRepository": None,
    }


def test_older_clients_find_the_keys_that_they_need(wire: httpx.Client, world: World) -> None:
    board = world.acme.board
    shown = wire.get(f"/procedures/{board.id}").json()
    assert shown["identifier"] == board.identifier
    listed = next(one for one in wire.get("/procedures").json()["data"] if one["id"] == str(board.id))
    assert (listed["runs"], listed["linkedRepository"]) == ([], None)
    assert listed["created_by_user"] == {
        "id": str(world.acme.admin.actor.user_id),
        "name": world.acme.admin.name,
        "email": world.acme.admin.email,
    }


def test_what_no_user_made_has_a_stand_in_for_one_in_lists(
    user: TofuPilot, world: World, server: Server, fresh: Fresh
) -> None:
    name = fresh("Orphan")
    made = user.procedures.create(name=name)
    changed_past_runcard(UUID(made.id))

    def creator(**columns: UUID | None) -> Any:
        mine = update(t.procedures).where(t.procedures.c.id == UUID(made.id))
        server.change(
            lambda tx: tx.connection.execute(mine.values(created_by_user_id=None, **columns)).rowcount
        )
        return user.procedures.list(search_query=name).model_dump()["data"][0]["created_by_user"]

    station_id = world.acme.ict.actor.station_id
    assert creator() == {"id": str(world.acme.id), "name": "Runcard", "email": ""}
    assert creator(created_by_station_id=station_id) == {"id": str(station_id), "name": "ICT-1", "email": ""}
    assert user.procedures.get(id=made.id).created_by_user is None


def test_stations_read_linked_procedures_and_others(station: TofuPilot, world: World) -> None:
    for procedure in (world.acme.board, world.acme.final):
        assert station.procedures.get(id=str(procedure.id)).name == procedure.name
    names = {one.name for one in station.procedures.list(limit=500).data}
    assert {"Board", "Final"} <= names


def test_a_viewer_reads_only(sdk: Sdk, world: World, procedure: str, unchanged: Unchanged) -> None:
    viewer = sdk(world.acme.viewer.api_key)
    assert viewer.procedures.get(id=procedure).id == procedure
    for call in (
        lambda: viewer.procedures.create(name="New"),
        lambda: viewer.procedures.update(id=procedure, name="New"),
        lambda: viewer.procedures.delete(id=procedure),
    ):
        with unchanged(), pytest.raises(APIError, match="permission") as raised:
            call()
        assert raised.value.status_code == 403


def test_names_may_be_the_same(user: TofuPilot, fresh: Fresh) -> None:
    name = fresh("Twin")
    first, second = (user.procedures.create(name=name).id for _ in range(2))
    assert [one.id for one in user.procedures.list(search_query=name).data] == [second, first]


@pytest.mark.parametrize("name", ["ICT_1-2.3", "x" * 200, "x" * 255, "!@# $%", "功能测试", "Prüfung nº 5"])
def test_names_are_kept_as_they_are_and_found(user: TofuPilot, procedure: str, name: str) -> None:
    made = user.procedures.create(name=name)
    assert user.procedures.get(id=made.id).name == name
    assert user.procedures.update(id=procedure, name=name).id == procedure
    found = [one.id for one in user.procedures.list(search_query=name).data]
    assert {made.id, procedure} <= set(found)


@pytest.mark.parametrize("name", ["", "   ", "\t\n", "x" * 256, "x" * 1000, "nul\0"])
def test_other_names_are_refused(user: TofuPilot, procedure: str, name: str, unchanged: Unchanged) -> None:
    with unchanged():
        with pytest.raises(APIError, match="validation") as raised:
            user.procedures.create(name=name)
        with pytest.raises(ErrorBADREQUEST, match=r"validation.*[Nn]ame"):
            user.procedures.update(id=procedure, name=name)
    assert raised.value.status_code == 400


@pytest.mark.parametrize("body", [{}, {"name": None}, {"name": 1}, [], "x"])
def test_a_body_without_a_name_is_refused(wire: httpx.Client, body: object, unchanged: Unchanged) -> None:
    with unchanged():
        answer = wire.post("/procedures", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("procedure_id", ["00000000-0000-4000-8000-000000000000", "no id", "FVT1"])
def test_an_unknown_procedure_is_not_found(
    user: TofuPilot, station: TofuPilot, procedure_id: str, unchanged: Unchanged
) -> None:
    calls = (
        lambda: user.procedures.get(id=procedure_id),
        lambda: station.procedures.get(id=procedure_id),
        lambda: user.procedures.update(id=procedure_id, name="New"),
        lambda: user.procedures.delete(id=procedure_id),
    )
    with unchanged():
        for call in calls:
            with pytest.raises(ErrorNOTFOUND, match="not found"):
                call()


def test_pages_stay_true_while_procedures_are_added(user: TofuPilot, fresh: Fresh) -> None:
    prefix = fresh("GROW")
    for number in range(4):
        user.procedures.create(name=f"{prefix}-{number}")
    shown: list[str] = []
    cursor: float | None = None
    for _ in range(2):
        page = user.procedures.list(search_query=prefix, limit=2, cursor=cursor)
        shown += [one.name[-1] for one in page.data]
        cursor = page.meta.next_cursor
        user.procedures.create(name=f"{prefix}-late")
    assert (shown, page.meta.has_more, cursor) == (["3", "2", "1", "0"], False, None)


def test_filters_by_creation(user: TofuPilot, fresh: Fresh) -> None:
    prefix = fresh("AGE")
    for end in "ABC":
        user.procedures.create(name=f"{prefix}-{end}")
    times = [one.created_at for one in user.procedures.list(search_query=prefix).data][::-1]

    def found(after: datetime | None = None, before: datetime | None = None) -> str:
        page = user.procedures.list(search_query=prefix, created_after=after, created_before=before)
        return "".join(one.name[-1] for one in page.data)

    assert found(after=times[1]) == "CB"
    assert found(before=times[1]) == "BA"
    assert found(times[1], times[1]) == "B"
    assert found(after=times[2] + timedelta(microseconds=1)) == ""
    # Without a zone: UTC.
    assert found(after=times[1].astimezone(UTC).replace(tzinfo=None)) == "CB"


def test_an_empty_search_finds_all_and_a_wildcard_only_itself(wire: httpx.Client, procedure: str) -> None:
    everything = wire.get("/procedures", params={"search_query": "", "limit": "500"}).json()["data"]
    assert procedure in [one["id"] for one in everything]
    found = wire.get("/procedures", params={"search_query": "_urn-in"}).json()["data"]
    assert found == []


@pytest.mark.parametrize(
    "asked",
    [
        {"created_after": "yesterday"},
        {"created_before": "0001-01-01T00:00:00+14:00"},
        {"limit": "0"},
        {"limit": "1001"},
        {"cursor": "-1"},
        {"cursor": "0.5"},
        {"search_query": "nul\0"},
    ],
)
def test_a_wrong_query_is_told(wire: httpx.Client, asked: dict[str, str]) -> None:
    answer = wire.get("/procedures", params=asked)
    said = answer.json()
    assert (answer.status_code, said["code"]) == (400, "BAD_REQUEST")
    assert said["issues"][0]["path"] == list(asked)


def test_the_last_ten_runs_are_shown(user: TofuPilot, procedure: str, fresh: Fresh) -> None:
    serials = [fresh("SN") for _ in range(11)]
    for minutes, serial in enumerate(serials):
        started_at = STARTED_AT + timedelta(minutes=minutes)
        report(user, procedure, serial, outcome="FAIL", started_at=started_at, ended_at=started_at)
    shown = user.procedures.get(id=procedure).model_dump()
    assert shown["runs_count"] == 11
    assert [run["unit"]["serial_number"] for run in shown["recent_runs"]] == serials[:0:-1]
    assert {run["outcome"] for run in shown["recent_runs"]} == {"FAIL"}
    assert shown["recent_runs"][0]["started_at"] == STARTED_AT + timedelta(minutes=10)


def test_the_stations_that_may_report_it_are_shown(
    user: TofuPilot, server: Server, world: World, procedure: str
) -> None:
    acme = world.acme
    linked = [acme.ict.actor.station_id, acme.lonely.actor.station_id]
    for station_id in linked:
        server.change(
            lambda tx, one=station_id: link_procedures(  # type: ignore[misc]  # mypy infers no default
                tx.of(SystemActor(acme.id, "test")), one, [UUID(procedure)]
            )
        )
    stations = user.procedures.get(id=procedure).stations
    assert [station.name for station in stations] == ["FCT-1", "ICT-1", "Lonely"]


def test_git_settings_are_kept(user: TofuPilot, procedure: str, record: Database) -> None:
    p = t.procedures.c
    columns = [
        p.production_branch,
        p.auto_push_enabled,
        p.excluded_branch_patterns,
        p.root_directory,
        p.entry_point,
    ]

    def kept() -> tuple[Any, ...]:
        with record.read() as connection:
            return tuple(connection.execute(select(*columns).where(p.id == UUID(procedure))).one())

    assert kept() == (None, False, None, None, None)
    user.procedures.update(
        id=procedure,
        production_branch=" main ",
        auto_push_enabled=True,
        excluded_branch_patterns=["renovate/*", "", "wip"],
        root_directory="tests/board",
        entry_point="main.py",
    )
    assert kept() == ("main", True, '["renovate/*","wip"]', "tests/board", "main.py")
    user.procedures.update(
        id=procedure, production_branch=None, root_directory="", excluded_branch_patterns=[]
    )
    assert kept() == (None, True, "[]", None, "main.py")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"production_branch": "the wire says productionBranch"},
        {"name": None},
        {"productionBranch": "nul\0"},
        {"productionBranch": "x" * 256},
        {"autoPushEnabled": "yes"},
        {"autoPushEnabled": None},
        {"excludedBranchPatterns": "main"},
        {"excludedBranchPatterns": [None]},
        {"excludedBranchPatterns": ["nul\0"]},
        {"excludedBranchPatterns": ["x"] * 101},
        {"rootDirectory": 1},
    ],
)
def test_a_wrong_change_is_told_and_changes_nothing(
    wire: httpx.Client, procedure: str, body: dict[str, object], unchanged: Unchanged
) -> None:
    with unchanged():
        answer = wire.patch(f"/procedures/{procedure}", json={**body})
    said = answer.json()
    assert (answer.status_code, said["code"]) == (400, "BAD_REQUEST")
    assert said["issues"]


def test_runs_go_on_under_a_new_name(user: TofuPilot, procedure: str, fresh: Fresh) -> None:
    report(user, procedure, fresh("SN"))
    name = fresh("Renamed")
    for _ in range(2):
        user.procedures.update(id=procedure, name=name)
    report(user, procedure, fresh("SN"))
    shown = user.procedures.get(id=procedure)
    assert (shown.name, shown.runs_count) == (name, 2)


def test_a_deleted_procedure_is_gone_with_all_inside(
    user: TofuPilot, server: Server, world: World, procedure: str, fresh: Fresh, record: Database
) -> None:
    serial, child, lot = fresh("SN"), fresh("SN"), fresh("LOT")
    report(user, world.acme.board.id, child)
    runs = [
        report(
            user,
            procedure,
            serial,
            procedure_version="v1",
            batch_number=lot,
            sub_units=[child],
            phases=[phase("power")],
            metadata={"shift": "night"},
        )
        for _ in range(2)
    ]
    upload = _attached(server, world, runs[0])
    server.change(
        lambda tx: link_procedures(
            tx.of(SystemActor(world.acme.id, "test")), world.acme.ict.actor.station_id, [UUID(procedure)]
        )
    )
    assert user.procedures.delete(id=procedure).id == procedure
    with pytest.raises(ErrorNOTFOUND):
        user.procedures.get(id=procedure)
    for run_id in runs:
        with pytest.raises(ErrorNOTFOUND):
            user.runs.get(id=run_id)
    assert [unit.serial_number for unit in user.batches.get(number=lot).units] == [serial]
    ids = [UUID(run_id) for run_id in runs]
    inside = {
        t.run_documents: t.run_documents.c.run_id.in_(ids),
        t.run_sub_units: t.run_sub_units.c.run_id.in_(ids),
        t.metadata_entries: t.metadata_entries.c.entity_id.in_(ids),
        t.attachments: t.attachments.c.run_id.in_(ids),
        t.procedure_versions: t.procedure_versions.c.procedure_id == UUID(procedure),
        t.station_procedures: t.station_procedures.c.procedure_id == UUID(procedure),
    }
    c = t.changes.c
    with record.read() as connection:
        for table, condition in inside.items():
            assert connection.execute(select(table).where(condition)).all() == []
        file = select(t.attachments.c.run_id).where(t.attachments.c.id == UUID(upload))
        assert connection.execute(file).all() == []
        noted = select(c.kind).where(c.entity_id.in_([*ids, UUID(procedure)])).order_by(c.seq.desc()).limit(3)
        kinds = connection.execute(noted).scalars().all()
        assert kinds == ["procedure_deleted", "run_deleted", "run_deleted"]


def test_no_run_is_recorded_under_a_deleted_procedure(user: TofuPilot, procedure: str, fresh: Fresh) -> None:
    report(user, procedure, fresh("SN"))
    user.procedures.delete(id=procedure)
    with pytest.raises(ErrorNOTFOUND):
        report(user, procedure, fresh("SN"))


def test_stations_may_not_create_change_or_delete(
    station: TofuPilot, procedure: str, unchanged: Unchanged
) -> None:
    nowhere = str(uuid4())
    calls = (
        lambda: station.procedures.create(name="New"),
        lambda: station.procedures.create(name=""),
        lambda: station.procedures.update(id=procedure, name="New"),
        lambda: station.procedures.update(id=nowhere, name=""),
        lambda: station.procedures.delete(id=procedure),
        lambda: station.procedures.delete(id=nowhere),
    )
    with unchanged():
        for call in calls:
            with pytest.raises(APIError, match="Stations cannot") as raised:
                call()
            assert raised.value.status_code == 403


def test_other_organizations_see_and_change_nothing(
    user: TofuPilot, other: TofuPilot, procedure: str, unchanged: Unchanged
) -> None:
    name = user.procedures.get(id=procedure).name
    calls = (
        lambda: other.procedures.get(id=procedure),
        lambda: other.procedures.update(id=procedure, name="New"),
        lambda: other.procedures.delete(id=procedure),
    )
    with unchanged():
        assert other.procedures.list(search_query=name).data == []
        for call in calls:
            with pytest.raises(ErrorNOTFOUND):
                call()


def _attached(server: Server, world: World, run_id: str) -> str:
    """The id of a file that a run has."""
    with server.client(world.acme.engineer.api_key) as v1:
        slot = v1.post("/uploads/initialize", json={"name": "log.txt"}).json()
        assert v1.put(slot["uploadUrl"], content=b"ok").status_code == 200
        assert v1.post("/uploads/sync", json={"upload_id": slot["id"], "run_id": run_id}).status_code == 200
        return str(slot["id"])
