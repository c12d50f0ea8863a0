"""Report files: uploaded bytes become runs, and the file stays with the first of them as their report.

Repair reports become repairs; a file of nothing else stays with the unit of the first of them.
"""

import hashlib
from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import NamedTuple
from uuid import UUID

from runcard.domain.actor import Actor, check_may_record
from runcard.domain.errors import AttachmentNotFound, Conflict, UnreadableReport
from runcard.domain.repair import RepairReport
from runcard.domain.report import RunReport
from runcard.importers import tabular
from runcard.importers.formats import FORMATS, FormatName
from runcard.importers.table_mapping import TableMapping
from runcard.ingest.attach_file import arrived
from runcard.ingest.record_repair import check_repair, record_repair
from runcard.ingest.record_run import PreparedRun, RunClient, prepare_run, record_run
from runcard.store.attachments import (
    Attachment,
    Owner,
    get_attachment,
    link_attachment,
    link_upload,
    mark_stored,
)
from runcard.store.blobs import BlobMeta, Blobs
from runcard.store.creator import Creator
from runcard.store.file_imports import FileImport, ImportedFile, find_import, note_import
from runcard.store.transaction import Transaction

_TABULAR = "TABULAR"

_FORMATS = {one.name: one for one in FORMATS}


class UploadedFile(NamedTuple):
    """digest: SHA-256 of the content. meta: what an object store took in and nobody has noted yet."""

    upload_id: UUID
    content: bytes
    digest: bytes
    meta: BlobMeta | None


class Report(NamedTuple):
    """What a file was found to tell of: one run or repair, or more."""

    file: ImportedFile
    meta: BlobMeta | None
    runs: Sequence[PreparedRun]
    repairs: Sequence[RepairReport] = ()


def read_upload(blobs: Blobs, attachment: Attachment) -> UploadedFile:
    """Raises AttachmentNotFound where no bytes have arrived, UploadNotLinkable where not all that were declared."""
    meta = arrived(blobs, attachment)
    content = blobs.read(attachment.blob_key)
    if not content:
        raise AttachmentNotFound(attachment.id)
    return UploadedFile(attachment.id, content, hashlib.sha256(content).digest(), meta)


def read_report(file: UploadedFile, importer: FormatName, client: RunClient) -> Report:
    """What a file of a known format tells of. Raises UnreadableReport or InvalidInput."""
    parse = _FORMATS[importer].parse
    return _report(file, importer, parse(BytesIO(file.content)), client)


def read_table_report(
    file: UploadedFile, mapping: TableMapping, procedure_id: UUID, client: RunClient
) -> Report:
    """The run of a table. Raises what `tabular.parse` raises."""
    run = tabular.parse(file.content, mapping, str(procedure_id))
    return _report(file, _TABULAR, [run], client)


def import_file(tx: Transaction, actor: Actor, report: Report) -> FileImport:
    """Record the runs and repairs of a file, all or none, whether its content has been imported before or not.

    Raises what `record_run` and `record_repair` raise, and UploadNotLinkable.
    """
    creator = Creator.of(actor)
    run_ids = [record_run(tx, actor, run) for run in report.runs]
    noted = note_import(tx, actor.organization_id, report.file, run_ids, creator)
    repairs = [record_repair(tx, actor, repair, noted.id) for repair in report.repairs]
    attachment = get_attachment(tx.connection, actor.organization_id, report.file.attachment_id)
    if report.meta is not None:
        mark_stored(tx, attachment, report.meta)
    # The same upload once more: it is a report of other runs already, and these are found with it.
    if not attachment.is_linked:
        if run_ids:
            link_attachment(tx, attachment, run_ids[0], is_report=True)
        else:
            link_upload(tx, actor.organization_id, attachment.id, Owner(unit_id=repairs[0].unit_id))
    return noted._replace(repair_ids=[repair.id for repair in repairs])


def import_upload(tx: Transaction, actor: Actor, report: Report) -> FileImport:
    """As `import_file`; raises Conflict where the upload itself is part of a run or unit already."""
    attachment = get_attachment(tx.connection, actor.organization_id, report.file.attachment_id)
    if attachment.is_linked:
        owner = f"run {attachment.run_id}" if attachment.unit_id is None else f"unit {attachment.unit_id}"
        raise Conflict(
            f"Upload {attachment.id} belongs to {owner} already. Upload the file again to import it again."
        )
    return import_file(tx, actor, report)


class Imported(NamedTuple):
    """known: its content had been imported before, and nothing was recorded."""

    runs: FileImport
    known: bool


def import_once(tx: Transaction, actor: Actor, report: Report) -> Imported:
    """As `import_file`, unless the content has been imported before and a run or repair of it is left: then those."""
    check_may_record(actor)
    tx.lock_imports()
    known = find_import(tx.connection, actor.organization_id, report.file.digest)
    if known is not None:
        return Imported(known, known=True)
    return Imported(import_file(tx, actor, report), known=False)


def _report(
    file: UploadedFile, importer: str, reports: Iterable[RunReport | RepairReport], client: RunClient
) -> Report:
    runs, repairs = [], []
    for report in reports:
        if isinstance(report, RepairReport):
            check_repair(report)
            repairs.append(report)
        else:
            runs.append(prepare_run(report, client=client.name, client_version=client.version))
    if not runs and not repairs:
        raise UnreadableReport("The file tells of no run. Upload one that does.")
    return Report(ImportedFile(file.digest, importer, file.upload_id), file.meta, runs, repairs)
