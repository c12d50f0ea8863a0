"""Messages that are made of what a caller sent stay short."""

import tracemalloc

import pytest

from runcard.domain.errors import Conflict, InvalidInput, Issue, SubUnitsNotFound, UnitNotFound, in_one_line
from runcard.domain.text import shortened


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (1, "Sub-units not found: S0"),
        (10, "Sub-units not found: S0, S1, S2, S3, S4, S5, S6, S7, S8, S9"),
        (11, "Sub-units not found: S0, S1, S2, S3, S4, S5, S6, S7, S8, S9 and 1 more"),
        (90_000, "Sub-units not found: S0, S1, S2, S3, S4, S5, S6, S7, S8, S9 and 89990 more"),
    ],
)
def test_of_many_missing_sub_units_ten_are_named(count: int, told: str) -> None:
    assert str(SubUnitsNotFound([f"S{number}" for number in range(count)])) == told


HUGE = "x" * 10_000_000


def test_a_long_text_is_cut_in_the_middle_and_told_how_long_it_is() -> None:
    text = "begin " + "x" * 90_000_174 + " mend"
    cut = shortened(text, 100)
    assert len(cut) == 100
    assert cut.startswith("begin xxx")
    assert "xxx\N{HORIZONTAL ELLIPSIS} (90 000 185 characters) \N{HORIZONTAL ELLIPSIS}xxx" in cut
    assert cut.endswith("xxx mend")
    assert shortened(text[:100], 100) == text[:100]


@pytest.mark.parametrize("error", [UnitNotFound(HUGE), Conflict(HUGE), InvalidInput.at(HUGE, HUGE)])
def test_no_message_is_longer_than_the_bound(error: Conflict) -> None:
    for told in (str(error), error.message, error.summary):
        assert 0 < len(told) <= 2000


def test_an_issue_is_cut_wherever_it_is_told() -> None:
    (issue,) = InvalidInput([Issue((HUGE, *range(1000)), HUGE)]).issues
    assert len(issue.location) < 500
    assert len(issue.message) == 1000
    assert len(in_one_line(HUGE, [Issue((HUGE,), HUGE)] * 3)) == 2000


def test_of_many_issues_twenty_are_kept_and_the_others_counted() -> None:
    wrong = [Issue((str(number),), "required") for number in range(1500)]
    kept = InvalidInput(wrong).issues
    assert kept[:20] == tuple(wrong[:20])
    assert kept[20:] == (Issue((), "and 1480 more"),)


def test_an_error_holds_no_copy_of_what_it_is_about() -> None:
    tracemalloc.start()
    try:
        errors = [InvalidInput.at(HUGE, HUGE) for _ in range(10)]
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(errors) == 10
    assert held < len(HUGE) / 10
