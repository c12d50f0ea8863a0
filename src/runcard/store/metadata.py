"""Metadata of runs, units, parts, revisions and stations: one row for each key."""

import math
import operator
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, insert, or_, select

from runcard.domain.metadata import Metadata, MetadataValue
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope, owned_by
from runcard.store.engine.tables import metadata_entries, runs

ANY_KEY = ""
_BOOLEANS = {"true": True, "false": False}


class MetadataTest(NamedTuple):
    """Conditions on the value under a key, which it must all meet. None: no condition.

    key: ANY_KEY: some key of the record. says: the value as people write it, of any type.
    """

    key: str
    is_one_of: Sequence[str] | None = None
    contains: str | None = None
    equals: float | bool | None = None
    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    below: float | None = None
    says: str | None = None


def stage_metadata(tx: Transaction, entity_id: UUID, metadata: Metadata) -> None:
    """Add metadata, which must be checked already, to a new record."""
    for key, value in metadata.items():
        tx.stage(metadata_entries, _row(tx.organization_id, entity_id, key, value))


def replace_metadata(tx: Transaction, entity_id: UUID, keys: Collection[str], after: Metadata) -> None:
    """Give a record these values under these keys. A key that `after` lacks is removed."""
    e = metadata_entries.c
    mine = (tx.owns(e), e.entity_id == entity_id)
    tx.connection.execute(delete(metadata_entries).where(*mine, e.key.in_(list(keys))))
    rows = [_row(tx.organization_id, entity_id, key, after[key]) for key in keys if key in after]
    if rows:
        tx.connection.execute(insert(metadata_entries), rows)


def read_metadata(scope: Scope, entity_ids: Collection[UUID]) -> Mapping[UUID, dict[str, MetadataValue]]:
    """The metadata of each of these records, keys in alphabetical order; no entry for a record without metadata."""
    e = metadata_entries.c
    found: dict[UUID, dict[str, MetadataValue]] = defaultdict(dict)
    for some in in_chunks(entity_ids):
        query = select(e.entity_id, e.key, e.text, e.number, e.boolean).where(
            scope.owns(e), e.entity_id.in_(some)
        )
        for entity_id, key, *values in scope.connection.execute(query.order_by(e.key)):
            found[entity_id][key] = value_of(*values)
    return found


def value_of(*columns: MetadataValue | None) -> MetadataValue:
    """The value in the columns `text`, `number` and `boolean` of a row, of which one has a value."""
    return next(value for value in columns if value is not None)


def delete_metadata(tx: Transaction, entity_ids: Collection[UUID]) -> None:
    """Delete the metadata of records that are deleted."""
    e = metadata_entries.c
    for some in in_chunks(entity_ids):
        tx.connection.execute(delete(metadata_entries).where(tx.owns(e), e.entity_id.in_(some)))


def keeps(organization_id: UUID, entity_id: ColumnElement[UUID], test: MetadataTest) -> ColumnElement[bool]:
    """The condition that the record with this id has a value that meets the test."""
    e = metadata_entries.c
    conditions: list[ColumnElement[bool]] = [
        owned_by(organization_id, e),
        e.entity_id == entity_id,
    ]
    if test.key != ANY_KEY:
        conditions.append(e.key == test.key)
    if test.says is not None:
        conditions.append(_says(test.says))
    if test.is_one_of is not None:
        conditions.append(e.text.in_(test.is_one_of))
    if test.contains is not None:
        conditions.append(e.text.icontains(test.contains, autoescape=True))
    if isinstance(test.equals, bool):
        conditions.append(e.boolean.is_(test.equals))
    elif test.equals is not None:
        conditions.append(e.number == test.equals)
    bounds: list[tuple[float | None, Callable[[Any, Any], Any]]] = [
        (test.at_least, operator.ge),
        (test.at_most, operator.le),
        (test.above, operator.gt),
        (test.below, operator.lt),
    ]
    conditions += [holds(e.number, bound) for bound, holds in bounds if bound is not None]
    return select(e.key).where(*conditions).exists()


def list_keys(scope: Scope, most: int) -> Sequence[str]:
    """The first keys of any metadata, in alphabetical order. Each key costs one step in the index."""
    e = metadata_entries.c
    mine = scope.owns(e)
    steps = select(func.min(e.key).label("key")).where(mine).cte("keys", recursive=True)
    following = select(func.min(e.key)).where(mine, e.key > steps.c.key).scalar_subquery()
    steps = steps.union_all(select(following).where(steps.c.key.is_not(None)))
    found = scope.connection.execute(select(steps.c.key).where(steps.c.key.is_not(None)).limit(most))
    return list(found.scalars())


def find_keys_of_value(scope: Scope, value: str, most: int) -> Sequence[str]:
    """The first keys under which a run has this value, in alphabetical order."""
    e = metadata_entries.c
    query = (
        select(e.key)
        .join_from(metadata_entries, runs, runs.c.id == e.entity_id)
        .where(scope.owns(e), _says(value))
        .distinct()
        .order_by(e.key)
        .limit(most)
    )
    return list(scope.connection.execute(query).scalars())


def _says(value: str) -> ColumnElement[bool]:
    """The condition that a value is this one as people write it: a text in any case, a number, or true or false."""
    e = metadata_entries.c
    readings: list[ColumnElement[bool]] = [func.lower(e.text) == value.lower()]
    if value.lower() in _BOOLEANS:
        readings.append(e.boolean.is_(_BOOLEANS[value.lower()]))
    with suppress(ValueError):
        if math.isfinite(number := float(value)):
            readings.append(e.number == number)
    return or_(*readings)


def _row(organization_id: UUID, entity_id: UUID, key: str, value: MetadataValue) -> dict[str, Any]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return {
        "entity_id": entity_id,
        "key": key,
        "organization_id": organization_id,
        "text": value if isinstance(value, str) else None,
        "number": float(value) if is_number else None,
        "boolean": value if isinstance(value, bool) else None,
    }
