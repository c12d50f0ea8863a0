"""What fails is told in full when it begins, then with how often it happened, and no more often than that."""

import logging
import threading
import time
from collections.abc import Iterator

import pytest

from runcard.domain.errors import DatabaseUnavailable, FiguresUnavailable, StorageFull
from runcard.failure_log import FailureLog
from tests.servers import DEADLINE_S

log = logging.getLogger("failing")


@pytest.fixture
def failures() -> Iterator[FailureLog]:
    made = FailureLog(log, "request failed")
    yield made
    made.close()


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines since this was asked last."""
    lines = [record.getMessage() for record in caplog.records]
    caplog.clear()
    return lines


def raised(error: Exception) -> Exception:
    """The same, after it was raised here."""
    try:
        raise error
    except type(error) as caught:
        return caught


AWAY = "request failed: The database of the server does not answer"


def test_an_outage_is_a_line_and_then_a_line_with_a_count(
    failures: FailureLog, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(1591):
        failures.tell(raised(DatabaseUnavailable("connection refused\n\tIs the server running?")))
    assert told(caplog) == [f"{AWAY} (connection refused Is the server running?)"]
    failures.tell_counts()
    assert told(caplog) == [f"{AWAY}: 1 590 more in the last minute"]


def test_each_kind_is_told(failures: FailureLog, caplog: pytest.LogCaptureFixture) -> None:
    for error in (
        DatabaseUnavailable("x"),
        StorageFull("y"),
        FiguresUnavailable("No copy is kept. Wait."),
    ) * 2:
        failures.tell(error)
    full = "request failed: The disk of the server is full"
    assert told(caplog) == [f"{AWAY} (x)", f"{full} (y)", "request failed: No copy is kept. Wait."]
    failures.tell_counts()
    assert told(caplog) == [
        f"{AWAY}: 1 more in the last minute",
        f"{full}: 1 more in the last minute",
        "request failed: No copy is kept: 1 more in the last minute",
    ]


def test_what_was_quiet_for_a_while_is_told_in_full_again(
    failures: FailureLog, caplog: pytest.LogCaptureFixture
) -> None:
    failures.tell(DatabaseUnavailable("x"))
    failures.tell_counts()
    failures.tell(DatabaseUnavailable("y"))
    assert told(caplog) == [f"{AWAY} (x)", f"{AWAY} (y)"]


def test_what_nobody_expects_is_told_with_its_traceback_once(
    failures: FailureLog, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        failures.tell(raised(KeyError("x" * 1_000_000)))
    (line,) = told(caplog)
    assert "Traceback" in line
    assert "in raised" in line
    assert len(line) < 10_000
    failures.tell_counts()
    (line,) = told(caplog)
    assert line.startswith("request failed: KeyError at test_failure_log.py:")
    assert line.endswith(": 4 more in the last minute")


def test_many_kinds_fill_no_log(failures: FailureLog, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(1000):
        failures.tell(type(f"Strange{number}", (Exception,), {})())
    assert len(told(caplog)) == 21
    failures.tell_counts()
    assert told(caplog) == ["request failed: other failures: 979 more in the last minute"]


def test_closing_tells_what_is_left(caplog: pytest.LogCaptureFixture) -> None:
    failures = FailureLog(log, "request failed")
    for _ in range(3):
        failures.tell(StorageFull("x"))
    failures.close()
    assert told(caplog)[-1].endswith(": 2 more in the last minute")


def test_time_alone_tells_the_count() -> None:
    is_counted = threading.Event()

    class Listening(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage().endswith("more in the last minute"):
                is_counted.set()

    listening = Listening()
    log.addHandler(listening)
    failures = FailureLog(log, "request failed", every_s=0.01)
    until = time.monotonic() + DEADLINE_S
    while not is_counted.is_set() and time.monotonic() < until:
        failures.tell(StorageFull("x"))
    failures.close()
    log.removeHandler(listening)
    assert is_counted.is_set()
