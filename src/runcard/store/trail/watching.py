"""How a write leaves its entries in the audit trail: it says what it is about to change, and the rest happens here.

At the end of the write, each record that was watched is compared with what it was before. So each record that differs
has exactly one entry, whatever the write did to it on the way.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Table

from runcard.domain.actor import StationActor, UserActor
from runcard.domain.evidence.entry import shown_value
from runcard.domain.metadata import Metadata
from runcard.store.commit.changes import ChangeKind, Trace
from runcard.store.commit.transaction import Transaction
from runcard.store.commit.watched import Watched
from runcard.store.creator import Creator
from runcard.store.engine.tables import deleted_things
from runcard.store.metadata import stage_metadata
from runcard.store.trail.things import (
    THING_BY_NOUN,
    THING_OF,
    KeptThing,
    Row,
    Thing,
    digest_of,
    read_rows,
    read_things,
)
from runcard.store.trail.wording import Names, entry_of_change, entry_of_event, entry_without_fields

# What a record was that a report changes.
_NOT_READ: Row = {}


def stage_record(
    tx: Transaction, table: Table, row: Row, creator: Creator, metadata: Metadata | None = None
) -> None:
    """Add a record with its metadata, and leave its entry; its digest alone if a report named it for the first time."""
    tx.stage(table, dict(row))
    if metadata:
        stage_metadata(tx, row["id"], metadata)
    if creator.by_report:
        note_reported(tx, _kind(THING_OF[table.name], "created"), table, row, metadata=metadata)
    else:
        watch_new(tx, table, row["id"])


def watch_new(tx: Transaction, table: Table, thing_id: UUID, *, why: str | None = None) -> None:
    """Watch a record that this write creates, for a person or a key."""
    _watch(tx, thing_id, Watched(table, None, why=why))


def watch_restored(
    tx: Transaction,
    table: Table,
    ids: Collection[UUID],
    *,
    kind: ChangeKind | None = None,
    why: str | None = None,
) -> None:
    """Watch records that this write brings back, as a rule from the bin. kind: None: such as "unit_restored"."""
    for thing_id in ids:
        restored = kind or _kind(THING_OF[table.name], "restored")
        _watch(tx, thing_id, Watched(table, None, restored, why, is_restored=True))


def watch(
    tx: Transaction,
    table: Table,
    ids: Collection[UUID],
    *,
    kind: ChangeKind | None = None,
    why: str | None = None,
    by_report: bool = False,
) -> None:
    """Watch records that this write is about to change or delete. Call it before the first change.

    kind: what the change is called; None: such as "unit_changed" or "unit_deleted". why: the reason that was given.
    by_report: a report causes the change, so only the digest of the record is kept, and what it was is not read. The
    record must exist and change. Of two calls, the first counts.
    """
    unknown = [thing_id for thing_id in ids if thing_id not in tx.watched]
    rows = dict.fromkeys(unknown, _NOT_READ) if by_report else read_rows(tx.scope, table, unknown)
    for thing_id, row in rows.items():
        _watch(tx, thing_id, Watched(table, row, kind, why, by_report))


def watch_read(tx: Transaction, table: Table, things: Iterable[KeptThing], *, why: str | None) -> None:
    """Watch records as `watch` does, for a caller that has just read them."""
    for thing in things:
        _watch(tx, thing.row["id"], Watched(table, thing.row, why=why))


def note_reported(
    tx: Transaction,
    kind: ChangeKind,
    table: Table,
    row: Row,
    *,
    metadata: Metadata | None = None,
    document: bytes | None = None,
) -> None:
    """Note that a report made this record, which itself says who sent the report and when.

    metadata: of the record. document: SHA-256 of the packed document of a run.
    """
    state = partial(digest_of, table, row, metadata=metadata, document=document)
    tx.note_change(kind, row["id"], Trace(state=state))


def note_event(
    tx: Transaction,
    kind: ChangeKind,
    thing_id: UUID,
    name: str | None = None,
    *,
    what: Mapping[str, Any] | None = None,
    why: str | None = None,
) -> None:
    """Note something that changes no record, such as a log-in. what: facts about it, by name."""
    facts = {key: (None, shown_value(value)) for key, value in (what or {}).items()}
    tx.note_change(kind, thing_id, Trace(author_id(tx), entry_of_event(tx, name, facts, why)))


def note_purged(tx: Transaction, thing_id: UUID, tombstone: KeptThing, why: str | None) -> None:
    """Note that the content of a deleted thing was removed for good. tombstone: after that."""
    thing = THING_BY_NOUN[tombstone.row["noun"]]
    entry = entry_of_event(tx, tombstone.row["name"], {}, why)
    tx.note_change(_kind(thing, "purged"), thing_id, Trace(author_id(tx), entry, tombstone.digest))


def note_difference(
    tx: Transaction, kind: ChangeKind, thing_id: UUID, name: str, what: Mapping[str, tuple[Any, Any]]
) -> None:
    """Note a change of what is no part of a thing's record, such as its tags. what: old and new values, by name."""
    tx.note_change(kind, thing_id, Trace(author_id(tx), entry_of_event(tx, name, what, None)))


def _watch(tx: Transaction, thing_id: UUID, watched: Watched) -> None:
    if not tx.watched:
        tx.at_end(lambda: _settle(tx))
    tx.watched.setdefault(thing_id, watched)


def _settle(tx: Transaction) -> None:
    """Note each watched record that differs from what it was."""
    by_table: dict[str, list[UUID]] = defaultdict(list)
    for thing_id, watched in tx.watched.items():
        by_table[watched.table.name].append(thing_id)
    now: dict[UUID, KeptThing] = {}
    for ids in by_table.values():
        now |= read_things(tx.scope, tx.watched[ids[0]].table, ids)
    gone = tx.watched.keys() - now.keys()
    tombstones = read_things(tx.scope, deleted_things, gone) if gone else {}
    names = Names(tx)
    for thing_id, watched in tx.watched.items():
        _note(names, thing_id, watched, now.get(thing_id), tombstones)
    tx.watched.clear()


def _note(
    names: Names,
    thing_id: UUID,
    watched: Watched,
    now: KeptThing | None,
    tombstones: Mapping[UUID, KeptThing],
) -> None:
    tx = names.tx
    old, new = watched.row, None if now is None else now.row
    if old == new:
        return
    deed = "created" if old is None else "deleted" if new is None else "changed"
    thing = THING_OF[watched.table.name]
    kind = watched.kind or _kind(thing, deed)
    tombstone = tombstones.get(thing_id)
    left = now or tombstone
    state = None if left is None else left.digest
    if watched.by_report and state is not None:
        tx.note_change(kind, thing_id, Trace(state=state))
        return
    if new is None or watched.is_restored:
        left_row = None if tombstone is None else tombstone.row
        entry = entry_without_fields(names, thing, new or old or {}, watched.why, left_row)
    else:
        entry = entry_of_change(names, thing, (old or {}, new), watched.why)
    tx.note_change(kind, thing_id, Trace(author_id(tx), entry, state))


def _kind(thing: Thing, deed: str) -> ChangeKind:
    return cast("ChangeKind", f"{thing.noun}_{deed}")


def author_id(tx: Transaction) -> UUID | None:
    """The user or station whose write this is; None: Runcard itself."""
    match tx.author:
        case UserActor(user_id=found) | StationActor(station_id=found):
            return found
    return None
