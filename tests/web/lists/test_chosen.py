"""What a page says of many things, and when its forms are refused."""

from uuid import UUID

import pytest
from msgspec import Struct

from runcard.domain.errors import Conflict, InvalidInput
from runcard.web.lists.chosen import OnlyTicked, Ticked, check_seen, chosen, ticked_ids


class Query(Struct):
    ids: Ticked = None
    ticked: OnlyTicked = None


ONE = UUID(int=1)


@pytest.mark.parametrize(
    ("count", "total", "more", "too_many"),
    [
        (0, "0 units", "", False),
        (1, "1 unit", "", False),
        (10, "10 units", "", False),
        (11, "11 units", "1", False),
        (10_000, "10 000 units", "9 990", False),
        (10_001, "More than 10 000 units", "", True),
    ],
)
def test_how_many_there_are(count: int, total: str, more: str, too_many: bool) -> None:
    found = chosen("unit", count, Query(), None, "/bulk/units", "/units")
    assert (found.total.replace("\N{THIN SPACE}", " "), found.too_many) == (total, too_many)
    assert found.more.replace("\N{THIN SPACE}", " ") == more
    assert (found.done, found.is_ticked) == ("", False)


def test_what_was_done_is_said() -> None:
    assert chosen("run", 3, Query([ONE]), 1, "", "").done == "1 run changed."
    assert chosen("run", 3, Query([ONE]), 1, "", "").is_ticked


@pytest.mark.parametrize(
    ("query", "ids"),
    [(Query(), None), (Query([ONE]), [ONE]), (Query([ONE], "yes"), [ONE]), (Query(None, "yes"), [])],
)
def test_which_were_ticked(query: Query, ids: list[UUID] | None) -> None:
    assert ticked_ids(query) == ids


@pytest.mark.parametrize(
    ("count", "seen", "said"),
    [
        (13, 12, "There are 13 runs now, not 12"),
        (0, 12, "There are 0 runs now, not 12"),
        (12, None, "There are 12 runs now, not none"),
        (1, 2, "There is 1 run now, not 2"),
        (0, 0, "There is no run to change"),
    ],
)
def test_a_form_about_others_is_refused(count: int, seen: int | None, said: str) -> None:
    with pytest.raises(Conflict, match=said):
        check_seen("run", count, seen)


def test_more_than_ten_thousand_are_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        check_seen("run", 10_001, 10_001)
    assert "more than 10000 runs are chosen" in refused.value.issues[0].message
