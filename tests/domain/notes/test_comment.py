"""Comments: which texts are refused, and whom a text mentions."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.errors import InvalidInput
from runcard.domain.notes.comment import MAX_LENGTH, Member, checked_text, mentions_in

ADA = Member(UUID(int=1), "Ada Lovelace", "ada@acme.example")
ANN = Member(UUID(int=2), "Ann", "ann@acme.example")
ANNA = Member(UUID(int=3), "Ann Łukasińska", "anna.l@acme.example")
MEMBERS = [ADA, ANN, ANNA]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        (" \r\n\t", "empty"),
        ("a" * (MAX_LENGTH + 1), "has 10001 characters; use at most 10000"),
        ("a" * 1_000_000, "has 1000000 characters"),
        ("a\0b", "NUL"),
    ],
    ids=["empty", "blank", "too long", "a megabyte", "NUL"],
)
def test_a_text_that_is_refused(text: str, told: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        checked_text(text)
    (issue,) = raised.value.issues
    assert issue.path == ("text",)
    assert told in issue.message


def test_a_text_loses_the_blanks_around_it_and_carriage_returns() -> None:
    assert checked_text(" one\r\ntwo \n") == "one\ntwo"
    assert checked_text("ü" * MAX_LENGTH) == "ü" * MAX_LENGTH


@pytest.mark.parametrize(
    ("text", "mentioned"),
    [
        ("@ada@acme.example, look", {"@ada@acme.example": ADA.id}),
        ("@ADA@acme.example", {"@ADA@acme.example": ADA.id}),
        ("ask @Ada Lovelace or @ann.", {"@Ada Lovelace": ADA.id, "@ann": ANN.id}),
        ("@Ann Łukasińska saw it", {"@Ann Łukasińska": ANNA.id}),
        ("@Ann Lukas saw it", {"@Ann": ANN.id}),
        ("@Anne and @Ann_x and mail@Ann", {}),
        ("@nobody", {}),
        ("@", {}),
        ("no handle", {}),
    ],
)
def test_whom_a_text_mentions(text: str, mentioned: dict[str, UUID]) -> None:
    assert mentions_in(text, MEMBERS) == mentioned


def test_a_name_that_two_members_share_mentions_nobody() -> None:
    other = Member(UUID(int=4), "ANN", "ann@globex.example")
    assert mentions_in("@Ann and @ann@globex.example", [*MEMBERS, other]) == {"@ann@globex.example": other.id}


@given(st.text(), st.lists(st.sampled_from(["Ann", "@", " ", "ada@acme.example", "Ada Lovelace"])))
def test_a_handle_stands_in_the_text_as_it_is_told(before: str, pieces: list[str]) -> None:
    text = before + "".join(pieces)
    found = mentions_in(text, MEMBERS)
    assert all(handle in text and handle.startswith("@") for handle in found)
    assert set(found.values()) <= {member.id for member in MEMBERS}
