"""Voiding a run on its page, and letting it count again."""

from typing import NamedTuple

from fastapi import APIRouter
from starlette.responses import Response

from runcard.auth.permissions import check_may_manage, may_manage
from runcard.domain.errors import RunNotFound
from runcard.domain.floor.reason import MAX_REASON, check_reason
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import WithServices
from runcard.store.engine.scope import Scope
from runcard.store.lists.names import names_of
from runcard.store.runs.records import RunRecord
from runcard.store.runs.voids import end_voids, void_runs
from runcard.web.frame.formats import Moment, moment_of
from runcard.web.frame.forms import WithForm
from runcard.web.frame.render import redirect
from runcard.web.frame.urls import run_url
from runcard.web.frame.visit import Visit, WithVisit

router = APIRouter()


class VoidNote(NamedTuple):
    """That a run was voided. undo_url: empty if the reader may not let it count again."""

    at: Moment
    by: str
    reason: str
    undo_url: str


class Voiding(NamedTuple):
    """note: None: the run counts. url: of the form that voids it; empty if the reader may not, or it is voided."""

    note: VoidNote | None
    url: str
    most: int = MAX_REASON


def voiding_of(scope: Scope, visit: Visit, run: RunRecord) -> Voiding:
    """Whether a run is voided, and the form for the other."""
    here, may_void = run_url(run.id), may_manage(visit.actor)
    if run.void is None:
        return Voiding(None, f"{here}/void" if may_void else "")
    names = names_of(scope, "operator", [run.void.by_id])
    by = names.get(run.void.by_id, "somebody")
    at = moment_of(run.void.at, visit.zone)
    return Voiding(VoidNote(at, by, run.void.reason, f"{here}/unvoid" if may_void else ""), "")


@router.post("/runs/{run_id}/void")
def submit_void(services: WithServices, visit: WithVisit, run_id: str, fields: WithForm) -> Response:
    """Void a run, and show it. Raises PermissionDenied, RunNotFound, InvalidInput and Conflict."""
    actor = check_may_manage(visit.actor, "void runs")
    known, reason = id_of(run_id, RunNotFound), check_reason(fields.get("reason", ""))
    services.writer.write(actor, lambda tx: void_runs(tx, actor, [known], reason))
    return redirect(run_url(known))


@router.post("/runs/{run_id}/unvoid")
def submit_unvoid(services: WithServices, visit: WithVisit, run_id: str, _fields: WithForm) -> Response:
    """Let a voided run count again, and show it. Raises PermissionDenied, RunNotFound and Conflict."""
    actor = check_may_manage(visit.actor, "void runs")
    known = id_of(run_id, RunNotFound)
    services.writer.write(actor, lambda tx: end_voids(tx, [known], None))
    return redirect(run_url(known))
