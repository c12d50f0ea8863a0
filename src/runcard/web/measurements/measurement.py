"""The page of one measurement of a procedure: is it steady, does it fit its limits, and what does it depend on."""

from collections import Counter
from collections.abc import Callable, Sequence, Set
from datetime import UTC, datetime
from typing import Annotated, Literal, NamedTuple, TypeVar
from uuid import UUID

from fastapi import APIRouter
from msgspec import Meta
from msgspec.structs import replace
from starlette.responses import Response

from runcard.analytics.groups import GroupBy
from runcard.analytics.measured import MeasurementSelection
from runcard.analytics.questions.values.capability import USUAL_ATTEMPTS, CapabilityAnswer, capability
from runcard.analytics.questions.values.compare import CompareAnswer, compare
from runcard.analytics.questions.values.control_chart import ChartSettings, ControlChartAnswer, control_chart
from runcard.analytics.questions.values.control_points import BrokenRule
from runcard.analytics.questions.values.correlation import CorrelationAnswer, correlation
from runcard.analytics.questions.values.histogram import HistogramAnswer, histogram
from runcard.analytics.questions.values.measurement_names import MeasurementName, measurement_names
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.domain.errors import InvalidInput
from runcard.edge.requests.services import WithServices
from runcard.store.lists.choices import list_choices
from runcard.store.procedures.rows import get_procedure
from runcard.web.charts.chart import Chart
from runcard.web.charts.group_colours import GroupColours, group_colours
from runcard.web.frame.definitions import definition_of
from runcard.web.frame.formats import chance_text, count_text
from runcard.web.frame.left_out import left_out_lines, lines_of_one
from runcard.web.frame.render import render
from runcard.web.frame.visit import Visit, WithVisit
from runcard.web.lists.filters import (
    Field,
    FigureQuery,
    FilterBar,
    attempts_field,
    choice_field,
    filter_bar,
    filters_of,
    page_query,
    selection_of,
    url_of,
)
from runcard.web.lists.page_runs import PageRuns
from runcard.web.lists.table_files import TableFiles, files_of
from runcard.web.measurements.capability_lines import CapabilityLine, capability_line
from runcard.web.measurements.compare import boxes_plot, means_plot, scatter_plot
from runcard.web.measurements.control_chart import SegmentLine, control_chart_plot, segment_line
from runcard.web.measurements.distribution import histogram_plot, text_bars_plot
from runcard.web.measurements.values import values_url

router = APIRouter()
T = TypeVar("T")

By = Literal["station", "batch", "revision", "version", "nothing"]
_BY = {
    "station": "Station",
    "batch": "Batch",
    "revision": "Revision",
    "version": "Version",
    "nothing": "Nothing",
}
_RULES = {"western_electric": "Western Electric", "nelson": "Nelson"}
_LAST = {"100": "100 values", "500": "500 values", "2000": "2000 values"}

Name = Annotated[str, Meta(min_length=1, max_length=1000)]


class MeasurementPageQuery(FigureQuery, kw_only=True):
    """by: what the values are coloured and compared by. last: how many values the control chart shows.
    rules: the set of run rules that marks its points. phase, sequence_path, uom: None: all of them, or the latest.

    against, against_phase: a second measurement of the same runs.
    """

    name: Name
    phase: str | None = None
    by: By = "station"
    last: Literal["100", "500", "2000"] = "500"
    rules: Literal["western_electric", "nelson"] = "western_electric"
    sequence_path: str | None = None
    uom: str | None = None
    against: str | None = None
    against_phase: str | None = None


class Comparison(NamedTuple):
    """problem: why there is no comparison; else empty."""

    charts: Sequence[Chart]
    tests: Sequence[str]
    definition: str
    left_out: Sequence[str] = ()
    problem: str = ""


class RuleLine(NamedTuple):
    says: str
    points: str


class Other(NamedTuple):
    url: str
    phase: str
    name: str


class MeasurementPage(NamedTuple):
    """others: measurements of the procedure to compare this one with. no_against_url: of the page without a comparison;
    empty if there is none now.
    """

    procedure: str
    procedure_url: str
    name: str
    phase: str
    values_url: str
    filters: FilterBar
    is_empty: bool
    control: Chart
    segments: Sequence[SegmentLine]
    segment_files: TableFiles
    rules: Sequence[RuleLine]
    rule_files: TableFiles
    control_definition: str
    histogram: Chart
    texts: Chart | None
    capability: Sequence[CapabilityLine]
    capability_files: TableFiles
    capability_definition: str
    capability_left_out: Sequence[str]
    comparison: Comparison | None
    scatter: Chart | None
    no_against_url: str
    others: Sequence[Other]
    has_more_others: bool
    voided: int


class MeasurementAsk(NamedTuple):
    """The questions of a page, all about the same runs."""

    runs: PageRuns
    measured: MeasurementSelection
    query: MeasurementPageQuery

    @property
    def group_by(self) -> GroupBy | None:
        return None if self.query.by == "nothing" else self.query.by

    def control_chart(self) -> ControlChartAnswer:
        settings = ChartSettings(last=int(self.query.last))
        return control_chart(
            self.runs.snapshot,
            self.runs.selection,
            self.measured,
            settings,
            self.runs.visit.zone,
            self.group_by,
        )

    def histogram(self, group_by: GroupBy | None) -> HistogramAnswer:
        zone = self.runs.visit.zone
        return histogram(self.runs.snapshot, self.runs.selection, self.measured, zone, group_by)

    def capability(self) -> CapabilityAnswer:
        return capability(self.runs.snapshot, self.runs.selection, self.measured, self.runs.visit.zone)

    def compare(self, group_by: GroupBy) -> CompareAnswer:
        zone = self.runs.visit.zone
        return compare(self.runs.snapshot, self.runs.selection, self.measured, zone, group_by)

    def correlation(self, against: str) -> CorrelationAnswer:
        other = MeasurementSelection(self.measured.procedure_id, against, self.query.against_phase)
        return correlation(self.runs.snapshot, self.runs.selection, self.measured, other)


def measurement_ask(
    snapshot: Snapshot, visit: Visit, procedure_id: UUID, query: MeasurementPageQuery
) -> MeasurementAsk:
    """The questions about a measurement of this procedure. Raises as `run_filter_of` does."""
    measured = MeasurementSelection(
        procedure_id, query.name, query.phase, sequence_path=query.sequence_path, uom=query.uom
    )
    return MeasurementAsk(PageRuns(snapshot, visit, _selection(query, visit)), measured, query)


@router.get("/procedures/{procedure_id}/measurements")
def show_measurement(
    services: WithServices,
    visit: WithVisit,
    procedure_id: str,
    query: Annotated[MeasurementPageQuery, page_query(MeasurementPageQuery)],
) -> Response:
    organization_id = visit.actor.organization_id
    with services.database.read_in(organization_id) as scope, Snapshot(services.copy, scope) as snapshot:
        procedure = get_procedure(scope, procedure_id)
        ask = measurement_ask(snapshot, visit, procedure.id, query)
        chart = ask.control_chart()
        spread = _histogram(ask)
        fitness = _or_problem(ask.capability)
        comparison = None if ask.group_by is None else _comparison(ask, ask.group_by, spread)
        scatter = None if query.against is None else _scatter(ask, query.against)
        names = measurement_names(snapshot, procedure.id)
        choices = list_choices(scope)
    path = f"/procedures/{procedure.id}/measurements"
    broken = broken_rules(chart, query)
    colours = _colours(spread, chart)
    own = [
        attempts_field(query, USUAL_ATTEMPTS),
        choice_field("by", "Colour, compare by", query.by, list(_BY.items())),
        choice_field("last", "Control chart of", query.last, list(_LAST.items())),
        choice_field("rules", "Run rules", query.rules, list(_RULES.items())),
        *_places(query, names.names, {segment.spec.uom for segment in chart.segments}),
    ]
    page = MeasurementPage(
        procedure=procedure.name,
        procedure_url=url_of(
            f"/procedures/{procedure.id}", filters_of(query), procedure=None, tab="capability"
        ),
        name=query.name,
        phase=query.phase or "",
        values_url=values_url(replace(query, procedure=procedure.id), query.name, query.phase),
        filters=filter_bar(path, query, choices, without=("procedure",), more=own),
        is_empty=not chart.points and not spread.n,
        control=control_chart_plot(chart, broken, visit.zone, colours),
        segments=[segment_line(one) for one in chart.segments],
        segment_files=files_of(f"{path}/control-limits", query),
        rule_files=files_of(f"{path}/run-rules", query),
        capability_files=files_of(f"{path}/capability", query),
        rules=[RuleLine(one.says, count_text(len(one.points))) for one in broken],
        control_definition=definition_of(chart),
        histogram=histogram_plot(spread, colours),
        texts=text_bars_plot(spread.texts) if spread.texts.total.n else None,
        capability=[] if isinstance(fitness, str) else [capability_line(row) for row in fitness.rows],
        capability_definition=fitness if isinstance(fitness, str) else definition_of(fitness),
        capability_left_out=[] if isinstance(fitness, str) else left_out_lines(fitness.left_out),
        comparison=comparison,
        scatter=scatter,
        no_against_url="" if scatter is None else url_of(path, query, against=None, against_phase=None),
        others=[_other(path, query, one) for one in names.names if not _is_same(one, query)],
        has_more_others=not names.is_exact,
        voided=snapshot.voided,
    )
    return render("measurements/measurement.html", page, visit)


def broken_rules(chart: ControlChartAnswer, query: MeasurementPageQuery) -> Sequence[BrokenRule]:
    """The broken rules of the set that the query names."""
    return [one for one in chart.rules if one.rule.startswith(query.rules)]


def _scatter(ask: MeasurementAsk, other: str) -> Chart:
    return scatter_plot(ask.correlation(other), ask.measured.name, other)


def _selection(query: MeasurementPageQuery, visit: Visit) -> Selection:
    """The runs of the page, with the same choice of attempts for all its charts."""
    selection = selection_of(query, visit.zone, datetime.now(UTC))
    return selection._replace(attempts=query.attempts or USUAL_ATTEMPTS)


def _or_problem(ask: Callable[[], T]) -> T | str:
    """The answer to a question; if it covers too much to be shown, the reason as a text."""
    try:
        return ask()
    except InvalidInput as error:
        return "; ".join(issue.message for issue in error.issues)


def _histogram(ask: MeasurementAsk) -> HistogramAnswer:
    """The histogram by group; of all values together if there are too many groups."""
    found = _or_problem(lambda: ask.histogram(ask.group_by))
    return ask.histogram(None) if isinstance(found, str) else found


def _colours(spread: HistogramAnswer, chart: ControlChartAnswer) -> GroupColours:
    """The colours of the groups with the most values; if the histogram has no groups, the control chart decides."""
    if spread.rows:
        return group_colours((row.group, row.n) for row in spread.rows)
    charted = Counter(point.group for point in chart.points)
    return group_colours((group, charted[place]) for place, group in enumerate(chart.groups))


def _comparison(ask: MeasurementAsk, group_by: GroupBy, spread: HistogramAnswer) -> Comparison | None:
    found = _or_problem(lambda: ask.compare(group_by))
    if isinstance(found, str):
        return Comparison([], [], "", problem=found)
    if not found.groups:
        return None
    boxes = [boxes_plot(spread.rows, group_by)] if spread.rows else []
    anova, kruskal = found.anova, found.kruskal
    tests = [
        "" if anova is None else f"ANOVA: F {anova.statistic:.3g}, p {chance_text(anova.p)}",
        "" if kruskal is None else f"Kruskal-Wallis: H {kruskal.statistic:.3g}, p {chance_text(kruskal.p)}",
    ]
    charts = [means_plot(found, group_by), *boxes]
    return Comparison(charts, list(filter(None, tests)), definition_of(found), lines_of_one(found))


def _places(
    query: MeasurementPageQuery, names: Sequence[MeasurementName], uoms: Set[str | None]
) -> Sequence[Field]:
    """The fields that choose a phase and a unit of measure; each only if there are several to choose from."""
    phases = sorted({one.phase for one in names if one.name == query.name} | {query.phase or ""} - {""})
    units = sorted({one for one in (*uoms, query.uom) if one})
    return [
        choice_field(name, label, value, [("", "All"), *((one, one) for one in offered)])
        for name, label, value, offered in (
            ("phase", "Phase", query.phase, phases),
            ("uom", "Unit of measure", query.uom, units),
        )
        if len(offered) > 1 or value
    ]


def _is_same(measurement: MeasurementName, query: MeasurementPageQuery) -> bool:
    return measurement.name == query.name and query.phase in (None, measurement.phase)


def _other(path: str, query: MeasurementPageQuery, measurement: MeasurementName) -> Other:
    return Other(
        url_of(path, query, against=measurement.name, against_phase=measurement.phase),
        measurement.phase,
        measurement.name,
    )
