"""Imports: the files that runs and repairs came from. A file is known by the digest of its content, not by its name."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, exists, func, or_, select, update

from runcard.domain.errors import FileImportNotFound
from runcard.domain.floor.statement import StatedField
from runcard.domain.ids import new_id
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope, owned_by
from runcard.store.engine.tables import (
    attachments,
    file_imports,
    imported_runs,
    procedures,
    repairs,
    runs,
    units,
)
from runcard.store.lists.pages import Listed, Page, fetch_page, known_at
from runcard.store.lists.refs import CREATOR_COLUMNS, CreatedBy, created_by, with_creator
from runcard.store.trail.watching import note_event

T = TypeVar("T")


class FileImport(NamedTuple):
    """run_ids, repair_ids: those that still exist, in the order of the file.

    recorded_count: how many reports of the file are recorded, if its import was cut short; None: all.
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


class NotedRun(NamedTuple):
    """A run that came from a file.

    stated: the fields that the sender stated. report_id: the id of its report in the file, in lower case.
    """

    run_id: UUID
    stated: Sequence[StatedField] = ()
    report_id: str | None = None


class ImportState(NamedTuple):
    """How far an import has come. recorded_count: as in FileImport."""

    id: UUID
    attachment_id: UUID | None
    recorded_count: int | None


class ImportRecord(NamedTuple):
    """An import as it is listed.

    name, size_bytes: of its file; None if the file is deleted. run_count, repair_count: how many still exist.
    """

    id: UUID
    digest: bytes
    importer: str
    attachment_id: UUID | None
    recorded_count: int | None
    created_at: datetime
    name: str | None
    size_bytes: int | None
    run_count: int
    repair_count: int
    created_by: CreatedBy


_OWN = ImportRecord._fields[:6]


def note_import(
    tx: Transaction,
    file: ImportedFile,
    run_ids: Sequence[UUID],
    creator: Creator,
    import_id: UUID | None = None,
) -> FileImport:
    """Add the import of a file with these runs, which are recorded or staged. import_id: None: a new id."""
    made = FileImport(import_id or new_id(), run_ids)
    row = {"id": made.id, "organization_id": tx.organization_id, **file._asdict()}
    tx.stage(file_imports, {**row, "created_at": tx.now, "recorded_count": None, **creator.columns})
    note_runs(tx, made.id, [NotedRun(run_id) for run_id in run_ids], first=0)
    note_event(tx, "file_imported", made.id, what=_facts(file, run_ids))
    return made


def _facts(file: ImportedFile, run_ids: Sequence[UUID]) -> Mapping[str, str | int]:
    return {"importer": file.importer, "attachment_id": str(file.attachment_id), "runs": len(run_ids)}


def note_runs(
    tx: Transaction,
    import_id: UUID,
    runs: Iterable[NotedRun],
    *,
    first: int,
) -> None:
    """Note that these runs came from a file too. first: the position of the first of them."""
    for position, run in enumerate(runs, first):
        link = {"file_import_id": import_id, "run_id": run.run_id, "position": position}
        noted = {"stated": " ".join(run.stated) or None, "report_id": run.report_id}
        tx.stage(imported_runs, {**link, "organization_id": tx.organization_id, **noted})


def note_recorded(tx: Transaction, import_id: UUID, recorded_count: int | None) -> None:
    """Note how far an import has come. recorded_count: None: it is finished."""
    f = file_imports.c
    tx.connection.execute(
        update(file_imports).where(tx.owns(f), f.id == import_id).values(recorded_count=recorded_count)
    )


def list_imports_of(scope: Scope, run_ids: Collection[UUID]) -> Sequence[ImportState]:
    """The imports that these runs came from, each once, in no order."""
    f, i = file_imports.c, imported_runs.c
    found: dict[UUID, ImportState] = {}
    for some in in_chunks(run_ids):
        query = (
            select(f.id, f.attachment_id, f.recorded_count)
            .distinct()
            .join_from(file_imports, imported_runs, i.file_import_id == f.id)
            .where(scope.owns(f), i.run_id.in_(some))
        )
        found |= {row.id: ImportState(*row) for row in scope.connection.execute(query)}
    return list(found.values())


def expire_imports(tx: Transaction, import_ids: Collection[UUID]) -> None:
    """Mark those of these imports that have no run left as expired: their runs were deleted for age, or replaced.

    Their content still counts as imported, or a folder that is imported again and again would bring the runs back.
    """
    f, i = file_imports.c, imported_runs.c
    for some in in_chunks(import_ids):
        tx.connection.execute(
            update(file_imports)
            .where(
                tx.owns(f),
                f.id.in_(some),
                ~exists().where(i.file_import_id == f.id),
            )
            .values(expired_at=tx.now)
        )


def find_import_state(scope: Scope, digest: bytes) -> ImportState | None:
    """How far the import has come that `find_import` finds; None if it finds none."""
    f = file_imports.c
    row = scope.connection.execute(
        _first(scope.organization_id, digest, f.id, f.attachment_id, f.recorded_count)
    ).one_or_none()
    return None if row is None else ImportState(*row)


def find_state_of(scope: Scope, import_id: UUID) -> ImportState | None:
    """How far this import has come; None if there is no such import yet."""
    f = file_imports.c
    query = select(f.id, f.attachment_id, f.recorded_count).where(scope.owns(f), f.id == import_id)
    row = scope.connection.execute(query).one_or_none()
    return None if row is None else ImportState(*row)


def find_unfinished(scope: Scope, digest: bytes) -> ImportState | None:
    """How far the last import with this content came that was cut short; None if none was."""
    f = file_imports.c
    query = (
        select(f.id, f.attachment_id, f.recorded_count)
        .where(scope.owns(f), f.digest == digest, f.recorded_count.is_not(None))
        .order_by(f.created_at.desc(), f.id.desc())
        .limit(1)
    )
    row = scope.connection.execute(query).one_or_none()
    return None if row is None else ImportState(*row)


# Unscoped: the import was found in the scope.
def count_imported(connection: Connection, import_id: UUID) -> int:
    """How many runs of an import still exist."""
    i = imported_runs.c
    query = select(func.count()).select_from(imported_runs).where(i.file_import_id == import_id)
    return connection.execute(query).scalar_one()


def find_import(scope: Scope, digest: bytes) -> FileImport | None:
    """The first import with this content that has reports left, or else one that expired; None if there is none."""
    state = find_import_state(scope, digest)
    return None if state is None else what_is_left(scope, state.id)


def what_is_left(scope: Scope, import_id: UUID) -> FileImport:
    """The runs and repairs of an import that still exist. Raises FileImportNotFound."""
    state = find_state_of(scope, import_id)
    if state is None:
        raise FileImportNotFound(import_id)
    i, r = imported_runs.c, repairs.c
    run_ids = select(i.run_id).where(i.file_import_id == state.id).order_by(i.position)
    repair_ids = select(r.id).where(r.file_import_id == state.id).order_by(r.id)
    return FileImport(
        state.id,
        scope.connection.execute(run_ids).scalars().all(),
        scope.connection.execute(repair_ids).scalars().all(),
        state.recorded_count,
    )


class MadeBefore(NamedTuple):
    """A unit, a procedure that a file made a run of it with, and the name of that file. file: None if it is deleted."""

    serial_key: str
    procedure_id: UUID
    procedure: str
    file: str | None


def find_made_by_others(
    scope: Scope, file: ImportedFile, serial_keys: Collection[str]
) -> Sequence[MadeBefore]:
    """The units among these that have runs from another file of the same format, by unit and procedure."""
    a, f, i, p, u = attachments.c, file_imports.c, imported_runs.c, procedures.c, units.c
    joined = (
        units.join(runs, runs.c.unit_id == u.id)
        .join(imported_runs, i.run_id == runs.c.id)
        .join(file_imports, f.id == i.file_import_id)
        .join(procedures, p.id == runs.c.procedure_id)
        .outerjoin(attachments, a.id == f.attachment_id)
    )
    query = (
        select(u.serial_key, p.id, p.name, func.min(a.name))
        .select_from(joined)
        .where(scope.owns(u), f.importer == file.importer, f.digest != file.digest)
        .group_by(u.serial_key, p.id, p.name)
    )
    return [
        MadeBefore(*row)
        for some in in_chunks(serial_keys)
        for row in scope.connection.execute(query.where(u.serial_key.in_(some)))
    ]


def list_stated(scope: Scope, run_ids: Collection[UUID]) -> Mapping[UUID, Sequence[str]]:
    """For each of these runs, the fields that the sender of its file stated; no entry for a run without any."""
    i = imported_runs.c
    query = select(i.run_id, i.stated).where(scope.owns(i), i.stated.is_not(None))
    return {
        run_id: stated.split()
        for some in in_chunks(run_ids)
        for run_id, stated in scope.connection.execute(query.where(i.run_id.in_(some)))
    }


def get_import(scope: Scope, import_id: UUID) -> ImportRecord:
    """The import with this id, as it is listed. Raises FileImportNotFound."""
    row = scope.connection.execute(
        _imports(scope.organization_id).where(file_imports.c.id == import_id)
    ).one_or_none()
    if row is None:
        raise FileImportNotFound(import_id)
    return _import(*row)


def list_imports(scope: Scope, page: Page) -> Listed[ImportRecord]:
    """A page of imports, newest first."""
    f = file_imports.c
    query = _imports(scope.organization_id).where(*known_at(page, "file_imported", f.id))
    return fetch_page(scope.connection, query.order_by(f.created_at.desc(), f.id.desc()), page, _import)


def list_imported_runs(scope: Scope, import_id: UUID, page: Page) -> Listed[UUID]:
    """A page of the ids of runs that an import has left, in the order of the file."""
    i = imported_runs.c
    query = select(i.run_id).where(scope.owns(i), i.file_import_id == import_id)
    return fetch_page(scope.connection, query.order_by(i.position), page, _same)


def list_repaired_units(scope: Scope, import_id: UUID, page: Page) -> Listed[str]:
    """A page of the serial numbers, sorted, of the units that still have repairs from an import."""
    r, u = repairs.c, units.c
    query = (
        select(u.serial_number)
        .join_from(repairs, units, u.id == r.unit_id)
        .where(scope.owns(r), r.file_import_id == import_id)
        .distinct()
    )
    return fetch_page(scope.connection, query.order_by(u.serial_number), page, _same)


def _imports(organization_id: UUID) -> Select[Any]:
    a, f, i, r = attachments.c, file_imports.c, imported_runs.c, repairs.c
    counts = [
        select(func.count()).where(import_id == f.id).scalar_subquery()
        for import_id in (i.file_import_id, r.file_import_id)
    ]
    named = file_imports.outerjoin(attachments, a.id == f.attachment_id)
    return (
        select(*(f[name] for name in _OWN), a.name, a.size_bytes, *counts, *CREATOR_COLUMNS)
        .select_from(with_creator(file_imports, named))
        .where(owned_by(organization_id, f))
    )


def _same(value: T) -> T:
    return value


def _import(*row: Any) -> ImportRecord:
    width = len(CREATOR_COLUMNS)
    return ImportRecord._make([*row[:-width], created_by(*row[-width:])])


def _first(organization_id: UUID, digest: bytes, *columns: ColumnElement[Any]) -> Select[Any]:
    f, i, r = file_imports.c, imported_runs.c, repairs.c
    is_left = or_(exists().where(i.file_import_id == f.id), exists().where(r.file_import_id == f.id))
    is_expired = f.expired_at.is_not(None)
    return (
        select(*columns)
        .where(owned_by(organization_id, f), f.digest == digest, or_(is_left, is_expired))
        .order_by(is_expired, f.created_at, f.id)
        .limit(1)
    )
