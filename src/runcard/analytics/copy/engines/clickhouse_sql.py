"""The SQL of questions and lists for ClickHouse. Their text is that of DuckDB; a few things have other names.

This is no translator of SQL: it replaces the functions and types of the tables below, and writes values instead of `?`.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from runcard.analytics.copy.schema import ENUMS

# Ids are integers: ClickHouse compares its own UUIDs by their last half first.
MOMENT, ID = "DateTime64(6, 'UTC')", "UInt128"
# What may be far outside of the years of DateTime64: the seconds since 1970. Nothing else has this type.
ANY_MOMENT = "Decimal(18, 6)"
TYPES: Mapping[str, str] = {
    "BIGINT": "Int64",
    "BOOLEAN": "Bool",
    "DOUBLE": "Float64",
    "INTEGER": "Int32",
    "SMALLINT": "Int16",
    "TIMESTAMP": MOMENT,
    "TINYINT": "Int8",
    "UUID": ID,
    "VARCHAR": "String",
    **{
        name: f"Enum8({', '.join(f'{value!r} = {place}' for place, value in enumerate(values))})"
        for name, values in ENUMS.items()
    },
}
# How ClickHouse calls a function, given its arguments.
_FUNCTIONS: Mapping[str, Callable[..., str]] = {
    "arg_max": "argMax({}, {})".format,
    "arg_min": "argMin({}, {})".format,
    "contains": "(position({}, {}) > 0)".format,
    "epoch_us": "toUnixTimestamp64Micro({})".format,
    # In a tuple, because the hash of NULL would be NULL.
    "hash": "sipHash64(tuple({}))".format,
    "isfinite": "isFinite({})".format,
    "left": "leftUTF8({}, {})".format,
    "list": "groupArray({})".format,
    "list_zip": lambda *lists: f"arrayZip({', '.join(lists)})",
    "quantile_cont": lambda column, shares: f"quantilesExactInclusive({shares.strip('[]')})({column})",
    "approx_quantile": lambda column, shares: f"quantilesTDigest({shares.strip('[]')})({column})",
    "struct_extract": "tupleElement({}, {})".format,
    "unnest": "arrayJoin({})".format,
    "uuid_text": "leftPad(lower(hex({})), 32, '0')".format,
    # Rounded as DuckDB does, and so wide that a sum does not overflow.
    "whole": "toInt128(round({}))".format,
}
_TEXT = r"'(?:[^'\\]|''|\\.)*'"
_MARKS = re.compile(rf"{_TEXT}|\?", re.DOTALL)
_NAMES = re.compile(
    rf"(?P<moment>\bTIMESTAMP\s+(?P<said>'[^']*'))|{_TEXT}|::\s*(?P<cast>\w+)(?P<many>\[\])?"
    rf"|\b(?P<function>{'|'.join(_FUNCTIONS)})\(",
    re.DOTALL,
)
_ESCAPED = str.maketrans({"\\": "\\\\", "'": "\\'", "\0": "\\0"})
# The first and the last moment that DateTime64 knows. Nothing that is compared with a moment lies beyond.
_FIRST, _LAST = datetime(1900, 1, 1), datetime(2299, 12, 31)  # noqa: DTZ001 (the copy holds UTC without a zone)


def for_clickhouse(sql: str, values: Sequence[Any] = ()) -> str:
    """The query for ClickHouse, with these values in place of its question marks."""
    rest = iter(values)
    return _renamed(_MARKS.sub(lambda found: literal(next(rest)) if found[0] == "?" else found[0], sql))


def literal(value: Any) -> str:
    """A value as ClickHouse's SQL writes it."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case int():
            return f"({value})" if value < 0 else str(value)
        case float():
            return _float(value)
        case str():
            return f"'{value.translate(_ESCAPED)}'"
        case UUID():
            return f"toUInt128('{value.int}')"
        case datetime():
            return f"toDateTime64('{max(_FIRST, min(value, _LAST))}', 6, 'UTC')"
        case list() | tuple():
            return f"[{', '.join(map(literal, value))}]"
    raise TypeError(f"{value!r} has no spelling in ClickHouse's SQL")


def _float(value: float) -> str:
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "(-inf)"
    return f"toFloat64({value!r})" if value >= 0 else f"(-toFloat64({-value!r}))"


def _renamed(sql: str) -> str:
    written, end = list[str](), 0
    while (found := _NAMES.search(sql, end)) is not None:
        written.append(sql[end : found.start()])
        end = found.end()
        if found["moment"]:
            written.append(f"toDateTime64({found['said']}, 6, 'UTC')")
        elif found["cast"]:
            kind = TYPES.get(found["cast"], found["cast"])
            written.append(f"::Array(Nullable({kind}))" if found["many"] else f"::{kind}")
        elif found["function"]:
            arguments, end = _arguments(sql, end)
            written.append(_FUNCTIONS[found["function"]](*map(_renamed, arguments)))
        else:
            written.append(found[0])
    return "".join([*written, sql[end:]])


def _arguments(sql: str, start: int) -> tuple[list[str], int]:
    """The arguments of a function whose bracket opens before `start`, and where it has closed."""
    arguments, depth, begin = list[str](), 0, start
    for place, character in _outside_of_texts(sql, start):
        if character in "([":
            depth += 1
        elif character in ")]" and depth:
            depth -= 1
        elif character in ")," and not depth:
            arguments.append(sql[begin:place].strip())
            begin = place + 1
            if character == ")":
                return arguments, begin
    raise ValueError(f"A bracket is not closed in {sql[start:]!r}")


def _outside_of_texts(sql: str, start: int) -> Iterator[tuple[int, str]]:
    for found in re.compile(rf"{_TEXT}|.", re.DOTALL).finditer(sql, start):
        if len(found[0]) == 1:
            yield found.start(), found[0]
