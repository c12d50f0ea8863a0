"""The tags of an organization, and which things have them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update

from runcard.domain.errors import AlreadyExists, Conflict, InvalidInput
from runcard.domain.floor.at_once import check_count
from runcard.domain.ids import new_id
from runcard.domain.notes.errors import StillGiven, TagNotFound
from runcard.domain.notes.tag import MAX_TAGS, TAG_COLOURS, TagColour, checked_label
from runcard.domain.text import lookup_key
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine.bulk import insert_rows
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import taggings, tags
from runcard.store.notes.things import get_all_noted
from runcard.store.trail.watching import note_difference, watch, watch_new


class Tag(NamedTuple):
    """archived_at: since when it is given to nothing new."""

    id: UUID
    name: str
    colour: TagColour
    archived_at: datetime | None = None


class UsedTag(NamedTuple):
    """thing_count: how many things have the tag."""

    tag: Tag
    thing_count: int


_COLUMNS = [tags.c[name] for name in Tag._fields]


def list_tags(scope: Scope) -> Sequence[UsedTag]:
    """All tags of the organization, archived ones too, sorted by name."""
    c, g = tags.c, taggings.c
    count = (
        select(func.count())
        .select_from(taggings)
        .where(scope.owns(g), g.tag_id == c.id)
        .correlate(tags)
        .scalar_subquery()
    )
    query = select(count, *_COLUMNS).where(scope.owns(c)).order_by(c.name_key)
    return [UsedTag(Tag(*row), used) for used, *row in scope.connection.execute(query)]


def get_tag(scope: Scope, tag_id: UUID) -> Tag:
    """The tag with this id. Raises TagNotFound."""
    c = tags.c
    row = scope.connection.execute(select(*_COLUMNS).where(scope.owns(c), c.id == tag_id)).one_or_none()
    if row is None:
        raise TagNotFound(tag_id)
    return Tag(*row)


def create_tag(tx: Transaction, name: str, colour: TagColour, creator: Creator) -> Tag:
    """Add a tag, and return it. Raises InvalidInput, and AlreadyExists if the name is taken."""
    tx.lock_notes()
    tag = Tag(new_id(), _free_name(tx.scope, name), _checked_colour(colour))
    c = tags.c
    count = tx.connection.execute(select(func.count()).select_from(tags).where(tx.owns(c))).scalar_one()
    if count >= MAX_TAGS:
        raise Conflict(f"There are {count} tags already, and no more than {MAX_TAGS} are kept. Delete some.")
    row = {**tag._asdict(), "organization_id": tx.organization_id, "name_key": lookup_key(tag.name)}
    tx.connection.execute(insert(tags).values(**row, created_at=tx.now, **creator.columns))
    watch_new(tx, tags, tag.id)
    return tag


def change_tag(
    tx: Transaction,
    tag_id: UUID,
    *,
    name: str | None = None,
    colour: TagColour | None = None,
    archived: bool | None = None,
) -> Tag:
    """Rename a tag, give it another colour, archive it or take it back; return it. None: that stays.

    Raises TagNotFound, InvalidInput, and AlreadyExists if the name is that of another tag.
    """
    tx.lock_notes()
    tag = get_tag(tx.scope, tag_id)
    watch(tx, tags, [tag_id])
    if name is not None:
        tag = tag._replace(name=_free_name(tx.scope, name, but=tag_id))
    if colour is not None:
        tag = tag._replace(colour=_checked_colour(colour))
    if archived is not None:
        tag = tag._replace(archived_at=(tag.archived_at or tx.now) if archived else None)
    c = tags.c
    values: dict[str, Any] = {**tag._asdict(), "name_key": lookup_key(tag.name)}
    tx.connection.execute(update(tags).where(tx.owns(c), c.id == tag_id).values(values))
    return tag


def delete_tag(tx: Transaction, tag_id: UUID) -> None:
    """Delete a tag that no thing has. Raises TagNotFound, and StillGiven if some thing has it."""
    tx.lock_notes()
    tag = get_tag(tx.scope, tag_id)
    c, g = tags.c, taggings.c
    used = select(func.count()).select_from(taggings).where(tx.owns(g), g.tag_id == tag_id)
    if count := tx.connection.execute(used).scalar_one():
        raise StillGiven(f"Tag {tag.name}", count)
    watch(tx, tags, [tag_id])
    tx.connection.execute(delete(tags).where(tx.owns(c), c.id == tag_id))


def tags_of(scope: Scope, thing_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Tag]]:
    """The tags of each of these things, sorted by name; no entry for a thing without tags."""
    c, g = tags.c, taggings.c
    found: dict[UUID, list[Tag]] = defaultdict(list)
    for some in in_chunks(thing_ids):
        query = select(g.thing_id, *_COLUMNS).join_from(taggings, tags, c.id == g.tag_id)
        for thing_id, *row in scope.connection.execute(query.where(scope.owns(g), g.thing_id.in_(some))):
            found[thing_id].append(Tag(*row))
    return {thing_id: _sorted(tags) for thing_id, tags in found.items()}


def apply_tags(
    tx: Transaction, thing_ids: Collection[UUID], *, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> Sequence[UUID]:
    """Give things tags and take tags from them, by name. Returns the things that changed, each with an entry.

    Raises InvalidInput for more than MAX_AT_ONCE things or a tag that is both added and removed, ThingNotFound,
    TagNotFound, and Conflict for an archived tag that is added. Then nothing is changed.
    """
    check_count("thing_ids", len(thing_ids), least=0)
    tx.lock_notes()
    adding, removing = _named(tx.scope, add), _named(tx.scope, remove)
    if both := [tag.name for tag in adding if tag in removing]:
        raise InvalidInput.at("remove", f"{both[0]!r} is in add and in remove; leave it in one of them")
    if archived := [tag.name for tag in adding if tag.archived_at is not None]:
        raise Conflict(
            f"Tag {archived[0]} is archived. Take it out of the archive first, or use another tag."
        )
    things = get_all_noted(tx.scope, thing_ids)
    before = tags_of(tx.scope, things)
    changed: list[UUID] = []
    for thing in things.values():
        had = before.get(thing.id, [])
        has = _with_tags(had, adding, removing)
        if has != had:
            note_tagged(tx, thing.id, thing.about, (had, has))
            changed.append(thing.id)
    _untag(tx, changed, removing)
    _tag(
        tx, [(thing_id, tag) for thing_id in changed for tag in adding if tag not in before.get(thing_id, [])]
    )
    return changed


def note_tagged(
    tx: Transaction, thing_id: UUID, about: str, tags_then: tuple[Sequence[Tag], Sequence[Tag]]
) -> None:
    """Note that the tags of a thing changed. tags_then: before and after."""
    had, has = ([tag.name for tag in some] for some in tags_then)
    note_difference(tx, "thing_tagged", thing_id, about, {"tags": (had, has)})


def _with_tags(had: Sequence[Tag], adding: Sequence[Tag], removing: Sequence[Tag]) -> Sequence[Tag]:
    """The tags of a thing after a change, sorted by name."""
    has = [tag for tag in had if tag not in removing]
    has += [tag for tag in adding if tag not in had]
    return _sorted(has)


def _sorted(some: Sequence[Tag]) -> list[Tag]:
    """Tags by name; not by the database, because each sorts texts in its own way."""
    return sorted(some, key=lambda tag: lookup_key(tag.name))


def _tag(tx: Transaction, pairs: Sequence[tuple[UUID, Tag]]) -> None:
    rows = [
        {"thing_id": thing_id, "tag_id": tag.id, "organization_id": tx.organization_id}
        for thing_id, tag in pairs
    ]
    if rows:
        insert_rows(tx.connection, taggings, rows)


def _untag(tx: Transaction, thing_ids: Collection[UUID], removing: Sequence[Tag]) -> None:
    g = taggings.c
    tag_ids = [tag.id for tag in removing]
    for some in in_chunks(thing_ids):
        tx.connection.execute(delete(taggings).where(tx.owns(g), g.thing_id.in_(some), g.tag_id.in_(tag_ids)))


def _named(scope: Scope, names: Sequence[str]) -> Sequence[Tag]:
    """The tags with these names, each once. Raises TagNotFound."""
    c = tags.c
    keys = {lookup_key(name): name for name in names}
    found: dict[str, Tag] = {}
    for some in in_chunks(keys):
        query = select(c.name_key, *_COLUMNS).where(scope.owns(c), c.name_key.in_(some))
        found |= {key: Tag(*row) for key, *row in scope.connection.execute(query)}
    for key, name in keys.items():
        if key not in found:
            raise TagNotFound(name)
    return [found[key] for key in keys]


def _free_name(scope: Scope, name: str, *, but: UUID | None = None) -> str:
    name = checked_label("name", name)
    c = tags.c
    taken = select(c.id).where(scope.owns(c), c.name_key == lookup_key(name))
    if scope.connection.execute(taken).scalar_one_or_none() not in (None, but):
        raise AlreadyExists("Tag", name)
    return name


def _checked_colour(colour: TagColour) -> TagColour:
    if colour not in TAG_COLOURS:
        raise InvalidInput.at("colour", f"{colour!r} is no colour; use one of {', '.join(TAG_COLOURS)}")
    return colour
