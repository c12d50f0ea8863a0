"""Which files nothing needs any more."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import insert, update

from runcard.domain.actor import SystemActor
from runcard.domain.errors import AttachmentNotFound
from runcard.domain.ids import new_id
from runcard.domain.runs.report import RunReport
from runcard.ingest.record_run import prepare_run, record_run
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.commit.writer import Writer
from runcard.store.creator import Creator
from runcard.store.engine.database import Database
from runcard.store.engine.tables import deployments, revisions, runs, stations
from runcard.store.files.attachments import (
    AnnouncedFile,
    Attachment,
    Owner,
    create_attachment,
    find_attachments,
    link_upload,
)
from runcard.store.files.bytes_to_remove import list_removals, note_removals
from runcard.store.files.imports import ImportedFile, note_import
from runcard.store.files.removal import delete_attachments, delete_unneeded, is_abandoned, list_page
from runcard.store.intake.quarantine import Refusal, RefusedFile, list_quarantined, quarantine
from runcard.store.retention.old_records import EXPIRED
from runcard.store.runs.rows import delete_run
from tests.world import World

Names = Callable[[SharedTransaction, World, UUID], object]


@pytest.fixture(scope="session")
def trail_fits() -> bool:
    """No: these tests name files by rows of their own, past the audit trail."""
    return False


def _announced(tx: SharedTransaction, world: World) -> Attachment:
    creator = Creator.of(world.acme.admin.actor)
    return create_attachment(tx.of(SystemActor(world.acme.id, "test")), AnnouncedFile("a.txt"), creator)


def _run(tx: SharedTransaction, world: World) -> UUID:
    report = RunReport(procedure="FVT1", serial_number="SN-1", outcome="PASS", part_number="PCB-100")
    return record_run(tx.of(world.acme.admin.actor), world.acme.admin.actor, prepare_run(report))


def _as_file_of_run(tx: SharedTransaction, world: World, file: UUID) -> None:
    link_upload(tx.of(SystemActor(world.acme.id, "test")), file, Owner(run_id=_run(tx, world)))


def _as_file_of_unit(tx: SharedTransaction, world: World, file: UUID) -> None:
    _run(tx, world)
    unit = tx.catalog.get_unit(world.acme.id, "SN-1")
    link_upload(tx.of(SystemActor(world.acme.id, "test")), file, Owner(unit_id=unit.id))


def _as_image_of_station(tx: SharedTransaction, world: World, file: UUID) -> None:
    mine = stations.c.id == world.acme.ict.actor.station_id
    tx.connection.execute(update(stations).where(mine).values(image_id=file))


def _as_image_of_revision(tx: SharedTransaction, world: World, file: UUID) -> None:
    _run(tx, world)
    tx.connection.execute(update(revisions).values(image_id=file))


def _as_artifact_of_deployment(tx: SharedTransaction, world: World, file: UUID) -> None:
    row = {"id": new_id(), "organization_id": world.acme.id, "procedure_id": world.acme.board.id}
    kind = {"environment": "production", "trigger": "cli", "status": "ready", "deployment_mode": "sync"}
    by = Creator.of(world.acme.admin.actor).columns
    values = {**row, **kind, **by, "artifact_id": file, "created_at": tx.now}
    tx.connection.execute(insert(deployments).values(values))


def _as_report_of_several_runs(tx: SharedTransaction, world: World, file: UUID) -> None:
    imported = ImportedFile(b"d" * 32, "WATS", file)
    note_import(
        tx.of(SystemActor(world.acme.id, "test")),
        imported,
        [_run(tx, world)],
        Creator.of(world.acme.admin.actor),
    )


def _as_file_in_quarantine(tx: SharedTransaction, world: World, file: UUID) -> None:
    creator = Creator.of(world.acme.admin.actor)
    refused = RefusedFile(b"d" * 32, file, Refusal("WATS", "unreadable"))
    quarantine(tx.of(SystemActor(world.acme.id, "test")), refused, creator)


def _abandoned(database: Database, after: timedelta) -> list[UUID]:
    with database.read() as connection:
        files = list_page(connection, None, 100)
    return [one.attachment.id for one in files if is_abandoned(one, one.attachment.created_at + after)]


@pytest.mark.parametrize(
    "names",
    [
        _as_file_of_run,
        _as_file_of_unit,
        _as_image_of_station,
        _as_image_of_revision,
        _as_artifact_of_deployment,
        _as_report_of_several_runs,
        _as_file_in_quarantine,
    ],
)
def test_what_something_names_is_kept(database: Database, writer: Writer, world: World, names: Names) -> None:
    needed, free = (writer.write_shared(lambda tx: _announced(tx, world)) for _ in range(2))
    writer.write_shared(lambda tx: names(tx, world, needed.id))
    assert _abandoned(database, timedelta(days=1)) == [free.id]
    assert _abandoned(database, timedelta()) == []
    both = [needed.id, free.id]
    assert (
        writer.write_shared(lambda tx: delete_unneeded(tx.of(SystemActor(world.globex.id, "test")), both))
        == []
    )
    assert writer.write_shared(
        lambda tx: delete_unneeded(tx.of(SystemActor(world.acme.id, "test")), both)
    ) == [free]
    with database.read_in(world.acme.id) as scope:
        assert list(find_attachments(scope, [needed.id, free.id])) == [needed.id]


def test_a_report_whose_runs_are_all_deleted_goes_with_them(
    database: Database, writer: Writer, world: World
) -> None:
    file = writer.write_shared(lambda tx: _announced(tx, world))
    writer.write_shared(lambda tx: _as_report_of_several_runs(tx, world, file.id))
    with database.read() as connection:
        (run_id,) = connection.execute(runs.select().with_only_columns(runs.c.id)).scalars()
    writer.write_shared(lambda tx: delete_run(tx.of(SystemActor(world.acme.id, "test")), run_id, EXPIRED))
    with database.read_in(world.acme.id) as scope:
        assert find_attachments(scope, [file.id]) == {}
        assert list_removals(scope.connection) == [(file.id, file.blob_key)]


def test_bytes_are_noted_once(database: Database, writer: Writer, world: World) -> None:
    blob_id = new_id()
    for _ in range(2):
        writer.write_shared(
            lambda tx: note_removals(tx.of(SystemActor(world.acme.id, "test")), [blob_id, blob_id])
        )
    with database.read() as connection:
        assert [found for found, _ in list_removals(connection)] == [blob_id]


def test_what_is_deleted_is_named_no_more(database: Database, writer: Writer, world: World) -> None:
    file = writer.write_shared(lambda tx: _announced(tx, world))
    for names in (
        _as_image_of_station,
        _as_image_of_revision,
        _as_report_of_several_runs,
        _as_file_in_quarantine,
    ):
        writer.write_shared(lambda tx, names=names: names(tx, world, file.id))  # type: ignore[misc]  # mypy infers no default
    with pytest.raises(AttachmentNotFound):
        writer.write_shared(
            lambda tx: delete_attachments(
                tx.of(SystemActor(world.acme.id, "test")), [file.id, new_id()], EXPIRED
            )
        )
    with pytest.raises(AttachmentNotFound):
        writer.write_shared(
            lambda tx: delete_attachments(tx.of(SystemActor(world.globex.id, "test")), [file.id], EXPIRED)
        )
    assert writer.write_shared(
        lambda tx: delete_attachments(tx.of(SystemActor(world.acme.id, "test")), [file.id, file.id], EXPIRED)
    ) == [file]
    with database.read_in(world.acme.id) as scope:
        assert list_quarantined(scope) == []
        assert not scope.connection.execute(stations.select().where(stations.c.image_id.is_not(None))).all()
        assert not scope.connection.execute(revisions.select().where(revisions.c.image_id.is_not(None))).all()
