"""Calls of the APIs as pages show them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from runcard.auth.permissions import check_may_manage
from runcard.store.calls.lists import CallRow
from runcard.store.engine.scope import Scope
from runcard.store.lists.names import names_of
from runcard.web.frame.formats import Moment, duration_text, precise_moment_of
from runcard.web.frame.visit import Visit


class CallLine(NamedTuple):
    """tone: the outcome whose colour the status has. key: how it begins and whose it is; empty where it is none."""

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
    """Calls hold what stations sent, so they are for those who mend stations. Raises PermissionDenied."""
    check_may_manage(visit.actor, "see API calls")


def call_lines(scope: Scope, rows: Sequence[CallRow], zone: ZoneInfo) -> Sequence[CallLine]:
    """connection: to the truth, which knows what owners of keys are called."""
    owners = {row.owner_id for row in rows if row.owner_id is not None}
    names = {
        **names_of(scope, "station", owners),
        **names_of(scope, "operator", owners),
    }
    return [_line(row, names, zone) for row in rows]


def _line(row: CallRow, names: Mapping[UUID, str], zone: ZoneInfo) -> CallLine:
    owner = "" if row.owner_id is None else names.get(row.owner_id, "deleted")
    return CallLine(
        url=f"/activity/{row.id}",
        method=row.route.method,
        path=row.path or row.route.path or "",
        status=row.status,
        tone={2: "PASS", 4: "ERROR", 5: "FAIL"}.get(row.status // 100, "SKIP"),
        duration=duration_text(row.duration),
        client=f"{row.client} {row.client_version}".strip(),
        key=f"{owner} {row.key_prefix}…" if row.key_prefix else "",
        is_deprecated=row.route.is_deprecated,
        at=precise_moment_of(row.at, zone),
    )
