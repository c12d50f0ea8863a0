"""The questions, put to an installation on this machine or to its database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, Unpack
from uuid import UUID

from platformdirs import user_cache_path

from runcard.analytics.groups import GroupBy, zone_of
from runcard.analytics.measured import MeasurementSelection
from runcard.analytics.questions.activity.durations import DurationsAnswer, durations
from runcard.analytics.questions.activity.phase_durations import (
    PhaseDurationsAnswer,
    TimedPhases,
    phase_durations,
)
from runcard.analytics.questions.activity.throughput import ThroughputAnswer, throughput
from runcard.analytics.questions.activity.utilisation import UtilisationAnswer, utilisation
from runcard.analytics.questions.values.capabilities import MAX_ROWS, CapabilitiesAnswer, capabilities
from runcard.analytics.questions.values.capability import CapabilityAnswer, Within, capability
from runcard.analytics.questions.values.compare import CompareAnswer, compare
from runcard.analytics.questions.values.control_chart import ChartSettings, ControlChartAnswer, control_chart
from runcard.analytics.questions.values.correlation import CorrelationAnswer, correlation
from runcard.analytics.questions.values.histogram import HistogramAnswer, histogram
from runcard.analytics.questions.values.outcome_disagreement import (
    OutcomeDisagreementAnswer,
    Shown,
    outcome_disagreement,
)
from runcard.analytics.questions.yields.first_pass_yield import YieldAnswer, first_pass_yield
from runcard.analytics.questions.yields.pareto import Failing, ParetoAnswer, ParetoKind, pareto
from runcard.analytics.questions.yields.retest import ManyAttempts, RetestAnswer, retest
from runcard.analytics.questions.yields.rolled_yield import RolledYieldAnswer, rolled_yield
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.analytics.statistics.control_limits import ChartKind
from runcard.domain.errors import InvalidInput
from runcard.notebook.private_copy import PrivateCopy, Progress
from runcard.notebook.query import AskedRuns, check, procedure_id_of, selection_of
from runcard.opening import open_unmigrated
from runcard.settings import check_is_there, load_settings
from runcard.store.engine.database import Database, DatabaseFailed
from runcard.store.engine.migrate import is_newest_schema
from runcard.store.moving.journal import check_not_moved
from runcard.store.people.organizations import get_organization_by_slug


class _Asking(NamedTuple):
    """The first two arguments of every question."""

    snapshot: Snapshot
    selection: Selection

    def procedure_id(self, reference: str) -> UUID:
        return procedure_id_of(self.snapshot.scope, reference)

    def measured(
        self, procedure: str, name: str, phase: str | None, uom: str | None = None, *, only_final: bool
    ) -> MeasurementSelection:
        procedure_id = self.procedure_id(procedure)
        return MeasurementSelection(procedure_id, name, phase, only_final=only_final, uom=uom)


class Notebook:
    """Answers questions about one organization. Each question first takes in what was recorded since the last one.

    All questions take the conditions of `AskedRuns`. Groups are periods in `time_zone`, or what runs refer to.
    Questions raise InvalidInput, or NotFound for an unknown name.
    """

    def __init__(
        self,
        data_dir: Path | str | None = None,
        *,
        database_url: str | None = None,
        organization: str | None = None,
        cache_dir: Path | str | None = None,
        progress: Progress | None = None,
    ) -> None:
        """data_dir, database_url: as for `runcard serve`, from RUNCARD_* variables and runcard.toml too.

        organization: its slug; needed if there are several. cache_dir: None: the cache folder of this user. progress:
        called with the number of changes taken in so far, and the number of all. Raises SettingsError,
        DatabaseFailed, NotFound, InvalidInput.
        """
        settings = load_settings(data_dir=data_dir, database_url=database_url)
        check_is_there(settings)
        self._progress = progress
        self._database = open_unmigrated(settings)
        try:
            check_not_moved(self._database)
            self._organization_id = _organization_of(self._database, organization)
            cache = user_cache_path("runcard") if cache_dir is None else Path(cache_dir)
            self._copy = PrivateCopy(self._database, cache)
        except BaseException:
            self._database.close()
            raise

    def close(self) -> None:
        self._copy.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def first_pass_yield(
        self, *, group_by: GroupBy | None = None, time_zone: str = "UTC", **runs: Unpack[AskedRuns]
    ) -> YieldAnswer:
        with self._asking(runs, group_by=group_by) as asking:
            return first_pass_yield(*asking, zone_of(time_zone), group_by)

    def rolled_yield(self, **runs: Unpack[AskedRuns]) -> RolledYieldAnswer:
        with self._asking(runs) as asking:
            return rolled_yield(*asking)

    def throughput(
        self, *, group_by: GroupBy | None = None, time_zone: str = "UTC", **runs: Unpack[AskedRuns]
    ) -> ThroughputAnswer:
        with self._asking(runs, group_by=group_by) as asking:
            return throughput(*asking, zone_of(time_zone), group_by)

    def utilisation(self, **runs: Unpack[AskedRuns]) -> UtilisationAnswer:
        with self._asking(runs) as asking:
            return utilisation(*asking)

    def retest(
        self,
        *,
        group_by: GroupBy | None = None,
        time_zone: str = "UTC",
        more_than: int = 2,
        limit: int = 50,
        offset: int = 0,
        **runs: Unpack[AskedRuns],
    ) -> RetestAnswer:
        """limit, offset: which units `unit_page` shows, of those with more than `more_than` attempts."""
        with self._asking(runs, group_by=group_by, more_than=more_than, limit=limit, offset=offset) as asking:
            many = ManyAttempts(more_than, limit, offset)
            return retest(*asking, zone_of(time_zone), group_by, many)

    def pareto(
        self,
        kind: ParetoKind = "phases",
        *,
        exclude_retries: bool = True,
        top: int = 20,
        **runs: Unpack[AskedRuns],
    ) -> ParetoAnswer:
        with self._asking(runs, kind=kind, top=top) as asking:
            return pareto(*asking, Failing(kind, exclude_retries, top))

    def durations(
        self, *, group_by: GroupBy | None = None, time_zone: str = "UTC", **runs: Unpack[AskedRuns]
    ) -> DurationsAnswer:
        with self._asking(runs, group_by=group_by) as asking:
            return durations(*asking, zone_of(time_zone), group_by)

    def phase_durations(
        self,
        *,
        phase: str | None = None,
        top: int = 20,
        exclude_retries: bool = True,
        group_by: GroupBy | None = None,
        time_zone: str = "UTC",
        **runs: Unpack[AskedRuns],
    ) -> PhaseDurationsAnswer:
        with self._asking(runs, group_by=group_by, top=top) as asking:
            return phase_durations(
                *asking, TimedPhases(exclude_retries, phase, top), zone_of(time_zone), group_by
            )

    def capability(
        self,
        procedure: str,
        measurement: str,
        *,
        phase: str | None = None,
        uom: str | None = None,
        subgroup_by: GroupBy | None = None,
        exclude_retries: bool = True,
        group_by: GroupBy | None = None,
        time_zone: str = "UTC",
        **runs: Unpack[AskedRuns],
    ) -> CapabilityAnswer:
        """uom: see `MeasurementSelection`. subgroup_by: sigma_within is pooled over these; None: from moving ranges."""
        with self._asking(runs, group_by=group_by, subgroup_by=subgroup_by) as asking:
            measured = asking.measured(procedure, measurement, phase, uom, only_final=exclude_retries)
            return capability(*asking, measured, zone_of(time_zone), group_by, Within(subgroup_by))

    def capabilities(
        self,
        procedure: str,
        *,
        limit: int = MAX_ROWS,
        exclude_retries: bool = True,
        **runs: Unpack[AskedRuns],
    ) -> CapabilitiesAnswer:
        """The capabilities of the measurements with the lowest Ppk, at most `limit`."""
        with self._asking(runs, limit=limit) as asking:
            procedure_id = asking.procedure_id(procedure)
            return capabilities(*asking, procedure_id, limit, only_final=exclude_retries)

    def control_chart(
        self,
        procedure: str,
        measurement: str,
        *,
        phase: str | None = None,
        uom: str | None = None,
        chart: ChartKind = "i_mr",
        last: int = 500,
        subgroup_size: int | None = None,
        exclude_retries: bool = True,
        group_by: GroupBy | None = None,
        time_zone: str = "UTC",
        **runs: Unpack[AskedRuns],
    ) -> ControlChartAnswer:
        """last, subgroup_size: see `ChartSettings`."""
        with self._asking(
            runs, group_by=group_by, chart=chart, last=last, subgroup_size=subgroup_size
        ) as asking:
            measured = asking.measured(procedure, measurement, phase, uom, only_final=exclude_retries)
            settings = ChartSettings(chart, last, subgroup_size)
            return control_chart(*asking, measured, settings, zone_of(time_zone), group_by)

    def histogram(
        self,
        procedure: str,
        measurement: str,
        *,
        phase: str | None = None,
        uom: str | None = None,
        bins: int | None = None,
        exclude_retries: bool = True,
        group_by: GroupBy | None = None,
        time_zone: str = "UTC",
        **runs: Unpack[AskedRuns],
    ) -> HistogramAnswer:
        """bins: their number; None: as many as suit the values."""
        with self._asking(runs, group_by=group_by, bins=bins) as asking:
            measured = asking.measured(procedure, measurement, phase, uom, only_final=exclude_retries)
            return histogram(*asking, measured, zone_of(time_zone), group_by, bins)

    def compare(
        self,
        procedure: str,
        measurement: str,
        *,
        phase: str | None = None,
        uom: str | None = None,
        exclude_retries: bool = True,
        group_by: GroupBy = "station",
        time_zone: str = "UTC",
        **runs: Unpack[AskedRuns],
    ) -> CompareAnswer:
        with self._asking(runs, group_by=group_by) as asking:
            measured = asking.measured(procedure, measurement, phase, uom, only_final=exclude_retries)
            return compare(*asking, measured, zone_of(time_zone), group_by)

    def correlation(
        self,
        x: tuple[str, str] | tuple[str, str, str],
        y: tuple[str, str] | tuple[str, str, str],
        *,
        exclude_retries: bool = True,
        **runs: Unpack[AskedRuns],
    ) -> CorrelationAnswer:
        """x, y: procedure and measurement, and the phase if several phases have a measurement of that name."""
        with self._asking(runs) as asking:
            sides = [
                asking.measured(procedure, name, phase[0] if phase else None, only_final=exclude_retries)
                for procedure, name, *phase in (x, y)
            ]
            return correlation(*asking, *sides)

    def outcome_disagreement(
        self,
        *,
        limit: int = 100,
        examples: int = 20,
        exclude_retries: bool = True,
        **runs: Unpack[AskedRuns],
    ) -> OutcomeDisagreementAnswer:
        """limit: of measurements. examples: of single values."""
        with self._asking(runs, limit=limit, examples=examples) as asking:
            return outcome_disagreement(*asking, Shown(limit, examples), only_final=exclude_retries)

    @contextmanager
    def _asking(self, runs: AskedRuns, **options: object) -> Iterator[_Asking]:
        try:
            check(options)
            self._copy.follow(self._progress)
            with (
                self._database.read_in(self._organization_id) as scope,
                Snapshot(self._copy.columns, scope) as snapshot,
            ):
                yield _Asking(snapshot, selection_of(scope, runs))
        except InvalidInput as error:
            _add_notes(error)
            raise


def _organization_of(database: Database, slug: str | None) -> UUID:
    with database.read() as connection:
        if not is_newest_schema(connection):
            raise DatabaseFailed(
                "The database has the schema of another version of Runcard. Install the version that serves it."
            )
        return get_organization_by_slug(connection, slug).id


def _add_notes(error: InvalidInput) -> None:
    """Add the issues as notes, because a traceback shows only the message."""
    for issue in error.issues:
        error.add_note(f"{issue.location}: {issue.message}")
