"""The page of one API call."""

from collections.abc import Sequence
from typing import NamedTuple

from fastapi import APIRouter
from starlette.responses import Response

from runcard.activity.noted_calls import MOST_BODY_BYTES
from runcard.domain.errors import ApiCallNotFound
from runcard.edge.requests.services import WithServices
from runcard.store.calls.lists import CallDetail, get_call
from runcard.store.engine.scope import Scope
from runcard.web.calls.rows import CallLine, call_lines, check_may_see_calls
from runcard.web.frame.formats import size_text
from runcard.web.frame.render import render
from runcard.web.frame.visit import WithVisit

router = APIRouter()

# More digits than the number of any call has.
_MOST_DIGITS = 18


class CallFact(NamedTuple):
    name: str
    value: str


class KeptText(NamedTuple):
    title: str
    text: str


class ApiCallPage(NamedTuple):
    """most: how much of each text is kept."""

    call: CallLine
    has_failed: bool
    facts: Sequence[CallFact]
    texts: Sequence[KeptText]
    most: str


@router.get("/activity/{call_id}")
def show_call(call_id: str, services: WithServices, visit: WithVisit) -> Response:
    check_may_see_calls(visit)
    organization_id, activity = visit.actor.organization_id, services.activity
    if activity is None or not (call_id.isascii() and call_id.isdigit() and len(call_id) <= _MOST_DIGITS):
        raise ApiCallNotFound(call_id)
    detail = activity.ask(lambda connection: get_call(Scope(connection, organization_id), int(call_id)))
    with services.database.read_in(organization_id) as scope:
        [line] = call_lines(scope, [detail.row], visit.zone)
    page = ApiCallPage(
        call=line,
        has_failed=detail.row.status >= 400,
        facts=_facts(detail, line),
        texts=_texts(detail),
        most=size_text(MOST_BODY_BYTES),
    )
    return render("calls/call.html", page, visit)


def _facts(detail: CallDetail, line: CallLine) -> Sequence[CallFact]:
    values = {
        "Route": detail.row.route.path or "no route has this path",
        "Key": line.key or "unknown",
        "Client": line.client,
        "User agent": detail.user_agent,
        "Request": detail.request_id,
    }
    return [CallFact(name, value) for name, value in values.items() if value]


def _texts(detail: CallDetail) -> Sequence[KeptText]:
    kept = {"Query": detail.query, "Request body": detail.body, "Answer": detail.answer}
    return [KeptText(title, text) for title, text in kept.items() if text]
