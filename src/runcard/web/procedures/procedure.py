"""The page of one procedure: its runs, how long they take, what passes and fails, and its capability."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal, NamedTuple
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from msgspec import Meta
from msgspec.structs import replace
from starlette.responses import Response

from runcard.analytics.calendar import Period as Step
from runcard.analytics.lists.run_lists import latest_runs
from runcard.analytics.questions.activity.durations import durations
from runcard.analytics.questions.activity.phase_durations import TimedPhases, phase_durations
from runcard.analytics.questions.activity.throughput import throughput
from runcard.analytics.questions.values.capabilities import capabilities
from runcard.analytics.questions.values.capability import USUAL_ATTEMPTS
from runcard.analytics.questions.values.measurement_names import measurement_names
from runcard.analytics.questions.values.small_histograms import small_histograms
from runcard.analytics.questions.yields.first_pass_yield import first_pass_yield
from runcard.analytics.questions.yields.pareto import Failing, pareto
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.auth.permissions import may_manage
from runcard.domain.errors import ProcedureNotFound
from runcard.edge.requests.services import WithServices
from runcard.store.lists.choices import list_choices
from runcard.store.merging.splits import Returning, list_returning
from runcard.store.procedures.merges import PROCEDURES, Merge, list_merges_into
from runcard.store.procedures.rows import Procedure, get_procedure
from runcard.store.runs.records import RunRecord
from runcard.web.bin.deleting import url_if_deleted
from runcard.web.charts.chart import Chart, RatioPoint, ratio_bars, ratio_trend
from runcard.web.charts.counts import outcome_stack, pareto_plot
from runcard.web.charts.first_pass_yield import yield_tiles
from runcard.web.charts.tiles import Tile
from runcard.web.evidence.lines import ThingHistory, history_of
from runcard.web.frame.clocks import start_of
from runcard.web.frame.definitions import definition_of
from runcard.web.frame.formats import Moment, count_text, duration_text, moment_of, percent_text
from runcard.web.frame.left_out import left_out_lines
from runcard.web.frame.render import redirect, render
from runcard.web.frame.urls import procedure_url
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import (
    FigureQuery,
    FilterBar,
    attempts_field,
    filter_bar,
    filters_of,
    page_query,
    selection_of,
    url_of,
)
from runcard.web.lists.headings import Direction, Heading, headings
from runcard.web.lists.merges import returning_lines
from runcard.web.lists.page_runs import PageRuns
from runcard.web.lists.pager import Pager
from runcard.web.lists.period import step_of
from runcard.web.lists.point_links import PointLinks
from runcard.web.lists.run_columns import created_by_name
from runcard.web.lists.run_query import runs_url
from runcard.web.lists.table_files import TableFiles, files_of
from runcard.web.procedures.capability_table import COLUMNS, Sort, TableLine, sorted_rows, table_line
from runcard.web.procedures.durations import duration_trend, phase_bars, seconds_text

router = APIRouter()

Tab = Literal["runs", "duration", "yield", "capability"]
_TABS: dict[Tab, str] = {
    "runs": "Runs",
    "duration": "Duration",
    "yield": "First-pass yield",
    "capability": "Capability",
}
_LATEST = 20
_PAGE_SIZE = 25


class ProcedureQuery(FigureQuery, kw_only=True):
    """sort, order, offset: of the table of measurements."""

    tab: Tab = "runs"
    sort: Sort = "ppk"
    order: Direction = "asc"
    offset: Annotated[int, Meta(ge=0, le=100_000)] = 0


class TabLink(NamedTuple):
    name: str
    url: str
    is_here: bool


class LatestRunLine(NamedTuple):
    url: str
    serial_number: str
    outcome: str
    station: str
    started_at: Moment
    duration: str


class MeasurementTable(NamedTuple):
    """others: measurements without numbers in these runs, each with its page."""

    headings: Sequence[Heading]
    lines: Sequence[TableLine]
    pager: Pager
    others: Sequence[tuple[str, str]]
    files: TableFiles
    left_out: Sequence[str]
    definition: str


class Contents(NamedTuple):
    """What the open tab shows. runs: the latest runs, if it shows runs. runs_url: leads to all of them."""

    tiles: Sequence[Tile] = ()
    charts: Sequence[Chart] = ()
    definitions: Sequence[str] = ()
    runs: Sequence[LatestRunLine] = ()
    runs_url: str = ""
    table: MeasurementTable | None = None


class ProcedurePage(NamedTuple):
    """archived_at: None while it is in use. change_url: where a reader can change it; empty if they may not.

    merging: a sentence for each merge or split whose runs are still being moved.
    """

    name: str
    identifier: str
    archived_at: Moment | None
    change_url: str
    merging: Sequence[str]
    filters: FilterBar
    tabs: Sequence[TabLink]
    contents: Contents
    history: ThingHistory
    voided: int


class _ProcedureAsk(NamedTuple):
    runs: PageRuns
    procedure: Procedure
    query: ProcedureQuery

    @property
    def path(self) -> str:
        return f"/procedures/{self.procedure.id}"

    def links(self, step: Step) -> PointLinks:
        """The links of the points of charts over time."""
        own = {"procedure": self.procedure.id}
        return PointLinks(self.query, self.runs.selection.runs, step, self.runs.visit.zone, own)

    def url_of_measurement(self, name: str | None, phase: str) -> str:
        """The address of a measurement over the same runs; empty for a phase, which has no page."""
        if name is None:
            return ""
        return url_of(
            f"{self.path}/measurements", filters_of(self.query), procedure=None, name=name, phase=phase
        )

    def files_of(self, table: str) -> TableFiles:
        return files_of(f"{self.path}/{table}", self.query, "tab", "offset")


@router.get("/procedures/{procedure_id}")
def show_procedure(
    request: Request,
    services: WithServices,
    visit: WithVisit,
    procedure_id: str,
    query: Annotated[ProcedureQuery, page_query(ProcedureQuery)],
) -> Response:
    organization_id = visit.actor.organization_id
    with services.database.read_in(organization_id) as scope, Snapshot(services.copy, scope) as snapshot:
        try:
            procedure = get_procedure(scope, procedure_id)
        except ProcedureNotFound:
            if gone := url_if_deleted(scope, procedure_id):
                return redirect(gone)
            raise
        if procedure_id != str(procedure.id):
            return redirect(f"{procedure_url(procedure.id)}?{request.url.query}".removesuffix("?"))
        query = replace(query, procedure=None)
        ask = _ProcedureAsk(
            PageRuns(snapshot, visit, selection_within(procedure, query, visit.zone)), procedure, query
        )
        contents = _CONTENTS[query.tab](ask)
        choices = list_choices(scope)
        merges = list_merges_into(scope, procedure.id)
        returning = list_returning(scope, PROCEDURES, procedure.id)
        history = history_of(scope, visit, procedure.id)
    page = ProcedurePage(
        name=procedure.name,
        identifier=procedure.identifier,
        archived_at=None if procedure.archived_at is None else moment_of(procedure.archived_at, visit.zone),
        change_url=f"{ask.path}/change" if may_manage(visit.actor) else "",
        merging=_merging(merges, returning),
        filters=filter_bar(
            ask.path,
            query,
            choices,
            without=("procedure",),
            more=[attempts_field(query, USUAL_ATTEMPTS if query.tab == "capability" else "all")],
            left=("offset",),
        ),
        tabs=[
            TabLink(name, url_of(ask.path, filters_of(query), tab=tab), tab == query.tab)
            for tab, name in _TABS.items()
        ],
        contents=contents,
        history=history,
        voided=snapshot.voided,
    )
    return render("procedures/procedure.html", page, visit)


def _merging(merges: Sequence[Merge], returning: Sequence[Returning]) -> Sequence[str]:
    """A sentence for each merge or split whose runs are still being moved."""
    coming = [
        f"Runs of {one.name} ({one.identifier}) are being moved here: {count_text(one.moved)} are moved, "
        f"{count_text(one.left)} are left. Until then, figures count them separately."
        for one in merges
        if one.left
    ]
    return [*coming, *returning_lines(returning)]


def selection_within(procedure: Procedure, query: ProcedureQuery, zone: ZoneInfo) -> Selection:
    """The runs on the page of a procedure. Raises as `run_filter_of` does."""
    selection = selection_of(query, zone, datetime.now(UTC))
    return selection._replace(runs=replace(selection.runs, procedure_ids=[procedure.id]))


def _runs(ask: _ProcedureAsk) -> Contents:
    step = step_of(ask.query)
    answer = throughput(ask.runs.snapshot, ask.runs.selection, ask.runs.visit.zone, step)
    total = answer.total
    latest = latest_runs(ask.runs.snapshot, ask.runs.selection.counted, _LATEST)
    passed = sum(one.runs for one in total.outcomes if one.outcome == "PASS")
    return Contents(
        tiles=[
            Tile("Runs", count_text(total.runs)),
            Tile("Units", count_text(total.units)),
            Tile("Passed", count_text(passed)),
            Tile("Did not pass", count_text(total.runs - passed)),
        ],
        charts=[outcome_stack(answer.rows, step, ask.links(step))],
        definitions=[definition_of(answer)],
        runs=[_run_line(run, ask.runs.visit) for run in latest],
        runs_url=runs_url(ask.query, procedure=ask.procedure.id),
    )


def _durations(ask: _ProcedureAsk) -> Contents:
    zone, step = ask.runs.visit.zone, step_of(ask.query)
    runs = durations(ask.runs.snapshot, ask.runs.selection, zone, step)
    phases = phase_durations(ask.runs.snapshot, ask.runs.selection, TimedPhases(), zone)
    total = runs.total
    return Contents(
        tiles=[
            Tile("Median", seconds_text(total.median_s)),
            Tile("95 % take at most", seconds_text(total.p95_s)),
            Tile("Longest", seconds_text(total.max_s)),
            Tile("Runs", count_text(total.n)),
        ],
        charts=[duration_trend(runs.rows, step, ask.links(step)), phase_bars(phases.phases)],
        definitions=[definition_of(runs), definition_of(phases)],
    )


def _yields(ask: _ProcedureAsk) -> Contents:
    zone, step = ask.runs.visit.zone, step_of(ask.query)
    links = ask.links(step)
    over_time, by_station = (
        first_pass_yield(ask.runs.snapshot, ask.runs.selection, zone, group_by)
        for group_by in (step, "station")
    )
    phases, measurements = (
        pareto(ask.runs.snapshot, ask.runs.selection, Failing(kind)) for kind in ("phases", "measurements")
    )
    return Contents(
        tiles=[
            *yield_tiles(over_time.total),
            Tile(
                "Second-pass yield",
                percent_text(over_time.total.second_pass.ratio) or "–",
                "first or second run passed",
            ),
        ],
        charts=[
            ratio_trend(
                "trend",
                "First-pass yield",
                [RatioPoint(row.group, row.first_pass, links(row.group)) for row in over_time.rows],
                step,
            ),
            ratio_bars(
                "stations",
                "First-pass yield by station",
                [RatioPoint(row.group, row.first_pass) for row in by_station.rows],
            )._replace(files=ask.files_of("yield-by-station")),
            pareto_plot(
                phases, "Phases that fail", lambda one: ask.url_of_measurement(None, one.phase)
            )._replace(files=ask.files_of("failing-phases")),
            pareto_plot(
                measurements,
                "Measurements that fail",
                lambda one: ask.url_of_measurement(one.measurement, one.phase),
            )._replace(files=ask.files_of("failing-measurements")),
        ],
        definitions=[definition_of(over_time), definition_of(measurements)],
    )


def _capability(ask: _ProcedureAsk) -> Contents:
    query = ask.query
    of_procedure = (ask.runs.snapshot, ask.runs.selection, ask.procedure.id)
    answer = capabilities(*of_procedure)
    first, last = query.offset, query.offset + _PAGE_SIZE
    shown = sorted_rows(answer.rows, query.sort, query.order)[first:last]
    histograms = small_histograms(*of_procedure, shown)
    names = measurement_names(ask.runs.snapshot, ask.procedure.id)
    with_numbers = {(row.spec.phase, row.spec.name) for row in answer.rows}
    others = [one for one in names.names if (one.phase, one.name) not in with_numbers]
    return Contents(
        table=MeasurementTable(
            headings=headings(
                COLUMNS,
                query.sort,
                query.order,
                lambda sort, order: url_of(ask.path, query, sort=sort, order=order, offset=None),
            ),
            lines=[
                table_line(row, one, ask.url_of_measurement(row.spec.name, row.spec.phase))
                for row, one in zip(shown, histograms, strict=True)
            ],
            pager=Pager(
                rows=f"{first + 1}–{first + len(shown)}" if shown and len(shown) < len(answer.rows) else "",
                earlier_url=url_of(ask.path, query, offset=max(0, first - _PAGE_SIZE)) if first else "",
                later_url=url_of(ask.path, query, offset=last) if last < len(answer.rows) else "",
            ),
            others=[(one.name, ask.url_of_measurement(one.name, one.phase)) for one in others],
            files=ask.files_of("capability"),
            left_out=left_out_lines(answer.left_out),
            definition=definition_of(answer),
        )
    )


_CONTENTS = {"runs": _runs, "duration": _durations, "yield": _yields, "capability": _capability}


def _run_line(run: RunRecord, visit: Visit) -> LatestRunLine:
    return LatestRunLine(
        url=f"/runs/{run.id}",
        serial_number=run.unit.serial_number,
        outcome=run.outcome,
        station=created_by_name(run),
        started_at=start_of(run, visit.zone),
        duration=duration_text(run.duration),
    )
