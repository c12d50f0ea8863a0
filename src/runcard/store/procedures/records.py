"""Procedures and their versions, as people manage them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec import UNSET, Struct, UnsetType
from sqlalchemy import Select, delete, func, select, update

from runcard.domain.errors import AlreadyExists, InUse, NotFound, VersionNotFound
from runcard.domain.floor.identifier import checked_identifier
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.text import lookup_key
from runcard.store.bin.deleting import Deletion, Remains, before_deleting, bury
from runcard.store.commit.lookups import find_procedure
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine.scope import Scope, owned_by
from runcard.store.engine.tables import (
    attachments,
    deployments,
    procedure_versions,
    procedures,
    runs,
    station_procedures,
    stations,
    units,
)
from runcard.store.files.removal import delete_unneeded, remains_of
from runcard.store.former_names import IDENTIFIERS, exchange_name
from runcard.store.lists.id_pages import id_pages
from runcard.store.lists.pages import Listed, Page, fetch_page, known_at
from runcard.store.lists.refs import CREATOR_COLUMNS, CreatedBy, created_by, with_creator
from runcard.store.merging.merges import list_merged_into
from runcard.store.merging.splits import check_none_returning
from runcard.store.procedures.identifiers import (
    check_identifier_is_free,
    retire_identifiers,
)
from runcard.store.procedures.merges import PROCEDURES
from runcard.store.procedures.rows import checked_procedure_name, get_procedure, stage_version
from runcard.store.runs.rows import delete_runs
from runcard.store.trail.watching import watch


class ProcedureRecord(NamedTuple):
    id: UUID
    identifier: str
    name: str
    created_at: datetime
    archived_at: datetime | None
    created_by: CreatedBy


class VersionRecord(NamedTuple):
    id: UUID
    tag: str
    created_at: datetime
    created_by: CreatedBy


class RecentProcedureRun(NamedTuple):
    """started_at: by the station's clock."""

    id: UUID
    started_at: datetime
    outcome: RunOutcome
    serial_number: str


class ProcedureFilter(NamedTuple):
    """Conditions that a procedure must all meet. None: no condition. Bounds are inclusive.

    search: part of the name. archived: True: only archived procedures; False: only procedures in use.
    """

    search: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    archived: bool | None = None


class ProcedureChange(Struct, frozen=True, kw_only=True):
    """The new values of a procedure. UNSET: no change.

    identifier: the former one still finds the procedure. archived: whether the procedure is out of use.
    production_branch: None: no branch deploys to production. excluded_branch_patterns: names or globs of branches that
    are never deployed. root_directory: None: the root of the repository. entry_point: None: the usual one.
    """

    name: str | UnsetType = UNSET
    identifier: str | UnsetType = UNSET
    archived: bool | UnsetType = UNSET
    production_branch: str | UnsetType | None = UNSET
    auto_push_enabled: bool | UnsetType = UNSET
    excluded_branch_patterns: Sequence[str] | UnsetType = UNSET
    root_directory: str | UnsetType | None = UNSET
    entry_point: str | UnsetType | None = UNSET


def get_procedure_record(scope: Scope, procedure_id: str) -> ProcedureRecord:
    """The procedure with this id, or the target it was merged into. Raises NotFound, also for a text that is no id."""
    try:
        found_id = find_procedure(scope, UUID(procedure_id))
    except ValueError:
        raise _no_procedure(procedure_id) from None
    query = _procedures(scope.organization_id).where(procedures.c.id == found_id)
    row = scope.connection.execute(query).one_or_none()
    if row is None:
        raise _no_procedure(procedure_id)
    return _procedure(*row)


def list_procedure_records(
    scope: Scope, procedure_filter: ProcedureFilter, page: Page
) -> Listed[ProcedureRecord]:
    """A page of procedures, newest first."""
    p = procedures.c
    query = _procedures(scope.organization_id).where(
        p.merged_into_id.is_(None), *known_at(page, "procedure_created", p.id)
    )
    if procedure_filter.search is not None:
        query = query.where(p.name.icontains(procedure_filter.search, autoescape=True))
    if procedure_filter.archived is not None:
        query = query.where(
            p.archived_at.is_not(None) if procedure_filter.archived else p.archived_at.is_(None)
        )
    if procedure_filter.created_after is not None:
        query = query.where(p.created_at >= procedure_filter.created_after)
    if procedure_filter.created_before is not None:
        query = query.where(p.created_at <= procedure_filter.created_before)
    return fetch_page(scope.connection, query.order_by(p.created_at.desc(), p.id.desc()), page, _procedure)


def count_runs_of(scope: Scope, procedure_id: UUID, version_id: UUID | None = None) -> int:
    """How many runs a procedure has. version_id: count only runs of this version."""
    r = runs.c
    query = select(func.count()).where(scope.owns(r), r.procedure_id == procedure_id)
    if version_id is not None:
        query = query.where(r.version_id == version_id)
    return scope.connection.execute(query).scalar_one()


def list_recent_runs(scope: Scope, procedure_id: UUID, limit: int) -> Sequence[RecentProcedureRun]:
    """The runs of a procedure that started last, last first."""
    r = runs.c
    query = (
        select(r.id, func.coalesce(r.reported_started_at, r.started_at), r.outcome, units.c.serial_number)
        .join_from(runs, units, units.c.id == r.unit_id)
        .where(scope.owns(r), r.procedure_id == procedure_id)
        .order_by(r.started_at.desc(), r.id.desc())
        .limit(limit)
    )
    return [RecentProcedureRun(*row) for row in scope.connection.execute(query)]


def change_procedure(tx: Transaction, procedure_id: UUID, change: ProcedureChange) -> None:
    """Change a procedure that exists, in at least one field. Raises InvalidInput and IdentifierTaken."""
    fields = {name: getattr(change, name) for name in change.__struct_fields__}
    values = {name: value for name, value in fields.items() if value is not UNSET}
    before = get_procedure(tx.scope, str(procedure_id))
    if "name" in values:
        values["name"] = checked_procedure_name(values["name"])
    if "identifier" in values:
        after = checked_identifier(values["identifier"])
        check_identifier_is_free(tx.scope, after, but=procedure_id)
        exchange_name(tx, IDENTIFIERS, procedure_id, before.identifier, after)
        values |= {"identifier": after, "identifier_key": lookup_key(after)}
    if "archived" in values:
        values["archived_at"] = (before.archived_at or tx.now) if values.pop("archived") else None
    if "excluded_branch_patterns" in values:
        patterns = values["excluded_branch_patterns"]
        values["excluded_branch_patterns"] = msgspec.json.encode(patterns).decode()
    p = procedures.c
    mine = (tx.owns(p), p.id == procedure_id)
    watch(tx, procedures, [procedure_id])
    tx.connection.execute(update(procedures).where(*mine).values(values))


def delete_procedure(tx: Transaction, procedure_id: UUID, deletion: Deletion) -> None:
    """Delete a procedure with its runs, versions, deployments, station links and their files.

    The procedures that were merged into it are deleted too. Raises Conflict while runs go back to a procedure that was
    merged into it, or to itself.
    """
    check_none_returning(tx.scope, PROCEDURES, procedure_id)
    deletion = deletion.of(procedure_id)
    own = before_deleting(tx, procedures, [procedure_id], deletion)
    remains: dict[UUID, Remains] = {}
    for merged_id in list_merged_into(tx.scope, PROCEDURES, procedure_id):
        delete_procedure(tx, merged_id, deletion)
    d, p, r = deployments.c, procedures.c, runs.c
    of_procedure = (tx.owns(r), r.procedure_id == procedure_id)
    for table in (procedure_versions, deployments):
        of_it = select(table.c.id).where(tx.owns(table.c), table.c.procedure_id == procedure_id)
        remains |= before_deleting(tx, table, tx.connection.execute(of_it).scalars().all(), deletion)
    link = station_procedures.c
    linked = select(link.station_id).where(tx.owns(link), link.procedure_id == procedure_id)
    watch(tx, stations, tx.connection.execute(linked).scalars().all())
    for some in id_pages(tx.connection, r.id, *of_procedure):
        delete_runs(tx, some, deletion)
    deployed = (tx.owns(d), d.procedure_id == procedure_id)
    named = select(p.identifier).where(tx.owns(p), p.id == procedure_id)
    identifier = tx.connection.execute(named).scalar_one()
    retire_identifiers(tx, procedure_id, identifier)
    archives = [one for one in tx.connection.execute(select(d.artifact_id).where(*deployed)).scalars() if one]
    of_files = before_deleting(tx, attachments, archives, deletion)
    tx.connection.execute(delete(procedures).where(tx.owns(p), p.id == procedure_id))
    gone = delete_unneeded(tx, archives, deletion)
    bury(tx, [*remains_of(of_files, gone), *remains.values(), *own.values()], deletion)


def create_version(tx: Transaction, procedure_id: UUID, tag: str, creator: Creator) -> UUID:
    """Add a version to a procedure, and return its id. Raises AlreadyExists if the procedure has this tag."""
    if tx.catalog.version(procedure_id, tag) is not None:
        raise AlreadyExists("Version", tag)
    return stage_version(tx, procedure_id, tag, creator)


def get_version(scope: Scope, procedure_id: UUID, tag: str) -> VersionRecord:
    """The version of a procedure with this tag. Raises VersionNotFound."""
    v = procedure_versions.c
    query = (
        select(v.id, v.tag, v.created_at, *CREATOR_COLUMNS)
        .select_from(with_creator(procedure_versions))
        .where(
            scope.owns(v),
            v.procedure_id == procedure_id,
            v.tag_key == lookup_key(tag),
        )
    )
    row = scope.connection.execute(query).one_or_none()
    if row is None:
        raise VersionNotFound(tag)
    version_id, shown_tag, created_at, *creator = row
    return VersionRecord(version_id, shown_tag, created_at, created_by(*creator))


def delete_version(tx: Transaction, procedure_id: UUID, version: VersionRecord) -> None:
    """Delete a version of a procedure. Raises InUse while runs name it."""
    count = count_runs_of(tx.scope, procedure_id, version.id)
    if count:
        raise InUse(f"Version {version.tag}", count, runs.name)
    v = procedure_versions.c
    mine = (tx.owns(v), v.id == version.id)
    watch(tx, procedure_versions, [version.id])
    tx.connection.execute(delete(procedure_versions).where(*mine))


def _no_procedure(procedure_id: str) -> NotFound:
    return NotFound(f"Procedure not found: there is no procedure with ID {procedure_id}.")


def _procedures(organization_id: UUID) -> Select[Any]:
    p = procedures.c
    return (
        select(p.id, p.identifier, p.name, p.created_at, p.archived_at, *CREATOR_COLUMNS)
        .select_from(with_creator(procedures))
        .where(owned_by(organization_id, p))
    )


def _procedure(
    procedure_id: UUID,
    identifier: str,
    name: str,
    created_at: datetime,
    archived_at: datetime | None,
    *creator: Any,
) -> ProcedureRecord:
    return ProcedureRecord(procedure_id, identifier, name, created_at, archived_at, created_by(*creator))
