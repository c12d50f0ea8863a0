"""What is known of a key that was let in."""

from typing import NamedTuple

from runcard.domain.actor import Actor


class Admission(NamedTuple):
    """A key that held a moment ago, and whose it is."""

    digest: bytes
    actor: Actor
