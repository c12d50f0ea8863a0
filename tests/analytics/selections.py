"""Selections that every question is asked about, over the demo line, and ways to group what they find."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pandas as pd
import pytest

from runcard.analytics.attempts import Attempts
from runcard.analytics.calendar import Period
from runcard.analytics.groups import GroupBy, Reference
from runcard.analytics.snapshot import Selection
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.conftest import NOW, Line

ATTEMPTS: tuple[Attempts, ...] = get_args(Attempts)
GROUPS: tuple[GroupBy, ...] = (*get_args(Period), *get_args(Reference))
# Its clocks went forward within the demo's days.
ZONE = "Europe/Berlin"

_MARCH = datetime(2026, 3, 20, tzinfo=UTC)
_FILTERS: dict[str, dict[str, Any]] = {
    "everything": {},
    "a period": {"started_after": _MARCH, "started_before": _MARCH + timedelta(days=10)},
    "a procedure": {"procedure_ids": "procedure_id"},
    "two versions": {"procedure_versions": "version"},
    "a station": {"created_by_station_ids": "station_id"},
    "an operator": {"operated_by_ids": "operator_id"},
    "a part": {"part_numbers": "part"},
    "a revision": {"revision_numbers": "revision"},
    "a batch": {"batch_numbers": "batch"},
    "some serials": {"serial_numbers": "serial"},
    "verdicts": {"outcomes": ["PASS", "FAIL"]},
    "samples": {"samples": ["golden", "failing"]},
    "samples and production": {"samples": ["production", "golden", "failing", "ignored"]},
    "nothing": {"started_after": NOW + timedelta(days=1)},
    "two conditions": {"part_numbers": "part", "created_by_station_ids": "station_id"},
}
_COUNTS = {"procedure_versions": 2, "serial_numbers": 30}

every_filter = pytest.mark.parametrize("filter_name", list(_FILTERS))
every_attempts = pytest.mark.parametrize("attempts", ATTEMPTS)
every_group = pytest.mark.parametrize("group_by", GROUPS)


def selection(line: Line, filter_name: str, attempts: Attempts = "all") -> Selection:
    """A selection by its name; where it names a column of the frames, the first values that are there are asked for."""
    conditions: dict[str, Any] = {
        name: _values(line.frames.runs[value], _COUNTS.get(name, 1)) if isinstance(value, str) else value
        for name, value in _FILTERS[filter_name].items()
    }
    return Selection(RunFilter(**conditions), attempts)


def _values(column: "pd.Series[Any]", count: int) -> list[Any]:
    values = column.dropna().drop_duplicates().head(count).tolist()
    # Other case, where people chose the text.
    return [value.lower() if isinstance(value, str) else value for value in values]
