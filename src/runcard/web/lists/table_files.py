"""The table of a page as a file for spreadsheets, with all rows that its filter finds."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Annotated, Any, Generic, NamedTuple, TypeVar, get_args
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from runcard.edge.files.transfers import content_disposition
from runcard.edge.requests.services import Services, WithServices
from runcard.exports.spreadsheets import (
    MAX_ROWS,
    SHEET_ENCODINGS,
    Cell,
    Rows,
    Sheet,
    SheetColumn,
    SheetFormat,
    refuse_too_many,
)
from runcard.store.engine.scope import Scope
from runcard.store.lists.pages import Listed, Page
from runcard.web.frame.render import SAFETY_HEADERS
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import page_query, url_of
from runcard.web.lists.pager import list_page

Row = TypeVar("Row")
Query = TypeVar("Query")
_ROWS_AT_ONCE = 1000
# The ending behind the path of the page: `/units.xlsx` is the table of `/units`.
_FORMATS: Sequence[SheetFormat] = get_args(SheetFormat)


class TableFiles(NamedTuple):
    """The addresses of the files of a table."""

    csv_url: str
    xlsx_url: str


def files_of(path: str, query: Struct, *places: str) -> TableFiles:
    """The files of the table of a page. places: the parameters that say where in the list the page is."""
    nowhere = dict.fromkeys(places)
    csv_url, xlsx_url = (url_of(f"{path}.{one}", query, **nowhere) for one in ("spreadsheet.csv", "xlsx"))
    return TableFiles(csv_url, xlsx_url)


def _format(file_format: str) -> SheetFormat:
    for sheet_format in _FORMATS:
        if sheet_format == file_format:
            return sheet_format
    raise HTTPException(404)


# For a route that ends in `.{file_format}`.
WithFormat = Annotated[SheetFormat, Depends(_format)]


def table_file(sheet: Sheet, file_format: SheetFormat) -> Response:
    """The file of a table, sent piece by piece. An error before the first rows are ready is raised."""
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


class FileAsk(NamedTuple, Generic[Query]):
    """A request for the file of a table. names: the parameters of the path, such as an id."""

    services: Services
    visit: Visit
    query: Query
    file_format: SheetFormat
    names: Mapping[str, str]

    @property
    def organization_id(self) -> UUID:
        return self.visit.actor.organization_id

    def whole_list(
        self,
        list_rows: Callable[[Scope, Page], Listed[Row]],
        cells: Callable[[Scope, Sequence[Row]], Sequence[Sequence[Cell]]],
    ) -> Iterator[Sequence[Sequence[Cell]]]:
        """The rows of all pages of a list, as it was at the first page. No transaction stays open between pages.

        Raises InvalidInput, before the first row, if an Excel file cannot hold them all.
        """
        with self.services.database.read_in(self.organization_id) as scope:
            page = list_page(scope.connection, None, _ROWS_AT_ONCE)
            self.refuse_too_many(
                lambda: bool(list_rows(scope, page._replace(limit=1, offset=MAX_ROWS - 1)).rows)
            )

        def rows(page: Page) -> Iterator[Sequence[Sequence[Cell]]]:
            has_more = True
            while has_more:
                with self.services.database.read_in(self.organization_id) as scope:
                    listed: Listed[Any] = list_rows(scope, page)
                    made = cells(scope, listed.rows)
                yield made
                page, has_more = page._replace(offset=page.offset + len(listed.rows)), listed.has_more

        return rows(page)

    def refuse_too_many(self, has_too_many: Callable[[], bool]) -> None:
        """Refuse to make an Excel file with more rows than Excel can hold. Raises InvalidInput."""
        if self.file_format == "xlsx" and has_too_many():
            refuse_too_many(MAX_ROWS)


def file_route(
    router: APIRouter, path: str, query_type: type[Query], name: str, columns: Sequence[SheetColumn]
) -> Callable[[Callable[[FileAsk[Query]], Rows]], Callable[[FileAsk[Query]], Rows]]:
    """A decorator that serves the rows of a function as the files of a table, at the addresses of `files_of` this path.

    query_type: of the query of the page. name: of the sheet and of the files.
    """

    def register(rows_of: Callable[[FileAsk[Query]], Rows]) -> Callable[[FileAsk[Query]], Rows]:
        @router.get(f"{path}.{{file_format}}", name=rows_of.__name__)
        def export(
            request: Request,
            services: WithServices,
            visit: WithVisit,
            file_format: WithFormat,
            query: Annotated[Query, page_query(query_type)],
        ) -> Response:
            rows = rows_of(FileAsk(services, visit, query, file_format, request.path_params))
            return table_file(Sheet(name, columns, rows, visit.zone), file_format)

        return rows_of

    return register
