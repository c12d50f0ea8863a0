"""Report files: uploaded bytes of a known format become a run, and the file stays with the run as its report."""

from collections.abc import Callable, Mapping
from typing import Literal
from uuid import UUID

from runcard.domain.actor import Actor
from runcard.domain.errors import AttachmentNotFound, Conflict
from runcard.domain.report import RunReport
from runcard.importers import openhtf
from runcard.ingest.record_run import PreparedRun, prepare_run, record_run
from runcard.store.attachments import Attachment, get_attachment, link_attachment, mark_stored
from runcard.store.blobs import BlobMeta, Blobs
from runcard.store.transaction import Transaction

ImporterName = Literal["OPENHTF"]

_IMPORTERS: Mapping[ImporterName, Callable[[bytes], RunReport]] = {"OPENHTF": openhtf.parse}


def read_report(
    blobs: Blobs,
    attachment: Attachment,
    importer: ImporterName,
    client: str | None,
    client_version: str | None,
) -> PreparedRun:
    """The run that an uploaded file reports. Raises AttachmentNotFound where no bytes have arrived, UnreadableReport,
    or InvalidInput."""
    content = blobs.read(attachment.blob_key)
    if not content:
        raise AttachmentNotFound(attachment.id)
    return prepare_run(_IMPORTERS[importer](content), client=client, client_version=client_version)


def import_file(
    tx: Transaction, actor: Actor, run: PreparedRun, upload_id: UUID, meta: BlobMeta | None
) -> UUID:
    """Id of the run that `read_report` read from this upload. `meta`: what has arrived since; see `attach_file`.

    Raises Conflict where the upload has been imported before, and what `record_run` raises.
    """
    attachment = get_attachment(tx.connection, actor.organization_id, upload_id)
    if attachment.run_id is not None:
        raise Conflict(
            f"Upload {attachment.id} belongs to run {attachment.run_id} already. "
            "Upload the file again to import it again."
        )
    run_id = record_run(tx, actor, run)
    if meta is not None:
        mark_stored(tx, attachment, meta)
    link_attachment(tx, attachment, run_id, is_report=True)
    return run_id
