"""The tree of causes of an organization, and which thing has which cause."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import UNSET, UnsetType
from sqlalchemy import delete, func, insert, select, update

from runcard.domain.errors import AlreadyExists, Conflict
from runcard.domain.floor.at_once import check_count
from runcard.domain.ids import new_id
from runcard.domain.notes.cause import (
    MAX_CAUSES,
    MAX_CODE_LENGTH,
    MAX_NAME_LENGTH,
    Cause,
    PlacedCause,
    check_place,
    in_tree_order,
)
from runcard.domain.notes.errors import CauseNotFound, StillGiven
from runcard.domain.notes.tag import checked_label
from runcard.domain.text import lookup_key
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine.bulk import insert_rows
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import causes, thing_causes
from runcard.store.notes.things import get_all_noted
from runcard.store.trail.watching import note_difference, watch, watch_new


class UsedCause(NamedTuple):
    """thing_count: how many things have this cause itself."""

    placed: PlacedCause
    thing_count: int


class CauseChange(NamedTuple):
    """What of a cause changes. None: that stays.

    parent: the code of the cause above it; None: it moves to the top; UNSET: it stays.
    """

    code: str | None = None
    name: str | None = None
    parent: str | UnsetType | None = UNSET
    archived: bool | None = None


_COLUMNS = [causes.c[name] for name in Cause._fields]


def list_causes(scope: Scope) -> Sequence[UsedCause]:
    """All causes of the organization, archived ones too, each followed by its branch."""
    g = thing_causes.c
    counting = select(g.cause_id, func.count()).where(scope.owns(g)).group_by(g.cause_id)
    counts = {row[0]: row[1] for row in scope.connection.execute(counting)}
    return [UsedCause(placed, counts.get(placed.cause.id, 0)) for placed in in_tree_order(_all(scope))]


def get_cause(scope: Scope, cause_id: UUID) -> Cause:
    """The cause with this id. Raises CauseNotFound."""
    return _one(scope, cause_id, causes.c.id == cause_id)


def create_cause(tx: Transaction, code: str, name: str, parent: str | None, creator: Creator) -> Cause:
    """Add a cause, and return it. parent: the code of the cause above it; None: it stands at the top.

    Raises InvalidInput, CauseNotFound for an unknown parent, and AlreadyExists if the code is taken.
    """
    tx.lock_notes()
    there = _all(tx.scope)
    if len(there) >= MAX_CAUSES:
        raise Conflict(
            f"There are {len(there)} causes already, and no more than {MAX_CAUSES} are kept. Delete some."
        )
    cause_id = new_id()
    cause = Cause(cause_id, _free_code(tx.scope, code), _checked_name(name), _parent_id(tx.scope, parent))
    check_place({one.id: one.parent_id for one in there}, cause_id, cause.parent_id)
    row = {**cause._asdict(), "organization_id": tx.organization_id, "code_key": lookup_key(cause.code)}
    tx.connection.execute(insert(causes).values(**row, created_at=tx.now, **creator.columns))
    watch_new(tx, causes, cause.id)
    return cause


def change_cause(tx: Transaction, cause_id: UUID, change: CauseChange) -> Cause:
    """Change a cause, and return it.

    Raises CauseNotFound, InvalidInput where it would stand below its own branch, and AlreadyExists for a code that is
    taken.
    """
    tx.lock_notes()
    cause = get_cause(tx.scope, cause_id)
    watch(tx, causes, [cause_id])
    if change.code is not None:
        cause = cause._replace(code=_free_code(tx.scope, change.code, but=cause_id))
    if change.name is not None:
        cause = cause._replace(name=_checked_name(change.name))
    if change.parent is not UNSET:
        cause = cause._replace(parent_id=_parent_id(tx.scope, change.parent))
        check_place({one.id: one.parent_id for one in _all(tx.scope)}, cause_id, cause.parent_id)
    if change.archived is not None:
        cause = cause._replace(archived_at=(cause.archived_at or tx.now) if change.archived else None)
    c = causes.c
    values: dict[str, Any] = {**cause._asdict(), "code_key": lookup_key(cause.code)}
    tx.connection.execute(update(causes).where(tx.owns(c), c.id == cause_id).values(values))
    return cause


def delete_cause(tx: Transaction, cause_id: UUID) -> None:
    """Delete a cause that no thing has. Raises CauseNotFound, StillGiven, and Conflict if causes stand below it."""
    tx.lock_notes()
    cause = get_cause(tx.scope, cause_id)
    c, g = causes.c, thing_causes.c
    used = select(func.count()).select_from(thing_causes).where(tx.owns(g), g.cause_id == cause_id)
    if count := tx.connection.execute(used).scalar_one():
        raise StillGiven(f"Cause {cause.code}", count)
    below = select(c.code).where(tx.owns(c), c.parent_id == cause_id).order_by(c.code_key).limit(1)
    if (child := tx.connection.execute(below).scalar_one_or_none()) is not None:
        raise Conflict(
            f"Cause {cause.code} cannot be deleted: {child} stands below it. Move or delete that first."
        )
    watch(tx, causes, [cause_id])
    tx.connection.execute(delete(causes).where(tx.owns(c), c.id == cause_id))


def causes_of(scope: Scope, thing_ids: Collection[UUID]) -> Mapping[UUID, Cause]:
    """The cause of each of these things; no entry for a thing without one."""
    g = thing_causes.c
    found: dict[UUID, Cause] = {}
    for some in in_chunks(thing_ids):
        query = select(g.thing_id, *_COLUMNS).join_from(thing_causes, causes, causes.c.id == g.cause_id)
        for thing_id, *row in scope.connection.execute(query.where(scope.owns(g), g.thing_id.in_(some))):
            found[thing_id] = Cause(*row)
    return found


def apply_cause(tx: Transaction, thing_ids: Collection[UUID], code: str | None) -> Sequence[UUID]:
    """Give things this cause in place of any other; None: take their cause from them.

    Returns the things that changed, each with an entry. Raises InvalidInput for more than MAX_AT_ONCE things,
    ThingNotFound, CauseNotFound, and Conflict for an archived cause. Then nothing is changed.
    """
    check_count("thing_ids", len(thing_ids), least=0)
    tx.lock_notes()
    cause = None if code is None else find_by_code(tx.scope, code)
    if cause is not None and cause.archived_at is not None:
        raise Conflict(
            f"Cause {cause.code} is archived. Take it out of the archive first, or use another cause."
        )
    things = get_all_noted(tx.scope, thing_ids)
    before = causes_of(tx.scope, things)
    changed = [thing for thing in things.values() if before.get(thing.id) != cause]
    for thing in changed:
        note_caused(tx, thing.id, thing.about, (before.get(thing.id), cause))
    _replace(tx, [thing.id for thing in changed], cause)
    return [thing.id for thing in changed]


def note_caused(
    tx: Transaction, thing_id: UUID, about: str, causes_then: tuple[Cause | None, Cause | None]
) -> None:
    """Note that the cause of a thing changed. causes_then: before and after."""
    had, has = map(_shown, causes_then)
    note_difference(tx, "thing_cause_changed", thing_id, about, {"cause": (had, has)})


def find_by_code(scope: Scope, code: str) -> Cause:
    """The cause with this code, in any case. Raises CauseNotFound."""
    return _one(scope, code, causes.c.code_key == lookup_key(code))


def _replace(tx: Transaction, thing_ids: Sequence[UUID], cause: Cause | None) -> None:
    g = thing_causes.c
    for some in in_chunks(thing_ids):
        tx.connection.execute(delete(thing_causes).where(tx.owns(g), g.thing_id.in_(some)))
    if cause is not None and thing_ids:
        given = {"organization_id": tx.organization_id, "cause_id": cause.id}
        insert_rows(tx.connection, thing_causes, [{"thing_id": one, **given} for one in thing_ids])


def _shown(cause: Cause | None) -> dict[str, str] | None:
    """A cause as an entry shows it."""
    return None if cause is None else {"id": str(cause.id), "name": f"{cause.code} {cause.name}"}


def _all(scope: Scope) -> Sequence[Cause]:
    rows = scope.connection.execute(select(*_COLUMNS).where(scope.owns(causes.c)))
    return [Cause(*row) for row in rows]


def _one(scope: Scope, named: object, condition: Any) -> Cause:
    row = scope.connection.execute(select(*_COLUMNS).where(scope.owns(causes.c), condition)).one_or_none()
    if row is None:
        raise CauseNotFound(named)
    return Cause(*row)


def _parent_id(scope: Scope, code: str | None) -> UUID | None:
    return None if code is None else find_by_code(scope, code).id


def _checked_name(name: str) -> str:
    return checked_label("name", name, MAX_NAME_LENGTH)


def _free_code(scope: Scope, code: str, *, but: UUID | None = None) -> str:
    code = checked_label("code", code, MAX_CODE_LENGTH)
    c = causes.c
    taken = select(c.id).where(scope.owns(c), c.code_key == lookup_key(code))
    if scope.connection.execute(taken).scalar_one_or_none() not in (None, but):
        raise AlreadyExists("Cause", code)
    return code
