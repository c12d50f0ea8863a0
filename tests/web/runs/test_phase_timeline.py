"""When phases took place, drawn."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.runs.phase import Phase
from runcard.web.runs.phase_timeline import phase_timeline

START = datetime(2026, 1, 1, tzinfo=UTC)


def phase(name: str, begin_s: float, end_s: float) -> Phase:
    return Phase(name, "PASS", START + timedelta(seconds=begin_s), START + timedelta(seconds=end_s))


def test_attempts_share_a_row():
    shown = phase_timeline([phase("a", 0, 1), phase("b", 1, 2), phase("a", 2, 4)], str)
    assert shown is not None
    assert [(row.name, row.url, row.took) for row in shown.rows] == [
        ("a", "0", "3 s"),
        ("b", "1", "1 s"),
    ]
    assert [(bar.x, bar.width) for bar in shown.rows[0].bars] == [("0.0", "250.0"), ("500.0", "500.0")]
    assert shown.rows[0].bars[1].text == "PASS, after 2 s, for 2 s"
    assert shown.marks == ["0 s", "1 s", "2 s", "3 s", "4 s"]


def test_without_phases_there_is_none():
    assert phase_timeline([], str) is None


@given(st.lists(st.tuples(st.floats(0, 1e7), st.floats(0, 1e7)), min_size=1, max_size=20))
def test_every_bar_is_seen_and_lies_inside(times: list[tuple[float, float]]):
    shown = phase_timeline([phase("p", begin, begin + took) for begin, took in times], str)
    assert shown is not None
    [row] = shown.rows
    assert len(row.bars) == len(times)
    for bar in row.bars:
        assert float(bar.width) >= 3
        assert 0 <= float(bar.x) <= float(bar.x) + float(bar.width) <= shown.width + 0.11
