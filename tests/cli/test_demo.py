"""The demo keeps what it promises: what happened on its line can be found in its runs."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean

import httpx
import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from runcard.cli.demo_line.floor import AMPLIFIER, BAD_STATION, BOARD, MODULE, STATIONS
from runcard.cli.demo_line.history import DemoRun, demo_runs
from runcard.cli.demo_line.samples import GOLDEN_SAMPLE, golden_runs
from runcard.cli.main import app
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.report import RunReport
from runcard.ingest.record_run import prepare_run
from runcard.store.calls.rows import api_calls
from runcard.store.engine.database import Database
from runcard.store.engine.tables import (
    causes,
    comments,
    deleted_things,
    file_imports,
    repairs,
    taggings,
    tags,
    thing_causes,
    units,
)
from runcard.store.engine.tables import runs as runs_table
from runcard.store.installation.integrity import count_runs
from tests.cli.commands import run_beside, serving_beside
from tests.servers import Installation

DAYS = 60
NOTES = (tags, taggings, causes, thing_causes, comments)
NOW = datetime(2026, 3, 12, 15, 30, tzinfo=UTC)  # a Thursday


@pytest.fixture(scope="module")
def history() -> list[DemoRun]:
    return list(demo_runs(1, 3000, DAYS, NOW))


def started_at(report: RunReport) -> datetime:
    assert report.started_at is not None
    return report.started_at


def first_passes(history: Sequence[DemoRun]) -> list[DemoRun]:
    """The first run of each unit."""
    return list({run.report.serial_number: run for run in reversed(history)}.values())


def pass_ratio(runs: Iterable[DemoRun]) -> float:
    return fmean(run.report.outcome == "PASS" for run in runs)


def values(history: Iterable[DemoRun], name: str) -> list[tuple[DemoRun, float]]:
    """Each value of a measurement, with its run."""
    return [
        (run, measurement.value)
        for run in history
        for phase in run.report.phases
        for measurement in phase.measurements
        if measurement.name == name and measurement.outcome != "UNSET"
    ]


def by(runs: Iterable[DemoRun], key: Callable[[DemoRun], str | None]) -> dict[str | None, list[DemoRun]]:
    grouped: dict[str | None, list[DemoRun]] = defaultdict(list)
    for run in runs:
        grouped[key(run)].append(run)
    return grouped


def measurements(history: Iterable[DemoRun]) -> list[Measurement]:
    return [each for run in history for phase in run.report.phases for each in phase.measurements]


def test_the_same_seed_makes_the_same_history_and_another_makes_another(history: list[DemoRun]) -> None:
    assert list(demo_runs(1, 3000, DAYS, NOW)) == history
    assert list(demo_runs(2, 3000, DAYS, NOW)) != history


def test_runs_come_in_order_within_shifts_and_end_by_now(history: list[DemoRun]) -> None:
    starts = [started_at(run.report) for run in history]
    assert len(starts) == 3000
    assert starts == sorted(starts)
    assert starts[0] >= NOW - timedelta(days=DAYS)
    assert max(started_at(run.report) + run.report.duration for run in history) <= NOW
    assert starts[-1].date() == NOW.date()
    assert {start.weekday() for start in starts} == {0, 1, 2, 3, 4}
    assert {start.hour for start in starts} <= set(range(6, 22))


@pytest.mark.parametrize("hour", range(0, 24, 5))
@pytest.mark.parametrize("day", [13, 14, 15])
def test_a_demo_made_at_any_hour_of_any_day_has_fresh_runs(day: int, hour: int) -> None:
    now = datetime(2026, 3, day, hour, 15, tzinfo=UTC)
    last = list(demo_runs(1, 300, DAYS, now))[-1].report
    assert now - timedelta(hours=12) < started_at(last) <= now - last.duration


def test_every_report_is_one_that_can_be_recorded(history: list[DemoRun]) -> None:
    for run in history:
        prepare_run(run.report)


def test_nine_units_in_ten_pass_the_first_time(history: list[DemoRun]) -> None:
    assert 0.90 <= pass_ratio(first_passes(history)) <= 0.94


def test_one_batch_of_boards_is_bad(history: list[DemoRun]) -> None:
    boards = [run for run in first_passes(history) if run.report.part_number == BOARD.part_number]
    ratios = {
        batch: pass_ratio(runs) for batch, runs in by(boards, lambda run: run.report.batch_number).items()
    }
    worst, *others = sorted(ratios, key=ratios.__getitem__)
    assert len(others) > 10
    assert ratios[worst] < 0.75 < ratios[others[0]]

    resistance = values(history, "feedback_resistance")
    shifted = fmean(value for run, value in resistance if run.report.batch_number == worst)
    usual = fmean(value for run, value in resistance if run.report.batch_number != worst)
    assert 70 < shifted - usual < 100


def test_one_station_reads_low(history: list[DemoRun]) -> None:
    means = {
        station: fmean(value for run, value in values(runs, "output_level"))
        for station, runs in by(history, lambda run: run.station).items()
    }
    assert set(means) == set(STATIONS)
    good = next(station for station in STATIONS if station != BAD_STATION)
    assert 0.15 < means[good] - means[BAD_STATION] < 0.25


def test_one_measurement_drifts(history: list[DemoRun]) -> None:
    drifting = [value for run, value in values(history, "bias_current") if run.report.outcome == "PASS"]
    fifth = len(drifting) // 5
    means = [fmean(drifting[position * fifth : (position + 1) * fifth]) for position in range(5)]
    assert means == sorted(means)
    assert 0.02 < means[-1] - means[0] < 0.05


def test_boards_become_modules_and_modules_amplifiers(history: list[DemoRun]) -> None:
    parts = {run.report.serial_number: run.report.part_number for run in history}
    passed: set[str] = set()
    assemblies = 0
    for run in history:
        report = run.report
        assert passed.issuperset(report.sub_units)
        made_of = {
            AMPLIFIER.part_number: [MODULE.part_number] * 2,
            MODULE.part_number: [BOARD.part_number],
            BOARD.part_number: [],
        }[report.part_number or ""]
        assert [parts[serial] for serial in report.sub_units] == made_of
        assemblies += report.part_number == AMPLIFIER.part_number
        if report.outcome == "PASS":
            passed.add(report.serial_number)
    assert assemblies > 300
    used = [serial for run in first_passes(history) for serial in run.report.sub_units]
    assert len(used) == len(set(used))


def test_what_fails_is_tested_again_and_mostly_elsewhere(history: list[DemoRun]) -> None:
    units = by(history, lambda run: run.report.serial_number).values()
    retested = [runs for runs in units if len(runs) > 1]
    assert len(retested) > 100
    assert max(map(len, units)) == 3
    for runs in retested:
        assert all(run.report.outcome != "PASS" for run in runs[:-1])
    assert any(runs[-1].report.outcome == "PASS" for runs in retested)
    assert fmean(runs[1].station != runs[0].station for runs in retested) > 0.6


def test_every_kind_of_outcome_and_value_occurs(history: list[DemoRun]) -> None:
    assert {run.report.outcome for run in history} == {"PASS", "FAIL", "ERROR", "TIMEOUT", "ABORTED"}
    phases = [phase for run in history for phase in run.report.phases]
    assert {phase.outcome for phase in phases} == {"PASS", "FAIL", "SKIP", "ERROR"}
    assert {phase.retry_count for phase in phases} == {0, 1}
    assert len({phase.name for phase in phases}) >= 12
    measured = measurements(history)
    kinds = {measurement.kind for measurement in measured}
    assert kinds == {"numeric", "boolean", "string", "multidimensional", "json", "empty"}
    assert {"V", "A", "Ω", "°C", "Hz", "dB", "%"} <= {measurement.uom for measurement in measured}
    for run in history:
        assert run.report.logs
        assert run.report.docstring
        assert run.report.operated_by


def test_outcomes_agree_with_what_was_measured(history: list[DemoRun]) -> None:
    for run in history:
        for phase in run.report.phases:
            outcomes = {measurement.outcome for measurement in phase.measurements}
            assert (phase.outcome == "FAIL") == ("FAIL" in outcomes)
        last = {phase.name: phase.outcome for phase in run.report.phases}
        if run.report.outcome in {"PASS", "FAIL"}:
            assert (run.report.outcome == "FAIL") == ("FAIL" in last.values())
    for measurement in measurements(history):
        if measurement.kind == "numeric" and not measurement.validators:
            lower, upper = measurement.limits
            is_inside = (lower is None or measurement.value >= lower) and (
                upper is None or measurement.value <= upper
            )
            assert is_inside == (measurement.outcome == "PASS")


def test_some_runs_attach_a_table_and_a_picture(history: list[DemoRun]) -> None:
    files = [file for run in history for file in run.files]
    assert 10 < len(files) < 100
    tables = [file.content for file in files if file.content_type == "text/csv"]
    pictures = [file.content for file in files if file.content_type == "image/png"]
    assert len(tables) == len(pictures) == len(files) / 2
    assert all(table.startswith(b"frequency_Hz,gain_dB\n") for table in tables)
    assert all(picture.startswith(b"\x89PNG\r\n\x1a\n") for picture in pictures)


def test_a_golden_sample_is_measured_at_each_station_once_a_week(history: list[DemoRun]) -> None:
    golden = list(golden_runs(1, history))
    assert {run.report.serial_number for run in golden} == {GOLDEN_SAMPLE}
    assert len(golden) == len(STATIONS) * (DAYS // 7 + 1)
    assert {run.station for run in golden} == set(STATIONS)
    assert golden == list(golden_runs(1, history))


def test_runs_note_the_fixture_and_the_air(history: list[DemoRun]) -> None:
    noted = [run.report.metadata or {} for run in history]
    assert {each["fixture"] for each in noted} == {"FX1-1", "FX1-2", "FX2-1", "FX2-2"}
    humid = [float(each["humidity_percent"]) for each in noted]
    assert min(humid) < 38
    assert max(humid) > 46


def test_the_demo_is_recorded_served_and_not_made_twice(tmp_path: Path) -> None:
    with serving_beside("demo", "--data-dir", tmp_path, "--runs", "200", "--days", "10") as demo:
        told = demo.first
        for name in ("api_key", "station_api_key"):
            key = {"Authorization": f"Bearer {told[name]}"}
            answer = httpx.get(f"{told['url']}/api/v1/runs?serial_number=none", headers=key)
            assert answer.status_code == 200
        assert demo.stop().code == 0

    again = run_beside("demo", "--data-dir", tmp_path, "--no-serve", "--json").json
    assert again == {name: value for name, value in told.items() if name != "url"}

    installation = Installation(tmp_path, None)
    checked = installation.runcard("doctor")
    assert checked["ok"], checked["findings"]
    assert checked["abandoned_uploads"] == 0
    with installation.database() as database, database.read() as connection:
        d, r = deleted_things.c, runs_table.c
        in_bin = connection.execute(select(func.count()).where(d.noun == "run")).scalar_one()
        voided = connection.execute(select(func.count()).where(r.voided_at.is_not(None))).scalar_one()
        # Beside those of the line: the golden sample's, and a subcontractor's.
        assert count_runs(connection) + in_bin == 200 + 2 * len(STATIONS) + 24
        counts = [connection.execute(select(func.count()).select_from(one)).scalar_one() for one in NOTES]
        assert all(counts), counts
    assert (voided, in_bin) == (5, 2)
    assert len(installation.runcard("user", "list")) == 7
    assert [station["name"] for station in installation.runcard("station", "list")] == list(STATIONS)
    assert len(installation.runcard("procedure", "list")) == 3
    waiting = {one["name"]: one["reason"] for one in installation.runcard("quarantine", "list")}
    assert set(waiting) == {
        "subcontractor-in-circuit (1).junit.xml",
        "firmware-build-417.junit.xml",
        "old-tester-week-12.csv",
    }
    activity = Database.open(None, tmp_path / "activity.sqlite3")
    with activity.read() as connection:
        assert set(connection.execute(select(api_calls.c.status)).scalars()) == {200, 400, 401}
    activity.close()
    access = tmp_path / "demo-access.json"
    assert json.loads(access.read_bytes())["password"] == told["password"]
    assert access.stat().st_mode & 0o077 == 0


def test_report_files_were_brought_in_beside_the_line(tmp_path: Path) -> None:
    run_beside("demo", "--data-dir", tmp_path, "--runs", "1500", "--days", "30", "--no-serve", "--json")
    with Installation(tmp_path, None).database() as database, database.read() as connection:
        imported = set(connection.execute(select(file_imports.c.importer)).scalars())
        assert imported == {"WSXF", "JUNIT"}
        repaired = connection.execute(select(func.count()).select_from(repairs)).scalar_one()
        assert repaired > 5
        golden = select(units.c.serial_number).where(units.c.sample == "golden")
        assert connection.execute(golden).scalars().all() == [GOLDEN_SAMPLE]


def test_a_demo_that_was_cut_short_is_told(tmp_path: Path) -> None:
    arguments = ["demo", "--data-dir", str(tmp_path), "--no-serve", "--runs", "1"]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    (tmp_path / "demo-access.json").write_bytes(b"")
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 1
    assert "Remove the directory" in done.stderr


def test_an_installation_of_its_own_is_left_alone(tmp_path: Path) -> None:
    installation = Installation(tmp_path, None)
    installation.runcard("init", "--organization", "Acme", "--email", "ada@acme.test")
    assert run_beside("demo", "--data-dir", tmp_path, "--no-serve", "--json").json == {"email": None}
    assert len(installation.runcard("organization", "list")) == 1
    with installation.database() as database, database.read() as connection:
        assert count_runs(connection) == 0
