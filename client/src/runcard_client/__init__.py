"""Report the runs of a hardware test station to Runcard, even while the network is down."""

from runcard_client.client import Client, Flushed
from runcard_client.errors import (
    InvalidReport,
    InvalidSettings,
    Refused,
    RuncardClientError,
    SpoolUnusable,
    Unavailable,
)
from runcard_client.live_phase import LivePhase
from runcard_client.live_run import LiveRun
from runcard_client.log_capture import RunLogHandler
from runcard_client.notes import Notes
from runcard_client.report import (
    FileReport,
    LogReport,
    MeasurementReport,
    PhaseReport,
    RunReport,
    ValidatorReport,
)
from runcard_client.row import MeasurementRow, RunRow
from runcard_client.tables import LibraryMissing, Table
from runcard_client.version import __version__

__all__ = [
    "Client",
    "FileReport",
    "Flushed",
    "InvalidReport",
    "InvalidSettings",
    "LibraryMissing",
    "LivePhase",
    "LiveRun",
    "LogReport",
    "MeasurementReport",
    "MeasurementRow",
    "Notes",
    "PhaseReport",
    "Refused",
    "RunLogHandler",
    "RunReport",
    "RunRow",
    "RuncardClientError",
    "SpoolUnusable",
    "Table",
    "Unavailable",
    "ValidatorReport",
    "__version__",
]
