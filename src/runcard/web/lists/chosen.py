"""Things that are changed at once: those that were ticked in a list, or all that its filter finds.

A page shows how many there are and the first of them. Its forms send that number along, so that nothing is done to
things that the reader has not seen.
"""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple, Protocol
from uuid import UUID

from msgspec import Meta

from runcard.domain.errors import Conflict, InvalidInput
from runcard.domain.floor.at_once import MAX_AT_ONCE
from runcard.web.frame.formats import count_text, counted_text

# The ids of what was ticked; None: nothing was.
Ticked = Annotated[list[UUID], Meta(max_length=MAX_AT_ONCE)] | None
# Whether a page is about what was ticked alone, and about nothing if nothing was.
OnlyTicked = Literal["yes"] | None
# How many things were just changed; None: nothing was done yet.
Done = Annotated[int, Meta(ge=0, le=MAX_AT_ONCE)] | None

# How many of the things a page shows.
SHOWN = 10


class Chosen(NamedTuple):
    """What a page says of the things that were chosen on it.

    number: how many there are; of too many, more than one request changes. total: the same in words. more: how many
    are not shown; empty if all are. done: what was just changed; empty if nothing was. url: where forms are sent.
    """

    noun: str
    number: int
    total: str
    more: str
    is_ticked: bool
    done: str
    url: str
    list_url: str
    most: str = count_text(MAX_AT_ONCE)

    @property
    def too_many(self) -> bool:
        return self.number > MAX_AT_ONCE


class ChoosingQuery(Protocol):
    """A query that chooses things by their ids, or by the filter of a list."""

    ids: Ticked
    ticked: OnlyTicked


def ticked_ids(query: ChoosingQuery) -> Sequence[UUID] | None:
    """The ids of what was ticked; None: all that the filter finds."""
    return [] if query.ids is None and query.ticked else query.ids


def chosen(noun: str, count: int, query: ChoosingQuery, done: int | None, url: str, list_url: str) -> Chosen:
    """What a page says of `count` things. url, list_url: of this page, and of the list that led here."""
    some = counted_text(min(count, MAX_AT_ONCE), noun)
    return Chosen(
        noun=noun,
        number=count,
        total=f"More than {some}" if count > MAX_AT_ONCE else some,
        more=count_text(count - SHOWN) if SHOWN < count <= MAX_AT_ONCE else "",
        is_ticked=ticked_ids(query) is not None,
        done="" if done is None else f"{counted_text(done, noun)} changed.",
        url=url,
        list_url=list_url,
    )


def check_seen(noun: str, count: int, seen: int | None) -> None:
    """Check that a form is about as many things as its reader saw, and about at least one.

    Raises Conflict if it is about others now, and InvalidInput if they are more than one request changes.
    """
    if count > MAX_AT_ONCE:
        raise InvalidInput.at(
            "count",
            f"more than {MAX_AT_ONCE} {noun}s are chosen, and at most {MAX_AT_ONCE} are changed at once; narrow the "
            "filter of the list",
        )
    if count == seen == 0:
        raise Conflict(f"There is no {noun} to change. Nothing was done. Go back and choose some.")
    if count != seen:
        raise Conflict(
            f"{_there_are(count, noun)} now, not {'none' if seen is None else seen}: some changed meanwhile. "
            "Nothing was done. Go back, look at them again and repeat it."
        )


def _there_are(count: int, noun: str) -> str:
    return f"There is 1 {noun}" if count == 1 else f"There are {count} {noun}s"
