"""Outcomes, as the wire and the record spell them."""

from typing import Literal

RunOutcome = Literal["PASS", "FAIL", "ERROR", "TIMEOUT", "ABORTED"]
PhaseOutcome = Literal["PASS", "FAIL", "SKIP", "ERROR"]
SequenceOutcome = Literal["PASS", "FAIL", "ERROR", "TIMEOUT", "ABORTED", "SKIP"]
MeasurementOutcome = Literal["PASS", "FAIL", "UNSET"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

LOG_LEVELS: tuple[LogLevel, ...] = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def log_level_of_number(number: float) -> LogLevel:
    """The level of a Python logging number, rounded down: 25 is INFO. Below 10 is DEBUG, above 50 is CRITICAL."""
    return LOG_LEVELS[min(max(int(number // 10), 1), 5) - 1]
