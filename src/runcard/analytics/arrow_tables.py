"""Arrow tables of what answers list."""

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
    """A pyarrow.Table of what stands in a field: a row for each of a list; one for what is no list, none for None.

    Columns are those of the type, whatever is in them. What lies inside a row is a column `outer.inner`; a list inside
    it is a list. Raises InvalidInput for a field that holds neither rows nor numbers.
    """
    told = inspect.type_info(type(answer))
    assert isinstance(told, inspect.StructType)
    tables = {one.name: one.type for one in told.fields if one.name in _names_of_tables(told)}
    if field not in tables:
        raise InvalidInput.at("of", f"{field!r} is no table of this answer; there are {', '.join(tables)}")
    kind, found = _not_none(tables[field]), getattr(answer, field)
    if isinstance(kind, inspect.ListType):
        kind, rows = _not_none(kind.item_type), found
    else:
        rows = [] if found is None else [found]
    columns = _columns(kind, ()) if isinstance(kind, inspect.StructType) else {(): _arrow(kind)}
    values = msgspec.to_builtins(rows, builtin_types=(datetime,))
    arrays = [pa.array([_at(one, path) for one in values], type_) for path, type_ in columns.items()]
    return pa.table(arrays, [".".join(path) or field for path in columns])


def _names_of_tables(told: inspect.StructType) -> Sequence[str]:
    return [
        one.name
        for one in told.fields
        if isinstance(_not_none(one.type), inspect.ListType | inspect.StructType)
        and one.name not in ("window", "freshness")
    ]


def _columns(told: inspect.StructType, path: tuple[str, ...]) -> dict[tuple[str, ...], Any]:
    found: dict[tuple[str, ...], Any] = {}
    for one in told.fields:
        kind, inner = _not_none(one.type), (*path, one.name)
        found |= _columns(kind, inner) if isinstance(kind, inspect.StructType) else {inner: _arrow(kind)}
    return found


def _arrow(kind: inspect.Type) -> Any:
    kind = _not_none(kind)
    if isinstance(kind, inspect.ListType):
        return pa.list_(_arrow(kind.item_type))
    if isinstance(kind, inspect.StructType):
        return pa.struct([(one.name, _arrow(one.type)) for one in kind.fields])
    return _TYPES[type(kind)]


def _not_none(kind: inspect.Type) -> inspect.Type:
    if not isinstance(kind, inspect.UnionType):
        return kind
    [some] = [one for one in kind.types if not isinstance(one, inspect.NoneType)]
    return some


def _at(value: Any, path: Sequence[str]) -> Any:
    for name in path:
        if value is None:
            return None
        value = value[name]
    return value
