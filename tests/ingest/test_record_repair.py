"""Recording repairs: of known units and of new ones, and who may."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import func, select

from runcard.domain.actor import Actor, SystemActor
from runcard.domain.errors import CreationForbidden, InvalidInput, PermissionDenied, UnitNotFound
from runcard.domain.floor.repair import RepairedPart, RepairFailure, RepairReport
from runcard.ingest.record_repair import check_repair, record_repair
from runcard.store.bin.deleting import Deletion
from runcard.store.commit.lookups import get_organization
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.commit.writer import Writer
from runcard.store.creator import Creator
from runcard.store.engine.database import Database
from runcard.store.engine.tables import metadata
from runcard.store.files.imports import ImportedFile, find_import, note_import
from runcard.store.lists.pages import Page
from runcard.store.people.organizations import update_organization
from runcard.store.units.records import delete_units
from runcard.store.units.repairs import RepairFilter, RepairRecord, RepairRow, list_repairs
from tests.world import World

START = datetime(2026, 1, 2, tzinfo=UTC)
DIGEST = b"d" * 32
Repair = Callable[..., RepairRecord]


@pytest.fixture
def repair(database: Database, writer: Writer, world: World) -> Repair:
    """Records a repair and reads it back; the admin does, where no other actor is named."""

    def repair(serial_number: str, *, actor: Actor | None = None, **fields: Any) -> RepairRecord:
        report = RepairReport(serial_number, "Repair", "PASS", **{"started_at": START, **fields})
        who = actor or world.acme.admin.actor

        def write(tx: SharedTransaction) -> RepairRow:
            file = ImportedFile(DIGEST, "WATS", world.acme.id)
            noted = note_import(tx.of(SystemActor(world.acme.id, "test")), file, [], Creator.of(who))
            return record_repair(tx.of(SystemActor(who.organization_id, "test")), who, report, noted.id)

        row = writer.write_shared(write)
        (record,) = listed(database, world.acme.id, ids=[row.id])
        assert record.unit.id == row.unit_id
        return record

    return repair


def listed(database: Database, organization_id: UUID, **wanted: Any) -> list[RepairRecord]:
    """The repairs that a filter leaves, the latest first."""
    with database.read_in(organization_id) as scope:
        return list(list_repairs(scope, RepairFilter(**wanted), Page(50), descending=True).rows)


def count_rows(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }


def test_a_repair_reads_back_as_it_was_told(repair: Repair) -> None:
    said: dict[str, Any] = {
        "part_number": "P",
        "revision_number": "B",
        "comment": "reworked",
        "failures": (RepairFailure("Cold joint", component="R1"),),
        "parts": (RepairedPart("S2", replaced="S1"),),
        "metadata": {"location": "Drammen", "count": 3},
    }
    record = repair("top", operator="Robin", **said)
    assert record.report == RepairReport("top", "Repair", "PASS", START, operator="Robin", **said)
    assert (record.operator, record.operator_name) == (None, "Robin")


def test_a_member_as_operator(repair: Repair, world: World) -> None:
    member = world.acme.admin
    record = repair("top", part_number="P", operator=member.email.upper())
    assert record.operator is not None
    assert (record.operator.id, record.operator_name) == (member.actor.user_id, None)


def test_repairs_of_a_unit_the_latest_first(repair: Repair, database: Database, world: World) -> None:
    first = repair("top", part_number="P", started_at=START)
    last = repair("TOP", started_at=START + timedelta(days=2))
    between = repair("top", part_number="other", started_at=START + timedelta(days=1))
    other = repair("other", part_number="P")
    assert listed(database, world.acme.id, serial_numbers=["Top"]) == [last, between, first]
    assert listed(database, world.globex.id, serial_numbers=["top"]) == []
    assert other.unit.id != first.unit.id


def test_an_unknown_unit_needs_its_part(repair: Repair, database: Database) -> None:
    before = count_rows(database)
    with pytest.raises(UnitNotFound, match="top"):
        repair("top")
    assert count_rows(database) == before


def test_stations_create_what_they_may(
    repair: Repair, writer: Writer, database: Database, world: World
) -> None:
    with database.read_in(world.acme.id) as scope:
        strict = replace(get_organization(scope), station_may_create_units=False)
    writer.write_catalog(SystemActor(strict.id, "test"), lambda tx: update_organization(tx, strict))
    before = count_rows(database)
    with pytest.raises(CreationForbidden, match="Unit creation failed"):
        repair("top", part_number="P", actor=world.acme.ict.actor)
    assert count_rows(database) == before
    made = repair("top", part_number="P")
    assert repair("top", actor=world.acme.ict.actor).unit.id == made.unit.id


def test_viewers_record_nothing(repair: Repair, world: World) -> None:
    with pytest.raises(PermissionDenied):
        repair("top", part_number="P", actor=world.acme.viewer.actor)


def test_repairs_go_with_their_unit(repair: Repair, writer: Writer, database: Database, world: World) -> None:
    record = repair("top", part_number="P")
    with database.read_in(world.acme.id) as scope:
        known = find_import(scope, DIGEST)
    assert known is not None
    assert (known.run_ids, known.repair_ids) == ([], [record.id])
    writer.write_shared(
        lambda tx: delete_units(
            tx.of(SystemActor(world.acme.id, "test")), ["top"], Deletion(), with_runs=False
        )
    )
    with database.read_in(world.acme.id) as scope:
        assert find_import(scope, DIGEST) is None
    assert listed(database, world.acme.id) == []


@pytest.mark.parametrize(
    "field", ["serial_number", "operation", "part_number", "revision_number", "operator"]
)
@pytest.mark.parametrize("name", ["x" * 256, "\0"])
def test_names_that_are_none(field: str, name: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        check_repair(replace(RepairReport("S", "Repair", "PASS", START), **{field: name}))
    assert [issue.path for issue in raised.value.issues] == [(field,)]
