"""What is known of an API key that was let in."""

from typing import NamedTuple

from runcard.domain.actor import Actor


class Admission(NamedTuple):
    """The digest of a key that was valid a moment ago, and its owner."""

    digest: bytes
    actor: Actor
