"""What an entry of the audit trail says: who, what and why, in names that people know."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from runcard.domain.actor import StationActor, UserActor
from runcard.domain.evidence.entry import SECRET, By, Entry, encode_entry, shown_value
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.tables import deleted_things, stations, users
from runcard.store.trail.things import FORMERLY, THING_OF, TOMBSTONE, Row, Thing

_NEVER_SHOWN = frozenset({"id", "organization_id"})


class Names:
    """The names of the records that others refer to, each looked up once in a write."""

    def __init__(self, tx: Transaction) -> None:
        self.tx = tx
        self._found: dict[tuple[str, UUID], str | None] = {}

    def shown(self, thing: Thing, field: str, value: Any) -> Any:
        """The value of a field as an entry shows it. A reference is shown with its id and its name."""
        target = _target(thing, field)
        if field == FORMERLY and value:
            return [one["name"] for one in value]
        if value is None or target is None:
            return shown_value(value)
        if isinstance(value, Sequence):
            return [self._reference(target, one) for one in value]
        return self._reference(target, value)

    def _reference(self, target: Thing, thing_id: UUID) -> dict[str, Any]:
        key = (target.table.name, thing_id)
        if key not in self._found:
            self._found[key] = self._look_up(target, thing_id)
        name = self._found[key]
        return {"id": thing_id} if name is None else {"id": thing_id, "name": name}

    def _look_up(self, target: Thing, thing_id: UUID) -> str | None:
        c = target.table.c
        query = select(c[target.named_by or "id"]).where(self.tx.owns(c), c.id == thing_id)
        found: str | None = self.tx.connection.execute(query).scalar_one_or_none()
        if found is None:
            d = deleted_things.c
            gone = select(d.name).where(self.tx.owns(d), d.id == thing_id)
            found = self.tx.connection.execute(gone).scalar_one_or_none()
        return found


def entry_of_change(names: Names, thing: Thing, rows: tuple[Row, Row], why: str | None) -> str:
    """The entry of a record that was created or changed. rows: before and after; the first is empty for a new one."""
    old, new = rows
    what: dict[str, tuple[Any, Any]] = {}
    for field in dict.fromkeys([*old, *new]):
        before, after = old.get(field), new.get(field)
        if before == after or field in _NEVER_SHOWN or field in thing.hidden:
            continue
        if field in thing.secret:
            what[field] = (before and SECRET, after and SECRET)
        else:
            what[field] = (names.shown(thing, field, before), names.shown(thing, field, after))
    return entry_of_event(names.tx, _name(thing, new), what, why)


def entry_without_fields(
    names: Names, thing: Thing, row: Row, why: str | None, tombstone: Row | None = None
) -> str:
    """The entry of a record that was deleted or restored. All its fields go or come, so only its name is told.

    tombstone: what is left of it. It tells what the record was merged into.
    """
    what: dict[str, tuple[Any, Any]] = {}
    into_id = None if tombstone is None else tombstone["merged_into_id"]
    if into_id is not None:
        what["merged_into_id"] = (None, names.shown(THING_OF[deleted_things.name], "merged_into_id", into_id))
    return entry_of_event(names.tx, _name(thing, row), what, why)


def entry_of_event(
    tx: Transaction, name: str | None, what: Mapping[str, tuple[Any, Any]], why: str | None
) -> str:
    """An entry by the author of this write. name: of the thing. what: as in `Entry`."""
    if tx.by is None:
        tx.by = _find_by(tx)
    origin = tx.author.origin
    return encode_entry(
        Entry(tx.by, origin.door, origin.address, origin.key, origin.request_id, name, why, what)
    )


def _find_by(tx: Transaction) -> By:
    author = tx.author
    if isinstance(author, UserActor):
        named = select(users.c.email).where(tx.owns(users.c), users.c.id == author.user_id)
        return By("user", tx.connection.execute(named).scalar_one_or_none() or "", author.user_id)
    if isinstance(author, StationActor):
        named = select(stations.c.name).where(tx.owns(stations.c), stations.c.id == author.station_id)
        return By("station", tx.connection.execute(named).scalar_one_or_none() or "", author.station_id)
    return By("system", author.task if author.login is None else f"{author.task} ({author.login})")


def _name(thing: Thing, row: Row) -> str | None:
    return None if thing.named_by is None else row.get(thing.named_by)


def _target(thing: Thing, field: str) -> Thing | None:
    """The kind of things that a column refers to by id; None: it is no reference, or they have no name."""
    if field == "procedures":
        return THING_OF["procedures"]
    if field == "files":
        return THING_OF["attachments"]
    if thing.noun == TOMBSTONE and field in ("unit_id", "merged_into_id"):
        return THING_OF["units"]
    if field == "merged_into_id" or (field == "parent_id" and thing.noun == "cause"):
        return thing
    column = thing.table.c.get(field)
    targets = () if column is None else (THING_OF.get(key.column.table.name) for key in column.foreign_keys)
    return next((target for target in targets if target is not None and target.named_by is not None), None)
