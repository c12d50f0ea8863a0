"""Which stations report: told by when runs were received, whatever the clock of the station says."""

from datetime import UTC, datetime, timedelta

from runcard.analytics.asking import Selection, Snapshot
from runcard.analytics.questions.station_activity import SILENT_AFTER, station_activity
from runcard.domain.report import RunReport
from runcard.ingest.record_run import prepare_run, record_run
from runcard.store.run_filter import RunFilter
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
    floor.writer.run(lambda tx: record_run(tx, station, run))
    week = Selection(RunFilter(started_after=NOW - timedelta(days=7), started_before=NOW))
    with own_copy(floor.database) as copy, floor.database.read() as connection:
        copy.follow()
        with Snapshot(copy.copy, connection, floor.home) as snapshot:
            answers = [station_activity(snapshot, one) for one in (Selection(RunFilter()), week)]
    ever, this_week = ([one for one in answer.stations if one.id == station.station_id] for answer in answers)
    assert [(one.runs, one.last_received_at, one.is_active(NOW)) for one in ever] == [(1, received_at, False)]
    assert [(one.runs, one.last_started_at, one.is_active(NOW)) for one in this_week] == [(0, None, False)]
    assert ever[0].is_active(received_at + timedelta(hours=1))
    assert this_week[0].is_active(received_at + timedelta(hours=1))
    assert [answer.n for answer in answers] == [1, 0]
