"""Which file runs were imported from. A file is known by the digest of its content, whatever it is called."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, select

from runcard.domain.ids import new_id
from runcard.store.creator import Creator
from runcard.store.tables import file_imports, imported_runs
from runcard.store.transaction import Transaction


class FileImport(NamedTuple):
    """run_ids: those that there are, in the order of the file."""

    id: UUID
    run_ids: Sequence[UUID]


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
    """The first import of a file with this content of which a run is left; None where there is none."""
    f, i = file_imports.c, imported_runs.c
    query = (
        select(f.id, i.run_id)
        .join_from(file_imports, imported_runs, i.file_import_id == f.id)
        .where(f.organization_id == organization_id, f.digest == digest)
        .order_by(f.created_at, f.id, i.position)
    )
    rows = connection.execute(query).all()
    if not rows:
        return None
    first = rows[0].id
    return FileImport(first, [row.run_id for row in rows if row.id == first])
