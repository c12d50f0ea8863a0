"""The server's lists, row by row or as a table of pyarrow, pandas or polars."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from datetime import datetime
from typing import Any, Generic, TypeVar, Union

from runcard_client.errors import RuncardClientError
from runcard_client.row import MeasurementRow, RunRow

Row = TypeVar("Row", bound=Union[RunRow, MeasurementRow])

_PANDAS = {
    "str": "string",
    "float": "float64",
    "int": "Int64",
    "bool": "boolean",
    "datetime": "datetime64[us, UTC]",
}


class LibraryMissing(RuncardClientError):
    """The library for the desired kind of table is not installed."""


class Table(Generic[Row]):
    """The rows of a list. Each iteration fetches them anew, page by page.

    All pages show the state of the server at the first page, so no row is missed or repeated while runs arrive.
    Iterating raises Refused and Unavailable.
    """

    def __init__(self, kind: type[Row], pages: Callable[[], Iterable[list[Row]]]) -> None:
        self._kind = kind
        self._pages = pages

    def __iter__(self) -> Iterator[Row]:
        for page in self._pages():
            yield from page

    def pages(self) -> Iterator[list[Row]]:
        """The rows in lists of up to 1000."""
        yield from self._pages()

    def to_arrow(self) -> Any:
        """A pyarrow.Table. The types of its columns do not depend on their values. Raises LibraryMissing."""
        arrow = _library("pyarrow", "to_arrow", "arrow")
        types = {
            "str": arrow.string(),
            "float": arrow.float64(),
            "int": arrow.int64(),
            "bool": arrow.bool_(),
            "datetime": arrow.timestamp("us", tz="UTC"),
        }
        schema = arrow.schema([(name, types[kind]) for name, kind in self._columns().items()])
        return arrow.table(self._values(), schema=schema)

    def to_pandas(self) -> Any:
        """A pandas.DataFrame. Raises LibraryMissing."""
        pandas = _library("pandas", "to_pandas", "pandas")
        kinds, values = self._columns(), self._values()
        return pandas.DataFrame(
            {name: pandas.Series(values[name], dtype=_PANDAS[kind]) for name, kind in kinds.items()}
        )

    def to_polars(self) -> Any:
        """A polars.DataFrame. Raises LibraryMissing."""
        polars = _library("polars", "to_polars", "polars")
        types = {
            "str": polars.String,
            "float": polars.Float64,
            "int": polars.Int64,
            "bool": polars.Boolean,
            "datetime": polars.Datetime("us", "UTC"),
        }
        return polars.DataFrame(
            self._values(), schema={name: types[kind] for name, kind in self._columns().items()}
        )

    def _columns(self) -> dict[str, str]:
        """The type of each column's values, by the column's name; values may also be None."""
        return {field.name: str(field.type).partition(" |")[0] for field in fields(self._kind)}

    def _values(self) -> dict[str, list[str | float | bool | datetime | None]]:
        columns: dict[str, list[str | float | bool | datetime | None]] = {
            name: [] for name in self._columns()
        }
        for row in self:
            for name, values in columns.items():
                values.append(getattr(row, name))
        return columns


def _library(name: str, method: str, extra: str) -> Any:
    # Imported here, because only callers who want this kind of table need the library.
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise LibraryMissing(f"{method} needs {name}; pip install 'runcard-client[{extra}]'") from error
