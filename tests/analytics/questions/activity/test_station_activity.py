"""Which stations report: told by when runs were received, whatever the clock of the station says."""

from datetime import UTC, datetime, timedelta

from runcard.analytics.questions.activity.station_activity import SILENT_AFTER, station_activity
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.domain.actor import StationActor, SystemActor
from runcard.domain.runs.report import RunReport
from runcard.ingest.record_run import prepare_run, record_run
from runcard.store.lists.run_filter import RunFilter
from runcard.store.stations.rows import create_station
from tests.analytics.copies import own_copy
from tests.conftest import Template
from tests.histories import Floor

NOW = datetime(2026, 11, 26, 7, 30, tzinfo=UTC)


def test_a_station_whose_clock_is_ahead_becomes_silent(floor: Floor, peopled: Template):
    assert peopled.world is not None
    station = peopled.world.acme.fct.actor
    received_at = NOW - SILENT_AFTER - timedelta(hours=1)
    report = RunReport(
        procedure=str(floor.procedure()),
        serial_number="AHEAD",
        part_number="P",
        outcome="PASS",
        started_at=received_at + timedelta(hours=20),
    )
    run = prepare_run(report, received_at=received_at)
    floor.writer.write_shared(lambda tx: record_run(tx.of(station), station, run))
    week = Selection(RunFilter(started_after=NOW - timedelta(days=7), started_before=NOW))
    with own_copy(floor.database) as copy, floor.database.read_in(floor.home) as scope:
        copy.follow()
        with Snapshot(copy.copy, scope) as snapshot:
            answers = [station_activity(snapshot, one) for one in (Selection(RunFilter()), week)]
    ever, this_week = ([one for one in answer.stations if one.id == station.station_id] for answer in answers)
    assert [(one.runs, one.last_received_at, one.state(NOW)) for one in ever] == [(1, received_at, "silent")]
    assert [(one.runs, one.last_started_at, one.state(NOW)) for one in this_week] == [(0, None, "silent")]
    assert ever[0].state(received_at + timedelta(hours=1)) == "active"
    assert this_week[0].state(received_at + timedelta(hours=1)) == "active"
    assert [answer.n for answer in answers] == [1, 0]


def test_a_station_is_new_until_it_has_reported_and_not_again(floor: Floor):
    made = floor.writer.write_shared(
        lambda tx: create_station(tx.of(SystemActor(floor.home, "test")), "Unpacked", all_procedures=True)
    )
    station = StationActor(made.id, floor.home)
    received_at = NOW - timedelta(days=60)
    report = RunReport(
        procedure=str(floor.procedure()), serial_number="LONG-AGO", part_number="P", outcome="PASS"
    )
    week = Selection(RunFilter(started_after=NOW - timedelta(days=7), started_before=NOW))

    def state() -> str:
        with own_copy(floor.database) as copy, floor.database.read_in(floor.home) as scope:
            copy.follow()
            with Snapshot(copy.copy, scope) as snapshot:
                stations = station_activity(snapshot, week).stations
        return next(one.state(NOW) for one in stations if one.id == station.station_id)

    assert state() == "new"
    run = prepare_run(report, received_at=received_at)
    floor.writer.write_shared(lambda tx: record_run(tx.of(station), station, run))
    assert state() == "silent"
