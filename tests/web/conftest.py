"""People in front of a browser."""

from collections.abc import Iterator

import pytest

from tests.servers import Server
from tests.web.browser import Browser, logged_in


@pytest.fixture(scope="module")
def server(shared_server: Server) -> Server:
    """The one that modules share."""
    return shared_server


@pytest.fixture
def stranger(server: Server) -> Iterator[Browser]:
    """Nobody is logged in here."""
    browser = Browser(server.url)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def ada(server: Server) -> Iterator[Browser]:
    """Acme's admin, logged in."""
    browser = logged_in(server.url, server.world.acme.admin)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def gus(server: Server) -> Iterator[Browser]:
    """The admin of another organization, logged in."""
    browser = logged_in(server.url, server.world.globex.admin)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def eve(server: Server) -> Iterator[Browser]:
    """Acme's engineer, logged in."""
    browser = logged_in(server.url, server.world.acme.engineer)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def vic(server: Server) -> Iterator[Browser]:
    """Acme's viewer, logged in."""
    browser = logged_in(server.url, server.world.acme.viewer)
    yield browser
    browser.close()
