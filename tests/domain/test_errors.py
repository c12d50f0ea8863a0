"""Messages that are made of what a caller sent stay short."""

import tracemalloc
from textwrap import wrap

import pytest

from runcard.domain import errors
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


def test_what_was_not_found_is_told_letter_by_letter() -> None:
    assert str(UnitNotFound("{0} {serial} {}")) == "Unit not found: {0} {serial} {}"


@pytest.mark.parametrize(
    "error", [errors.WriteTimedOut, errors.OutcomeUnknown, errors.BytesGone, errors.FormExpired]
)
def test_a_class_with_a_message_of_its_own_says_it(error: type[errors.RuncardError]) -> None:
    assert str(error()) == error.default_message != ""


def kinds_of(error: type[errors.RuncardError]) -> list[type[errors.RuncardError]]:
    return [one for one in error.__subclasses__() if one.__module__ == errors.__name__]


def drawn(error: type[errors.RuncardError], depth: int = 0) -> list[str]:
    """A class, in one paragraph with those kinds of it that have none; below it, further in, its other kinds."""
    leaves = [one.__name__ for one in kinds_of(error) if not kinds_of(one)]
    margin = "    " * (depth + 1)
    head = f"{margin}{error.__name__}{': ' if leaves else ''}"
    lines = wrap(head + ", ".join(leaves), 110, subsequent_indent=f"{margin}  ")
    return lines + [line for one in kinds_of(error) if kinds_of(one) for line in drawn(one, depth + 1)]


def test_the_tree_in_the_docstring_is_that_of_the_classes() -> None:
    assert errors.__doc__ is not None
    assert "\n\n" + "\n".join(drawn(errors.RuncardError)) + "\n" in errors.__doc__
