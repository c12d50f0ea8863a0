"""The two rows of a run: a header, by which lists filter and sort, and a document, which is read whole."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, func, select, update

from runcard.domain.floor.sample import SampleClass
from runcard.domain.ids import first_id_at
from runcard.domain.metadata import Metadata
from runcard.domain.runs.outcome import RunOutcome
from runcard.store.bin.deleting import Deletion, before_deleting, bury
from runcard.store.commit.documents import PackedDocument
from runcard.store.commit.lookups import UnitRow
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.documents.moving import forget_moved
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import attachments, run_documents, run_sub_units, runs
from runcard.store.files.attachments import Attachment
from runcard.store.files.imports import list_imports_of
from runcard.store.files.removal import delete_unneeded, remains_of
from runcard.store.metadata import delete_metadata, stage_metadata
from runcard.store.trail.watching import note_reported, watch


class RunRow(NamedTuple):
    """The header of a run. Part, revision, batch and sample class are those of the unit at the time of the run.

    reported_started_at, reported_ended_at: the times by a wrong clock; see `domain.runs.clock`. serial_number: as the
    report spelled it.
    """

    id: UUID
    organization_id: UUID
    procedure_id: UUID
    version_id: UUID | None
    unit_id: UUID
    part_id: UUID
    revision_id: UUID
    batch_id: UUID | None
    operator_id: UUID | None
    outcome: RunOutcome
    started_at: datetime
    ended_at: datetime
    docstring: str | None
    client: str | None
    client_version: str | None
    created_at: datetime
    operator_name: str | None = None
    deployment_id: UUID | None = None
    execution_id: str | None = None
    slot_key: str | None = None
    slot_name: str | None = None
    client_run_ref: str | None = None
    report_digest: bytes | None = None
    reported_started_at: datetime | None = None
    reported_ended_at: datetime | None = None
    sample: SampleClass | None = None
    serial_number: str | None = None


def stage_run(
    tx: Transaction, run: RunRow, document: PackedDocument, creator: Creator, metadata: Metadata | None
) -> None:
    """Add a run: its header, its document (compressed as it is inserted), its metadata and its digest."""
    row = {**run._asdict(), **creator.columns}
    tx.stage(runs, row)
    tx.stage(run_documents, {"run_id": run.id, "organization_id": run.organization_id, "body": document.body})
    if metadata:
        stage_metadata(tx, run.id, metadata)
    note_reported(tx, "run_recorded", runs, row, metadata=metadata, document=document.digest)


def stage_sub_units(tx: Transaction, run: RunRow, sub_units: Sequence[UnitRow]) -> None:
    """Keep the sub-units that a run named, in order, each with the unit that it was part of before."""
    for position, unit in enumerate(sub_units):
        tx.stage(
            run_sub_units,
            {
                "run_id": run.id,
                "position": position,
                "organization_id": run.organization_id,
                "unit_id": unit.id,
                "previous_parent_id": unit.parent_id,
            },
        )


def find_runs_of_other_classes(
    scope: Scope, unit_ids: Collection[UUID], sample: SampleClass | None
) -> Sequence[UUID]:
    """The runs of these units that have another sample class than this one; None: production."""
    r = runs.c
    found: list[UUID] = []
    for some in in_chunks(unit_ids):
        query = select(r.id).where(scope.owns(r), r.unit_id.in_(some), r.sample.is_distinct_from(sample))
        found += scope.connection.execute(query).scalars()
    return found


def give_class(tx: Transaction, run_ids: Collection[UUID], sample: SampleClass | None) -> None:
    """Give these runs this sample class; None: production."""
    r = runs.c
    watch(tx, runs, run_ids)
    for some in in_chunks(run_ids):
        tx.connection.execute(update(runs).where(tx.owns(r), r.id.in_(some)).values(sample=sample))


def count_runs_since(scope: Scope, since: datetime, at_most: int) -> int:
    """How many runs were recorded at or after `since`. Counting stops at `at_most`."""
    r = runs.c
    recent = (r.id >= first_id_at(since), r.created_at >= since)  # ids are in time order and indexed
    few = select(r.id).where(scope.owns(r), *recent).limit(at_most)
    return scope.connection.execute(select(func.count()).select_from(few.subquery())).scalar_one()


class ReportedRun(NamedTuple):
    """A run that was recorded under a key that its station chose. digest: of its report, to tell it from others."""

    id: UUID
    digest: bytes | None


def find_reported_run(scope: Scope, client_run_ref: str) -> ReportedRun | None:
    """The run that was recorded under this key; None if there is none."""
    r = runs.c
    query = select(r.id, r.report_digest).where(scope.owns(r), r.client_run_ref == client_run_ref)
    row = scope.connection.execute(query).one_or_none()
    return None if row is None else ReportedRun(*row)


def is_recorded(scope: Scope, run_id: UUID) -> bool:
    """Whether the organization has a run with this id."""
    r = runs.c
    query = select(r.id).where(scope.owns(r), r.id == run_id)
    return scope.connection.execute(query).one_or_none() is not None


def is_slot_taken(scope: Scope, execution_id: str, slot_key: str) -> bool:
    """Whether this slot of the execution has a run already."""
    r = runs.c
    mine = (
        scope.owns(r),
        r.execution_id == execution_id,
        r.slot_key == slot_key,
    )
    return scope.connection.execute(select(r.id).where(*mine)).first() is not None


def find_procedure_of(scope: Scope, run_id: UUID) -> UUID | None:
    """The procedure of a run; None if there is no such run."""
    r = runs.c
    query = select(r.procedure_id).where(scope.owns(r), r.id == run_id)
    return scope.connection.execute(query).scalar_one_or_none()


def delete_run(tx: Transaction, run_id: UUID, deletion: Deletion) -> bool:
    """Delete a run with everything inside it; its unit stays. Returns False if there is no such run."""
    return bool(delete_runs(tx, [run_id], deletion).ids)


class DeletedRuns(NamedTuple):
    """ids: of the runs. import_ids: the imports that they came from. files: of the runs, with their reports."""

    ids: Sequence[UUID]
    import_ids: Sequence[UUID]
    files: Sequence[Attachment]


def delete_runs(
    tx: Transaction, run_ids: Collection[UUID], deletion: Deletion | None, *, spared: UUID | None = None
) -> DeletedRuns:
    """Delete runs with everything inside them and the files that nothing else needs; their units stay.

    Returns what was deleted. deletion: None: as if they had never been recorded; the bytes of the files are then noted
    for removal. What one call deletes goes into the bin together. spared: a file that stays in any case.
    """
    a, r = attachments.c, runs.c
    deleted: list[UUID] = []
    imports = list_imports_of(tx.scope, run_ids)
    files = {found.attachment_id for found in imports if found.attachment_id is not None}
    for some in in_chunks(run_ids):
        own = select(a.id).where(tx.owns(a), a.run_id.in_(some))
        files |= {*tx.connection.execute(own).scalars()}
    deletion = None if deletion is None else deletion.together(run_ids)
    remains = before_deleting(tx, runs, run_ids, deletion)
    of_files = before_deleting(tx, attachments, files, deletion)
    for some in in_chunks(run_ids):
        tx.connection.execute(
            update(attachments).where(tx.owns(a), a.run_id.in_(some)).values(run_id=None, is_report=False)
        )
        mine = (tx.owns(r), r.id.in_(some))
        deleted += tx.connection.execute(delete(runs).where(*mine).returning(r.id)).scalars()
    delete_metadata(tx, deleted)
    if deletion is None or not deletion.is_kept:
        forget_moved(tx, deleted)
    gone = delete_unneeded(tx, files - {spared}, deletion)
    bury(tx, [*remains.values(), *remains_of(of_files, gone)], deletion)
    return DeletedRuns(deleted, [found.id for found in imports], gone)
