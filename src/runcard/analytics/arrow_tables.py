"""Arrow tables of the lists in answers."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa
from msgspec import Struct, inspect

from runcard.domain.errors import InvalidInput

_TYPES = {
    inspect.BoolType: pa.bool_(),
    inspect.IntType: pa.int64(),
    inspect.FloatType: pa.float64(),
    inspect.StrType: pa.string(),
    inspect.LiteralType: pa.string(),
    inspect.UUIDType: pa.string(),
    inspect.DateTimeType: pa.timestamp("us", tz="UTC"),
}


def arrow_table(answer: Struct, field: str) -> Any:
    """A pyarrow.Table of a field: a row for each item of a list, one row for a single value, no rows for None.

    The type gives the columns, whatever the values are. A struct in a row becomes columns `outer.inner`; a list in a
    row stays a list. Raises InvalidInput for a field that is neither a list nor a struct.
    """
    answer_type = inspect.type_info(type(answer))
    assert isinstance(answer_type, inspect.StructType)
    names = _names_of_tables(answer_type)
    tables = {column.name: column.type for column in answer_type.fields if column.name in names}
    if field not in tables:
        raise InvalidInput.at(
            "of", f"{field!r} is not a table of this answer; use one of {', '.join(tables)}"
        )
    kind, found = _not_none(tables[field]), getattr(answer, field)
    if isinstance(kind, inspect.ListType):
        kind, rows = _not_none(kind.item_type), found
    else:
        rows = [] if found is None else [found]
    columns = _columns(kind, ()) if isinstance(kind, inspect.StructType) else {(): _arrow(kind)}
    values = msgspec.to_builtins(rows, builtin_types=(datetime,))
    arrays = [pa.array([_at(row, path) for row in values], type_) for path, type_ in columns.items()]
    return pa.table(arrays, [".".join(path) or field for path in columns])


def _names_of_tables(answer_type: inspect.StructType) -> Sequence[str]:
    return [
        field.name
        for field in answer_type.fields
        if isinstance(_not_none(field.type), inspect.ListType | inspect.StructType)
        and field.name not in ("window", "freshness")
    ]


def _columns(row_type: inspect.StructType, path: tuple[str, ...]) -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    for field in row_type.fields:
        kind, inner = _not_none(field.type), (*path, field.name)
        found |= _columns(kind, inner) if isinstance(kind, inspect.StructType) else {inner: _arrow(kind)}
    return found


def _arrow(kind: inspect.Type) -> Any:
    kind = _not_none(kind)
    if isinstance(kind, inspect.ListType):
        return pa.list_(_arrow(kind.item_type))
    if isinstance(kind, inspect.StructType):
        return pa.struct([(field.name, _arrow(field.type)) for field in kind.fields])
    return _TYPES[type(kind)]


def _not_none(kind: inspect.Type) -> inspect.Type:
    if not isinstance(kind, inspect.UnionType):
        return kind
    [not_none] = [type_ for type_ in kind.types if not isinstance(type_, inspect.NoneType)]
    return not_none


def _at(value: Any, path: Sequence[str]) -> Any:
    for name in path:
        if value is None:
            return None
        value = value[name]
    return value
