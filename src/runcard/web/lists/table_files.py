"""What a table of a page shows, as a file for spreadsheets: all that its filter finds, not one page of it."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Annotated, Any, NamedTuple, TypeVar, get_args

from fastapi import Depends
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from runcard.edge.files.transfers import content_disposition
from runcard.exports.spreadsheets import MAX_ROWS, SHEET_ENCODINGS, Cell, Sheet, SheetFormat, refuse_too_many
from runcard.store.engine.database import Connection, Database
from runcard.store.lists.pages import Listed, Page
from runcard.web.frame.render import SAFETY_HEADERS
from runcard.web.lists.filters import url_of
from runcard.web.lists.pager import list_page

Row = TypeVar("Row")
_ROWS_AT_ONCE = 1000
# In the place of the page's own name: `/units.xlsx` is the table of `/units`.
_FORMATS: Sequence[SheetFormat] = get_args(SheetFormat)


class TableFiles(NamedTuple):
    """Where the files of a table are."""

    csv_url: str
    xlsx_url: str


def files_of(path: str, asked: Struct, *places: str) -> TableFiles:
    """The files of the table of a page. places: what of its address says where in the list it is."""
    nowhere = dict.fromkeys(places)
    csv_url, xlsx_url = (url_of(f"{path}.{one}", asked, **nowhere) for one in ("spreadsheet.csv", "xlsx"))
    return TableFiles(csv_url, xlsx_url)


def _format(file_format: str) -> SheetFormat:
    for one in _FORMATS:
        if one == file_format:
            return one
    raise HTTPException(404)


# Of a route that ends in `.{file_format}`.
WithFormat = Annotated[SheetFormat, Depends(_format)]


def table_file(sheet: Sheet, file_format: SheetFormat) -> Response:
    """The file of a table, piece by piece. What goes wrong before its first rows are there is raised."""
    encoding = SHEET_ENCODINGS[file_format]
    pieces = encoding.encode(sheet)
    first = next(pieces, b"")
    return StreamingResponse(
        chain([first], pieces),
        media_type=encoding.content_type,
        headers={
            **SAFETY_HEADERS,
            "Cache-Control": "no-store",
            "Content-Disposition": content_disposition(
                f"{sheet.name}.{file_format.removeprefix('spreadsheet.')}", inline=False
            ),
        },
    )


def whole_list(
    database: Database,
    file_format: SheetFormat,
    list_rows: Callable[[Connection, Page], Listed[Row]],
    cells: Callable[[Connection, Sequence[Row]], Sequence[Sequence[Cell]]],
) -> Iterator[Sequence[Sequence[Cell]]]:
    """The rows of all pages of a list, as it was when the first was read; no transaction stays open between them.

    Raises InvalidInput, at once, where a file of Excel cannot have them all.
    """
    with database.read() as connection:
        page = list_page(connection, None, _ROWS_AT_ONCE)
        if file_format == "xlsx" and list_rows(connection, page._replace(limit=1, offset=MAX_ROWS - 1)).rows:
            refuse_too_many(MAX_ROWS)

    def rows(page: Page) -> Iterator[Sequence[Sequence[Cell]]]:
        has_more = True
        while has_more:
            with database.read() as connection:
                listed: Listed[Any] = list_rows(connection, page)
                made = cells(connection, listed.rows)
            yield made
            page, has_more = page._replace(offset=page.offset + len(listed.rows)), listed.has_more

    return rows(page)
