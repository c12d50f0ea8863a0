"""Correcting a run, and taking its corrections back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.responses import Response

from runcard.auth.permissions import check_may_manage
from runcard.domain.errors import Conflict, InvalidInput, NotFound, RunNotFound
from runcard.domain.floor.reason import MAX_REASON, check_reason
from runcard.domain.runs.correction import RunCorrection
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import Services, WithServices
from runcard.ingest.corrections.runs import correct_runs, take_back_corrections
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.scope import Scope
from runcard.store.people.users import list_users
from runcard.store.procedures.rows import list_procedures
from runcard.store.runs.records import RunRecord, find_run
from runcard.web.corrections.form import CorrectionField, changed_in, filled_in
from runcard.web.frame.formats import moment_of
from runcard.web.frame.forms import Fields, WithForm, problems_of
from runcard.web.frame.render import redirect, render
from runcard.web.frame.urls import run_url
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import Choice

router = APIRouter(prefix="/runs/{run_id}")

_DEED = "correct runs"
_OPTIONAL = ("batch_number", "operator")
_TAKEN_BACK = "Taken back on its page"


class CorrectRunPage(NamedTuple):
    """fields: what can be corrected. reason: what was filled in. operators: members to choose from."""

    url: str
    serial_number: str
    fields: Sequence[CorrectionField]
    operators: Sequence[str]
    reason: str
    most_reason: int
    problems: Sequence[str]


@router.get("/correct")
def show_correction(services: WithServices, visit: WithVisit, run_id: str) -> Response:
    """The form that corrects a run. Raises PermissionDenied and RunNotFound."""
    check_may_manage(visit.actor, _DEED)
    return render("corrections/run.html", _page(services, visit, run_id, {}), visit)


@router.post("/correct")
def submit_correction(services: WithServices, visit: WithVisit, run_id: str, fields: WithForm) -> Response:
    """Correct a run, and show it; if that is refused, show the form again with the reasons."""
    actor = check_may_manage(visit.actor, _DEED)
    known = id_of(run_id, RunNotFound)

    def apply(tx: Transaction) -> None:
        changed = changed_in(fields, RunCorrection.__struct_fields__)
        reason = check_reason(fields.get("reason", ""))
        correct_runs(tx, actor, [known], _correction(changed, visit.zone), reason)

    try:
        services.writer.write(actor, apply)
    except RunNotFound:
        raise
    except (InvalidInput, Conflict, NotFound) as error:
        page = _page(services, visit, run_id, fields, problems_of(error))
        return render("corrections/run.html", page, visit, status=answer_error(error).status)
    return redirect(run_url(known))


@router.post("/uncorrect")
def submit_taking_back(services: WithServices, visit: WithVisit, run_id: str, _fields: WithForm) -> Response:
    """Give a run back what was reported, and show it. Raises PermissionDenied, RunNotFound and Conflict."""
    actor = check_may_manage(visit.actor, _DEED)
    known = id_of(run_id, RunNotFound)
    services.writer.write(actor, lambda tx: take_back_corrections(tx, [known], _TAKEN_BACK))
    return redirect(run_url(known))


def _correction(changed: Mapping[str, str], zone: ZoneInfo) -> RunCorrection:
    """The correction that a form asks for. zone: of the reader's clock. Raises InvalidInput."""
    given: dict[str, Any] = {
        name: None if name in _OPTIONAL and not value else value for name, value in changed.items()
    }
    if "started_at" in given:
        given["started_at"] = _moment(given["started_at"], zone)
    return RunCorrection(**given)


def _moment(text: str, zone: ZoneInfo) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError as error:
        raise InvalidInput.at(
            "started_at", f"{text[:40]!r} is no moment; give one such as 2026-05-04T13:30:00"
        ) from error


def _page(
    services: Services, visit: Visit, run_id: str, fields: Fields, problems: Sequence[str] = ()
) -> CorrectRunPage:
    run_uuid = id_of(run_id, RunNotFound)
    with services.database.read_in(visit.actor.organization_id) as scope:
        run = find_run(scope, run_uuid)
        if run is None:
            raise RunNotFound(run_id)
        shown = _fields(run, _procedures(scope, run.procedure.id), visit.zone)
        operators = [user.email for user in list_users(scope)]
    return CorrectRunPage(
        url=run_url(run.id),
        serial_number=run.unit.serial_number,
        fields=filled_in(shown, fields) if fields else shown,
        operators=operators,
        reason=fields.get("reason", ""),
        most_reason=MAX_REASON,
        problems=problems,
    )


def _procedures(scope: Scope, present: UUID) -> Sequence[Choice]:
    return [
        Choice(str(one.id), f"{one.name} ({one.identifier})", one.id == present)
        for one in list_procedures(scope)
        if one.archived_at is None or one.id == present
    ]


def _fields(run: RunRecord, procedures: Sequence[Choice], zone: ZoneInfo) -> Sequence[CorrectionField]:
    said = run.corrected
    started = moment_of(run.started_at, zone)
    operator = run.operator.email if run.operator else run.operator_name or ""
    batch = run.batch.name if run.batch else ""
    values = {
        "serial_number": ("Serial number of the unit", run.unit.serial_number),
        "part_number": ("Part", run.part.number),
        "revision_number": ("Revision", run.revision.name),
        "batch_number": ("Batch (empty: none)", batch),
        "operator": ("Operator: the e-mail of a member, or a name (empty: nobody)", operator),
        "procedure": ("Procedure", str(run.procedure.id)),
        "started_at": (f"Start, by the clock of {zone.key}", f"{started.date}T{started.time}"),
    }
    return [
        CorrectionField(
            name=name,
            label=label,
            value=value,
            was=value,
            reported=(said[name] or "nothing") if name in said else None,  # type: ignore[index]  # its names are these
            choices=procedures if name == "procedure" else (),
            type="datetime-local" if name == "started_at" else "text",
            is_required=name not in _OPTIONAL,
        )
        for name, (label, value) in values.items()
    ]
