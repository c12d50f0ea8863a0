"""Lists of phases, measurements and logs, against a plain model of the same small histories."""

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.actor import SystemActor
from runcard.domain.errors import (
    InvalidInput,
    LogNotFound,
    MeasurementNotFound,
    PhaseNotFound,
    QueryTooSlow,
)
from runcard.domain.ids import RunPart, part_id
from runcard.domain.runs.phase import Log, Phase
from runcard.domain.runs.report import RunReport
from runcard.store.bin.deleting import Deletion
from runcard.store.contents.inside_runs import MAX_PLACES, Deadline, Listing, get_inside, list_inside
from runcard.store.contents.logs import LOG_ORDERS, LOGS, LogFilter, LogSort
from runcard.store.contents.measurements import (
    MEASUREMENT_ORDERS,
    MEASUREMENTS,
    MeasurementFilter,
    MeasurementSort,
)
from runcard.store.contents.phases import PHASE_ORDERS, PHASES, PhaseFilter, PhaseSort
from runcard.store.engine.scope import Scope
from runcard.store.lists.pages import Listed, Page
from runcard.store.lists.run_filter import RunFilter
from runcard.store.runs.rows import delete_run
from tests.conftest import Template
from tests.examples import one_in
from tests.histories import (
    KINDS,
    LONG,
    MEASUREMENT_OUTCOMES,
    RUN_OUTCOMES,
    SERIALS,
    START,
    Floor,
    conditions,
    histories,
    lengths,
    log_filters,
    moments,
    opened_floor,
    phase_filters,
    some_of,
)

run_filters = conditions(
    {
        "serial_numbers": some_of(["SN-B", "sn-a", "sn-c", "nowhere"]).map(sorted),
        "outcomes": some_of(RUN_OUTCOMES).map(sorted),
        "duration_min": lengths,
        "started_before": moments,
    },
    at_most=1,
)


class Row(NamedTuple):
    """Something in the model: its run, as reported, and its place in it, and in which phase it lies."""

    id: UUID
    run_id: UUID
    report: RunReport
    phase: Phase
    item: Any = None


@pytest.fixture(scope="module")
def floor(peopled: Template, peopled_database_url: str | None, module_data_dir: Path) -> Iterator[Floor]:
    """One floor for all histories, which keep apart by their procedures."""
    with opened_floor(peopled, peopled_database_url, module_data_dir) as floor:
        yield floor


def is_asked_for(run: RunReport, asked: dict[str, Any]) -> bool:
    serials = [serial.lower() for serial in asked.get("serial_numbers", SERIALS)]
    return (
        run.serial_number.lower() in serials
        and run.outcome in asked.get("outcomes", RUN_OUTCOMES)
        and run.duration >= asked.get("duration_min", timedelta())
        and run.started_at is not None
        and run.started_at <= asked.get("started_before", run.started_at)
    )


def ordered(rows: list[Row], value_of: Callable[[Row], Any], *, descending: bool) -> list[UUID]:
    """Ids by value, equals by run and place; all of it the other way round where descending, and None at the end."""
    with_value = sorted((row for row in rows if value_of(row) is not None), key=value_of)  # is stable
    without = [row for row in rows if value_of(row) is None]
    if descending:
        with_value.reverse()
        without.reverse()
    return [row.id for row in with_value + without]


def phase_rows(runs: dict[UUID, RunReport]) -> list[Row]:
    return [
        Row(part_id(run_id, RunPart.PHASE, place), run_id, report, phase)
        for run_id, report in runs.items()
        for place, phase in enumerate(report.phases)
    ]


def measurement_rows(runs: dict[UUID, RunReport]) -> list[Row]:
    rows: list[Row] = []
    for run_id, report in runs.items():
        found = [(phase, item) for phase in report.phases for item in phase.measurements]
        rows += [
            Row(part_id(run_id, RunPart.MEASUREMENT, place), run_id, report, phase, item)
            for place, (phase, item) in enumerate(found)
        ]
    return rows


def was_repeated(row: Row) -> bool:
    return any(
        (other.name, other.sequence_path) == (row.phase.name, row.phase.sequence_path)
        and other.retry_count > row.phase.retry_count
        for other in row.report.phases
    )


def number_of(row: Row) -> float | None:
    value = row.item.value
    return value if type(value) in (int, float) and math.isfinite(value) else None


def check(
    floor: Floor,
    history: Sequence[RunReport],
    asked: dict[str, Any],
    listed: Callable[[RunFilter, dict[UUID, RunReport]], tuple[Callable[..., Any], list[UUID], int]],
) -> None:
    procedure_id = floor.procedure()
    runs = floor.record(procedure_id, history)
    floor.record(floor.procedure(), history[:1])
    of_runs = RunFilter(procedure_ids=[procedure_id], **asked)
    left = {run_id: report for run_id, report in runs.items() if is_asked_for(report, asked)}
    list_, expected, limit = listed(of_runs, left)
    late = [report for report in history if is_asked_for(report, asked)][:1]
    assert floor.pages(list_, limit, lambda: floor.record(procedure_id, late)) == expected


page_lengths = st.integers(1, 4)
few = one_in(4)


@pytest.mark.parametrize("by", PHASE_ORDERS)
@few
@given(histories, run_filters, phase_filters, st.booleans(), page_lengths, st.booleans())
def test_phases(
    floor: Floor,
    by: PhaseSort,
    history: list[RunReport],
    of_runs: dict[str, Any],
    asked: dict[str, Any],
    descending: bool,
    limit: int,
    by_id: bool,
) -> None:
    values: dict[str, Callable[[Row], Any]] = {
        "started_at": lambda row: row.phase.started_at,
        "duration": lambda row: row.phase.ended_at - row.phase.started_at,
        "outcome": lambda row: row.phase.outcome,
        "serial_number": lambda row: row.report.serial_number.lower(),
        "phase_name": lambda row: row.phase.name,
    }

    def keeps(row: Row) -> bool:
        phase, length = row.phase, row.phase.ended_at - row.phase.started_at
        return (
            not (asked.get("only_final", False) and was_repeated(row))
            and ("names" not in asked or phase.name in asked["names"])
            and ("outcomes" not in asked or phase.outcome in asked["outcomes"])
            and ("sequence_paths" not in asked or phase.sequence_path in asked["sequence_paths"])
            and asked.get("started_after", phase.started_at) <= phase.started_at
            and phase.started_at <= asked.get("started_before", phase.started_at)
            and asked.get("duration_min", length) <= length <= asked.get("duration_max", length)
        )

    def listed(runs: RunFilter, left: dict[UUID, RunReport]) -> tuple[Callable[..., Any], list[UUID], int]:
        rows = phase_rows(left)
        ids = [*[row.id for row in rows[::3]], *list(left)[:1], uuid4()] if by_id else None
        rows = [row for row in rows if keeps(row) and (ids is None or row.id in ids or row.run_id in ids)]

        def list_(connection: Any, home: UUID, page: Page) -> Any:
            wanted = PhaseFilter(ids=ids, **asked)
            return list_inside(
                Scope(connection, home), PHASES, runs, wanted, Listing(by, page, Deadline(LONG), descending)
            )

        return list_, ordered(rows, values[by], descending=descending), limit

    check(floor, history, of_runs, listed)


measurement_filters = conditions(
    {
        "only_final": st.booleans(),
        "names": some_of("mo"),
        "phase_names": some_of("pq"),
        "outcomes": some_of(MEASUREMENT_OUTCOMES),
        "kinds": some_of(KINDS),
        "started_after": moments,
        "value_min": st.sampled_from([-2, 0.5, 1]),
        "value_max": st.sampled_from([0, 1, 1.5]),
        "value_bool": st.booleans(),
        "value_strings": some_of(["", "a", "c"]),
    },
    at_most=2,
)


@pytest.mark.parametrize("by", MEASUREMENT_ORDERS)
@few
@given(histories, run_filters, measurement_filters, st.booleans(), page_lengths, st.booleans())
def test_measurements(
    floor: Floor,
    by: MeasurementSort,
    history: list[RunReport],
    of_runs: dict[str, Any],
    asked: dict[str, Any],
    descending: bool,
    limit: int,
    by_id: bool,
) -> None:
    values: dict[str, Callable[[Row], Any]] = {
        "started_at": lambda row: row.phase.started_at,
        "value": number_of,
        "outcome": lambda row: row.item.outcome,
        "serial_number": lambda row: row.report.serial_number.lower(),
        "phase_name": lambda row: row.phase.name,
        "measurement_name": lambda row: row.item.name,
    }

    def keeps(row: Row) -> bool:
        number, value = number_of(row), row.item.value
        return (
            not (asked.get("only_final", False) and was_repeated(row))
            and ("names" not in asked or row.item.name in asked["names"])
            and ("phase_names" not in asked or row.phase.name in asked["phase_names"])
            and ("outcomes" not in asked or row.item.outcome in asked["outcomes"])
            and ("kinds" not in asked or row.item.kind in asked["kinds"])
            and asked.get("started_after", row.phase.started_at) <= row.phase.started_at
            and ("value_min" not in asked or (number is not None and number >= asked["value_min"]))
            and ("value_max" not in asked or (number is not None and number <= asked["value_max"]))
            and ("value_bool" not in asked or value is asked["value_bool"])
            and ("value_strings" not in asked or (isinstance(value, str) and value in asked["value_strings"]))
        )

    def listed(runs: RunFilter, left: dict[UUID, RunReport]) -> tuple[Callable[..., Any], list[UUID], int]:
        rows = measurement_rows(left)
        ids = [*[row.id for row in rows[::3]], *list(left)[:1], uuid4()] if by_id else None
        rows = [row for row in rows if keeps(row) and (ids is None or row.id in ids or row.run_id in ids)]

        def list_(connection: Any, home: UUID, page: Page) -> Any:
            wanted = MeasurementFilter(ids=ids, **asked)
            return list_inside(
                Scope(connection, home),
                MEASUREMENTS,
                runs,
                wanted,
                Listing(by, page, Deadline(LONG), descending),
            )

        return list_, ordered(rows, values[by], descending=descending), limit

    check(floor, history, of_runs, listed)


HOLDING = {"straSSE": {"Straße", "STRASSE"}, "%": {"100 %"}, "A_B": {"a_b"}, "xyz": set()}


@pytest.mark.parametrize("by", LOG_ORDERS)
@few
@given(histories, run_filters, log_filters, st.booleans(), page_lengths)
def test_logs(
    floor: Floor,
    by: LogSort,
    history: list[RunReport],
    of_runs: dict[str, Any],
    asked: dict[str, Any],
    descending: bool,
    limit: int,
) -> None:
    values: dict[str, Callable[[Row], Any]] = {
        "created_at": lambda row: row.item.timestamp,
        "level": lambda row: ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"].index(row.item.level),
        "run_id": lambda row: row.run_id,
        "outcome": lambda row: row.report.outcome,
    }

    def keeps(log: Log) -> bool:
        return (
            ("search" not in asked or log.message in HOLDING[asked["search"]])
            and ("levels" not in asked or log.level in asked["levels"])
            and ("source_files" not in asked or log.source_file in asked["source_files"])
            and asked.get("logged_after", log.timestamp) <= log.timestamp
            and log.timestamp <= asked.get("logged_before", log.timestamp)
        )

    def listed(runs: RunFilter, left: dict[UUID, RunReport]) -> tuple[Callable[..., Any], list[UUID], int]:
        no_phase = Phase("", "PASS", START, START)
        rows = [
            Row(part_id(run_id, RunPart.LOG, place), run_id, report, no_phase, log)
            for run_id, report in left.items()
            for place, log in enumerate(report.logs)
            if keeps(log)
        ]

        def list_(connection: Any, home: UUID, page: Page) -> Any:
            wanted = LogFilter(**asked)
            return list_inside(
                Scope(connection, home), LOGS, runs, wanted, Listing(by, page, Deadline(LONG), descending)
            )

        return list_, ordered(rows, values[by], descending=descending), limit

    check(floor, history, of_runs, listed)


@few
@given(histories)
def test_each_is_found_by_its_id_and_nothing_else_is(floor: Floor, history: list[RunReport]) -> None:
    runs = floor.record(floor.procedure(), history)
    with floor.database.read() as connection:
        for row in phase_rows(runs):
            found = get_inside(Scope(connection, floor.home), PHASES, row.id)
            assert (found.id, found.run.id) == (row.id, row.run_id)
            assert repr(found.item.phase) == repr(row.phase)  # NaN is not itself
            assert found.item.is_final is not was_repeated(row)
        for row in measurement_rows(runs):
            measured = get_inside(Scope(connection, floor.home), MEASUREMENTS, row.id)
            assert repr((measured.item.measurement, measured.item.attempt.phase)) == repr(
                (row.item, row.phase)
            )
        for run_id, report in runs.items():
            for place, log in enumerate(report.logs):
                assert (
                    get_inside(
                        Scope(connection, floor.home), LOGS, part_id(run_id, RunPart.LOG, place)
                    ).item.log
                    == log
                )
            for nothing in (run_id, part_id(run_id, RunPart.PHASE, 99), uuid4()):
                with pytest.raises(PhaseNotFound):
                    get_inside(Scope(connection, floor.home), PHASES, nothing)
                with pytest.raises(MeasurementNotFound):
                    get_inside(Scope(connection, floor.home), MEASUREMENTS, nothing)
                with pytest.raises(LogNotFound):
                    get_inside(Scope(connection, floor.home), LOGS, nothing)
        for row in phase_rows(runs):
            with pytest.raises(PhaseNotFound):
                get_inside(Scope(connection, floor.elsewhere), PHASES, row.id)
            with pytest.raises(MeasurementNotFound):
                get_inside(Scope(connection, floor.home), MEASUREMENTS, row.id)


LOGGED = RunReport(
    procedure="later",
    serial_number="SN",
    part_number="P",
    outcome="PASS",
    logs=(Log("INFO", START, "one", "a.py", 1),),
)


class Clock:
    """Goes on by a second each time that somebody looks."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        self._now += 1
        return self._now


def test_a_list_ends_at_its_deadline(floor: Floor) -> None:
    procedure_id = floor.procedure()
    floor.record(procedure_id, [LOGGED] * 3)

    def list_(seconds: float) -> int:
        deadline = Deadline(seconds, Clock())
        runs = RunFilter(procedure_ids=[procedure_id])
        with floor.database.read_in(floor.home) as scope:
            found = list_inside(
                scope, LOGS, runs, LogFilter(), Listing[LogSort]("level", Page(9), deadline, descending=True)
            )
        return len(found.rows)

    assert list_(4) == 3
    with pytest.raises(QueryTooSlow, match="not ready within 3 s"):
        list_(3)


def test_more_places_than_a_list_keeps_are_refused(floor: Floor) -> None:
    page = Page(1, MAX_PLACES)
    with floor.database.read_in(floor.home) as scope, pytest.raises(InvalidInput) as refused:
        list_inside(
            scope,
            LOGS,
            RunFilter(),
            LogFilter(),
            Listing[LogSort]("level", page, Deadline(LONG), descending=True),
        )
    assert refused.value.issues[0].path == ("cursor",)


def test_more_documents_than_are_held_at_once(floor: Floor) -> None:
    procedure_id = floor.procedure()
    made = floor.record(procedure_id, [LOGGED] * 230)
    gone = next(iter(made))
    floor.writer.write_shared(lambda tx: delete_run(tx.of(SystemActor(floor.home, "test")), gone, Deletion()))
    with floor.database.read_in(floor.home) as scope:
        found = list_inside(
            scope,
            LOGS,
            RunFilter(procedure_ids=[procedure_id]),
            LogFilter(),
            Listing[LogSort]("created_at", Page(500), Deadline(LONG), descending=False),
        )
    assert [one.run.id for one in found.rows] == list(made)[1:]


def test_another_organization_sees_none_of_it(floor: Floor) -> None:
    procedure_id = floor.procedure()
    run_id = next(iter(floor.record(procedure_id, [LOGGED])))
    with floor.database.read_in(floor.elsewhere) as scope:
        found = list_inside(
            scope,
            LOGS,
            RunFilter(ids=[run_id]),
            LogFilter(),
            Listing[LogSort]("level", Page(9), Deadline(LONG), descending=False),
        )
    assert found == Listed([], has_more=False)
