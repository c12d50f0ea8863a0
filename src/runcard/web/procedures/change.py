"""The forms that change a procedure: its name and identifier, whether it is in use, its merges, and its deletion."""

from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import UUID

from fastapi import APIRouter
from starlette.responses import Response

from runcard.auth.permissions import check_may_delete, check_may_manage, may_delete
from runcard.domain.errors import Conflict, InUse, InvalidInput, Merged, NameTaken, ProcedureNotFound
from runcard.domain.floor.reason import MAX_REASON, check_reason
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import Services, WithServices
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.scope import Scope
from runcard.store.merging.splits import preview_split
from runcard.store.merging.splits import split as take_back
from runcard.store.procedures.identifiers import list_former_identifiers
from runcard.store.procedures.merges import PROCEDURES, Merge, list_merges_into
from runcard.store.procedures.records import (
    ProcedureChange,
    change_procedure,
    count_runs_of,
    delete_procedure,
)
from runcard.store.procedures.rows import Procedure, check_name_is_free, get_former, get_procedure
from runcard.store.stations.records import list_stations_for
from runcard.web.bin.deleting import deletion_of
from runcard.web.frame.formats import Moment, count_text, moment_of
from runcard.web.frame.forms import Fields, WithForm, problems_of
from runcard.web.frame.render import redirect, render
from runcard.web.frame.urls import BIN, procedure_url
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.merges import MergeLine, SplitWords, split_lines

router = APIRouter(prefix="/procedures/{procedure_id}")

SAME_NAME = "same_name"
WAY_ON = "confirm below that you want a second one"


class ChangeProcedurePage(NamedTuple):
    """name, identifier: as they are now. fields: what was filled in. former: identifiers that still lead to it.

    runs: how many it has; empty if it has none. stations: how many may report it. name_is_taken: another procedure has
    the name that was filled in. merges: the procedures that were merged into it. most_reason: how many characters a
    reason may have.
    """

    url: str
    name: str
    identifier: str
    fields: Fields
    former: Sequence[str]
    archived_at: Moment | None
    runs: str
    stations: str
    merges: Sequence[MergeLine]
    name_is_taken: bool
    problems: Sequence[str]
    may_delete: bool
    most_reason: int = MAX_REASON


@router.get("/change")
def show_change(services: WithServices, visit: WithVisit, procedure_id: str) -> Response:
    check_may_manage(visit.actor, "change procedures")
    return render("procedures/change.html", _page(services, visit, procedure_id, {}), visit)


@router.post("/change")
def rename(services: WithServices, visit: WithVisit, procedure_id: str, fields: WithForm) -> Response:

    def change(tx: Transaction, procedure: Procedure) -> None:
        name = fields.get("name", "")
        if SAME_NAME not in fields:
            check_name_is_free(tx.scope, name, WAY_ON, but=procedure.id)
        changes = ProcedureChange(name=name, identifier=fields.get("identifier", ""))
        change_procedure(tx, procedure.id, changes)

    return _change(services, visit, procedure_id, change, fields)


@router.post("/archive")
def archive(services: WithServices, visit: WithVisit, procedure_id: str, fields: WithForm) -> Response:
    changes = ProcedureChange(archived=fields.get("archived") == "yes")
    return _change(
        services,
        visit,
        procedure_id,
        lambda tx, procedure: change_procedure(tx, procedure.id, changes),
    )


@router.post("/delete")
def delete(services: WithServices, visit: WithVisit, procedure_id: str, fields: WithForm) -> Response:
    check_may_delete(visit.actor, "delete procedures")
    deletion = deletion_of(fields)

    def change(tx: Transaction, procedure: Procedure) -> None:
        if str(procedure.id) != procedure_id:
            raise Merged(procedure.name, procedure.identifier)
        if count := count_runs_of(tx.scope, procedure.id):
            raise InUse(f"Procedure {procedure.name}", count, "runs")
        delete_procedure(tx, procedure.id, deletion)

    answer = _change(services, visit, procedure_id, change)
    here = f"{BIN}/{procedure_id}?done=deleted"
    return redirect(here) if answer.status_code == 303 else answer


@router.post("/split")
def split(services: WithServices, visit: WithVisit, procedure_id: str, fields: WithForm) -> Response:
    source_id = id_of(fields.get("source", ""), ProcedureNotFound)

    def change(tx: Transaction, procedure: Procedure) -> None:
        take_back(tx, PROCEDURES, source_id, procedure.id, check_reason(fields.get("reason", "")))

    return _change(services, visit, procedure_id, change)


def _change(
    services: Services,
    visit: Visit,
    procedure_id: str,
    change: Callable[[Transaction, Procedure], None],
    fields: Fields | None = None,
) -> Response:
    """Change a procedure and show it; if the change is refused, show the form again with the reasons."""
    check_may_manage(visit.actor, "change procedures")

    def apply(tx: Transaction) -> UUID:
        procedure = get_procedure(tx.scope, procedure_id)
        change(tx, procedure)
        return procedure.id

    try:
        changed = services.writer.write_catalog(visit.actor, apply)
    except (InvalidInput, Conflict) as error:
        page = _page(services, visit, procedure_id, fields or {}, error)
        return render("procedures/change.html", page, visit, status=answer_error(error).status)
    return redirect(procedure_url(changed))


def _page(
    services: Services,
    visit: Visit,
    procedure_id: str,
    fields: Fields,
    error: InvalidInput | Conflict | None = None,
) -> ChangeProcedurePage:
    organization_id = visit.actor.organization_id
    with services.database.read_in(organization_id) as scope:
        procedure = get_procedure(scope, procedure_id)
        former = list_former_identifiers(scope, [procedure.id])[procedure.id]
        runs = count_runs_of(scope, procedure.id)
        stations = list_stations_for(scope, procedure.id)
        merges = [_merge_line(scope, one, procedure, visit) for one in list_merges_into(scope, procedure.id)]
    archived_at = procedure.archived_at
    return ChangeProcedurePage(
        url=procedure_url(procedure.id),
        name=procedure.name,
        identifier=procedure.identifier,
        fields={"name": procedure.name, "identifier": procedure.identifier, **fields},
        former=former,
        archived_at=None if archived_at is None else moment_of(archived_at, visit.zone),
        runs=count_text(runs) if runs else "",
        stations=count_text(len(stations)),
        merges=merges,
        name_is_taken=isinstance(error, NameTaken),
        problems=problems_of(error),
        may_delete=may_delete(visit.actor),
    )


def _merge_line(scope: Scope, merge: Merge, target: Procedure, visit: Visit) -> MergeLine:
    by = merge.merged_by.user or merge.merged_by.station
    preview = preview_split(scope, PROCEDURES, merge.id, target.id)
    along = [get_former(scope, one) for one in preview.along]
    source = f"{merge.name} ({merge.identifier})"
    words = SplitWords(
        "procedure",
        source,
        f"{target.name} ({target.identifier})",
        "Its id and identifiers",
        "versions",
        "versions and links to stations",
        [f"{one.name} ({one.identifier})" for one in along],
    )
    return MergeLine(
        str(merge.source_id),
        source,
        merge.identifier,
        count_text(merge.moved),
        moment_of(merge.merged_at, visit.zone),
        by.name if by else "",
        split_lines(preview, words),
    )
