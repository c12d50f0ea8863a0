"""Splitting a unit from the one that it was merged into."""

from collections.abc import Sequence
from typing import NamedTuple

from fastapi import APIRouter
from starlette.responses import Response

from runcard.auth.permissions import check_may_manage
from runcard.domain.errors import Conflict, InvalidInput, NotFound
from runcard.domain.floor.reason import MAX_REASON, check_reason
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import Services, WithServices
from runcard.store.commit.transaction import Transaction
from runcard.store.lists.names import names_of
from runcard.store.unit_merges.split import count_moved_runs, get_merged, list_later_runs, split_unit
from runcard.web.frame.formats import count_text
from runcard.web.frame.forms import Fields, WithForm, problems_of
from runcard.web.frame.render import redirect, render
from runcard.web.frame.urls import split_unit_url, unit_url
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.units.merged import MergedLine, merged_line

router = APIRouter(prefix="/split-unit/{unit_id}")

_DEED = "split units"
_LATER = {"go": True, "stay": False}


class SplitUnitPage(NamedTuple):
    """into: the unit that it was merged into; empty if that is gone. runs: how many of its runs were moved. later_runs:
    how many were reported under its serial number since; empty if none. go: whether these go with it.
    """

    url: str
    merged: MergedLine
    into: str
    into_url: str
    runs: str
    later_runs: str
    go: bool
    reason: str
    most_reason: int
    problems: Sequence[str]


@router.get("")
def show_split(services: WithServices, visit: WithVisit, unit_id: str) -> Response:
    """See what a split would change. Raises PermissionDenied and NotFound."""
    check_may_manage(visit.actor, _DEED)
    return render("units/split.html", _page(services, visit, unit_id, {}), visit)


@router.post("")
def submit_split(services: WithServices, visit: WithVisit, unit_id: str, fields: WithForm) -> Response:
    """Split the unit, and show it; if that is refused, show the page again with the reasons."""
    check_may_manage(visit.actor, _DEED)
    known = id_of(unit_id, _missing)

    def apply(tx: Transaction) -> str:
        later = fields.get("later_runs", "go")
        if later not in _LATER:
            raise InvalidInput.at(
                "later_runs", f"{later[:60]!r} is no choice; send one of {', '.join(_LATER)}"
            )
        reason = check_reason(fields.get("reason", ""))
        return split_unit(tx, known, reason, with_later_runs=_LATER[later]).serial_number

    try:
        serial_number = services.writer.write_catalog(visit.actor, apply)
    except (InvalidInput, Conflict) as error:
        page = _page(services, visit, unit_id, fields, problems_of(error))
        return render("units/split.html", page, visit, status=answer_error(error).status)
    return redirect(unit_url(serial_number))


def _page(
    services: Services, visit: Visit, unit_id: str, fields: Fields, problems: Sequence[str] = ()
) -> SplitUnitPage:
    with services.database.read_in(visit.actor.organization_id) as scope:
        merged = get_merged(scope, id_of(unit_id, _missing))
        into = names_of(scope, "unit", [merged.into_id]).get(merged.into_id, "")
        runs, later = count_moved_runs(scope, merged), len(list_later_runs(scope, merged))
        line = merged_line(scope, visit, merged, is_last=True)
    return SplitUnitPage(
        url=split_unit_url(merged.id),
        merged=line,
        into=into,
        into_url=unit_url(into) if into else "",
        runs=count_text(runs),
        later_runs=count_text(later) if later else "",
        go=fields.get("later_runs", "go") == "go",
        reason=fields.get("reason", ""),
        most_reason=MAX_REASON,
        problems=problems,
    )


def _missing(unit_id: object) -> NotFound:
    return NotFound(f"No unit with ID {unit_id} is merged into another.")
