"""A server that does not write down calls."""

import pytest

from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.web.browser import Browser
from tests.web.reporting import record, report


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    """One of the module's own: it has settings of its own."""
    return own_server


@pytest.fixture(scope="module")
def server_settings() -> dict[str, str]:
    return {"RUNCARD_ACTIVITY": "false"}


def test_nothing_is_kept_and_the_page_says_so(server: Server, ada: Browser):
    record(server, report("OFF-1"))
    page = ada.open("/activity")
    assert page.status == 200
    assert "Calls are not logged here" in page.text
    assert ada.open("/activity/1").status == 404
    assert ada.open("/activity.xlsx").status == 404
    assert not (server.data_dir / "activity.sqlite3").exists()
