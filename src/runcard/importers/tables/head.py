"""The beginning of a table, for whoever maps its columns."""

from msgspec import Struct

from runcard.importers.content.cells import Cell, number_of, text_of
from runcard.importers.tables.table import Row, read_table

_ROWS = 5
# Of so many rows the different texts of a column are told, so many of each.
_LOOKED_AT, _TEXTS = 1000, 12
MOST_COLUMNS = 200


class TableHead(Struct, frozen=True):
    """columns: titles, the first ones. rows: the first ones, as texts. texts: of each column, the first different ones.

    numeric: whether a column holds nothing but numbers. column_count, row_count: of the whole table.
    """

    columns: list[str]
    rows: list[list[str]]
    texts: list[list[str]]
    numeric: list[bool]
    column_count: int
    row_count: int


def head_of(content: bytes) -> TableHead:
    """Raises UnreadableReport, InvalidInput and PayloadTooLarge where it is no table."""
    table = read_table(content)
    columns = list(table.header[:MOST_COLUMNS])
    texts: list[dict[str, None]] = [{} for _ in columns]
    numeric = [True] * len(columns)
    for row in table.rows[:_LOOKED_AT]:
        for position, cell in enumerate(row.cells[: len(columns)]):
            if cell is None:
                continue
            if len(texts[position]) < _TEXTS:
                texts[position][text_of(cell)] = None
            numeric[position] = numeric[position] and _is_number(cell, decimal_comma=table.decimal_comma)
    return TableHead(
        columns,
        [_texts_of(row, len(columns)) for row in table.rows[:_ROWS]],
        [list(one) for one in texts],
        [bool(found) and is_numeric for found, is_numeric in zip(texts, numeric, strict=True)],
        len(table.header),
        len(table.rows),
    )


def _texts_of(row: Row, count: int) -> list[str]:
    """Of so many cells; empty where they are blank, or the row is shorter."""
    texts = ["" if cell is None else text_of(cell) for cell in row.cells[:count]]
    return texts + [""] * (count - len(texts))


def _is_number(cell: Cell, *, decimal_comma: bool) -> bool:
    try:
        number_of(cell, decimal_comma=decimal_comma)
    except ValueError:
        return False
    return True
