"""Procedures and their versions."""

import re
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection, func, insert, or_, select

from runcard.domain.errors import InvalidInput, ProcedureNotFound
from runcard.domain.ids import new_id
from runcard.domain.report import MAX_NAME_LENGTH
from runcard.domain.text import lookup_key
from runcard.store.creator import Creator
from runcard.store.tables import procedure_versions, procedures
from runcard.store.transaction import Transaction

_PREFIX = "FVT"


class Procedure(NamedTuple):
    id: UUID
    identifier: str
    name: str
    created_at: datetime


_COLUMNS = [procedures.c[name] for name in Procedure._fields]


def create_procedure(tx: Transaction, organization_id: UUID, name: str, creator: Creator) -> Procedure:
    """A new procedure under the next free identifier of its organization: FVT1, FVT2, … Raises InvalidInput."""
    name = name.strip()
    if not name or len(name) > MAX_NAME_LENGTH or "\0" in name:
        raise InvalidInput.at(
            "name", f"{name!r} is no procedure name; give 1 to {MAX_NAME_LENGTH} characters"
        )
    procedure = Procedure(new_id(), _next_identifier(tx.connection, organization_id), name, tx.now)
    row = {
        **procedure._asdict(),
        "organization_id": organization_id,
        "identifier_key": lookup_key(procedure.identifier),
        **creator.columns,
    }
    tx.connection.execute(insert(procedures).values(row))
    tx.note_change(organization_id, "procedure_created", procedure.id)
    return procedure


def get_procedure(connection: Connection, organization_id: UUID, reference: str) -> Procedure:
    """The procedure with this id or identifier. Raises ProcedureNotFound."""
    p = procedures.c
    named = [p.identifier_key == lookup_key(reference)]
    with suppress(ValueError):  # not an id: an identifier, then
        named.append(p.id == UUID(reference))
    mine = select(*_COLUMNS).where(p.organization_id == organization_id, or_(*named))
    row = connection.execute(mine).first()
    if row is None:
        raise ProcedureNotFound(reference)
    return Procedure(*row)


def list_procedures(connection: Connection, organization_id: UUID) -> Sequence[Procedure]:
    """All procedures of an organization, oldest first."""
    p = procedures.c
    query = select(*_COLUMNS).where(p.organization_id == organization_id)
    return [Procedure(*row) for row in connection.execute(query.order_by(p.created_at, p.id))]


def rank_by_name(
    connection: Connection, organization_id: UUID, procedure_ids: Collection[UUID]
) -> Sequence[tuple[UUID, int]]:
    """The id of each of these procedures that is there, and its place by name; equal names have the same."""
    p = procedures.c
    place = func.dense_rank().over(order_by=p.name)
    query = select(p.id, place).where(p.organization_id == organization_id)
    return [(one, rank) for one, rank in connection.execute(query) if one in procedure_ids]


def stage_version(
    tx: Transaction, organization_id: UUID, procedure_id: UUID, tag: str, creator: Creator
) -> UUID:
    """Id of a new version of a procedure."""
    version_id = new_id()
    tx.stage(
        procedure_versions,
        {
            "id": version_id,
            "organization_id": organization_id,
            "procedure_id": procedure_id,
            "tag": tag,
            "tag_key": lookup_key(tag),
            "created_at": tx.now,
            **creator.columns,
        },
    )
    tx.note_change(organization_id, "version_created", version_id)
    tx.catalog.remember("version", procedure_id, tag, version_id)
    return version_id


def _next_identifier(connection: Connection, organization_id: UUID) -> str:
    p = procedures.c
    taken = connection.execute(select(p.identifier).where(p.organization_id == organization_id)).scalars()
    numbers = [
        int(found[1])
        for name in taken
        if (found := re.fullmatch(rf"{_PREFIX}(\d{{1,9}})", name, re.IGNORECASE))
    ]
    return f"{_PREFIX}{max(numbers, default=0) + 1}"
