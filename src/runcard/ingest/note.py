"""The only way to note something on things: who may, and then comments, tags and causes.

Whoever may record may note. A station may note on what it reaches: itself, runs of the procedures that it may report,
what lies inside them, and units that it has to do with. A comment is changed by whoever wrote it, and by admins.
"""

from collections.abc import Collection, Sequence
from itertools import islice
from uuid import UUID

from runcard.domain.actor import Actor, StationActor, UserActor, check_may_record
from runcard.domain.errors import PermissionDenied, UnitNotReached
from runcard.domain.floor.at_once import MAX_AT_ONCE, check_count
from runcard.ingest.reach import check_may_add, check_reaches_run
from runcard.store.commit.transaction import Transaction
from runcard.store.creator import Creator
from runcard.store.engine.readable import Readable
from runcard.store.notes.causes import apply_cause
from runcard.store.notes.comments import (
    Comment,
    create_comments,
    delete_comment,
    edit_comment,
    get_comment,
)
from runcard.store.notes.tags import apply_tags
from runcard.store.notes.things import NotedThing, get_all_noted, read_ahead
from runcard.store.stations.reach import may_report_unit


def prepare_notes(database: Readable, actor: Actor, thing_ids: Collection[UUID]) -> None:
    """Read what the notes of a write need from the document store. Call it before the write.

    Raises DocumentUnavailable.
    """
    with database.read_in(actor.organization_id) as scope:
        read_ahead(scope, [*islice(thing_ids, MAX_AT_ONCE)])


def comment_on(
    tx: Transaction, actor: Actor, thing_id: UUID, text: str, file_ids: Collection[UUID] = ()
) -> UUID:
    """Add a comment on a thing, and return its id. Raises as `comment_on_all` does."""
    [comment_id] = comment_on_all(tx, actor, [thing_id], text, file_ids)
    return comment_id


def comment_on_all(
    tx: Transaction, actor: Actor, thing_ids: Collection[UUID], text: str, file_ids: Collection[UUID] = ()
) -> Sequence[UUID]:
    """Add the same comment on each of these things, and return the ids of the comments.

    Raises PermissionDenied, ThingNotFound, InvalidInput, also for more than MAX_AT_ONCE things, and AttachmentNotFound.
    """
    check_may_add(tx.connection, actor)
    check_count("thing_ids", len(thing_ids), least=0)
    things = get_all_noted(tx.scope, thing_ids).values()
    _check_reaches(tx, actor, things)
    return create_comments(tx, things, text, file_ids, Creator.of(actor))


def edit(
    tx: Transaction, actor: Actor, comment_id: UUID, text: str, file_ids: Collection[UUID] | None = None
) -> None:
    """Give a comment another text; file_ids: and these files. Raises as `comment_on`, and CommentNotFound."""
    check_may_record(actor)
    comment = get_comment(tx.scope, comment_id)
    _check_wrote(actor, comment)
    edit_comment(tx, comment, text, file_ids)


def withdraw(tx: Transaction, actor: Actor, comment_id: UUID) -> None:
    """Delete a comment. Raises PermissionDenied and CommentNotFound."""
    check_may_record(actor)
    _check_wrote(actor, get_comment(tx.scope, comment_id))
    delete_comment(tx, comment_id)


def tag(
    tx: Transaction,
    actor: Actor,
    thing_ids: Collection[UUID],
    *,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
) -> Sequence[UUID]:
    """Tag things as `apply_tags` does, and return those that changed. Raises PermissionDenied too."""
    _check_may_note(tx, actor, thing_ids)
    return apply_tags(tx, thing_ids, add=add, remove=remove)


def give_cause(
    tx: Transaction, actor: Actor, thing_ids: Collection[UUID], code: str | None
) -> Sequence[UUID]:
    """Give things a cause as `apply_cause` does, and return those that changed. Raises PermissionDenied too."""
    _check_may_note(tx, actor, thing_ids)
    return apply_cause(tx, thing_ids, code)


def may_change(actor: Actor, comment: Comment) -> bool:
    """Whether somebody may edit and delete a comment: whoever wrote it, and admins."""
    if isinstance(actor, StationActor):
        return comment.author_id == actor.station_id
    return actor.role == "admin" or comment.author_id == actor.user_id


def _check_may_note(tx: Transaction, actor: Actor, thing_ids: Collection[UUID]) -> None:
    check_may_add(tx.connection, actor)
    if isinstance(actor, StationActor):
        check_count("thing_ids", len(thing_ids), least=0)
        _check_reaches(tx, actor, get_all_noted(tx.scope, thing_ids).values())


def _check_wrote(actor: Actor, comment: Comment) -> None:
    if not may_change(actor, comment):
        raise PermissionDenied("Only whoever wrote a comment and admins may change it. Write a new comment.")


def _check_reaches(tx: Transaction, actor: Actor, things: Collection[NotedThing]) -> None:
    if isinstance(actor, UserActor):
        return
    for run_id in dict.fromkeys(thing.run_id for thing in things if thing.run_id is not None):
        check_reaches_run(tx, actor, run_id)
    for thing in things:
        if thing.kind == "unit" and not may_report_unit(tx.connection, actor.station_id, thing.id):
            raise UnitNotReached(thing.name)
        if thing.kind == "batch" or (thing.kind == "station" and thing.id != actor.station_id):
            raise PermissionDenied(
                f"A station cannot note anything on {thing.about}. Use the API key of a user."
            )
