"""A page refuses a parameter that it does not know: a misspelt filter would show everything."""

import re
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute

from runcard.web.router import _PAGES
from tests.conftest import DatabaseKind
from tests.web.browser import Browser


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


def _addresses() -> list[str]:
    """One of each page that is only looked at; ids are those of nothing."""
    routes = [route for page in _PAGES for route in page.router.routes if isinstance(route, APIRoute)]
    paths = [route.path for route in routes if route.methods and "GET" in route.methods]
    return [re.sub(r"\{.+?\}", lambda _: str(uuid4()), path) for path in paths]


def test_each_page_refuses_a_parameter_that_it_does_not_know(ada: Browser) -> None:
    addresses = _addresses()
    for address in addresses:
        page = ada.open(f"{address}?no_such_parameter=1")
        assert page.status == 400, address
        assert "no_such_parameter: unknown parameter" in page.text
    assert len(addresses) > 30


def test_who_is_not_logged_in_is_asked_to_do_so_first(stranger: Browser) -> None:
    page = stranger.open("/runs?no_such_parameter=1")
    assert page.path == "/log-in?next=%2Fruns%3Fno_such_parameter%3D1"
