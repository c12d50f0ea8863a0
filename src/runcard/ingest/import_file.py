"""Report files: uploaded bytes become runs, and the file stays with the first of them as their report.

Repair reports become repairs; a file of nothing else stays with the unit of the first of them.
"""

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import NamedTuple
from uuid import UUID

from runcard.domain.actor import Actor, check_may_record
from runcard.domain.errors import AttachmentNotFound, Conflict, UnreadableReport
from runcard.domain.repair import RepairReport
from runcard.domain.report import RunReport
from runcard.importers import tabular
from runcard.importers.formats import FORMATS, TABULAR, FormatName
from runcard.importers.table_mapping import TableMapping
from runcard.ingest.file_content import digest_of
from runcard.ingest.record_run import RunClient
from runcard.ingest.told_reports import NO_RUN, Told, link_report, prepare, record_told
from runcard.store.attachments import Attachment, get_attachment, hold_attachment
from runcard.store.blobs import Blobs
from runcard.store.creator import Creator
from runcard.store.file_imports import FileImport, ImportedFile, find_import, note_import, note_recorded
from runcard.store.quarantine import release
from runcard.store.transaction import Transaction

_FORMATS = {one.name: one for one in FORMATS}


class UploadedFile(NamedTuple):
    """content: as it came, packed or not. digest: of what it holds, as in `file_content`. blob_key: where it lay."""

    upload_id: UUID
    content: bytes
    digest: bytes
    blob_key: str


class Report(NamedTuple):
    """What a file was found to tell of, in its order: one run or repair, or more. blob_key: where it was read."""

    file: ImportedFile
    blob_key: str
    told: Sequence[Told]


def read_upload(blobs: Blobs, attachment: Attachment) -> UploadedFile:
    """Raises AttachmentNotFound where no bytes have arrived."""
    content = blobs.read(attachment.blob_key)
    if not content:
        raise AttachmentNotFound(attachment.id)
    return UploadedFile(attachment.id, content, digest_of(BytesIO(content)), attachment.blob_key)


def read_report(file: UploadedFile, importer: FormatName, client: RunClient) -> Report:
    """What a file of a known format tells of. Raises UnreadableReport or InvalidInput."""
    parse = _FORMATS[importer].parse
    return _report(file, importer, parse(BytesIO(file.content)), client)


def read_table_report(
    file: UploadedFile, mapping: TableMapping, procedure_id: UUID, client: RunClient
) -> Report:
    """The run of a table. Raises what `tabular.parse` raises."""
    run = tabular.parse(file.content, mapping, str(procedure_id))
    return _report(file, TABULAR, [run], client)


def import_file(tx: Transaction, actor: Actor, report: Report) -> FileImport:
    """Record the runs and repairs of a file, all or none, whether its content has been imported before or not.

    Raises what `record_run` and `record_repair` raise, and Conflict where the upload has other bytes by now.
    """
    noted = note_import(tx, actor.organization_id, report.file, (), Creator.of(actor))
    return _record(tx, actor, report, noted)


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
    """As `import_file`, unless the content has been imported before and a run or repair of it is left: then those.

    Of an import that was cut short, the rest is recorded.
    """
    check_may_record(actor)
    tx.lock_imports()
    known = find_import(tx.connection, actor.organization_id, report.file.digest)
    if known is None:
        return Imported(import_file(tx, actor, report), known=False)
    if known.recorded_count is None:
        return Imported(known, known=True)
    rest = report._replace(told=report.told[known.recorded_count :])
    recorded = _record(tx, actor, rest, known, known.recorded_count)
    note_recorded(tx, actor.organization_id, known.id, None)
    return Imported(recorded, known=False)


def _record(tx: Transaction, actor: Actor, report: Report, noted: FileImport, first: int = 0) -> FileImport:
    recorded = record_told(tx, actor, noted.id, report.told, first=first)
    attachment = hold_attachment(tx, actor.organization_id, report.file.attachment_id)
    if attachment.blob_key != report.blob_key:
        raise Conflict(f"Upload {attachment.id} was replaced while it was imported. Import it again.")
    link_report(tx, actor, attachment, recorded)
    release(tx, actor.organization_id, report.file.digest)
    repair_ids = [repair.id for repair in recorded.repairs]
    return noted._replace(
        run_ids=[*noted.run_ids, *recorded.run_ids],
        repair_ids=[*noted.repair_ids, *repair_ids],
        recorded_count=None,
    )


def _report(
    file: UploadedFile, importer: str, reports: Iterable[RunReport | RepairReport], client: RunClient
) -> Report:
    told = [prepare(report, client) for report in reports]
    if not told:
        raise UnreadableReport(NO_RUN)
    return Report(ImportedFile(file.digest, importer, file.upload_id), file.blob_key, told)
