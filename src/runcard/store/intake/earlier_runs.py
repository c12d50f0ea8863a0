"""Runs whose report comes again: an earlier file told of the same one, and this file says it in other bytes."""

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

# Metadata of a run in whose place another one was before: the ids of those.
REPLACED = "replaced_run"
_NEAR = timedelta(milliseconds=500)


class EarlierRun(NamedTuple):
    """A run that has come, and one that an earlier file told of by the same report.

    report_id: of both; None: they are of the same unit and procedure, and began within 500 ms.
    """

    run_id: UUID
    earlier_id: UUID
    report_id: str | None


def find_earlier(
    connection: Connection, import_id: UUID, run_ids: Collection[UUID], by_start: Collection[str]
) -> Sequence[EarlierRun]:
    """What earlier files of the organization told of by the same reports as these runs of an import.

    by_start: the formats whose reports are the same too where unit, procedure and start are.
    """
    found: dict[tuple[UUID, UUID], EarlierRun] = {}
    for some in in_chunks(run_ids):
        for query in (_of_same_id(import_id, some), _of_same_start(import_id, some, by_start)):
            for row in connection.execute(query):
                found.setdefault((row[0], row[1]), EarlierRun(*row))
    return list(found.values())


def replace_earlier(tx: Transaction, earlier: Sequence[EarlierRun], attachment_id: UUID) -> None:
    """Delete the earlier runs. Each new one keeps their ids as metadata, and their files, reports included.

    The content of their files counts as imported still, or it would come back. attachment_id: of the new file.
    """
    a, e = attachments.c, metadata_entries.c
    before: dict[UUID, list[UUID]] = {}
    for one in earlier:
        before.setdefault(one.run_id, []).append(one.earlier_id)
    for run_id, earlier_ids in before.items():
        # A report may say something under this key itself.
        tx.connection.execute(delete(metadata_entries).where(e.entity_id == run_id, e.key == REPLACED))
        stage_metadata(tx, run_id, {REPLACED: ", ".join(map(str, earlier_ids))})
        mine = (tx.owns(a), a.run_id.in_(earlier_ids))
        tx.connection.execute(update(attachments).where(*mine).values(run_id=run_id, is_report=False))
    gone = [one.earlier_id for one in earlier]
    imports = list_imports_of(tx.scope, gone)
    take_back(tx, gone, (), attachment_id)
    expire_imports(tx, [one.id for one in imports])


# Unscoped: of an import that was found in the scope.
def _of_same_id(import_id: UUID, run_ids: Collection[UUID]) -> Select[Any]:
    i, e = imported_runs.c, imported_runs.alias().c
    return select(i.run_id, e.run_id, i.report_id).where(
        i.file_import_id == import_id,
        i.run_id.in_(run_ids),
        e.organization_id == i.organization_id,
        e.report_id == i.report_id,
        e.file_import_id != import_id,
    )


# Unscoped: runs of the same unit.
def _of_same_start(import_id: UUID, run_ids: Collection[UUID], importers: Collection[str]) -> Select[Any]:
    r, e, i, f = runs.c, runs.alias().c, imported_runs.c, file_imports.c
    near = literal(_NEAR, Span())
    return select(r.id, e.id, literal(None)).where(
        r.id.in_(run_ids),
        e.unit_id == r.unit_id,
        e.procedure_id == r.procedure_id,
        e.started_at >= type_coerce(r.started_at - near, Instant()),
        e.started_at <= type_coerce(r.started_at + near, Instant()),
        # By a wrong clock nobody knows when they began.
        r.reported_started_at.is_(None),
        e.reported_started_at.is_(None),
        i.run_id == e.id,
        i.file_import_id != import_id,
        f.id == i.file_import_id,
        f.importer.in_(importers),
    )
