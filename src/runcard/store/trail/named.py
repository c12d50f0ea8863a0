"""Things by the names that people give them: those that they have, and those that they had."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Table, func, or_, select

from runcard.domain.evidence.entry import canonical_json
from runcard.domain.text import lookup_key
from runcard.store.engine import tables as t
from runcard.store.engine.scope import Scope

# Of more things of one name, the latest are found.
_MOST = 100


class _Key(NamedTuple):
    """A column by which people look a thing up, in the form of `lookup_key` or as it is written."""

    table: Table
    column: Column[str]
    is_exact: bool = False


_KEYS = (
    _Key(t.units, t.units.c.serial_key),
    _Key(t.parts, t.parts.c.number_key),
    _Key(t.batches, t.batches.c.number_key),
    _Key(t.stations, t.stations.c.name_key),
    _Key(t.procedures, t.procedures.c.identifier_key),
    _Key(t.procedures, t.procedures.c.name, is_exact=True),
    _Key(t.users, t.users.c.email_key),
    _Key(t.teams, t.teams.c.name_key),
    _Key(t.import_templates, t.import_templates.c.name_key),
    _Key(t.tags, t.tags.c.name_key),
    _Key(t.causes, t.causes.c.code_key),
    _Key(t.api_keys, t.api_keys.c.prefix, is_exact=True),
)
# The columns that name a thing. An entry has the old name where one changed.
_NAMES = ("serial_number", "number", "name", "identifier", "email", "tag")


def find_things(scope: Scope, text: str) -> Sequence[UUID]:
    """The ids of the things that a text names: by id, by their name now, or by one that the trail remembers.

    So a thing that was renamed or deleted is found by the name that it had. A run is found by its id only. The
    remembered names are read from all entries of the organization.
    """
    text = text.strip()
    try:
        return [UUID(text)]
    except ValueError:
        found = dict.fromkeys(_find_present(scope, text))
        return list(found | dict.fromkeys(_find_remembered(scope, text)))


def find_part_numbers(scope: Scope, revision_ids: Sequence[UUID]) -> Mapping[UUID, str]:
    """The numbers of the parts of these revisions, by the id of the revision."""
    r = t.revisions.c
    query = select(r.id, t.parts.c.number).join(t.parts, t.parts.c.id == r.part_id)
    rows = scope.connection.execute(query.where(scope.owns(r), r.id.in_(revision_ids)))
    return {row[0]: row[1] for row in rows}


def _find_present(scope: Scope, text: str) -> Sequence[UUID]:
    found: list[UUID] = []
    for table, column, is_exact in _KEYS:
        sought = text if is_exact else lookup_key(text)
        query = select(table.c.id).where(scope.owns(table.c), column == sought).limit(_MOST)
        found += scope.connection.execute(query).scalars()
    return found


def _find_remembered(scope: Scope, text: str) -> Sequence[UUID]:
    """The things whose entries have this name, or had it before a change.

    The entry is canonical JSON, in which a quotation mark inside a text is escaped. So these pieces are never part of a
    text, and only the name of the thing itself is followed by another member or by the end.
    """
    c, written = t.changes.c, canonical_json(text).decode()
    pieces: list[ColumnElement[bool]] = [
        c.entry.contains(f'"name":{written},', autoescape=True),
        c.entry.endswith(f'"name":{written}}}', autoescape=True),
        *(c.entry.contains(f'"{name}":[{written},', autoescape=True) for name in _NAMES),
    ]
    # The first condition is cheap, and leaves few entries for the others.
    found = (scope.owns(c), c.entry.contains(written, autoescape=True), or_(*pieces))
    query = select(c.entity_id).where(c.entry.is_not(None), *found).group_by(c.entity_id)
    latest = func.max(c.seq).desc()
    return scope.connection.execute(query.order_by(latest).limit(_MOST)).scalars().all()
