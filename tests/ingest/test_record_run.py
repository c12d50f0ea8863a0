"""Recording a run: what it refers to, what it creates, moves and is refused for."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from runcard.domain.actor import Actor, SystemActor
from runcard.domain.errors import (
    CircularParentage,
    CreationForbidden,
    InvalidInput,
    OperatorNotFound,
    PartNumberMissing,
    PartNumberUnreadable,
    PermissionDenied,
    ProcedureNotFound,
    QuotaExceeded,
    StationNotAuthorized,
    SubUnitsNotFound,
)
from runcard.domain.floor.organization import Organization
from runcard.domain.runs.report import RunReport, UnitDescription
from runcard.ingest.record_run import prepare_run, record_run
from runcard.store.commit.lookups import get_organization
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.tables import metadata, parts, revisions, unit_moves, units
from runcard.store.people.organizations import update_organization
from runcard.store.procedures.rows import list_procedures
from runcard.store.runs.records import RunRecord, list_runs_of_unit, list_sub_units
from tests.world import World

Record = Callable[..., RunRecord]


@pytest.fixture
def record(database: Database, writer: Writer, world: World) -> Record:
    """Records a run of the board procedure and reads it back; the admin does, where no other actor is named."""

    def record(serial_number: str, *, actor: Actor | None = None, **fields: Any) -> RunRecord:
        report = RunReport(
            **{"procedure": world.acme.board.identifier, "outcome": "PASS", **fields},
            serial_number=serial_number,
        )
        run = prepare_run(report)
        who = actor or world.acme.admin.actor
        run_id = writer.write_shared(
            lambda tx: record_run(tx.of(SystemActor(who.organization_id, "test")), who, run)
        )
        with database.read_in(who.organization_id) as scope:
            found = {item.id: item for item in list_runs_of_unit(scope, serial_number)}
        return found[run_id]

    return record


@pytest.fixture
def policy(writer: Writer, database: Database, world: World) -> Callable[..., None]:
    """Changes the organization's policies."""

    def policy(**changes: Any) -> None:
        with database.read_in(world.acme.id) as scope:
            organization: Organization = get_organization(scope)
        changed = replace(organization, **changes)
        writer.write_catalog(SystemActor(changed.id, "test"), lambda tx: update_organization(tx, changed))

    return policy


def count_rows(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }


def place(run: RunRecord) -> tuple[str, str, str | None]:
    return run.part.number, run.revision.name, run.batch and run.batch.name


class TestProcedure:
    def test_by_identifier_in_any_case_and_by_id(self, record: Record, world: World) -> None:
        board = world.acme.board
        for reference in (board.identifier, board.identifier.lower(), str(board.id), str(board.id).upper()):
            assert record("SN1", procedure=reference, part_number="P").procedure.id == board.id

    def test_a_user_learns_that_it_is_unknown(self, record: Record) -> None:
        with pytest.raises(ProcedureNotFound, match="Procedure with ID FVT99 does not exist"):
            record("SN1", procedure="FVT99")

    def test_that_of_another_organization_is_unknown(self, record: Record, world: World) -> None:
        with pytest.raises(ProcedureNotFound):
            record("SN1", procedure=str(world.globex.board.id))

    def test_a_station_learns_only_that_it_may_not(self, record: Record, world: World) -> None:
        for reference in (world.acme.final.identifier, "FVT99", str(world.globex.board.id)):
            with pytest.raises(StationNotAuthorized, match="not authorized"):
                record("SN1", actor=world.acme.ict.actor, procedure=reference, part_number="P")

    def test_a_station_with_all_procedures_may(self, record: Record, world: World) -> None:
        run = record("SN1", actor=world.acme.fct.actor, procedure="FVT2", part_number="P")
        assert (run.created_by_station, run.created_by_user) == (
            (world.acme.fct.actor.station_id, "FCT-1"),
            None,
        )

    def test_a_viewer_records_nothing(self, record: Record, world: World) -> None:
        with pytest.raises(PermissionDenied, match="Role viewer"):
            record("SN1", actor=world.acme.viewer.actor, part_number="P")


class TestPlacement:
    def test_everything_new_is_created_and_found_again_without_case(self, record: Record) -> None:
        first = record(
            "sn-1", part_number="Pcb", revision_number="b", batch_number="Lot 1", procedure_version="V1"
        )
        again = record(
            "SN-1 ".strip(),
            part_number="PCB",
            revision_number="B",
            batch_number="LOT 1",
            procedure_version="v1",
        )
        assert place(first) == place(again) == ("Pcb", "b", "Lot 1")
        assert (again.unit, again.version) == (first.unit, first.version)
        assert again.unit.serial_number == "sn-1"

    def test_the_default_revision_comes_with_the_part(self, record: Record) -> None:
        assert place(record("SN1", part_number="P")) == ("P", "A", None)
        assert place(record("SN2", part_number="Q", revision_number="C")) == ("Q", "C", None)
        assert place(record("SN3", part_number="Q")) == ("Q", "A", None)

    def test_a_known_unit_stays_where_it_is(self, record: Record) -> None:
        first = record("SN1", part_number="P", revision_number="B", batch_number="L")
        assert place(record("SN1")) == place(first)

    def test_another_place_moves_the_unit_and_leaves_older_runs_alone(
        self, record: Record, database: Database, world: World
    ) -> None:
        first = record("SN1", part_number="P", batch_number="L1")
        second = record("SN1", part_number="Q", revision_number="B", batch_number="L2")
        assert place(second) == ("Q", "B", "L2")
        with database.read_in(world.acme.id) as scope:
            kept = {run.id: run for run in list_runs_of_unit(scope, "SN1")}
            moves = scope.connection.execute(
                select(unit_moves.c.kind, unit_moves.c.from_id, unit_moves.c.to_id, unit_moves.c.run_id)
            ).all()
        assert place(kept[first.id]) == ("P", "A", "L1")
        assert sorted(moves) == sorted(
            [
                ("revision", first.revision.id, second.revision.id, second.id),
                ("batch", first.batch and first.batch.id, second.batch and second.batch.id, second.id),
            ]
        )

    def test_another_part_brings_its_default_revision(self, record: Record) -> None:
        record("SN1", part_number="P", revision_number="C")
        assert place(record("SN1", part_number="Q")) == ("Q", "A", None)

    def test_a_batch_spans_parts(self, record: Record) -> None:
        one, other = (
            record("SN1", part_number="P", batch_number="L"),
            record("SN2", part_number="Q", batch_number="l"),
        )
        assert one.batch == other.batch


class TestPartNumber:
    def test_none_and_no_pattern(self, record: Record) -> None:
        with pytest.raises(PartNumberMissing, match="Part number is required but not provided"):
            record("SN1")

    def test_from_the_pattern(self, record: Record, policy: Callable[..., None]) -> None:
        policy(serial_number_pattern="^([A-Z0-9]{8})")
        assert record("PCB101T5A123").part.number == "PCB101T5"
        assert record("PCB101T5A124", part_number="given").part.number == "given"

    def test_the_pattern_moves_a_known_unit(self, record: Record, policy: Callable[..., None]) -> None:
        record("PCB101T5A123", part_number="other")
        policy(serial_number_pattern="^([A-Z0-9]{8})")
        assert record("PCB101T5A123").part.number == "PCB101T5"

    def test_a_pattern_that_finds_nothing(self, record: Record, policy: Callable[..., None]) -> None:
        record("known", part_number="P")
        policy(serial_number_pattern="^([A-Z0-9]{8})")
        with pytest.raises(PartNumberUnreadable, match="extraction failed for serial number unknown"):
            record("unknown")
        assert record("known").part.number == "P"


class TestSubUnits:
    def parents(self, database: Database) -> dict[str, str | None]:
        with database.read() as connection:
            rows = connection.execute(select(units.c.id, units.c.serial_number, units.c.parent_id)).all()
        names = {row.id: row.serial_number for row in rows}
        return {row.serial_number: names.get(row.parent_id) for row in rows}

    def test_they_become_children_once_and_in_order(
        self, record: Record, database: Database, world: World
    ) -> None:
        for serial in ("b", "a", "c"):
            record(serial, part_number="P")
        run = record("top", part_number="T", sub_units=("b", "A", "c", "a"))
        assert self.parents(database) == {"a": "top", "b": "top", "c": "top", "top": None}
        with database.read_in(world.acme.id) as scope:
            named = list_sub_units(scope, [run.id])[run.id]
        assert [unit.serial_number for unit in named] == ["b", "a", "c"]

    def test_they_add_to_those_that_are_there(self, record: Record, database: Database) -> None:
        for serial in ("a", "b"):
            record(serial, part_number="P")
            record("top", part_number="T", sub_units=(serial,))
        assert self.parents(database) == {"a": "top", "b": "top", "top": None}

    def test_one_moves_from_parent_to_parent_with_a_trace(self, record: Record, database: Database) -> None:
        child = record("a", part_number="P")
        one = record("one", part_number="T", sub_units=("a",))
        two = record("two", part_number="T", sub_units=("a",))
        assert self.parents(database)["a"] == "two"
        with database.read() as connection:
            moves = connection.execute(
                select(unit_moves.c.unit_id, unit_moves.c.from_id, unit_moves.c.to_id, unit_moves.c.run_id)
                .where(unit_moves.c.kind == "parent")
                .order_by(unit_moves.c.moved_at, unit_moves.c.id)
            ).all()
        assert [tuple(move) for move in moves] == [
            (child.unit.id, None, one.unit.id, one.id),
            (child.unit.id, one.unit.id, two.unit.id, two.id),
        ]

    def test_unknown_ones_are_named_and_nothing_is_recorded(self, record: Record, database: Database) -> None:
        record("a", part_number="P")
        before = count_rows(database)
        with pytest.raises(SubUnitsNotFound, match="Sub-units not found: x, y"):
            record("top", part_number="new part", sub_units=("a", "x", "y"))
        assert count_rows(database) == before

    def test_no_unit_becomes_its_own_ancestor(self, record: Record, database: Database) -> None:
        record("a", part_number="P")
        record("b", part_number="P", sub_units=("a",))
        record("c", part_number="P", sub_units=("b",))
        before = self.parents(database)
        for serial, inner in (("a", "c"), ("a", "a"), ("a", "b"), ("b", "c")):
            with pytest.raises(CircularParentage):
                record(serial, sub_units=(inner,))
        assert self.parents(database) == before


class TestNewSubUnits:
    def test_those_that_nobody_recorded_are_created(
        self, record: Record, database: Database, world: World
    ) -> None:
        old = record("old", part_number="P", revision_number="Z")
        described = (
            UnitDescription("b", "P", "B"),
            UnitDescription("OLD", "other part", "other revision"),
            UnitDescription("a", "Q"),
            UnitDescription("A", "twice"),
            UnitDescription("c", "T", "B"),
        )
        run = record("top", part_number="T", sub_units=("b", "OLD", "a", "c"), new_sub_units=described)
        with database.read_in(world.acme.id) as scope:
            named = list_sub_units(scope, [run.id])[run.id]
            rows = scope.connection.execute(
                select(
                    units.c.serial_number, parts.c.number, revisions.c.number, units.c.created_during_run_id
                )
                .join_from(units, parts, units.c.part_id == parts.c.id)
                .join(revisions, units.c.revision_id == revisions.c.id)
                .where(units.c.parent_id == run.unit.id)
            ).all()
            moves = scope.connection.execute(
                select(unit_moves.c.to_id, unit_moves.c.run_id).where(unit_moves.c.kind == "parent")
            ).all()
        assert [unit.serial_number for unit in named] == ["b", "old", "a", "c"]
        assert {row.serial_number: tuple(row)[1:] for row in rows} == {
            "b": ("P", "B", run.id),
            "old": ("P", "Z", old.id),
            "a": ("Q", "A", run.id),
            "c": ("T", "B", run.id),
        }
        assert [tuple(move) for move in moves] == [(run.unit.id, run.id)] * 4

    def test_those_that_are_not_among_the_sub_units_are_not(self, record: Record, database: Database) -> None:
        record("top", part_number="T", new_sub_units=(UnitDescription("a", "P"),))
        with database.read() as connection:
            assert list(connection.execute(select(units.c.serial_number)).scalars()) == ["top"]

    @pytest.mark.parametrize(
        ("sub_units", "described", "error"),
        [
            (("a", "x"), UnitDescription("a", "P"), SubUnitsNotFound),
            (("top",), UnitDescription("TOP", "P"), CircularParentage),
            (("a",), UnitDescription("a", "P" * 256), InvalidInput),
            (("a",), UnitDescription("a", "P", "\0"), InvalidInput),
        ],
    )
    def test_refused_ones_leave_nothing(
        self,
        record: Record,
        database: Database,
        sub_units: tuple[str, ...],
        described: UnitDescription,
        error: type[Exception],
    ) -> None:
        before = count_rows(database)
        with pytest.raises(error):
            record("top", part_number="T", sub_units=sub_units, new_sub_units=(described,))
        assert count_rows(database) == before

    @pytest.mark.parametrize("entity", ["unit", "part", "revision"])
    def test_stations_create_what_they_may(
        self, record: Record, policy: Callable[..., None], database: Database, world: World, entity: str
    ) -> None:
        record("top", part_number="T")
        named: dict[str, Any] = {
            "actor": world.acme.ict.actor,
            "sub_units": ("a",),
            "new_sub_units": (UnitDescription("a", "P", "B"),),
        }
        policy(**{f"station_may_create_{entity}s": False})
        before = count_rows(database)
        with pytest.raises(CreationForbidden, match=f"{entity.capitalize()} creation failed"):
            record("top", **named)
        assert count_rows(database) == before
        policy(**{f"station_may_create_{entity}s": True})
        assert record("top", **named).unit.serial_number == "top"


class TestPolicies:
    def test_stations_may_create_everything_at_first(self, record: Record, world: World) -> None:
        run = record(
            "SN1",
            actor=world.acme.ict.actor,
            part_number="P",
            revision_number="B",
            batch_number="L",
            procedure_version="1",
        )
        assert place(run) == ("P", "B", "L")

    def test_what_is_refused_is_named_together(
        self, record: Record, policy: Callable[..., None], world: World, database: Database
    ) -> None:
        new = {"part_number": "P", "revision_number": "B", "batch_number": "L", "procedure_version": "1"}
        policy(
            **{
                f"station_may_create_{noun}": False
                for noun in ("parts", "revisions", "batches", "units", "versions")
            }
        )
        before = count_rows(database)
        with pytest.raises(CreationForbidden) as refused:
            record("SN1", actor=world.acme.ict.actor, **new)
        assert str(refused.value) == (
            "Part creation failed.; Revision creation failed.; Batch creation failed.; "
            "Unit creation failed.; Version creation failed."
        )
        assert count_rows(database) == before
        record("SN1", **new)  # users may
        assert place(record("SN1", actor=world.acme.ict.actor, **new)) == ("P", "B", "L")

    def test_a_default_revision_needs_no_leave_of_its_own(
        self, record: Record, policy: Callable[..., None], world: World
    ) -> None:
        policy(station_may_create_revisions=False)
        assert place(record("SN1", actor=world.acme.ict.actor, part_number="P")) == ("P", "A", None)

    def test_the_quota_counts_this_month(self, record: Record, policy: Callable[..., None]) -> None:
        policy(monthly_run_quota=2)
        record("SN1", part_number="P")
        record("SN1")
        with pytest.raises(QuotaExceeded, match=r"Monthly limit exceeded\."):
            record("SN1")
        policy(monthly_run_quota=3)
        record("SN1")

    def test_runs_of_last_month_do_not_count(
        self, writer: Writer, policy: Callable[..., None], record: Record, world: World
    ) -> None:
        report = RunReport(procedure="FVT1", serial_number="SN1", part_number="P", outcome="PASS")
        earlier = prepare_run(report, received_at=datetime.now(UTC) - timedelta(days=32))
        writer.write_shared(
            lambda tx: record_run(tx.of(world.acme.admin.actor), world.acme.admin.actor, earlier)
        )
        policy(monthly_run_quota=1)
        record("SN1")
        with pytest.raises(QuotaExceeded):
            record("SN1")


class TestOperator:
    def test_a_member_by_email_without_case(self, record: Record, world: World) -> None:
        run = record("SN1", part_number="P", operated_by="EVE@acme.test")
        assert run.operator is not None
        assert run.operator.id == world.acme.engineer.actor.user_id

    def test_nobody_else(self, record: Record) -> None:
        for email in ("nobody@acme.test", "gus@globex.test"):
            with pytest.raises(OperatorNotFound, match=f"Operator with email {email} does not exist"):
                record("SN1", part_number="P", operated_by=email)


class TestTime:
    def test_a_run_without_a_start_started_when_it_was_received(self, record: Record) -> None:
        run = record("SN1", part_number="P", duration=timedelta(minutes=5))
        assert run.started_at == run.created_at
        assert run.ended_at - run.started_at == timedelta(minutes=5)

    def test_a_given_start_stands(self, record: Record) -> None:
        started_at = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
        assert record("SN1", part_number="P", started_at=started_at).started_at == started_at


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"serial_number": ""}, ("serial_number",)),
        ({"serial_number": "a\0b"}, ("serial_number",)),
        ({"serial_number": "x" * 256}, ("serial_number",)),
        ({"part_number": "x" * 256}, ("part_number",)),
        ({"batch_number": "\0"}, ("batch_number",)),
        ({"docstring": "\0"}, ("docstring",)),
        ({"sub_units": ("a", "")}, ("sub_units", 1)),
        ({"duration": timedelta(seconds=-1)}, ("duration",)),
        ({"duration": timedelta.max}, ("duration",)),
    ],
)
def test_what_no_report_may_hold(fields: dict[str, Any], path: tuple[str | int, ...]) -> None:
    report = RunReport(**{"procedure": "FVT1", "serial_number": "SN1", "outcome": "PASS", **fields})
    with pytest.raises(InvalidInput) as refused:
        prepare_run(report)
    assert [issue.path for issue in refused.value.issues] == [path]


def test_a_file_names_its_procedure_by_name(record: Record, database: Database, world: World):
    acme = world.acme
    found = record("A-1", part_number="P", procedure="bOARD", procedure_is_name=True)
    assert found.procedure.id == acme.board.id
    created = record("A-1", procedure="Burn-in", procedure_is_name=True, actor=acme.engineer.actor)
    again = record("A-2", part_number="P", procedure="BURN-IN", procedure_is_name=True, actor=acme.fct.actor)
    assert created.procedure.name == "Burn-in"
    assert again.procedure.id == created.procedure.id
    with database.read_in(acme.id) as scope:
        names = [one.name for one in list_procedures(scope)]
    assert names == ["Board", "Final", "Burn-in"]


def test_only_who_may_create_procedures_brings_in_a_new_one(record: Record, world: World):
    with pytest.raises(StationNotAuthorized):
        record("A-1", procedure="Burn-in", procedure_is_name=True, actor=world.acme.fct.actor)
