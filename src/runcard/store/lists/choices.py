"""The records that people can choose from when they filter runs."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import select

from runcard.domain.notes.cause import Cause, in_tree_order
from runcard.store.engine import tables as t
from runcard.store.engine.scope import Scope
from runcard.store.lists.refs import Named

_MOST = 200


class CauseChoice(NamedTuple):
    """depth: how many causes stand above it."""

    code: str
    name: str
    depth: int


class Choices(NamedTuple):
    """The newest records of each kind, at most 200, by name. Versions and revisions are of any procedure or part.

    Archived procedures come last, marked as archived. Procedures that share a name carry their identifier. Archived
    and merged parts are left out.
    tags, causes: all that are in use; each cause is followed by its branch.
    """

    procedures: Sequence[Named]
    stations: Sequence[Named]
    parts: Sequence[str]
    revisions: Sequence[str]
    batches: Sequence[str]
    versions: Sequence[str]
    tags: Sequence[str]
    causes: Sequence[CauseChoice]


def list_choices(scope: Scope) -> Choices:
    def records(table: str, name: str) -> Sequence[Named]:
        c = t.metadata.tables[table].c
        query = select(c.id, c[name]).where(scope.owns(c))
        rows = scope.connection.execute(query.order_by(c.id.desc()).limit(_MOST))
        return sorted((Named(*row) for row in rows), key=lambda record: record.name.casefold())

    def texts(table: str, name: str) -> Sequence[str]:
        return sorted({record.name for record in records(table, name)}, key=str.casefold)

    return Choices(
        procedures=_procedures(scope),
        stations=records("stations", "name"),
        parts=_parts(scope),
        revisions=texts("revisions", "number"),
        batches=texts("batches", "number"),
        versions=texts("procedure_versions", "tag"),
        tags=list_tag_choices(scope),
        causes=list_cause_choices(scope),
    )


def list_tag_choices(scope: Scope) -> Sequence[str]:
    """The names of all tags in use, sorted."""
    c = t.tags.c
    query = select(c.name).where(scope.owns(c), c.archived_at.is_(None)).order_by(c.name_key)
    return scope.connection.execute(query).scalars().all()


def list_cause_choices(scope: Scope) -> Sequence[CauseChoice]:
    """All causes in use, each followed by its branch."""
    c = t.causes.c
    query = select(*(c[name] for name in Cause._fields)).where(scope.owns(c))
    placed = in_tree_order([Cause(*row) for row in scope.connection.execute(query)])
    return [
        CauseChoice(one.cause.code, one.cause.name, one.depth)
        for one in placed
        if one.cause.archived_at is None
    ]


def _parts(scope: Scope) -> Sequence[str]:
    c = t.parts.c
    query = select(c.number).where(scope.owns(c), c.archived_at.is_(None), c.merged_into_id.is_(None))
    numbers = scope.connection.execute(query.order_by(c.id.desc()).limit(_MOST)).scalars()
    return sorted(numbers, key=str.casefold)


def _procedures(scope: Scope) -> Sequence[Named]:
    p = t.procedures.c
    query = select(p.id, p.name, p.identifier, p.archived_at).where(scope.owns(p), p.merged_into_id.is_(None))
    rows = scope.connection.execute(
        query.order_by(p.archived_at.is_not(None), p.id.desc()).limit(_MOST)
    ).all()
    names = Counter(row.name.casefold() for row in rows)
    found: list[Named] = []
    for row in sorted(rows, key=lambda row: (row.archived_at is not None, row.name.casefold())):
        name = row.name if names[row.name.casefold()] == 1 else f"{row.name} ({row.identifier})"
        found.append(Named(row.id, name if row.archived_at is None else f"{name}, archived"))
    return found
