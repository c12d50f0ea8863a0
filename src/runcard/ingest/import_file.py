"""Uploads with one report or a few: they are recorded whole, and the file becomes the report of the first run."""

from collections.abc import Sequence
from uuid import UUID

from runcard.domain.actor import Actor
from runcard.domain.errors import Conflict
from runcard.ingest.told_reports import PreparedReport, UnderImport, link_report, record_reports
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.files.attachments import Attachment
from runcard.store.files.imports import FileImport, ImportedFile, note_import
from runcard.store.intake.quarantine import release


def import_upload(
    tx: Transaction,
    actor: Actor,
    file: ImportedFile,
    attachment: Attachment,
    reports: Sequence[PreparedReport],
) -> FileImport:
    """Record all runs and repairs of a file or none, even if its content was imported before.

    Raises Conflict if the upload is part of a run or unit already, and what `record_reports` raises.
    """
    if attachment.is_linked:
        owner = f"run {attachment.run_id}" if attachment.unit_id is None else f"unit {attachment.unit_id}"
        raise Conflict(
            f"Upload {attachment.id} belongs to {owner} already. Upload the file again to import it again."
        )
    noted = note_import(tx, file, (), Creator.of(actor))
    recorded = record_reports(tx, actor, reports, UnderImport(file, noted.id))
    link_report(tx, attachment, recorded)
    release(tx, file.digest)
    repair_ids: list[UUID] = [repair.id for repair in recorded.repairs]
    return noted._replace(run_ids=recorded.run_ids, repair_ids=repair_ids)
