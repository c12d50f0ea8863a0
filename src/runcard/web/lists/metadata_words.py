"""The conditions on the metadata of runs that people write into a filter bar: `fixture=FX-2; humidity>40`."""

import re
from collections.abc import Sequence

from runcard.domain.errors import InvalidInput
from runcard.store.metadata import ANY_KEY, MetadataTest

_TEST = re.compile(r"(\*|[A-Za-z0-9_.:+-]{1,40})\s*(?:(>=|<=|=|~|>|<)\s*(.*))?", re.DOTALL)
_MOST = 10
_MEND = "write key, key=value, key~part, key>1, key>=1, key<1 or key<=1, with ; between them"


def parse_metadata_words(text: str | None) -> Sequence[MetadataTest]:
    """Return the tests that a text writes down. `*` stands for any key. Raises InvalidInput."""
    parts = [part.strip() for part in (text or "").split(";")]
    tests = [_test(part) for part in parts if part]
    if len(tests) > _MOST:
        raise InvalidInput.at("metadata", f"asks for {len(tests)} things; use at most {_MOST}")
    return tests


def metadata_words_for(key: str, value: str) -> str | None:
    """The text that finds runs whose metadata have this value; None for a value that no text can write down."""
    return None if ";" in value or value != value.strip() or not value else f"{key}={value}"


def _test(part: str) -> MetadataTest:
    found = _TEST.fullmatch(part)
    if found is None or (found[2] and not found[3]):
        raise InvalidInput.at("metadata", f"{part!r} cannot be understood; {_MEND}")
    key, way, value = found[1], found[2], (found[3] or "").strip()
    key = ANY_KEY if key == "*" else key
    match way:
        case None:
            return MetadataTest(key)
        case "=":
            return MetadataTest(key, says=value)
        case "~":
            return MetadataTest(key, contains=value)
    bound = _number(part, value)
    match way:
        case ">":
            return MetadataTest(key, above=bound)
        case "<":
            return MetadataTest(key, below=bound)
        case ">=":
            return MetadataTest(key, at_least=bound)
        case _:
            return MetadataTest(key, at_most=bound)


def _number(part: str, value: str) -> float:
    try:
        return float(value)
    except ValueError as error:
        raise InvalidInput.at("metadata", f"{part!r}: {value!r} is no number; {_MEND}") from error
