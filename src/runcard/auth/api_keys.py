"""Fresh API keys."""

from typing import NamedTuple

from runcard.auth.tokens import digest_of, display_prefix, new_token
from runcard.store.people.api_keys import KeptSecret


class NewKey(NamedTuple):
    """A key to show once, and what is kept of it."""

    api_key: str
    secret: KeptSecret


def new_api_key() -> NewKey:
    api_key = new_token("rc")
    return NewKey(api_key, KeptSecret(digest_of(api_key), display_prefix(api_key)))
