"""Comments on things."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Select, delete, func, insert, select, update

from runcard.domain.errors import AttachmentNotFound, InvalidInput
from runcard.domain.ids import new_id
from runcard.domain.notes.comment import MAX_FILES, Member, checked_text, mentions_in
from runcard.domain.notes.errors import CommentNotFound
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine.bulk import insert_rows
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import comment_files, comments, users
from runcard.store.files.attachments import Attachment, find_attachments
from runcard.store.lists.pages import Listed, Page, fetch_page, known_at
from runcard.store.lists.refs import CREATOR_COLUMNS, CreatedBy, created_by, with_creator
from runcard.store.notes.things import NotedThing
from runcard.store.trail.watching import watch, watch_new


class Comment(NamedTuple):
    """text: markdown. mentions: the ids of members, by how the text names them. edited_at: None: never."""

    id: UUID
    thing_id: UUID
    text: str
    mentions: Mapping[str, UUID]
    created_at: datetime
    edited_at: datetime | None
    created_by: CreatedBy

    @property
    def author_id(self) -> UUID | None:
        """The user or station that wrote it."""
        user, station = self.created_by
        return user.id if user is not None else None if station is None else station.id


_mentions = msgspec.json.Decoder(dict[str, UUID])


def list_comments(scope: Scope, thing_id: UUID, page: Page) -> Listed[Comment]:
    """A page of the comments on a thing, oldest first."""
    c = comments.c
    query = _comments(scope).where(c.thing_id == thing_id, *known_at(page, "comment_created", c.id))
    return fetch_page(scope.connection, query.order_by(c.id), page, _comment)


class CommentPage(NamedTuple):
    """rows: oldest first. has_earlier: there are older ones. total: of the thing."""

    rows: Sequence[Comment]
    has_earlier: bool
    total: int


def list_newest_comments(scope: Scope, thing_id: UUID, limit: int, before: UUID | None = None) -> CommentPage:
    """The newest comments on a thing. before: only those that are older than the comment with this id."""
    c = comments.c
    query = _comments(scope).where(c.thing_id == thing_id)
    if before is not None:
        query = query.where(c.id < before)
    # Ids are in the order of creation.
    found = scope.connection.execute(query.order_by(c.id.desc()).limit(limit + 1)).all()
    rows = [_comment(*row) for row in reversed(found[:limit])]
    return CommentPage(rows, len(found) > limit, count_comments(scope, [thing_id]).get(thing_id, 0))


def read_names(scope: Scope, user_ids: Collection[UUID]) -> Mapping[UUID, str]:
    """The present name of each of these members; the e-mail of one without a name."""
    u = users.c
    found: dict[UUID, str] = {}
    for some in in_chunks(user_ids):
        query = select(u.id, u.name, u.email).where(scope.owns(u), u.id.in_(some))
        found |= {row[0]: row[1] or row[2] for row in scope.connection.execute(query)}
    return found


def count_comments(scope: Scope, thing_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """How many comments each of these things has; no entry for a thing without comments."""
    c = comments.c
    found: dict[UUID, int] = {}
    for some in in_chunks(thing_ids):
        query = select(c.thing_id, func.count()).where(
            scope.owns(c), c.deleted_at.is_(None), c.thing_id.in_(some)
        )
        found |= {row[0]: row[1] for row in scope.connection.execute(query.group_by(c.thing_id))}
    return found


def get_comment(scope: Scope, comment_id: UUID) -> Comment:
    """The comment with this id. Raises CommentNotFound, also if it was deleted."""
    row = scope.connection.execute(_comments(scope).where(comments.c.id == comment_id)).one_or_none()
    if row is None:
        raise CommentNotFound(comment_id)
    return _comment(*row)


def find_commented(scope: Scope, comment_id: UUID) -> UUID | None:
    """The thing that a comment is about, even if the comment was deleted; None if there is no such comment."""
    c = comments.c
    query = select(c.thing_id).where(scope.owns(c), c.id == comment_id)
    return scope.connection.execute(query).scalar_one_or_none()


def create_comments(
    tx: Transaction, things: Collection[NotedThing], text: str, file_ids: Collection[UUID], creator: Creator
) -> Sequence[UUID]:
    """Add the same comment on each of these things, and return their ids. file_ids: of uploads.

    Raises InvalidInput and AttachmentNotFound.
    """
    text = checked_text(text)
    _check_files(tx.scope, file_ids)
    shared = {
        "organization_id": tx.organization_id,
        "text": text,
        "mentions": _packed(mentions_in(text, list_members(tx.scope) if "@" in text else ())),
        "created_at": tx.now,
        **creator.columns,
    }
    about = {new_id(): thing for thing in things}
    rows = [
        {"id": comment_id, "thing_id": thing.id, "about": thing.about, **shared}
        for comment_id, thing in about.items()
    ]
    if rows:
        insert_rows(tx.connection, comments, rows)
    for comment_id in about:
        _attach(tx, comment_id, file_ids)
        watch_new(tx, comments, comment_id)
    return list(about)


def edit_comment(tx: Transaction, comment: Comment, text: str, file_ids: Collection[UUID] | None) -> None:
    """Give a comment another text, and other files; None: the files stay. The same text and files change nothing.

    Raises InvalidInput and AttachmentNotFound.
    """
    text = checked_text(text)
    before = set(files_of(tx.scope, [comment.id]).get(comment.id, ()))
    if file_ids is not None:
        _check_files(tx.scope, set(file_ids) - before)
    if text == comment.text and (file_ids is None or set(file_ids) == before):
        return
    watch(tx, comments, [comment.id])
    mentions = _packed(mentions_in(text, list_members(tx.scope) if "@" in text else ()))
    _update(tx, comment.id, text=text, mentions=mentions, edited_at=tx.now)
    if file_ids is not None:
        _detach(tx, comment.id)
        _attach(tx, comment.id, file_ids)


def delete_comment(tx: Transaction, comment_id: UUID) -> None:
    """Delete a comment that exists. Its row stays without a text, so that its thing's history finds its entries."""
    watch(tx, comments, [comment_id], kind="comment_withdrawn")
    _update(tx, comment_id, text=None, mentions=None, deleted_at=tx.now)
    _detach(tx, comment_id)


def files_of(scope: Scope, comment_ids: Collection[UUID]) -> Mapping[UUID, Sequence[UUID]]:
    """The ids of the files of each of these comments. A file may have been deleted since."""
    f = comment_files.c
    found: dict[UUID, list[UUID]] = defaultdict(list)
    for some in in_chunks(comment_ids):
        query = select(f.comment_id, f.attachment_id).where(scope.owns(f), f.comment_id.in_(some))
        for comment_id, file_id in scope.connection.execute(query.order_by(f.attachment_id)):
            found[comment_id].append(file_id)
    return found


def read_files(scope: Scope, comment_ids: Collection[UUID]) -> Mapping[UUID, Sequence[Attachment]]:
    """The files of each of these comments that still exist."""
    by_comment = files_of(scope, comment_ids)
    there = find_attachments(scope, {one for ids in by_comment.values() for one in ids})
    return {comment_id: [there[one] for one in ids if one in there] for comment_id, ids in by_comment.items()}


def list_members(scope: Scope) -> Sequence[Member]:
    """The members whom a comment may mention: all that are not suspended."""
    u = users.c
    query = select(u.id, u.name, u.email).where(scope.owns(u), u.suspended_at.is_(None))
    return [Member(*row) for row in scope.connection.execute(query.order_by(u.email_key))]


def _comments(scope: Scope) -> Select[Any]:
    c = comments.c
    return (
        select(c.id, c.thing_id, c.text, c.mentions, c.created_at, c.edited_at, *CREATOR_COLUMNS)
        .select_from(with_creator(comments))
        .where(scope.owns(c), c.deleted_at.is_(None))
    )


def _comment(comment_id: UUID, thing_id: UUID, text: str, mentions: str | None, *rest: Any) -> Comment:
    named = {} if mentions is None else _mentions.decode(mentions)
    return Comment(comment_id, thing_id, text, named, rest[0], rest[1], created_by(*rest[2:]))


def _packed(mentions: Mapping[str, UUID]) -> str | None:
    return msgspec.json.encode(mentions).decode() if mentions else None


def _check_files(scope: Scope, file_ids: Collection[UUID]) -> None:
    if len(file_ids) > MAX_FILES:
        raise InvalidInput.at("file_ids", f"names {len(file_ids)} files; attach at most {MAX_FILES}")
    there = find_attachments(scope, file_ids)
    for file_id in file_ids:
        if file_id not in there or there[file_id].stored_at is None:
            raise AttachmentNotFound(file_id)


def _attach(tx: Transaction, comment_id: UUID, file_ids: Collection[UUID]) -> None:
    for file_id in dict.fromkeys(file_ids):
        row = {"comment_id": comment_id, "attachment_id": file_id, "organization_id": tx.organization_id}
        tx.connection.execute(insert(comment_files).values(row))


def _detach(tx: Transaction, comment_id: UUID) -> None:
    f = comment_files.c
    tx.connection.execute(delete(comment_files).where(tx.owns(f), f.comment_id == comment_id))


def _update(tx: Transaction, comment_id: UUID, **values: Any) -> None:
    c = comments.c
    tx.connection.execute(update(comments).where(tx.owns(c), c.id == comment_id).values(**values))
