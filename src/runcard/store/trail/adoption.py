"""Records from before the audit trail get their digests, so that the proof covers them from then on."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, delete, select, update

from runcard.store.commit.changes import Trace
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import changes, trail_adoptions
from runcard.store.trail.things import THING_BY_NOUN, next_ids, read_things

_AT_ONCE = 500
_NOUNS = list(THING_BY_NOUN)


def list_adoptions(connection: Connection) -> Sequence[UUID]:
    """The organizations with records that have no digest yet."""
    # Unscoped: adoption is for all organizations.
    return connection.execute(select(trail_adoptions.c.organization_id)).scalars().all()


def is_adopting(scope: Scope) -> bool:
    """Whether the organization has records that have no digest yet."""
    query = select(trail_adoptions.c.noun).where(scope.owns(trail_adoptions.c))
    return scope.connection.execute(query).first() is not None


def adopt_some(tx: Transaction) -> bool:
    """Note the digests of the next records. Returns whether there are more."""
    a = trail_adoptions.c
    mine = tx.owns(a)
    row = tx.connection.execute(select(a.noun, a.after_id).where(mine)).one_or_none()
    if row is None:
        return False
    noun, after = row
    ids = next_ids(tx.scope, THING_BY_NOUN[noun].table, after, _AT_ONCE)
    if ids:
        _adopt(tx, noun, ids)
        tx.connection.execute(update(trail_adoptions).where(mine).values(after_id=ids[-1]))
        return True
    following = _NOUNS[_NOUNS.index(noun) + 1 :]
    if following:
        tx.connection.execute(update(trail_adoptions).where(mine).values(noun=following[0], after_id=None))
    else:
        tx.connection.execute(delete(trail_adoptions).where(mine))
    return bool(following)


def _adopt(tx: Transaction, noun: str, ids: Sequence[UUID]) -> None:
    c = changes.c
    query = select(c.entity_id).where(tx.owns(c), c.entity_id.in_(ids), c.state.is_not(None))
    known = {*tx.connection.execute(query).scalars()}
    for thing_id, kept in read_things(
        tx.scope, THING_BY_NOUN[noun].table, [one for one in ids if one not in known]
    ).items():
        tx.note_change("record_adopted", thing_id, Trace(state=kept.digest))
