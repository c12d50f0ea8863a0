"""Merging a unit into another one that it is: the preview, and the merge."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated, NamedTuple

from fastapi import APIRouter
from msgspec import Meta, Struct
from starlette.responses import Response

from runcard.analytics.questions.yields.joined_units import JoinedUnits, joined_units
from runcard.analytics.snapshot import Snapshot
from runcard.analytics.statistics.ratios import Ratio
from runcard.auth.permissions import check_may_manage
from runcard.domain.errors import Conflict, InvalidInput, UnitNotFound
from runcard.domain.floor.reason import MAX_REASON, check_reason
from runcard.domain.text import lookup_key
from runcard.edge.answers.errors import answer_error
from runcard.edge.requests.ids import id_of
from runcard.edge.requests.services import Services, WithServices
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.scope import Scope
from runcard.store.lists.names import names_of
from runcard.store.unit_merges.merge import merge_units
from runcard.store.unit_merges.obstacles import Kept, check_can_be_one, have_two_parents, have_two_parts
from runcard.store.unit_merges.preview import count_of_unit, find_left_behind
from runcard.store.units.records import UnitRecord, get_unit, get_unit_by_id, list_newest_units
from runcard.store.units.rows import get_units_by_id
from runcard.web.frame.facts import metadata_facts
from runcard.web.frame.formats import count_text, percent_text
from runcard.web.frame.forms import Fields, WithForm, problems_of
from runcard.web.frame.render import redirect, render
from runcard.web.frame.urls import merge_unit_url, unit_url
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import page_query

router = APIRouter(prefix="/merge-unit/{unit_id}")

_DEED = "merge units"
_LOOKED_AT = 500
_SUGGESTED = 8
_HOW_CLOSE = 0.7


class MergeUnitQuery(Struct, kw_only=True):
    """into: the serial number of the unit to merge it into."""

    into: Annotated[str, Meta(max_length=255)] = ""


class JoinedProcedureLine(NamedTuple):
    """How many runs each unit has on a procedure, and how many of the first runs that count there passed."""

    name: str
    of_source: str
    of_into: str
    together: str
    before: str
    after: str
    is_changed: bool


class JoinedPartLine(NamedTuple):
    number: str
    before: str
    after: str


class PlaceLine(NamedTuple):
    """Where a unit belongs, and how much it has. parent: empty if it is part of none."""

    title: str
    part: str
    revision: str
    batch: str
    parent: str
    sub_units: str
    repairs: str
    files: str


class LeftLine(NamedTuple):
    """Something of the source that stays away, because the other unit has it otherwise."""

    what: str
    of_source: str
    of_into: str


class UnitMergePreview(NamedTuple):
    """parts: None if this server has no figures. keep_part, keep_parent: what the reader must confirm; empty if
    nothing.
    """

    into: str
    procedures: Sequence[JoinedProcedureLine]
    parts: Sequence[JoinedPartLine] | None
    places: Sequence[PlaceLine]
    left_behind: Sequence[LeftLine]
    keep_part: str
    keep_parent: str


class MergeUnitPage(NamedTuple):
    """into: the serial number that was typed. suggested: serial numbers that are much like its own. preview: None until
    another unit is chosen with which it can be one. kept: what is ticked.
    """

    url: str
    unit_url: str
    serial_number: str
    into: str
    suggested: Sequence[str]
    preview: UnitMergePreview | None
    kept: Kept
    reason: str
    most_reason: int
    problems: Sequence[str]
    voided: int


@router.get("")
def show_unit_merge(
    services: WithServices,
    visit: WithVisit,
    unit_id: str,
    query: Annotated[MergeUnitQuery, page_query(MergeUnitQuery)],
) -> Response:
    """Choose the other unit, and see what a merge would change. Raises PermissionDenied and UnitNotFound."""
    check_may_manage(visit.actor, _DEED)
    return render("units/merge.html", _page(services, visit, unit_id, query.into, {}), visit)


@router.post("")
def submit_unit_merge(services: WithServices, visit: WithVisit, unit_id: str, fields: WithForm) -> Response:
    """Merge the unit, and show the other; if that is refused, show the page again with the reasons."""
    check_may_manage(visit.actor, _DEED)
    known, into = id_of(unit_id, UnitNotFound), fields.get("into", "")

    def apply(tx: Transaction) -> str:
        reason = check_reason(fields.get("reason", ""))
        other = tx.catalog.get_unit(tx.organization_id, into)
        return merge_units(tx, known, other.id, _kept(fields), reason).serial_number

    try:
        serial_number = services.writer.write_catalog(visit.actor, apply)
    except (InvalidInput, Conflict) as error:
        page = _page(services, visit, unit_id, into, fields, problems_of(error))
        return render("units/merge.html", page, visit, status=answer_error(error).status)
    return redirect(unit_url(serial_number))


def _page(
    services: Services,
    visit: Visit,
    unit_id: str,
    into: str,
    fields: Fields,
    problems: Sequence[str] = (),
) -> MergeUnitPage:
    known = id_of(unit_id, UnitNotFound)
    scoped = services.database.read_in(visit.actor.organization_id)
    with scoped as scope, Snapshot(services.copy, scope) as snapshot:
        unit = get_unit_by_id(scope, known)
        preview, obstacles = None, list(problems)
        if into:
            try:
                preview = _preview(snapshot, unit, get_unit(scope, into.strip()))
            except (UnitNotFound, Conflict) as error:
                obstacles = obstacles or [str(error)]
        suggested = _suggested(scope, unit)
    return MergeUnitPage(
        url=merge_unit_url(unit.id),
        unit_url=unit_url(unit.serial_number),
        serial_number=unit.serial_number,
        into=into,
        suggested=suggested,
        preview=preview,
        kept=_kept(fields),
        reason=fields.get("reason", ""),
        most_reason=MAX_REASON,
        problems=obstacles,
        voided=snapshot.voided,
    )


def _kept(fields: Fields) -> Kept:
    return Kept("keep_part" in fields, "keep_parent" in fields)


def _suggested(scope: Scope, unit: UnitRecord) -> Sequence[str]:
    """The serial numbers of late units of the same part that look like that of the unit, the most alike first."""
    late = {
        lookup_key(one.serial_number): one.serial_number
        for one in list_newest_units(scope, _LOOKED_AT)
        if one.part.id == unit.part.id and one.id != unit.id
    }
    found = get_close_matches(lookup_key(unit.serial_number), late, _SUGGESTED, _HOW_CLOSE)
    return [late[key] for key in found]


def _preview(snapshot: Snapshot, source: UnitRecord, into: UnitRecord) -> UnitMergePreview:
    """What a merge would change. Raises Conflict if the two cannot be one."""
    scope = snapshot.scope
    rows = get_units_by_id(scope, [source.id, into.id])
    check_can_be_one(scope, rows[source.id], rows[into.id])
    joined = joined_units(snapshot, source.id, into.id)
    differ = have_two_parts(rows[source.id], rows[into.id])
    return UnitMergePreview(
        into=into.serial_number,
        procedures=_procedures(scope, joined),
        parts=None
        if joined.parts is None
        else [JoinedPartLine(one.number, _yield(one.before), _yield(one.after)) for one in joined.parts],
        places=_places(scope, source, into),
        left_behind=_left_behind(scope, source, into),
        keep_part=into.part.number if differ else "",
        keep_parent=into.parent.serial_number
        if into.parent and have_two_parents(rows[source.id], rows[into.id])
        else "",
    )


def _procedures(scope: Scope, joined: JoinedUnits) -> Sequence[JoinedProcedureLine]:
    names = names_of(scope, "procedure", [one.procedure_id for one in joined.procedures])
    return [
        JoinedProcedureLine(
            names[one.procedure_id],
            count_text(one.of_source),
            count_text(one.of_into),
            count_text(one.of_source + one.of_into),
            _passed(one.before),
            _passed(one.after),
            one.before != one.after,
        )
        for one in joined.procedures
    ]


def _places(scope: Scope, source: UnitRecord, into: UnitRecord) -> Sequence[PlaceLine]:
    """Both units, and the one that they become."""
    old, new = (count_of_unit(scope, one.id) for one in (source, into))
    together = into if into.parent is not None else into._replace(parent=source.parent)
    counted = [
        (source.serial_number, source, old),
        (into.serial_number, into, new),
        (f"{into.serial_number} then", together, None),
    ]
    return [
        PlaceLine(
            title,
            unit.part.number,
            unit.revision.number,
            unit.batch.number if unit.batch else "",
            unit.parent.serial_number if unit.parent else "",
            count_text(counts.sub_units if counts else old.sub_units + new.sub_units),
            count_text(counts.repairs if counts else old.repairs + new.repairs),
            count_text(counts.files if counts else old.files + new.files),
        )
        for title, unit, counts in counted
    ]


def _left_behind(scope: Scope, source: UnitRecord, into: UnitRecord) -> Sequence[LeftLine]:
    found = find_left_behind(scope, source.id, into.id)
    lines: list[LeftLine] = []
    if source.sample != into.sample:
        lines.append(LeftLine("Class", source.sample or "production", into.sample or "production"))
    if found.causes is not None:
        lines.append(LeftLine("Cause", *(f"{one.code} {one.name}" for one in found.causes)))
    for key, values in found.metadata.items():
        old, new = (metadata_facts({key: value})[0].value for value in values)
        lines.append(LeftLine(f"Metadata {key}", old, new))
    return lines


def _passed(firsts: Ratio) -> str:
    return f"{count_text(firsts.count)} of {count_text(firsts.n)}"


def _yield(firsts: Ratio) -> str:
    return f"{percent_text(firsts.ratio)} ({_passed(firsts)})" if firsts.n else "–"
