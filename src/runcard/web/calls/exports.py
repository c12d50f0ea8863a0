"""The log of API calls as a file."""

from collections.abc import Iterator, Sequence

from fastapi import APIRouter

from runcard.activity.log import ActivityLog
from runcard.domain.errors import NotFound
from runcard.exports.spreadsheets import MAX_ROWS, Cell, Rows
from runcard.store.calls.lists import CallFilter, CallPosition, CallRow, count_calls, list_calls
from runcard.web.calls.calls import PATH, ActivityQuery, call_filter_of
from runcard.web.calls.rows import CALL_SHEET, call_cells, check_may_see_calls
from runcard.web.lists.table_files import FileAsk, file_route

router = APIRouter()

_CALLS_AT_ONCE = 1000


@file_route(router, PATH, ActivityQuery, "API calls", CALL_SHEET)
def list_all_calls(ask: FileAsk[ActivityQuery]) -> Rows:
    """All calls that the filter finds, in the order of the page.

    Raises PermissionDenied as the page does, and NotFound if this server does not record calls.
    """
    check_may_see_calls(ask.visit)
    activity = ask.services.activity
    if activity is None:
        raise NotFound("Calls are not logged here")
    call_filter = call_filter_of(ask.query, activity, ask.visit)
    activity.write_waiting()
    ask.refuse_too_many(
        lambda: activity.ask(lambda connection: count_calls(connection, call_filter, MAX_ROWS)) == MAX_ROWS
    )
    return _rows(ask, activity, call_filter)


def _rows(
    ask: FileAsk[ActivityQuery], activity: ActivityLog, call_filter: CallFilter
) -> Iterator[Sequence[Sequence[Cell]]]:
    """The rows, a thousand calls at a time: neither database is held while a slow reader downloads them."""

    def calls_behind(place: CallPosition | None) -> Sequence[CallRow]:
        return activity.ask(lambda connection: list_calls(connection, call_filter, _CALLS_AT_ONCE, place))

    found = calls_behind(None)
    while found:
        with ask.services.database.read_in(ask.organization_id) as scope:
            cells = call_cells(scope, found)
        yield cells
        found = calls_behind(CallPosition(found[-1].at_us, found[-1].id))
