"""A server that keeps no columnar copy: records are shown, and their figures are not."""

from collections.abc import Iterator

import pytest

from tests.conftest import DatabaseKind
from tests.servers import Server
from tests.web.browser import Browser
from tests.web.reporting import record, report
from tests.world import PASSWORD


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
    return {"RUNCARD_COLUMNAR_COPY": "false"}


@pytest.fixture(scope="module")
def ada(server: Server) -> Iterator[Browser]:
    """Acme's admin, logged in past the overview, which is all figures."""
    browser = Browser(server.url)
    admin = {"email": server.world.acme.admin.email, "password": PASSWORD}
    assert browser.fill("/log-in?next=/parts", admin).path == "/parts"
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def plain(server: Server) -> None:
    """A unit of a part and a batch."""
    body = report("PLAIN-1")
    body["unit_under_test"] |= {"part_number": "PLAIN", "batch_number": "PLAIN"}
    record(server, body)


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("path", ["/parts/PLAIN", "/parts/PLAIN/revisions/A", "/batches/PLAIN"])
def test_records_stand_without_their_figures(ada: Browser, path: str):
    page = ada.open(path)
    assert page.status == 200
    assert "/units/PLAIN-1" in page.links
    assert "This server keeps no columnar copy." in page.text


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("path", ["/parts", "/batches"])
def test_lists_stand_without_their_figures(ada: Browser, path: str):
    page = ada.open(path)
    assert page.status == 200
    assert f"{path}/PLAIN" in page.links


@pytest.mark.usefixtures("plain")
def test_procedures_stand_without_their_figures(server: Server, ada: Browser):
    page = ada.open("/procedures")
    assert page.status == 200
    assert f"/procedures/{server.world.acme.board.id}" in page.links
    assert "This server keeps no columnar copy." in page.text


def test_the_latest_runs_of_a_station_stand_without_its_figures(server: Server, ada: Browser):
    fct = server.world.acme.fct
    path = record(server, report("AT-FCT"), fct.api_key)
    other = record(server, report("AT-ICT"))
    page = ada.open(f"/stations/{fct.actor.station_id}")
    assert "This server cannot show figures about runs now." in page.text
    assert path in page.run_links
    assert other not in page.run_links
