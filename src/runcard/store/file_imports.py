"""Which file runs and repairs were imported from. A file is known by the digest of its content, not by its name."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, exists, func, or_, select, update

from runcard.domain.ids import new_id
from runcard.store.chunks import in_chunks
from runcard.store.creator import Creator
from runcard.store.tables import file_imports, imported_runs, repairs
from runcard.store.transaction import Transaction


class FileImport(NamedTuple):
    """run_ids: those that there are, in the order of the file. repair_ids: likewise.

    recorded_count: how many reports of the file have been recorded, where its import was cut short; None: all.
    """

    id: UUID
    run_ids: Sequence[UUID]
    repair_ids: Sequence[UUID] = ()
    recorded_count: int | None = None


class ImportedFile(NamedTuple):
    """digest: SHA-256 of its bytes. importer: the name of its format."""

    digest: bytes
    importer: str
    attachment_id: UUID


class ImportState(NamedTuple):
    """How far an import has come; recorded_count as in FileImport."""

    id: UUID
    attachment_id: UUID | None
    recorded_count: int | None


def note_import(
    tx: Transaction, organization_id: UUID, file: ImportedFile, run_ids: Sequence[UUID], creator: Creator
) -> FileImport:
    """Note that these runs, which are recorded or staged, came from a file."""
    made = FileImport(new_id(), run_ids)
    row = {"id": made.id, "organization_id": organization_id, **file._asdict()}
    tx.stage(file_imports, {**row, "created_at": tx.now, "recorded_count": None, **creator.columns})
    note_runs(tx, organization_id, made.id, run_ids, first=0)
    return made


def note_runs(
    tx: Transaction, organization_id: UUID, import_id: UUID, run_ids: Sequence[UUID], *, first: int
) -> None:
    """Note that these runs, too, came from a file. first: what they are counted from."""
    for position, run_id in enumerate(run_ids, first):
        link = {"file_import_id": import_id, "run_id": run_id, "position": position}
        tx.stage(imported_runs, {**link, "organization_id": organization_id})


def note_recorded(
    tx: Transaction, organization_id: UUID, import_id: UUID, recorded_count: int | None
) -> None:
    """Note how far an import has come; None: to its end."""
    f = file_imports.c
    tx.connection.execute(
        update(file_imports)
        .where(f.organization_id == organization_id, f.id == import_id)
        .values(recorded_count=recorded_count)
    )


def list_imports_of(
    connection: Connection, organization_id: UUID, run_ids: Collection[UUID]
) -> Sequence[ImportState]:
    """The imports that these runs came from."""
    f, i = file_imports.c, imported_runs.c
    found: dict[UUID, ImportState] = {}
    for some in in_chunks(run_ids):
        query = (
            select(f.id, f.attachment_id, f.recorded_count)
            .distinct()
            .join_from(file_imports, imported_runs, i.file_import_id == f.id)
            .where(f.organization_id == organization_id, i.run_id.in_(some))
        )
        found |= {row.id: ImportState(*row) for row in connection.execute(query)}
    return list(found.values())


def expire_imports(tx: Transaction, organization_id: UUID, import_ids: Collection[UUID]) -> None:
    """Note of those of these imports of which no run is left that the runs went for their age.

    Their content counts as imported still, or whoever imports a folder again and again would bring them back.
    """
    f, i = file_imports.c, imported_runs.c
    for some in in_chunks(import_ids):
        tx.connection.execute(
            update(file_imports)
            .where(
                f.organization_id == organization_id,
                f.id.in_(some),
                ~exists().where(i.file_import_id == f.id),
            )
            .values(expired_at=tx.now)
        )


def find_import_state(connection: Connection, organization_id: UUID, digest: bytes) -> ImportState | None:
    """How far the import has come that `find_import` finds."""
    f = file_imports.c
    row = connection.execute(
        _first(organization_id, digest, f.id, f.attachment_id, f.recorded_count)
    ).one_or_none()
    return None if row is None else ImportState(*row)


def count_imported(connection: Connection, import_id: UUID) -> int:
    """How many of the runs of an import there are."""
    i = imported_runs.c
    query = select(func.count()).select_from(imported_runs).where(i.file_import_id == import_id)
    return connection.execute(query).scalar_one()


def find_import(connection: Connection, organization_id: UUID, digest: bytes) -> FileImport | None:
    """The first import of a file with this content of which a run or a repair is left, or else whose runs went for
    their age; None where there is none.
    """
    state = find_import_state(connection, organization_id, digest)
    if state is None:
        return None
    i, r = imported_runs.c, repairs.c
    run_ids = select(i.run_id).where(i.file_import_id == state.id).order_by(i.position)
    repair_ids = select(r.id).where(r.file_import_id == state.id).order_by(r.id)
    return FileImport(
        state.id,
        connection.execute(run_ids).scalars().all(),
        connection.execute(repair_ids).scalars().all(),
        state.recorded_count,
    )


def _first(organization_id: UUID, digest: bytes, *columns: ColumnElement[Any]) -> Select[Any]:
    f, i, r = file_imports.c, imported_runs.c, repairs.c
    is_left = or_(exists().where(i.file_import_id == f.id), exists().where(r.file_import_id == f.id))
    is_expired = f.expired_at.is_not(None)
    return (
        select(*columns)
        .where(f.organization_id == organization_id, f.digest == digest, or_(is_left, is_expired))
        .order_by(is_expired, f.created_at, f.id)
        .limit(1)
    )
