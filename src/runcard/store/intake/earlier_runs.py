"""Runs whose report comes again: an earlier file held the same report, in other bytes."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Select, delete, literal, select, type_coerce, update

from runcard.store.commit.transaction import Transaction
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.column_types import Instant, Span
from runcard.store.engine.tables import attachments, file_imports, imported_runs, metadata_entries, runs
from runcard.store.files.imports import expire_imports, list_imports_of
from runcard.store.intake.taken_back import take_back
from runcard.store.metadata import stage_metadata
from runcard.store.trail.watching import watch

# The metadata key under which a run keeps the ids of the runs that it replaced.
REPLACED = "replaced_run"
_NEAR = timedelta(milliseconds=500)


class EarlierRun(NamedTuple):
    """A new run, and a run that an earlier file recorded from the same report.

    report_id: of both; None: both are of the same unit and procedure, and started within 500 ms.
    """

    run_id: UUID
    earlier_id: UUID
    report_id: str | None


def find_earlier(
    connection: Connection, import_id: UUID, run_ids: Collection[UUID], by_start: Collection[str]
) -> Sequence[EarlierRun]:
    """The runs that earlier files of the organization recorded from the same reports as these runs of an import.

    by_start: formats in which two reports are also the same if unit, procedure and start are.
    """
    found: dict[tuple[UUID, UUID], EarlierRun] = {}
    for some in in_chunks(run_ids):
        for query in (_of_same_id(import_id, some), _of_same_start(import_id, some, by_start)):
            for row in connection.execute(query):
                found.setdefault((row[0], row[1]), EarlierRun(*row))
    return list(found.values())


def replace_earlier(tx: Transaction, earlier: Sequence[EarlierRun], attachment_id: UUID) -> None:
    """Delete the earlier runs. Each new run gets their ids as metadata, and their files, with their reports.

    The content of their files still counts as imported, or they would come back. attachment_id: the new file.
    """
    a, e = attachments.c, metadata_entries.c
    before: dict[UUID, list[UUID]] = {}
    for pair in earlier:
        before.setdefault(pair.run_id, []).append(pair.earlier_id)
    for run_id, earlier_ids in before.items():
        # The report may itself have metadata under this key.
        watch(tx, runs, [run_id], by_report=True)
        tx.connection.execute(delete(metadata_entries).where(e.entity_id == run_id, e.key == REPLACED))
        stage_metadata(tx, run_id, {REPLACED: ", ".join(map(str, earlier_ids))})
        mine = (tx.owns(a), a.run_id.in_(earlier_ids))
        moved = select(a.id).where(*mine)
        watch(tx, attachments, tx.connection.execute(moved).scalars().all(), by_report=True)
        tx.connection.execute(update(attachments).where(*mine).values(run_id=run_id, is_report=False))
    gone = [pair.earlier_id for pair in earlier]
    imports = list_imports_of(tx.scope, gone)
    take_back(tx, gone, (), attachment_id)
    expire_imports(tx, [found.id for found in imports])


# Unscoped: the import was found in the scope.
def _of_same_id(import_id: UUID, run_ids: Collection[UUID]) -> Select[Any]:
    i, e = imported_runs.c, imported_runs.alias().c
    return select(i.run_id, e.run_id, i.report_id).where(
        i.file_import_id == import_id,
        i.run_id.in_(run_ids),
        e.organization_id == i.organization_id,
        e.report_id == i.report_id,
        e.file_import_id != import_id,
    )


# Unscoped: runs of one unit belong to one organization.
def _of_same_start(import_id: UUID, run_ids: Collection[UUID], importers: Collection[str]) -> Select[Any]:
    r, e, i, f = runs.c, runs.alias().c, imported_runs.c, file_imports.c
    near = literal(_NEAR, Span())
    return select(r.id, e.id, literal(None)).where(
        r.id.in_(run_ids),
        e.unit_id == r.unit_id,
        e.procedure_id == r.procedure_id,
        e.started_at >= type_coerce(r.started_at - near, Instant()),
        e.started_at <= type_coerce(r.started_at + near, Instant()),
        # If the clock was wrong, nobody knows when a run started.
        r.reported_started_at.is_(None),
        e.reported_started_at.is_(None),
        i.run_id == e.id,
        i.file_import_id != import_id,
        f.id == i.file_import_id,
        f.importer.in_(importers),
    )
