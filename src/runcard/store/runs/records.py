"""Reads of runs: headers with the names of the records that they refer to, and the documents."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, select, tuple_

from runcard.domain.floor.sample import SampleClass
from runcard.domain.metadata import Metadata
from runcard.domain.runs.clock import counted_document
from runcard.domain.runs.correction import CorrectedField, decode_as_reported
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.runs.run import RunDocument
from runcard.domain.text import lookup_key
from runcard.store.commit.documents import unpack_document
from runcard.store.commit.lookups import find_units
from runcard.store.documents.reading import read_moved
from runcard.store.engine import tables as t
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope, owned_by
from runcard.store.lists.followed_merges import with_merges
from runcard.store.lists.pages import Listed, Page, fetch_page, known_at
from runcard.store.lists.refs import Named, PartRef, ProcedureRef, TagRef, UserRef
from runcard.store.lists.run_filter import RunFilter, duration_of_runs, run_conditions
from runcard.store.metadata import read_metadata

RunSort = Literal[
    "started_at", "created_at", "duration", "outcome", "serial_number", "part_number", "revision_number"
]


class RunUnit(NamedTuple):
    """The unit of a run, as it is now. sample: its class at the time of the run."""

    id: UUID
    serial_number: str
    sample: SampleClass | None = None


class RunVoid(NamedTuple):
    """That a run was voided: it stays, and no figure counts it. by_id: the user."""

    at: datetime
    reason: str
    by_id: UUID


class RunRecord(NamedTuple):
    """A run's header. Part, revision and batch are those of the unit at the time of the run.

    Exactly one of `created_by_user` and `created_by_station` is there.
    operator_name: the name of an operator who is no member; then `operator` is None.
    started_at, ended_at: the times that count. reported_started_at, reported_ended_at: the times by a wrong clock;
    `domain.runs.clock.reported_times` returns the station's own times in any case. void: None: the run counts.
    serial_number: as the report spelled it; None: an older run. as_reported: as the row keeps it; see `corrected`.
    metadata: None until `with_metadata` has read it. tags, cause: None until `store.notes.on_runs` has read them;
    cause: its name.
    """

    id: UUID
    outcome: RunOutcome
    started_at: datetime
    ended_at: datetime
    created_at: datetime
    docstring: str | None
    procedure: ProcedureRef
    version: Named | None
    unit: RunUnit
    part: PartRef
    revision: Named
    batch: Named | None
    operator: UserRef | None
    created_by_user: UserRef | None
    created_by_station: Named | None
    operator_name: str | None = None
    execution_id: str | None = None
    slot_key: str | None = None
    slot_name: str | None = None
    reported_started_at: datetime | None = None
    reported_ended_at: datetime | None = None
    serial_number: str | None = None
    as_reported: str | None = None
    void: RunVoid | None = None
    metadata: Metadata | None = None
    tags: Sequence[TagRef] | None = None
    cause: str | None = None

    @property
    def duration(self) -> timedelta:
        return self.ended_at - self.started_at

    @property
    def corrected(self) -> Mapping[CorrectedField, str | None]:
        """What the report said of each field that a person corrected; None: nothing."""
        # Another record may have the same text: a revision of another part, a procedure of the same name.
        same = {"revision_number": self.revision.name, "procedure": self.procedure.name}
        return {
            name: field.said
            for name, field in decode_as_reported(self.as_reported).items()
            if name not in same or field.said != same[name]
        }

    @property
    def former_serial_number(self) -> str:
        """What the report called the unit, if that has another serial number now; else empty."""
        said = self.serial_number or self.unit.serial_number
        return "" if lookup_key(said) == lookup_key(self.unit.serial_number) else said


class RunPosition(NamedTuple):
    """The place in a list of runs after the run with this start and id."""

    started_at: datetime
    id: UUID


_operators = t.users.alias("operators")
_GROUPS: dict[str, tuple[type[Any], list[Any]]] = {
    "procedure": (ProcedureRef, [t.procedures.c.id, t.procedures.c.name, t.procedures.c.identifier]),
    "version": (Named, [t.procedure_versions.c.id, t.procedure_versions.c.tag]),
    "unit": (RunUnit, [t.units.c.id, t.units.c.serial_number, t.runs.c.sample]),
    "part": (PartRef, [t.parts.c.id, t.parts.c.number, t.parts.c.name]),
    "revision": (Named, [t.revisions.c.id, t.revisions.c.number]),
    "batch": (Named, [t.batches.c.id, t.batches.c.number]),
    "operator": (UserRef, [_operators.c.id, _operators.c.name, _operators.c.email]),
    "created_by_user": (UserRef, [t.users.c.id, t.users.c.name, t.users.c.email]),
    "created_by_station": (Named, [t.stations.c.id, t.stations.c.name]),
    "void": (RunVoid, [t.runs.c.voided_at, t.runs.c.void_reason, t.runs.c.voided_by_id]),
}
_OWN = [name for name in RunRecord._fields if name not in (*_GROUPS, "metadata", "tags", "cause")]


def find_run(scope: Scope, run_id: UUID) -> RunRecord | None:
    """The run with this id; None if there is none."""
    row = scope.connection.execute(_records(scope.organization_id).where(t.runs.c.id == run_id)).one_or_none()
    return None if row is None else _record(row)


def list_runs(
    scope: Scope,
    run_filter: RunFilter,
    order: RunSort,
    page: Page,
    *,
    descending: bool,
) -> Listed[RunRecord]:
    """A page of runs in the order of RUN_ORDERS with this name; equal runs in the order of creation, same direction."""
    run_filter = with_merges(scope, run_filter)
    query = run_ids_in_order(scope.organization_id, run_filter, order, descending=descending)
    query = query.where(*known_at(page, "run_recorded", t.runs.c.id))
    ids = fetch_page(scope.connection, query, page, lambda run_id: run_id)
    return Listed(read_runs(scope, ids.rows), ids.has_more, ids.total)


def run_ids_in_order(
    organization_id: UUID, run_filter: RunFilter, order: RunSort, *, descending: bool
) -> Select[Any]:
    """The query of the ids of runs, in the same order as `list_runs`.

    A list is searched by ids alone, and only the runs that are shown are read whole.
    """
    r = t.runs.c
    column, joined = RUN_ORDERS[order]
    query = select(r.id).select_from(t.runs)
    if joined is not None:
        query = query.join(joined.table, joined.table.c.id == joined.reference)
        if joined.has_order:
            # With the organization on both tables, the database may read along the joined one.
            query = query.where(owned_by(organization_id, joined.table.c))
    if joined is None or not joined.has_runs or run_filter != RunFilter():
        query = query.where(*run_conditions(organization_id, run_filter))
    # Otherwise all runs are listed. With the condition on the joined table alone, SQLite reads along that table, and
    # from each of its rows the runs.
    return query.order_by(*(key.desc() if descending else key for key in (column, r.id)))


def read_runs(scope: Scope, run_ids: Collection[UUID]) -> Sequence[RunRecord]:
    """Those of these runs that exist, in the order of `run_ids`."""
    found: dict[UUID, RunRecord] = {}
    for some in in_chunks(run_ids):
        rows = scope.connection.execute(_records(scope.organization_id).where(t.runs.c.id.in_(some)))
        found |= {record.id: record for record in map(_record, rows)}
    return [found[run_id] for run_id in run_ids if run_id in found]


def with_metadata(scope: Scope, runs: Sequence[RunRecord]) -> Sequence[RunRecord]:
    """The same runs, with their metadata."""
    noted = read_metadata(scope, [run.id for run in runs])
    return [run._replace(metadata=noted.get(run.id, {})) for run in runs]


class _Joined(NamedTuple):
    """A table that an order needs, and the column of `runs` that refers to it.

    has_order: an index sorts the table so within an organization. has_runs: an index finds the runs of each row.
    """

    table: Table
    reference: ColumnElement[Any]
    has_order: bool
    has_runs: bool = False


RUN_ORDERS: Mapping[RunSort, tuple[ColumnElement[Any], _Joined | None]] = {
    "started_at": (t.runs.c.started_at, None),
    "created_at": (t.runs.c.id, None),
    "duration": (duration_of_runs(), None),
    "outcome": (t.runs.c.outcome, None),
    "serial_number": (
        t.units.c.serial_key,
        _Joined(t.units, t.runs.c.unit_id, has_order=True, has_runs=True),
    ),
    "part_number": (t.parts.c.number_key, _Joined(t.parts, t.runs.c.part_id, has_order=True)),
    "revision_number": (
        t.revisions.c.number_key,
        _Joined(t.revisions, t.runs.c.revision_id, has_order=False),
    ),
}


def list_runs_of_unit(
    scope: Scope,
    serial_number: str,
    *,
    only_linked_to: UUID | None = None,
) -> Sequence[RunRecord]:
    """All runs of a unit, the last recorded first; none if the unit is unknown.

    only_linked_to: a station; only runs of procedures that it may run now are listed.
    """
    key = (scope.organization_id, lookup_key(serial_number))
    unit = find_units(scope.connection, [key]).get(key)
    if unit is None:
        return []
    r = t.runs.c
    query = _records(scope.organization_id).where(r.unit_id == unit.id)
    if only_linked_to is not None:
        query = query.where(_linked_to(only_linked_to))
    return [
        _record(row) for row in scope.connection.execute(query.order_by(r.created_at.desc(), r.id.desc()))
    ]


def list_latest_runs(
    scope: Scope,
    run_filter: RunFilter,
    limit: int,
    after: RunPosition | None = None,
) -> Listed[RunRecord]:
    """At most `limit` runs, the last started first, from right after a position. All pages are equally fast."""
    r = t.runs.c
    run_filter = with_merges(scope, run_filter)
    query = run_ids_in_order(scope.organization_id, run_filter, "started_at", descending=True)
    if after is not None:
        # With the types of the columns: each database keeps moments and ids in its own form.
        position = tuple_(*after, types=[r.started_at.type, r.id.type])
        query = query.where(tuple_(r.started_at, r.id) < position)
    ids = fetch_page(scope.connection, query, Page(limit), lambda run_id: run_id)
    return Listed(read_runs(scope, ids.rows), ids.has_more, ids.total)


def list_later_runs(
    scope: Scope, run_filter: RunFilter, limit: int, before: RunPosition
) -> Listed[RunRecord]:
    """The last `limit` runs before a position, in the order of `list_latest_runs`.

    has_more: whether the list has more runs before them.
    """
    r = t.runs.c
    run_filter = with_merges(scope, run_filter)
    query = run_ids_in_order(scope.organization_id, run_filter, "started_at", descending=False)
    position = tuple_(*before, types=[r.started_at.type, r.id.type])
    query = query.where(tuple_(r.started_at, r.id) > position)
    ids = fetch_page(scope.connection, query, Page(limit), lambda run_id: run_id)
    return Listed(read_runs(scope, ids.rows[::-1]), ids.has_more)


def list_runs_by_id(
    scope: Scope, run_filter: RunFilter, limit: int, after: UUID | None = None
) -> Sequence[RunRecord]:
    """At most `limit` runs that a filter finds, in the order of their ids, after the run with the id `after`."""
    r, run_filter = t.runs.c, with_merges(scope, run_filter)
    query = select(r.id).where(*run_conditions(scope.organization_id, run_filter)).order_by(r.id).limit(limit)
    if after is not None:
        query = query.where(r.id > after)
    ids = scope.connection.execute(query).scalars().all()
    found = {
        record.id: record
        for some in in_chunks(ids)
        for record in map(
            _record, scope.connection.execute(_records(scope.organization_id).where(r.id.in_(some)))
        )
    }
    return [found[run_id] for run_id in ids]


def read_documents(scope: Scope, run_ids: Collection[UUID]) -> Mapping[UUID, RunDocument]:
    """What is inside each of these runs, at the times by the station's clock.

    Where a person corrected the start of a run, what is inside it moved along. Raises DocumentUnavailable where a
    document has left the database and cannot be read.
    """
    d, r = t.run_documents.c, t.runs.c
    found: dict[UUID, RunDocument] = {}
    for some in in_chunks(run_ids):
        query = (
            select(r.id, d.body, r.started_at, r.clock_started_at)
            .join_from(t.runs, t.run_documents, d.run_id == r.id, isouter=True)
            .where(scope.owns(r), r.id.in_(some))
        )
        rows = scope.connection.execute(query).all()
        moved = read_moved(scope, [row.id for row in rows if row.body is None])
        found |= {
            run_id: counted_document(unpack_document(body or moved[run_id]), *starts)
            for run_id, body, *starts in rows
            if body or run_id in moved
        }
    return found


class SubUnitRef(NamedTuple):
    """A unit that a run named as a sub-unit of its unit. part: the sub-unit's part now."""

    id: UUID
    serial_number: str
    part: PartRef


def list_sub_units(scope: Scope, run_ids: Collection[UUID]) -> Mapping[UUID, Sequence[SubUnitRef]]:
    """The sub-units that each of these runs named, in the order of the report."""
    s, u, p = t.run_sub_units.c, t.units.c, t.parts.c
    query = (
        select(s.run_id, u.id, u.serial_number, p.id, p.number, p.name)
        .join_from(t.run_sub_units, t.units, u.id == s.unit_id)
        .join(t.parts, p.id == u.part_id)
        .where(scope.owns(s))
        .order_by(s.run_id, s.position)
    )
    found: dict[UUID, list[SubUnitRef]] = defaultdict(list)
    for some in in_chunks(run_ids):
        for run_id, unit_id, serial, *part in scope.connection.execute(query.where(s.run_id.in_(some))):
            found[run_id].append(SubUnitRef(unit_id, serial, PartRef(*part)))
    return found


def _records(organization_id: UUID) -> Select[Any]:
    r = t.runs.c
    columns = [r[name] for name in _OWN] + [column for _, group in _GROUPS.values() for column in group]
    return (
        select(*columns)
        .select_from(t.runs)
        .join(t.procedures, t.procedures.c.id == r.procedure_id)
        .join(t.units, t.units.c.id == r.unit_id)
        .join(t.parts, t.parts.c.id == r.part_id)
        .join(t.revisions, t.revisions.c.id == r.revision_id)
        .outerjoin(t.procedure_versions, t.procedure_versions.c.id == r.version_id)
        .outerjoin(t.batches, t.batches.c.id == r.batch_id)
        .outerjoin(_operators, _operators.c.id == r.operator_id)
        .outerjoin(t.users, t.users.c.id == r.created_by_user_id)
        .outerjoin(t.stations, t.stations.c.id == r.created_by_station_id)
        .where(owned_by(organization_id, r))
    )


def _record(row: Sequence[Any]) -> RunRecord:
    values: dict[str, Any] = dict(zip(_OWN, row, strict=False))
    position = len(_OWN)
    for name, (kind, columns) in _GROUPS.items():
        group = row[position : position + len(columns)]
        position += len(columns)
        values[name] = None if group[0] is None else kind(*group)
    return RunRecord(**values)


# Unscoped: a condition on runs of the scope.
def _linked_to(station_id: UUID) -> Any:
    link, s = t.station_procedures.c, t.stations.c
    linked = (
        select(link.station_id)
        .where(link.station_id == station_id, link.procedure_id == t.runs.c.procedure_id)
        .exists()
    )
    has_all = select(s.id).where(s.id == station_id, s.all_procedures.is_(True)).exists()
    return linked | has_all
