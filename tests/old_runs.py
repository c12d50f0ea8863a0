"""Runs and files as if they had been recorded long ago."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

from runcard.domain.actor import Actor, SystemActor
from runcard.domain.ids import first_id_at
from runcard.domain.runs.report import RunReport
from runcard.ingest.record_run import prepare_run, record_run
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.creator import Creator
from runcard.store.files.attachments import AnnouncedFile, Owner, create_attachment, mark_stored
from runcard.store.files.blobs import BlobMeta, Blobs, blob_key

CONTENT = b"a curve"


def days_ago(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)


def record_at(
    tx: SharedTransaction, actor: Actor, moment: datetime, serial_number: str, **fields: Any
) -> UUID:
    """Id of a run of FVT1 that was recorded at a moment, and passed but for `fields`."""
    told = {"procedure": "FVT1", "outcome": "PASS", "part_number": "PCB-100", "started_at": moment, **fields}
    report = RunReport(serial_number=serial_number, **told)
    return record_run(tx.of(actor), actor, prepare_run(report, received_at=moment))


def attach_at(tx: SharedTransaction, blobs: Blobs, actor: Actor, moment: datetime, owner: Owner) -> UUID:
    """Id of a file that came at a moment."""
    wanted = UUID(int=first_id_at(moment).int | secrets.randbits(80))
    home = actor.organization_id
    blobs.write(blob_key(home, wanted), BytesIO(CONTENT))
    tx.now, now = moment, tx.now
    made = create_attachment(
        tx.of(SystemActor(home, "test")),
        AnnouncedFile("curve.csv", "text/csv", len(CONTENT), wanted),
        Creator.of(actor),
        owner,
    )
    mark_stored(tx.of(SystemActor(home, "test")), made, BlobMeta(len(CONTENT), "text/csv"))
    tx.now = now
    return wanted


def keys_in(blobs: Blobs) -> Sequence[str]:
    return sorted(entry.key for entry in blobs.list())
