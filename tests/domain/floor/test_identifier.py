"""Which texts are identifiers, and which comes next."""

import pytest

from runcard.domain.errors import InvalidInput
from runcard.domain.floor.identifier import checked_identifier, next_identifier


@pytest.mark.parametrize(
    "text", ["VANILLA", "OPENHTF", "FVT112", "a", "7", "ict_1-2.3", "x" * 60, "0" * 31, "  FVT1\n"]
)
def test_an_identifier_is_kept_as_it_is(text: str) -> None:
    assert checked_identifier(text) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "x" * 61,
        "two words",
        "Prüfung",
        "a/b",
        "a\0b",
        "-x",
        ".x",
        "_x",
        "FVT1\nFVT2",
        "018f0000-0000-7000-8000-000000000001",
        "0" * 32,
        "x" * 100_000,
    ],
)
def test_what_is_none_is_refused_by_its_field(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        checked_identifier(text)
    (issue,) = refused.value.issues
    assert issue.path == ("identifier",)
    assert "give " in issue.message
    assert len(issue.message) < 300


@pytest.mark.parametrize(
    ("taken", "comes"),
    [
        ([], "FVT1"),
        (["VANILLA", "FVT", "FVTX", "XFVT9", "FVT1.5"], "FVT1"),
        (["FVT1", "FVT3"], "FVT4"),
        (["fvt112"], "FVT113"),
        (["FVT999999999"], "FVT1000000000"),
        (["FVT1000000000", "FVT2"], "FVT3"),
    ],
)
def test_numbers_go_on_after_the_highest(taken: list[str], comes: str) -> None:
    assert next_identifier(taken) == comes
