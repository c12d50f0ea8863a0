"""The rows of procedures and their versions."""

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from runcard.domain.errors import InvalidInput, NameTaken, ProcedureNotFound
from runcard.domain.floor.identifier import checked_identifier, next_identifier
from runcard.domain.ids import new_id
from runcard.domain.runs.report import MAX_NAME_LENGTH
from runcard.domain.text import lookup_key, shortened
from runcard.store.commit.lookups import find_procedure, find_procedure_by_identifier, find_procedure_by_name
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import procedure_versions, procedures
from runcard.store.procedures.identifiers import check_identifier_is_free, list_taken_identifiers
from runcard.store.trail.watching import stage_record

_MAX_SHOWN = 80


class Procedure(NamedTuple):
    """archived_at: since when the procedure is out of use; None: it is in use."""

    id: UUID
    identifier: str
    name: str
    created_at: datetime
    archived_at: datetime | None = None


_COLUMNS = [procedures.c[name] for name in Procedure._fields]


def create_procedure(
    tx: Transaction, name: str, creator: Creator, identifier: str | None = None
) -> Procedure:
    """Add a procedure, and return it. identifier: None: the next free one of the organization: FVT1, FVT2, …

    Raises InvalidInput and IdentifierTaken.
    """
    name = checked_procedure_name(name)
    if identifier is None:
        identifier = next_identifier(list_taken_identifiers(tx.scope))
    else:
        identifier = checked_identifier(identifier)
        check_identifier_is_free(tx.scope, identifier)
    procedure = Procedure(new_id(), identifier, name, tx.now)
    row = {
        **procedure._asdict(),
        "organization_id": tx.organization_id,
        "identifier_key": lookup_key(procedure.identifier),
        "auto_push_enabled": False,
        **creator.columns,
    }
    stage_record(tx, procedures, row, creator)
    # The catalog finds procedures by name, and remembers none that was made.
    tx.insert_staged()
    return procedure


def checked_procedure_name(name: str) -> str:
    """The name without the blanks around it. Raises InvalidInput if it is empty or too long."""
    name = name.strip()
    if not name or len(name) > MAX_NAME_LENGTH or "\0" in name:
        shown = shortened(name, _MAX_SHOWN)
        raise InvalidInput.at(
            "name", f"{shown!r} is no procedure name; use 1 to {MAX_NAME_LENGTH} characters"
        )
    return name


def check_name_is_free(scope: Scope, name: str, way_on: str, *, but: UUID | None = None) -> None:
    """Check that no procedure except `but` has this name, in any case. Raises NameTaken.

    Only pages and commands check this: two procedures may share a name, but a person who makes a second one should
    know. way_on: what to do to get the name all the same.
    """
    found = find_procedure_by_name(scope, name)
    if found is None or found == but:
        return
    taken = get_procedure(scope, str(found))
    # A merged procedure is found by its name too, but its name is free.
    if lookup_key(taken.name) == lookup_key(name):
        raise NameTaken(taken.name, taken.identifier, way_on)


def get_procedure(scope: Scope, reference: str) -> Procedure:
    """The procedure with this id, or with this present or former identifier. Raises ProcedureNotFound."""
    found = None
    with suppress(ValueError):  # not an id: an identifier, then
        found = find_procedure(scope, UUID(reference))
    found = found or find_procedure_by_identifier(scope, reference)
    if found is None:
        raise ProcedureNotFound(reference)
    return Procedure(*scope.connection.execute(select(*_COLUMNS).where(procedures.c.id == found)).one())


def get_former(scope: Scope, procedure_id: UUID) -> Procedure:
    """The procedure with this id as it is, even if it was merged into another. Raises ProcedureNotFound."""
    p = procedures.c
    row = scope.connection.execute(select(*_COLUMNS).where(scope.owns(p), p.id == procedure_id)).one_or_none()
    if row is None:
        raise ProcedureNotFound(str(procedure_id))
    return Procedure(*row)


def list_procedures(scope: Scope, *, in_use: bool = False) -> Sequence[Procedure]:
    """All procedures of the organization, oldest first, archived ones last. in_use: leave out archived ones."""
    p = procedures.c
    query = select(*_COLUMNS).where(scope.owns(p), p.merged_into_id.is_(None))
    if in_use:
        query = query.where(p.archived_at.is_(None))
    query = query.order_by(p.archived_at.is_not(None), p.created_at, p.id)
    return [Procedure(*row) for row in scope.connection.execute(query)]


def rank_by_name(scope: Scope, procedure_ids: Collection[UUID]) -> Sequence[tuple[UUID, int]]:
    """The id of each of these procedures that exists, and its rank by name. Equal names have the same rank."""
    p = procedures.c
    by_name = func.dense_rank().over(order_by=p.name)
    query = select(p.id, by_name).where(scope.owns(p))
    return [(id_, rank) for id_, rank in scope.connection.execute(query) if id_ in procedure_ids]


def stage_version(tx: Transaction, procedure_id: UUID, tag: str, creator: Creator) -> UUID:
    """Add a version to a procedure, and return its id."""
    version_id = new_id()
    row = {
        "id": version_id,
        "organization_id": tx.organization_id,
        "procedure_id": procedure_id,
        "tag": tag,
        "tag_key": lookup_key(tag),
        "created_at": tx.now,
        **creator.columns,
    }
    stage_record(tx, procedure_versions, row, creator)
    tx.catalog.remember("version", procedure_id, tag, version_id)
    return version_id
