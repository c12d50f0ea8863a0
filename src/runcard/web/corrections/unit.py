"""Correcting a unit, and letting another unit have a serial number that it had before."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from runcard.auth.permissions import check_may_manage
from runcard.domain.errors import Conflict, InvalidInput, NotFound, UnitNotFound
from runcard.domain.floor.reason import MAX_REASON, check_reason
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import Services, WithServices
from runcard.ingest.corrections.units import UnitCorrection, correct_units
from runcard.store.commit.transaction import Transaction
from runcard.store.lists.serials import list_former_serial_numbers
from runcard.store.units.records import UnitRecord, get_unit_by_id
from runcard.store.units.serials import let_go
from runcard.web.corrections.form import CorrectionField, changed_in, filled_in
from runcard.web.frame.forms import Fields, WithForm, problems_of
from runcard.web.frame.render import redirect, render
from runcard.web.frame.urls import correct_unit_url, unit_url
from runcard.web.frame.visit import Visit, WithVisit

router = APIRouter(prefix="/correct/{unit_id}")

_DEED = "correct units"
_NAMES = ("serial_number", "part_number", "revision_number", "batch_number")


class CorrectUnitPage(NamedTuple):
    """fields: what can be corrected. former: serial numbers that still find the unit. runs_follow, leads_on: whether
    these boxes are ticked.
    """

    url: str
    unit_url: str
    serial_number: str
    fields: Sequence[CorrectionField]
    runs_follow: bool
    leads_on: bool
    former: Sequence[str]
    reason: str
    most_reason: int
    problems: Sequence[str]


@router.get("")
def show_unit_correction(services: WithServices, visit: WithVisit, unit_id: str) -> Response:
    """The form that corrects a unit. Raises PermissionDenied and UnitNotFound."""
    check_may_manage(visit.actor, _DEED)
    return render("corrections/unit.html", _page(services, visit, unit_id, {}), visit)


@router.post("")
def submit_unit_correction(
    services: WithServices, visit: WithVisit, unit_id: str, fields: WithForm
) -> Response:
    """Correct a unit, and show it; if that is refused, show the form again with the reasons."""
    actor = check_may_manage(visit.actor, _DEED)

    def apply(tx: Transaction, unit: UUID, reason: str) -> None:
        correct_units(tx, actor, [unit], _correction(fields), reason)

    return _change(services, visit, unit_id, fields, apply)


@router.post("/let-go")
def submit_letting_go(services: WithServices, visit: WithVisit, unit_id: str, fields: WithForm) -> Response:
    """Let another unit have a former serial number, and show the unit."""
    check_may_manage(visit.actor, _DEED)

    def apply(tx: Transaction, unit: UUID, reason: str) -> None:
        let_go(tx, unit, fields.get("former", ""), reason)

    return _change(services, visit, unit_id, fields, apply)


def _change(
    services: Services,
    visit: Visit,
    unit_id: str,
    fields: Fields,
    change: Callable[[Transaction, UUID, str], None],
) -> Response:
    """Change a unit for a reason, and show it; if that is refused, show the form again with the reasons."""
    known = id_of(unit_id, UnitNotFound)

    def apply(tx: Transaction) -> str:
        change(tx, known, check_reason(fields.get("reason", "")))
        return get_unit_by_id(tx.scope, known).serial_number

    try:
        serial_number = services.writer.write_catalog(visit.actor, apply)
    except UnitNotFound:
        raise
    except (InvalidInput, Conflict, NotFound) as error:
        page = _page(services, visit, unit_id, fields, problems_of(error))
        return render("corrections/unit.html", page, visit, status=answer_error(error).status)
    return redirect(unit_url(serial_number))


def _correction(fields: Fields) -> UnitCorrection:
    given: dict[str, Any] = dict(changed_in(fields, _NAMES))
    if given.get("batch_number") == "":
        given["batch_number"] = None
    return UnitCorrection(**given, runs_follow="runs_follow" in fields, leads_on="leads_on" in fields)


def _page(
    services: Services, visit: Visit, unit_id: str, fields: Fields, problems: Sequence[str] = ()
) -> CorrectUnitPage:
    with services.database.read_in(visit.actor.organization_id) as scope:
        unit = get_unit_by_id(scope, id_of(unit_id, UnitNotFound))
        former = list_former_serial_numbers(scope, [unit.id]).get(unit.id, ())
    shown = _fields(unit)
    return CorrectUnitPage(
        url=correct_unit_url(unit.id),
        unit_url=unit_url(unit.serial_number),
        serial_number=unit.serial_number,
        fields=filled_in(shown, fields) if fields else shown,
        runs_follow=not fields or "runs_follow" in fields,
        leads_on=not fields or "leads_on" in fields,
        former=former,
        reason=fields.get("reason", ""),
        most_reason=MAX_REASON,
        problems=problems,
    )


def _fields(unit: UnitRecord) -> Sequence[CorrectionField]:
    values = {
        "serial_number": ("Serial number", unit.serial_number),
        "part_number": ("Part", unit.part.number),
        "revision_number": ("Revision", unit.revision.number),
        "batch_number": ("Batch (empty: none)", unit.batch.number if unit.batch else ""),
    }
    return [
        CorrectionField(name, label, value, value, is_required=name != "batch_number")
        for name, (label, value) in values.items()
    ]
