"""API keys of users and stations. Only a digest is kept; the key itself is shown only once, when it is made."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, func, insert, or_, select, update

from runcard.domain.actor import KEY_SCOPES, KeyScope
from runcard.domain.errors import InvalidInput, NotFound
from runcard.domain.floor.key import KeyState, KeyTerms, has_expired
from runcard.domain.ids import new_id
from runcard.store.commit.lookups import scopes_of
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.column_types import Id
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import api_keys, key_uses
from runcard.store.trail.watching import watch, watch_new


class ApiKey(NamedTuple):
    """A key as it can be shown: its owner (exactly one of both ids) and its first characters.

    name, expires_at, scopes: as in `KeyTerms`. replaced_by: how the key begins that was made in its place.
    used_at: None: it was never used, as far as is written.
    """

    id: UUID
    user_id: UUID | None
    station_id: UUID | None
    prefix: str
    created_at: datetime
    revoked_at: datetime | None
    name: str | None
    expires_at: datetime | None
    scopes: frozenset[KeyScope] | None
    replaced_by: str | None = None
    used_at: datetime | None = None

    def state(self, now: datetime) -> KeyState:
        """Whether the key works, or else why not. It says nothing about its owner."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if has_expired(self.expires_at, now) else "works"


class KeptSecret(NamedTuple):
    """What is kept of a new key: its digest and its first characters."""

    digest: bytes
    prefix: str


class ReplacementEnds(NamedTuple):
    """When a key that is replaced expires, and when the new one does. new: None: it never expires."""

    old: datetime
    new: datetime | None


_NO_TERMS = KeyTerms()


def create_user_key(
    tx: Transaction, user_id: UUID, secret: KeptSecret, terms: KeyTerms = _NO_TERMS
) -> ApiKey:
    return _create(tx, ApiKey(new_id(), user_id, None, secret.prefix, tx.now, None, *terms), secret)


def create_station_key(
    tx: Transaction, station_id: UUID, secret: KeptSecret, terms: KeyTerms = _NO_TERMS
) -> ApiKey:
    """Add a key of a station, and return it. Raises InvalidInput if it is to manage, which no station may."""
    if "manage" in (terms.scopes or ()):
        raise InvalidInput.at("scope", "Stations cannot manage; use record, read, or both")
    return _create(tx, ApiKey(new_id(), None, station_id, secret.prefix, tx.now, None, *terms), secret)


def list_keys(scope: Scope, owner_id: UUID | None = None) -> Sequence[ApiKey]:
    """All keys of the organization, revoked ones too, oldest first. owner_id: only those of this user or station."""
    k = api_keys.c
    own = [k[name] for name in ApiKey._fields if name != "used_at"]
    query = select(*own, key_uses.c.used_at).join_from(api_keys, key_uses, isouter=True)
    query = query.where(scope.owns(k), *_of(owner_id))
    rows = scope.connection.execute(query.order_by(k.created_at, k.id))
    return [ApiKey._make(row)._replace(scopes=scopes_of(row.scopes)) for row in rows]


def get_key(scope: Scope, key_id: UUID, owner_id: UUID | None = None) -> ApiKey:
    """The key with this id. owner_id: the user or station that it must belong to; None: any. Raises NotFound."""
    for key in list_keys(scope, owner_id):
        if key.id == key_id:
            return key
    raise _not_found(key_id)


def create_successor(tx: Transaction, old: ApiKey, secret: KeptSecret, ends: ReplacementEnds) -> ApiKey:
    """Make a key in place of another, and return it. Its owner, name and scopes are those of the other key."""
    new = ApiKey(
        id=new_id(),
        user_id=old.user_id,
        station_id=old.station_id,
        prefix=secret.prefix,
        created_at=tx.now,
        revoked_at=None,
        name=old.name,
        expires_at=ends.new,
        scopes=old.scopes,
    )
    watch(tx, api_keys, [old.id], why=f"replaced by {new.prefix}…")
    k = api_keys.c
    replaced = update(api_keys).where(tx.owns(k), k.id == old.id)
    tx.connection.execute(replaced.values(expires_at=ends.old, replaced_by=new.prefix))
    return _create(tx, new, secret, why=f"replaces {old.prefix}…")


def revoke_key(tx: Transaction, key_id: UUID, owner_id: UUID | None = None) -> None:
    """Revoke a key; revoking it again changes nothing. owner_id: the user or station that it must belong to; None: any.

    Raises NotFound.
    """
    k = api_keys.c
    mine = (tx.owns(k), k.id == key_id, *_of(owner_id))
    if tx.connection.execute(select(k.id).where(*mine)).first() is None:
        raise _not_found(key_id)
    watch(tx, api_keys, [key_id])
    tx.connection.execute(update(api_keys).where(*mine, k.revoked_at.is_(None)).values(revoked_at=tx.now))


def _not_found(key_id: UUID) -> NotFound:
    return NotFound(f"API key not found: {key_id}. `runcard key list` shows those that exist.")


def _of(owner_id: UUID | None) -> Sequence[ColumnElement[bool]]:
    k = api_keys.c
    return [] if owner_id is None else [or_(k.user_id == owner_id, k.station_id == owner_id)]


def _create(tx: Transaction, key: ApiKey, secret: KeptSecret, why: str | None = None) -> ApiKey:
    kept = None if key.scopes is None else " ".join(one for one in KEY_SCOPES if one in key.scopes)
    row = {**key._asdict(), "scopes": kept, "organization_id": tx.organization_id, "digest": secret.digest}
    del row["used_at"]
    tx.connection.execute(insert(api_keys).values(row))
    watch_new(tx, api_keys, key.id, why=why)
    return key


class KeyOwner(NamedTuple):
    """owner_id: the user or station that the key was made for."""

    organization_id: UUID
    prefix: str
    owner_id: UUID


def find_key_owner(connection: Connection, digest: bytes) -> KeyOwner | None:
    """Whose key this is or was, even if it is revoked; None if there never was such a key."""
    k = api_keys.c
    owner = func.coalesce(k.user_id, k.station_id, type_=Id)
    row = connection.execute(select(k.organization_id, k.prefix, owner).where(k.digest == digest)).first()
    return None if row is None else KeyOwner(*row)
