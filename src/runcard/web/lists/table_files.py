"""What a table of a page shows, as a file for spreadsheets: all that its filter finds, not one page of it."""

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


class FileAsk(NamedTuple, Generic[Query]):
    """Who asks for the file of a table, and for what. names: what the path of its route names, such as an id."""

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
        """The rows of all pages of a list, as it was when the first was read; no transaction stays open between them.

        Raises InvalidInput, at once, where a file of Excel cannot have them all.
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
        """Raises InvalidInput where a file of Excel is asked for and has more rows than it can."""
        if self.file_format == "xlsx" and has_too_many():
            refuse_too_many(MAX_ROWS)


def file_route(
    router: APIRouter, path: str, query: type[Query], name: str, columns: Sequence[SheetColumn]
) -> Callable[[Callable[[FileAsk[Query]], Rows]], Callable[[FileAsk[Query]], Rows]]:
    """A decorator: what the function gives back are the rows of the files of a table, which `files_of` this path names.

    query: that of the page. name: of the sheet and of the files.
    """

    def register(rows_of: Callable[[FileAsk[Query]], Rows]) -> Callable[[FileAsk[Query]], Rows]:
        @router.get(f"{path}.{{file_format}}", name=rows_of.__name__)
        def export(
            request: Request,
            services: WithServices,
            visit: WithVisit,
            file_format: WithFormat,
            asked: Annotated[Query, page_query(query)],
        ) -> Response:
            rows = rows_of(FileAsk(services, visit, asked, file_format, request.path_params))
            return table_file(Sheet(name, columns, rows, visit.zone), file_format)

        return rows_of

    return register
