"""A tag: a name and a colour by which an organization marks things."""

from typing import Literal, get_args

from runcard.domain.errors import InvalidInput

# Names of colours. A page shows each so that it can be read in light and in dark.
TagColour = Literal["grey", "red", "orange", "yellow", "green", "teal", "blue", "purple", "pink"]
TAG_COLOURS: tuple[TagColour, ...] = get_args(TagColour)

MAX_NAME_LENGTH = 60
# Tags of an organization.
MAX_TAGS = 1000


def checked_label(field: str, text: str, most: int = MAX_NAME_LENGTH) -> str:
    """A name or a code without blanks around it: one line. Raises InvalidInput at `field`. most: characters."""
    text = text.strip()
    if not text or len(text) > most or not text.isprintable():
        raise InvalidInput.at(field, f"{text!r} is no {field}; use 1 to {most} characters in one line")
    return text
