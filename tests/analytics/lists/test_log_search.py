"""Searching the messages of logs in the copy against the truth, by each of the ways that there are."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from runcard.analytics.copy import log_blocks
from runcard.analytics.lists import inside_lists, log_search
from runcard.domain.runs.outcome import LOG_LEVELS
from runcard.domain.runs.phase import Log
from runcard.domain.runs.report import RunReport
from runcard.store.contents.inside_runs import Deadline, Listing
from runcard.store.contents.logs import LOG_ORDERS, LogFilter, LogSort
from runcard.store.lists.pages import Page
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.copies import OwnCopy, own_copy
from tests.analytics.lines import Line
from tests.examples import one_in
from tests.histories import LONG, START, Floor

# What decides the way that a search takes, where there are few lines.
_SMALL = {"SAMPLE": 1, "LEAST_NEAR": 1, "PERCENT": 100}
WAYS: dict[str, dict[str, float]] = {
    "each line": {},
    "near": {**_SMALL, "MOST_BLOCKS": -1},
    "near with equals": {**_SMALL, "MANY": -999, "MOST_BLOCKS": -1},
    "blocks": {**_SMALL, "MOST_NEAR": 0, "MOST_BLOCKS": 2},
    "all": {**_SMALL, "MOST_NEAR": 0, "MOST_BLOCKS": -1},
    "some of these": {**_SMALL, "MOST_NEAR": 6, "MOST_BLOCKS": 0.5},
}

WORDS = [
    "Voltage",
    "voltage 3.3",
    "VOLT",
    "%",
    "_",
    "a_b%",
    "straße",
    "STRASSE",
    "İ",
    "ǰ",
    "€",
    "𝄞𝄞",
    "\0",
    "0x00FF",
    " ",
]
texts = st.lists(st.sampled_from(WORDS) | st.text(max_size=4), max_size=5).map("".join)
logged = st.lists(
    st.builds(
        Log,
        level=st.sampled_from(LOG_LEVELS),
        timestamp=st.integers(0, 3).map(lambda minutes: START + timedelta(minutes=minutes)),
        message=(texts | st.text(max_size=9).map(lambda text: 40 * text)).filter(bool),
        source_file=st.sampled_from(["a.py", "b.py"]),
        line_number=st.just(1),
    ),
    max_size=5,
)


def parts_of(text: str) -> st.SearchStrategy[str]:
    """Of a message, in any case."""
    ends = st.integers(0, len(text))
    part = st.tuples(ends, ends).map(lambda places: text[min(places) : max(places)])
    return part | part.map(str.upper) | part.map(str.swapcase)


@st.composite
def searches(draw: st.DrawFn) -> tuple[list[list[Log]], str]:
    """What some runs logged, and what is searched for: mostly part of a message."""
    runs = draw(st.lists(logged, min_size=1, max_size=6))
    messages = [log.message for logs in runs for log in logs]
    searched = texts | st.text(min_size=200, max_size=300)
    if messages:
        searched = st.sampled_from(messages).flatmap(parts_of) | searched
    return runs, draw(searched)


RUN = RunReport(procedure="later", serial_number="SN", part_number="P", outcome="PASS")


@pytest.mark.parametrize("by", LOG_ORDERS)
@one_in(4)
@given(searches(), st.booleans(), st.integers(1, 3), st.booleans())
def test_the_copy_finds_what_the_truth_does(
    floor: Floor,
    followed: OwnCopy,
    by: LogSort,
    searched: tuple[list[list[Log]], str],
    descending: bool,
    limit: int,
    has_others: bool,
) -> None:
    runs, text = searched
    line = Line(floor)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_blocks, "_BLOCK_BYTES", 30)
        line.record([replace(RUN, logs=tuple(logs)) for logs in runs])
        followed.follow()
    wanted = LogFilter(search=text, source_files=["a.py"] if has_others else None)
    expected = found(floor, None, line, wanted, by, limit, descending)
    for way, settings_ in WAYS.items():
        with pytest.MonkeyPatch.context() as patch:
            for name, value in settings_.items():
                patch.setattr(log_search, name, value)
            assert found(floor, followed, line, wanted, by, limit, descending) == expected, way


def found(
    floor: Floor,
    copy: OwnCopy | None,
    line: Line,
    wanted: LogFilter,
    by: LogSort,
    limit: int,
    descending: bool,
) -> list[list[Any]]:
    """All pages."""
    pages: list[list[Any]] = []
    with floor.database.read_in(floor.home) as scope:
        while True:
            listed = inside_lists.list_logs(
                None if copy is None else copy.copy,
                scope,
                RunFilter(procedure_ids=[line.procedure_id]),
                wanted,
                Listing(
                    by, Page(limit, limit * len(pages)), Deadline(0 if copy else LONG), descending=descending
                ),
            )
            pages.append([(one.id, one.item.log.message) for one in listed.rows])
            if not listed.has_more:
                return pages


LINES = 12_000


def test_a_rare_text_among_thousands_is_looked_for_in_few_blocks(floor: Floor) -> None:
    line = Line(floor)
    texts = [f"{number:05}: register of channel {number % 16} settled" for number in range(LINES)]
    texts[7_777] += " at last: STRAßE 0xBEEF"
    logs = [
        Log("INFO", START + timedelta(milliseconds=number), text, "a.py", 1)
        for number, text in enumerate(texts)
    ]
    line.record([replace(RUN, logs=tuple(logs[first : first + 500])) for first in range(0, LINES, 500)])
    with own_copy(floor.database) as copy:
        copy.follow()

        def lines_with(text: str) -> list[int]:
            pages = found(floor, copy, line, LogFilter(search=text), "created_at", 5_000, descending=True)
            return [texts.index(message) for page in pages for _, message in page]

        assert lines_with("strasse 0xbeef") == lines_with("07777: REG") == [7_777]
        assert lines_with("nowhere 0xbeef") == []
        assert lines_with("settled") == list(reversed(range(LINES)))
        with copy.copy.engine.transaction() as cursor:
            cursor.execute("UPDATE log_blocks SET marks = [0]")
        assert lines_with("strasse 0xbeef") == []  # so that is where it looks
