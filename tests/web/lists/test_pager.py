"""The links around a page of a list."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.edge.requests.paging import PageQuery
from runcard.store.lists.pages import Listed, Page
from runcard.web.lists.pager import COUNTED, pager

LAST_SEQ = 2**29 - 1


def url_at(cursor: int | None) -> str:
    return "first" if cursor is None else str(cursor)


def page_at(url: str, limit: int) -> Page:
    """The page behind a link, as `edge.requests.paging` reads its cursor."""
    cursor = PageQuery(limit=limit, cursor=int(url)).cursor or 0
    return Page(limit, cursor & 2**24 - 1, cursor >> 24)


@given(st.integers(1, 1000), st.integers(0, 9000), st.integers(1, LAST_SEQ), st.booleans())
def test_links_lead_one_page_on_and_back(limit: int, pages_before: int, seq: int, has_more: bool):
    page = Page(limit, pages_before * limit, seq)
    shown = pager(page, Listed(range(limit), has_more), url_at)
    if has_more:
        assert page_at(shown.later_url, limit) == page._replace(offset=page.offset + limit)
    else:
        assert shown.later_url == ""
    match pages_before:
        case 0:
            assert shown.earlier_url == ""
        case 1:
            assert shown.earlier_url == "first"
        case _:
            assert page_at(shown.earlier_url, limit) == page._replace(offset=page.offset - limit)


def test_a_list_that_is_shown_whole_has_no_links():
    assert pager(Page(50, 0, 7), Listed(["one"], has_more=False), url_at) == ("", "", "")
    assert pager(Page(50, 0, 7), Listed([], has_more=False), url_at) == ("", "", "")
    assert pager(Page(50, 100, 7), Listed(["one", "two"], has_more=False), url_at).rows == "101–102"


@pytest.mark.parametrize(
    ("total", "rows"),
    [(None, "51–100"), (1234, "51–100 of 1\u2009234"), (COUNTED, "51–100 of 10\u2009000"),
     (COUNTED + 1, "51–100 of more than 10\u2009000")],
)  # fmt: skip
def test_it_is_told_of_how_many_rows_some_are_shown(total: int | None, rows: str):
    assert pager(Page(50, 50, 7), Listed(range(50), has_more=True, total=total), url_at).rows == rows
