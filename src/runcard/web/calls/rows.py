"""API calls as lines of a page."""

from collections.abc import Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from runcard.auth.permissions import check_may_manage
from runcard.exports.spreadsheets import Cell, SheetColumn
from runcard.store.calls.lists import CallRow
from runcard.store.engine.scope import Scope
from runcard.store.lists.names import names_of
from runcard.web.frame.formats import Moment, duration_text, precise_moment_of
from runcard.web.frame.visit import Visit

CALL_SHEET = [
    SheetColumn("Method"),
    SheetColumn("Path"),
    SheetColumn("Status", "number"),
    SheetColumn("Duration (s)", "number"),
    SheetColumn("Client"),
    SheetColumn("Client version"),
    SheetColumn("Key of"),
    SheetColumn("Key begins"),
    SheetColumn("Deprecated"),
    SheetColumn("At", "moment"),
]


class CallLine(NamedTuple):
    """tone: the outcome whose colour the status has. key: its owner and how it begins; empty without a key."""

    url: str
    method: str
    path: str
    status: int
    tone: str
    duration: str
    client: str
    key: str
    is_deprecated: bool
    at: Moment


def check_may_see_calls(visit: Visit) -> None:
    """Check that the reader manages stations, because calls hold what stations sent. Raises PermissionDenied."""
    check_may_manage(visit.actor, "see API calls")


def call_lines(scope: Scope, rows: Sequence[CallRow], zone: ZoneInfo) -> Sequence[CallLine]:
    """The calls as lines of the list, in their order. scope: where the names of the owners of keys are looked up."""
    owners = _owners(scope, rows)
    return [_line(row, owner, zone) for row, owner in zip(rows, owners, strict=True)]


def call_cells(scope: Scope, rows: Sequence[CallRow]) -> Sequence[Sequence[Cell]]:
    """The rows below `CALL_SHEET`. scope: as for `call_lines`."""
    owners = _owners(scope, rows)
    return [_cells(row, owner) for row, owner in zip(rows, owners, strict=True)]


def _owners(scope: Scope, rows: Sequence[CallRow]) -> Sequence[str]:
    """The owner of the key of each call; empty if the key is unknown."""
    owners = {row.owner_id for row in rows if row.owner_id is not None}
    names = {
        **names_of(scope, "station", owners),
        **names_of(scope, "operator", owners),
    }
    return ["" if row.owner_id is None else names.get(row.owner_id, "deleted") for row in rows]


def _cells(row: CallRow, owner: str) -> Sequence[Cell]:
    return [
        row.route.method,
        _path(row),
        row.status,
        row.duration.total_seconds(),
        row.client,
        row.client_version,
        owner,
        row.key_prefix,
        "yes" if row.route.is_deprecated else "",
        row.at,
    ]


def _path(row: CallRow) -> str:
    return row.path or row.route.path or ""


def _line(row: CallRow, owner: str, zone: ZoneInfo) -> CallLine:
    return CallLine(
        url=f"/activity/{row.id}",
        method=row.route.method,
        path=_path(row),
        status=row.status,
        tone={2: "PASS", 4: "ERROR", 5: "FAIL"}.get(row.status // 100, "SKIP"),
        duration=duration_text(row.duration),
        client=f"{row.client} {row.client_version}".strip(),
        key=f"{owner} {row.key_prefix}…" if row.key_prefix else "",
        is_deprecated=row.route.is_deprecated,
        at=precise_moment_of(row.at, zone),
    )
