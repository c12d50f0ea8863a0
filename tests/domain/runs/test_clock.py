"""When a run counts, whatever its station's clock said."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.runs.clock import (
    EARLIEST,
    MOST_AHEAD,
    Times,
    counted_document,
    counted_times,
    is_wrong,
    reported_times,
)
from runcard.domain.runs.phase import Log, Phase
from runcard.domain.runs.run import RunDocument

RECEIVED_AT = datetime(2026, 11, 26, 7, 30, tzinfo=UTC)
YEAR_1, YEAR_9999 = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

any_moments = st.datetimes(timezones=st.just(UTC))
receipts = st.integers(0, 100 * 365).map(lambda days: datetime(2001, 1, 1, tzinfo=UTC) + timedelta(days=days))


class Run(NamedTuple):
    started_at: datetime
    ended_at: datetime
    reported_started_at: datetime | None
    reported_ended_at: datetime | None


@pytest.mark.parametrize(
    ("started_at", "wrong"),
    [
        (YEAR_1, True),
        (EARLIEST - timedelta(microseconds=1), True),
        (EARLIEST, False),
        (datetime(2005, 6, 1, tzinfo=UTC), False),
        (RECEIVED_AT, False),
        (RECEIVED_AT + MOST_AHEAD, False),
        (RECEIVED_AT + MOST_AHEAD + timedelta(microseconds=1), True),
        (YEAR_9999, True),
    ],
)
def test_a_clock_is_wrong_before_2000_and_more_than_a_day_ahead(started_at: datetime, wrong: bool):
    assert is_wrong(started_at, RECEIVED_AT) is wrong


@given(any_moments, any_moments, receipts)
def test_every_run_counts_within_the_calendar_and_what_was_said_is_kept(
    one: datetime, other: datetime, received_at: datetime
):
    said = Times(min(one, other), max(one, other))
    counted = counted_times(said, received_at)
    assert EARLIEST <= counted.started_at <= received_at + MOST_AHEAD
    assert counted.started_at <= counted.ended_at
    assert counted_times(counted, received_at) is counted
    if counted is said:
        run = Run(*counted, None, None)
    else:
        assert counted.started_at == received_at
        assert counted.duration in (said.duration, timedelta())
        run = Run(*counted, *said)
    assert reported_times(run) == said


def test_a_run_by_a_wrong_clock_takes_as_long_as_it_said():
    said = Times(YEAR_9999 - 3 * MINUTE, YEAR_9999)
    assert counted_times(said, RECEIVED_AT) == Times(RECEIVED_AT, RECEIVED_AT + 3 * MINUTE)


def test_a_clock_that_was_set_during_the_run_tells_no_duration():
    said = Times(datetime(1970, 1, 1, tzinfo=UTC), RECEIVED_AT - MINUTE)
    assert counted_times(said, RECEIVED_AT) == Times(RECEIVED_AT, RECEIVED_AT)


def test_what_lies_inside_a_run_moves_with_it():
    start = datetime(1970, 1, 1, tzinfo=UTC)
    document = RunDocument(
        phases=(
            Phase("early", "PASS", start + MINUTE, start + 2 * MINUTE),
            Phase("set meanwhile", "PASS", RECEIVED_AT, RECEIVED_AT + 2 * MINUTE),
        ),
        logs=(Log("INFO", start + 3 * MINUTE, "m", "f.py", 1), Log("INFO", YEAR_9999, "m", "f.py", 2)),
    )
    moved = counted_document(document, RECEIVED_AT, start)
    assert [(one.started_at, one.ended_at) for one in moved.phases] == [
        (RECEIVED_AT + MINUTE, RECEIVED_AT + 2 * MINUTE),
        (RECEIVED_AT, RECEIVED_AT + 2 * MINUTE),
    ]
    assert [one.timestamp for one in moved.logs] == [RECEIVED_AT + 3 * MINUTE, RECEIVED_AT]
    assert counted_document(document, RECEIVED_AT, None) is document
