"""Metadata: what users and stations note about a record. Each key has a text, a number or a boolean."""

import math
import re
from collections.abc import Iterator, Mapping

from runcard.domain.errors import InvalidInput, Issue
from runcard.domain.number import is_kept_integer, too_large_integer
from runcard.domain.text import shortened

MetadataValue = str | bool | int | float
Metadata = Mapping[str, MetadataValue]
# None removes a key.
MetadataChange = Mapping[str, MetadataValue | None]

MAX_KEYS = 50
MAX_TEXT_LENGTH = 50_000
MAX_KEY_LENGTH = 40
# Characters of a refused key that a message shows.
_SHOWN_KEY = 200
_KEY = re.compile(rf"[A-Za-z0-9_.:+-]{{1,{MAX_KEY_LENGTH}}}")


def check_metadata(field: str, change: MetadataChange) -> None:
    """Check that metadata can hold these keys and values, at most MAX_KEYS of them. Raises InvalidInput.

    field: the name that the metadata has in the input.
    """
    issues = list(metadata_issues(field, change))
    if issues:
        raise InvalidInput(issues)


def merged(field: str, before: Metadata, change: MetadataChange) -> Metadata:
    """The metadata after a change: None removes its key, and keys that the change does not name stay.

    Raises InvalidInput where the result has more than MAX_KEYS keys.
    """
    after = {key: value for key, value in {**before, **change}.items() if value is not None}
    if len(after) > MAX_KEYS:
        raise InvalidInput.at(field, f"{field} would have {len(after)} keys; use at most {MAX_KEYS}")
    return after


def metadata_issues(field: str, change: MetadataChange) -> Iterator[Issue]:
    """Everything that is wrong with these keys and values as metadata."""
    if len(change) > MAX_KEYS:
        yield Issue((field,), f"{field} has {len(change)} keys; use at most {MAX_KEYS}")
        return
    for key, value in change.items():
        if not _KEY.fullmatch(key):
            shown = shortened(key, _SHOWN_KEY)
            yield Issue((field, key), f"{shown!r} is no key; use 1 to 40 characters of A-Z a-z 0-9 _ . : + -")
        if isinstance(value, str):
            if len(value) > MAX_TEXT_LENGTH:
                yield Issue((field, key), f"text has {len(value)} characters; use at most {MAX_TEXT_LENGTH}")
            if "\0" in value:
                yield Issue((field, key), "text contains a NUL character; remove it")
        elif isinstance(value, int):
            if not is_kept_integer(value):
                yield Issue((field, key), too_large_integer(value))
        elif isinstance(value, float) and not math.isfinite(value):
            yield Issue((field, key), f"{value} is no finite number; send a number, or a text")
