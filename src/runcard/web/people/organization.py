"""The settings of an organization: its name, what stations may create, how part numbers are read, and retention."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, NamedTuple

from fastapi import APIRouter
from msgspec import Struct
from msgspec.structs import replace
from starlette.responses import Response

from runcard.auth.permissions import check_may_administer, may_administer
from runcard.domain.errors import InvalidInput
from runcard.domain.floor.organization import Organization
from runcard.domain.floor.serial import part_number_of
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.services import Services, WithServices
from runcard.store.commit.lookups import get_organization
from runcard.store.commit.transaction import Transaction
from runcard.store.people.organizations import update_organization
from runcard.store.runs.rows import count_runs_since
from runcard.store.units.records import UnitRecord, list_newest_units
from runcard.web.evidence.lines import ThingHistory, history_of
from runcard.web.frame.forms import Fields, WithForm, problems_of, whole_number
from runcard.web.frame.render import redirect, render
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import page_query
from runcard.web.people.retention import (
    Question,
    RetentionCard,
    question_about,
    retention_card,
    retention_in,
)

router = APIRouter()

_HERE = "/settings/organization"
_PREVIEWED = 20
_POLICIES = {
    "station_may_create_parts": "Parts",
    "station_may_create_revisions": "Revisions",
    "station_may_create_batches": "Batches",
    "station_may_create_units": "Units",
    "station_may_create_versions": "Versions of procedures",
}


class OrganizationQuery(Struct, kw_only=True):
    """saved: the settings have just been saved."""

    saved: bool = False


class ReadLine(NamedTuple):
    """part: the part number of the unit. read: the one that the pattern finds; empty if it finds none."""

    serial_number: str
    part: str
    read: str


class Policy(NamedTuple):
    field: str
    label: str
    is_open: bool


class OrganizationPage(NamedTuple):
    """pattern, quota: as they stand in the form. broken: what is wrong with the pattern. used: the runs of this month.

    question: what the member must confirm before the settings are saved; None: nothing.
    """

    name: str
    slug: str
    pattern: str
    broken: Sequence[str]
    preview: Sequence[ReadLine]
    has_units: bool
    quota: str
    used: str
    policies: Sequence[Policy]
    retention: RetentionCard
    question: Question | None
    may_change: bool
    history: ThingHistory | None
    is_saved: bool
    problems: Sequence[str]


@router.get(_HERE)
def show_organization(
    services: WithServices,
    visit: WithVisit,
    query: Annotated[OrganizationQuery, page_query(OrganizationQuery)],
) -> Response:
    return _show(services, visit, None, shows="saved" if query.saved else None)


@router.post(_HERE)
def submit_organization(services: WithServices, visit: WithVisit, fields: WithForm) -> Response:
    check_may_administer(visit.actor, "change the organization")

    organization_id = visit.actor.organization_id

    def apply(tx: Transaction) -> None:
        update_organization(tx, _changed(get_organization(tx.scope), fields))

    try:
        with services.database.read_in(organization_id) as scope:
            now = get_organization(scope)
            question = question_about(scope, now, retention_in(fields), fields)
        if question is not None:
            return _show(services, visit, fields, question=question)
        services.writer.write_catalog(visit.actor, apply)
    except InvalidInput as error:
        return _show(services, visit, fields, error)
    return redirect(f"{_HERE}?saved=true")


@router.post(f"{_HERE}/preview")
def preview(services: WithServices, visit: WithVisit, fields: WithForm) -> Response:
    """The same page, with what the pattern reads from serial numbers. Nothing is saved."""
    check_may_administer(visit.actor, "change the organization")
    return _show(services, visit, fields)


@router.post(f"{_HERE}/retention")
def preview_retention(services: WithServices, visit: WithVisit, fields: WithForm) -> Response:
    """The same page, with what retention would delete. Nothing is saved."""
    check_may_administer(visit.actor, "change the organization")
    return _show(services, visit, fields, shows="due")


def _show(
    services: Services,
    visit: Visit,
    fields: Fields | None,
    error: InvalidInput | None = None,
    *,
    question: Question | None = None,
    shows: Literal["saved", "due"] | None = None,
) -> Response:
    """The page. shows: what it adds: that the settings were saved, or what is due for deletion."""
    organization_id = visit.actor.organization_id
    with services.database.read_in(organization_id) as scope:
        now = get_organization(scope)
        units = list_newest_units(scope, _PREVIEWED)
        history = history_of(scope, visit, now.id) if may_administer(visit.actor) else None
        quota, month = now.monthly_run_quota, datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0)
        used = "" if quota is None else str(count_runs_since(scope, month, quota))
        retention = retention_card(
            scope,
            now,
            fields,
            services.activity,
            visit.zone,
            shows_due=shows == "due" or question is not None,
        )
    if fields is None:
        pattern, name = now.serial_number_pattern or "", now.name
        shown_quota = "" if quota is None else str(quota)
    else:
        pattern, name = fields.get("serial_number_pattern", "").strip(), fields.get("name", "")
        shown_quota = fields.get("monthly_run_quota", "")
    try:
        lines, broken = _read(units, pattern), None
    except InvalidInput as wrong:
        lines, broken = [], wrong
    page = OrganizationPage(
        name=name,
        slug=now.slug,
        pattern=pattern,
        broken=problems_of(broken),
        preview=lines,
        has_units=bool(units),
        quota=shown_quota,
        used=used,
        policies=[Policy(field, label, _is_open(now, fields, field)) for field, label in _POLICIES.items()],
        retention=retention,
        question=question,
        may_change=may_administer(visit.actor),
        history=history,
        is_saved=shows == "saved",
        problems=problems_of(error),
    )
    return render(
        "people/organization.html", page, visit, status=answer_error(error).status if error else 200
    )


def _read(units: Sequence[UnitRecord], pattern: str) -> Sequence[ReadLine]:
    """The part numbers that a pattern finds in the serial numbers of these units. Raises InvalidInput."""
    if not pattern:
        return []
    part_number_of("", pattern)
    return [
        ReadLine(one.serial_number, one.part.number, part_number_of(one.serial_number, pattern) or "")
        for one in units
    ]


def _changed(before: Organization, fields: Fields) -> Organization:
    policies = {field: field in fields for field in _POLICIES}
    retention = retention_in(fields)
    return replace(
        before,
        name=fields.get("name", "").strip(),
        serial_number_pattern=fields.get("serial_number_pattern", "").strip() or None,
        monthly_run_quota=whole_number(fields, "monthly_run_quota", "runs"),
        run_retention_days=retention.run_days,
        file_retention_days=retention.file_days,
        bin_days=whole_number(fields, "bin_days", "days"),
        **policies,
    )


def _is_open(now: Organization, fields: Fields | None, field: str) -> bool:
    is_open: bool = getattr(now, field)
    return is_open if fields is None else field in fields
