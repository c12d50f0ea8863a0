"""The beginning of a table, for a user who maps its columns."""

from msgspec import Struct

from runcard.importers.content.cells import Cell, number_of, text_of
from runcard.importers.tables.table import Row, read_table

_ROWS = 5
# How many rows are searched for the different texts of a column, and how many texts are kept.
_SEARCHED_ROWS, _TEXTS = 1000, 12
MOST_COLUMNS = 200


class TableHead(Struct, frozen=True):
    """columns: the first titles. rows: the first rows, as texts. texts: for each column, its first different texts.

    numeric: for each column, whether it has only numbers. column_count, row_count: of the whole table.
    """

    columns: list[str]
    rows: list[list[str]]
    texts: list[list[str]]
    numeric: list[bool]
    column_count: int
    row_count: int


def head_of(content: bytes) -> TableHead:
    """The beginning of a table. Raises UnreadableReport, InvalidInput and PayloadTooLarge where it is no table."""
    table = read_table(content)
    columns = list(table.header[:MOST_COLUMNS])
    texts: list[dict[str, None]] = [{} for _ in columns]
    numeric = [True] * len(columns)
    for row in table.rows[:_SEARCHED_ROWS]:
        for position, cell in enumerate(row.cells[: len(columns)]):
            if cell is None:
                continue
            if len(texts[position]) < _TEXTS:
                texts[position][text_of(cell)] = None
            numeric[position] = numeric[position] and _is_number(cell, decimal_comma=table.decimal_comma)
    return TableHead(
        columns,
        [_texts_of(row, len(columns)) for row in table.rows[:_ROWS]],
        [list(found) for found in texts],
        [bool(found) and is_numeric for found, is_numeric in zip(texts, numeric, strict=True)],
        len(table.header),
        len(table.rows),
    )


def _texts_of(row: Row, count: int) -> list[str]:
    """The first `count` cells of a row as texts; empty where a cell is blank or the row is shorter."""
    texts = ["" if cell is None else text_of(cell) for cell in row.cells[:count]]
    return texts + [""] * (count - len(texts))


def _is_number(cell: Cell, *, decimal_comma: bool) -> bool:
    try:
        number_of(cell, decimal_comma=decimal_comma)
    except ValueError:
        return False
    return True
