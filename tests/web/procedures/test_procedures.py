"""The list of procedures."""

import pytest

from runcard.domain.actor import SystemActor
from runcard.store.creator import Creator
from runcard.store.procedures.rows import create_procedure
from tests.servers import Server
from tests.web.browser import Browser
from tests.web.reporting import record, report

SCRIPT = '<script>alert("1")</script>'


@pytest.fixture(scope="module")
def listed(server: Server) -> None:
    """Board has two units, one of which passed the second time only; another procedure has an angry name."""
    for serial, second, passed in (("PROC-1", 1, True), ("PROC-2", 2, False), ("PROC-2", 3, True)):
        record(server, report(serial, run_passed=passed, started_at=f"2026-05-04T05:06:0{second}Z"))
    acme = server.world.acme
    server.change(
        lambda tx: create_procedure(tx.of(SystemActor(acme.id, "test")), SCRIPT, Creator.of(acme.admin.actor))
    )


@pytest.mark.usefixtures("listed")
def test_each_has_its_figures(server: Server, ada: Browser):
    page = ada.open("/procedures?period=all")
    assert page.status == 200
    names = [row[0] for row in page.rows[1:]]
    assert names == [SCRIPT, "Final", "Board"]
    assert page.rows[-1] == ["Board", "FVT1", "3", "50.0 %", "2026-05-0405:06:03"]
    assert page.rows[2] == ["Final", "FVT2", "–", "–", "–"]
    assert f"/procedures/{server.world.acme.board.id}?period=all" in page.links


@pytest.mark.usefixtures("listed")
def test_a_part_of_the_name_finds_it(ada: Browser):
    assert [row[0] for row in ada.open("/procedures?search=oar").rows[1:]] == ["Board"]
    assert "No procedure has this in its name" in ada.open("/procedures?search=nothing").text
    page = ada.open("/procedures?period=today&search=bo")
    assert [row[2] for row in page.rows[1:]] == ["–"]


@pytest.mark.usefixtures("listed")
def test_names_are_text(ada: Browser):
    assert all("src" in one for one in ada.open("/procedures").all("script"))


@pytest.mark.usefixtures("listed")
def test_another_organization_has_its_own(gus: Browser):
    page = gus.open("/procedures?period=all")
    assert [row[0] for row in page.rows[1:]] != []
    assert "Final" not in page.text
    assert {row[2] for row in page.rows[1:]} == {"–"}


def test_a_place_that_is_none_is_named(ada: Browser):
    page = ada.open("/procedures?cursor=-1")
    assert page.status == 400
    assert "cursor: " in page.text


def test_a_stranger_logs_in_first(stranger: Browser):
    assert stranger.open("/procedures").path.startswith("/log-in")
