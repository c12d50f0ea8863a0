"""Fresh API keys, and keys in place of others."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from runcard.auth.tokens import digest_of, display_prefix, new_token
from runcard.domain.errors import Conflict
from runcard.store.commit.transaction import Transaction
from runcard.store.people.api_keys import ApiKey, KeptSecret, ReplacementEnds, create_successor, get_key


class NewKey(NamedTuple):
    """A key to show once, and what is kept of it."""

    api_key: str
    secret: KeptSecret


def new_api_key() -> NewKey:
    api_key = new_token("rc")
    return NewKey(api_key, KeptSecret(digest_of(api_key), display_prefix(api_key)))


def replace_key(
    tx: Transaction, key_id: UUID, new: NewKey, overlap: timedelta, owner_id: UUID | None = None
) -> ApiKey:
    """Make a key in place of another, which works for the overlap yet, and return it.

    It has the name and the scopes of the other key, and works for as long as the other one was made for.
    owner_id: the user or station that the key must belong to; None: any.
    Raises NotFound, and Conflict if the key no longer works or was replaced before.
    """
    old = get_key(tx.scope, key_id, owner_id)
    if (state := old.state(tx.now)) != "works":
        raise Conflict(f"The key {old.prefix}… is {state}, so it cannot be replaced. Create a key.")
    if old.replaced_by is not None:
        raise Conflict(f"The key {old.prefix}… was replaced by {old.replaced_by}… already. Replace that one.")
    end = tx.now + overlap
    if old.expires_at is None:
        return create_successor(tx, old, new.secret, ReplacementEnds(end, None))
    lasts = old.expires_at - old.created_at
    return create_successor(tx, old, new.secret, ReplacementEnds(min(end, old.expires_at), tx.now + lasts))
