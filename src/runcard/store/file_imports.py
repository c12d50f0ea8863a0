"""Which file runs and repairs were imported from. A file is known by the digest of its content, not by its name."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, exists, or_, select

from runcard.domain.ids import new_id
from runcard.store.creator import Creator
from runcard.store.tables import file_imports, imported_runs, repairs
from runcard.store.transaction import Transaction


class FileImport(NamedTuple):
    """run_ids: those that there are, in the order of the file. repair_ids: likewise."""

    id: UUID
    run_ids: Sequence[UUID]
    repair_ids: Sequence[UUID] = ()


class ImportedFile(NamedTuple):
    """digest: SHA-256 of its bytes. importer: the name of its format."""

    digest: bytes
    importer: str
    attachment_id: UUID


def note_import(
    tx: Transaction, organization_id: UUID, file: ImportedFile, run_ids: Sequence[UUID], creator: Creator
) -> FileImport:
    """Note that these runs, which are recorded or staged, came from a file."""
    made = FileImport(new_id(), run_ids)
    row = {"id": made.id, "organization_id": organization_id, **file._asdict()}
    tx.stage(file_imports, {**row, "created_at": tx.now, **creator.columns})
    for position, run_id in enumerate(run_ids):
        link = {"file_import_id": made.id, "run_id": run_id, "position": position}
        tx.stage(imported_runs, {**link, "organization_id": organization_id})
    return made


def find_import(connection: Connection, organization_id: UUID, digest: bytes) -> FileImport | None:
    """The first import of a file with this content of which a run or a repair is left; None where there is none."""
    f, i, r = file_imports.c, imported_runs.c, repairs.c
    is_left = or_(exists().where(i.file_import_id == f.id), exists().where(r.file_import_id == f.id))
    first = connection.execute(
        select(f.id)
        .where(f.organization_id == organization_id, f.digest == digest, is_left)
        .order_by(f.created_at, f.id)
        .limit(1)
    ).scalar_one_or_none()
    if first is None:
        return None
    run_ids = select(i.run_id).where(i.file_import_id == first).order_by(i.position)
    repair_ids = select(r.id).where(r.file_import_id == first).order_by(r.id)
    return FileImport(
        first,
        connection.execute(run_ids).scalars().all(),
        connection.execute(repair_ids).scalars().all(),
    )
