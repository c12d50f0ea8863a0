"""A search for records by what people type: a number, a name, an id, or the beginning of a run's id."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Select, Table, func, or_, select

from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.text import lookup_key
from runcard.store.engine import tables as t
from runcard.store.engine.scope import Scope
from runcard.store.lists.part_numbers import had_number_with, parts_called
from runcard.store.lists.run_filter import ids_beginning_with
from runcard.store.lists.serials import serial_number_contains, units_called

Kind = Literal["unit", "part", "batch", "procedure", "station", "run"]

# This many digits of an id give its moment to about a minute. Fewer would match most runs of a year.
_MIN_ID_DIGITS = 8


class Hit(NamedTuple):
    """A record. name: of a run, its unit's serial number. aside: more about it, such as a run's procedure."""

    kind: Kind
    id: UUID
    name: str
    aside: str = ""
    outcome: RunOutcome | None = None


class _Searched(NamedTuple):
    """One kind of record. key: its name in the form that is looked up. texts: the columns that are searched."""

    table: Table
    key: ColumnElement[str]
    name: ColumnElement[str]
    aside: ColumnElement[Any] | None
    texts: Sequence[ColumnElement[str]]
    joined: FromClause


def _searched(
    table: Table, key: str, name: str, aside: ColumnElement[Any] | None = None, also: Sequence[str] = ()
) -> _Searched:
    c = table.c
    return _Searched(table, c[key], c[name], aside, [c[name], *(c[other] for other in also)], table)


_KINDS: Mapping[Kind, _Searched] = {
    "unit": _searched(t.units, "serial_key", "serial_number", t.parts.c.number)._replace(
        joined=t.units.join(t.parts, t.parts.c.id == t.units.c.part_id)
    ),
    "part": _searched(t.parts, "number_key", "number", t.parts.c.name, ["name"]),
    "batch": _searched(t.batches, "number_key", "number"),
    "procedure": _searched(t.procedures, "identifier_key", "name", t.procedures.c.identifier, ["identifier"]),
    "station": _searched(t.stations, "name_key", "name"),
}


def find_named(scope: Scope, text: str) -> Sequence[Hit]:
    """The records with exactly this name, in any case, and the run or procedure with this id."""
    found = [hit for kind in _KINDS for hit in _hits(scope, kind, [_is(scope, kind, text)], 2)]
    try:
        run_id = UUID(text)
    except ValueError:
        return found
    return [*found, *_runs(scope, (run_id, run_id), 1)]


def find_similar(scope: Scope, text: str, at_most: int) -> Mapping[Kind, Sequence[Hit]]:
    """The newest records with this text in their name, and runs whose id begins with it; `at_most` limits each kind."""
    found: dict[Kind, Sequence[Hit]] = {}
    for kind, searched in _KINDS.items():
        contained = [column.icontains(text, autoescape=True) for column in searched.texts]
        if kind == "unit":
            contained.append(serial_number_contains(scope.organization_id, text))
        if kind == "part":
            contained.append(had_number_with(scope.organization_id, text))
        matches = or_(*contained)
        found[kind] = _hits(scope, kind, [matches], at_most)
    ids = ids_beginning_with(text)
    is_long = len(text.replace("-", "")) >= _MIN_ID_DIGITS
    found["run"] = _runs(scope, ids, at_most) if ids and is_long else ()
    return found


def _is(scope: Scope, kind: Kind, text: str) -> ColumnElement[bool]:
    searched, key = _KINDS[kind], lookup_key(text)
    if kind == "unit":
        return t.units.c.id.in_(units_called(scope.organization_id, [text]))
    if kind == "part":
        return t.parts.c.id.in_(parts_called(scope.organization_id, [text]))
    if kind != "procedure":
        return searched.key == key
    is_named: list[ColumnElement[bool]] = [searched.key == key, func.lower(searched.name) == key]
    return or_(*is_named, *_has_id(t.procedures, text))


def _has_id(table: Table, text: str) -> Iterator[ColumnElement[bool]]:
    try:
        yield table.c.id == UUID(text)
    except ValueError:
        return


def _hits(
    scope: Scope,
    kind: Kind,
    conditions: Sequence[ColumnElement[bool]],
    at_most: int,
) -> Sequence[Hit]:
    table, _, name, aside, _, joined = _KINDS[kind]
    columns: list[ColumnElement[Any]] = [table.c.id, name] if aside is None else [table.c.id, name, aside]
    query: Select[Any] = select(*columns).select_from(joined)
    query = query.where(scope.owns(table.c), *conditions)
    if kind == "part":
        query = query.where(t.parts.c.merged_into_id.is_(None))
    # By creation and not by id, because units have an index for it.
    query = query.order_by(table.c.created_at.desc(), table.c.id.desc()).limit(at_most)
    return [Hit(kind, *row) for row in scope.connection.execute(query)]


def _runs(scope: Scope, ids: tuple[UUID, UUID], at_most: int) -> Sequence[Hit]:
    r, u, p = t.runs.c, t.units.c, t.procedures.c
    query = (
        select(r.id, u.serial_number, p.name, r.outcome)
        .join_from(t.runs, t.units, u.id == r.unit_id)
        .join(t.procedures, p.id == r.procedure_id)
        .where(scope.owns(r), r.id.between(*ids))
        .order_by(r.id.desc())
        .limit(at_most)
    )
    return [Hit("run", *row) for row in scope.connection.execute(query)]
