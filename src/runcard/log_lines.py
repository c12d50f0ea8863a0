"""The lines of a server's log: for people, or JSON for programs."""

import json
import logging
from datetime import UTC, datetime
from typing import Any, Literal

from runcard.domain.text import shortened
from runcard.request_ids import request_id

LogFormat = Literal["text", "json"]

# Characters of a traceback, which contains the parameters of an SQL statement.
MOST_TRACEBACK = 8_000


class TextLines(logging.Formatter):
    """Time, level, the id of the request where there is one, logger and message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s%(request)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        at = request_id()
        record.request = "" if at is None else f" [{at}]"
        return super().format(record)


class JsonLines(logging.Formatter):
    """One JSON object a line. A traceback is a field of its own.

    A record whose message has a traceback inside it brings the message without it as `summary` (see FailureLog).
    """

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": getattr(record, "summary", None) or record.getMessage(),
        }
        at = request_id()
        if at is not None:
            line["request_id"] = at
        traceback = _traceback_of(record)
        if traceback is not None:
            line["traceback"] = traceback
        return json.dumps(line)


def _traceback_of(record: logging.LogRecord) -> str | None:
    told: str | None = getattr(record, "traceback", None)
    if told is None and record.exc_info and record.exc_info[0] is not None:
        told = shortened(logging.Formatter().formatException(record.exc_info), MOST_TRACEBACK)
    return told


# Clients of ClickHouse and of HTTP. They warn of each failed attempt, and raise what is then logged once.
_LOUD = ("clickhouse_connect", "urllib3")


def logging_as(log_format: LogFormat) -> dict[str, Any]:
    """The configuration for `logging.config.dictConfig`: warnings and errors to standard error."""
    lines = JsonLines if log_format == "json" else TextLines
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": lines}},
        "handlers": {
            "stderr": {"class": "logging.StreamHandler", "formatter": "line", "stream": "ext://sys.stderr"}
        },
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {name: {"level": "ERROR"} for name in _LOUD},
    }
