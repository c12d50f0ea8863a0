"""Convert a phase and its logs to plain JSON values and back, to pass them between processes of a test runner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from runcard_client.report import LogReport, MeasurementReport, PhaseReport, ValidatorReport
from runcard_client.run_body import json_value


@dataclass(frozen=True)
class LoggedPhase:
    phase: PhaseReport
    logs: Sequence[LogReport] = ()


def to_plain(logged: LoggedPhase) -> dict[str, Any]:
    """The phase and its logs as texts, numbers, booleans, None, and lists and dicts of these."""
    plain = json_value("phase", _with_texts(asdict(logged)))
    assert isinstance(plain, dict)
    return plain


def from_plain(plain: dict[str, Any]) -> LoggedPhase:
    """The phase and its logs from `to_plain`, with lists for tuples, and texts for numbers that are not finite."""
    phase = plain["phase"]
    return LoggedPhase(
        PhaseReport(
            **{
                **phase,
                "started_at": datetime.fromisoformat(phase["started_at"]),
                "ended_at": datetime.fromisoformat(phase["ended_at"]),
                "measurements": [_measurement(measurement) for measurement in phase["measurements"]],
            }
        ),
        [
            LogReport(**{**log, "logged_at": datetime.fromisoformat(log["logged_at"])})
            for log in plain["logs"]
        ],
    )


def _measurement(plain: dict[str, Any]) -> MeasurementReport:
    validators = [ValidatorReport(**validator) for validator in plain["validators"]]
    return MeasurementReport(**{**plain, "validators": validators})


def _with_texts(value: object) -> Any:
    """The value with all moments in it as texts."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _with_texts(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_texts(item) for item in value]
    return value
