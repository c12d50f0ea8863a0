"""Repairs of units: a header that lists go by, and the report as it was claimed."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Connection, select

from runcard.domain.repair import RepairReport
from runcard.store.creator import Creator
from runcard.store.tables import repairs
from runcard.store.transaction import Transaction

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(RepairReport)


class RepairRow(NamedTuple):
    """operator_id: a member; operator_name: somebody else."""

    id: UUID
    unit_id: UUID
    file_import_id: UUID
    started_at: datetime
    operator_id: UUID | None
    operator_name: str | None


class RepairRecord(NamedTuple):
    row: RepairRow
    report: RepairReport
    created_at: datetime


def stage_repair(
    tx: Transaction, organization_id: UUID, row: RepairRow, report: RepairReport, creator: Creator
) -> None:
    """Add a repair."""
    said = {**row._asdict(), "body": _encoder.encode(report)}
    tx.stage(repairs, {**said, "organization_id": organization_id, "created_at": tx.now, **creator.columns})
    tx.note_change(organization_id, "repair_recorded", row.id)


def list_repairs_of_unit(
    connection: Connection, organization_id: UUID, unit_id: UUID
) -> Sequence[RepairRecord]:
    """The latest first."""
    r = repairs.c
    columns = [r[name] for name in RepairRow._fields]
    query = (
        select(*columns, r.body, r.created_at)
        .where(r.organization_id == organization_id, r.unit_id == unit_id)
        .order_by(r.started_at.desc(), r.id.desc())
    )
    return [
        RepairRecord(RepairRow(*row), _decoder.decode(body), created_at)
        for *row, body, created_at in connection.execute(query)
    ]
