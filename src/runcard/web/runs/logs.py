"""The logs on the page of a run: filtered, in pages, timed by the clock or from the start of the run."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from runcard.domain.runs.outcome import LOG_LEVELS, LogLevel
from runcard.domain.runs.phase import Log
from runcard.web.frame.formats import Moment, count_text, precise_moment_of
from runcard.web.lists.filters import Field, choice_field, hidden_fields, text_field, url_of
from runcard.web.runs.view import RunQuery

_LINES = 500


class ShownLogLine(NamedTuple):
    at: Moment
    level: LogLevel
    message: str
    source: str


class LogPanel(NamedTuple):
    """total: the number of lines of the run. kept: the other parameters of the page's URL. shown_text: which lines are
    shown, and of how many.

    earlier_url, later_url: may be empty.
    """

    action: str
    total: str
    lines: Sequence[ShownLogLine]
    fields: Sequence[Field]
    kept: Sequence[tuple[str, str]]
    shown_text: str
    earlier_url: str
    later_url: str


def log_panel(
    logs: Sequence[Log], query: RunQuery, action: str, started_at: datetime, zone: ZoneInfo
) -> LogPanel:
    """The logs that the query finds, and the fields to filter them."""
    found = [log for log in logs if _matches(log, query)]
    shown = found[query.first : query.first + _LINES]
    last = query.first + len(shown)
    earlier = max(query.first - _LINES, 0)
    return LogPanel(
        action=action,
        total=count_text(len(logs)),
        lines=[_line(log, query, started_at, zone) for log in shown],
        fields=_fields(query),
        kept=hidden_fields(query, "phases", "show"),
        shown_text=_shown_text(query.first, last, len(found), len(logs)),
        earlier_url=f"{url_of(action, query, first=earlier)}#logs" if query.first else "",
        later_url=f"{url_of(action, query, first=last)}#logs" if last < len(found) else "",
    )


def _matches(log: Log, query: RunQuery) -> bool:
    if query.level is not None and LOG_LEVELS.index(log.level) < LOG_LEVELS.index(query.level):
        return False
    if query.log is None:
        return True
    text = query.log.casefold()
    return text in log.message.casefold() or text in log.source_file.casefold()


def _fields(query: RunQuery) -> Sequence[Field]:
    levels = [("", "All"), *((level, f"{level} and worse") for level in LOG_LEVELS[1:-1])]
    return [
        choice_field("level", "Level", query.level, [*levels, ("CRITICAL", "CRITICAL")]),
        text_field("log", "Message or file", query.log)._replace(type="search"),
        choice_field("time", "Time", query.time, [("clock", "By the clock"), ("run", "From the start")]),
    ]


def _shown_text(first: int, last: int, found: int, total: int) -> str:
    matching = "" if found == total else f" that match, of {count_text(total)}"
    if last - first == found:
        return f"{count_text(found)} lines{matching}" if found != 1 else f"1 line{matching}"
    return f"Lines {count_text(first + 1)} to {count_text(last)} of {count_text(found)}{matching}"


def _line(log: Log, query: RunQuery, started_at: datetime, zone: ZoneInfo) -> ShownLogLine:
    at = precise_moment_of(log.timestamp, zone)
    if query.time == "run":
        at = at._replace(time=f"{(log.timestamp - started_at).total_seconds():+.3f} s")
    return ShownLogLine(at, log.level, log.message, f"{log.source_file}:{log.line_number}")
