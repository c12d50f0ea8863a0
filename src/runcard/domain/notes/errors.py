"""What can be wrong with notes. These classes hang in the tree of `domain.errors`."""

from collections.abc import Sequence

from runcard.domain.errors import Conflict, NotFound

# How many ids a message lists.
_MAX_NAMED = 10


class TagNotFound(NotFound):
    default_message = "Tag not found: {}. An engineer or an admin can create it."


class CauseNotFound(NotFound):
    default_message = "Cause not found: {}. An engineer or an admin can create it."


class CommentNotFound(NotFound):
    default_message = "Comment not found: {}. It may have been deleted."


class ThingNotFound(NotFound):
    """Nothing that may have notes has one of these ids. The message lists the first ones."""

    def __init__(self, ids: Sequence[object]) -> None:
        named, more = [str(one) for one in ids[:_MAX_NAMED]], len(ids[_MAX_NAMED:])
        super().__init__(
            f"No run, phase, measurement, unit, batch or station has the ID {', '.join(named)}"
            f"{f', and {more} more are unknown' if more else ''}. Nothing was changed."
        )


class StillGiven(Conflict):
    """A tag or a cause cannot be deleted while things have it."""

    def __init__(self, thing: str, count: int) -> None:
        things = "1 thing has it" if count == 1 else f"{count} things have it"
        super().__init__(f"{thing} cannot be deleted: {things}. Take it from them first, or archive it.")
