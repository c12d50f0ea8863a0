"""A server that is told to stop, while stations report."""

import signal

import httpx
import pytest

from tests.acceptance.floor import FIRST_SUB_UNIT, Floor
from tests.acceptance.wire import create_run, run_of, runs_of
from tests.conftest import DatabaseKind
from tests.readiness import wait_until
from tests.servers import DEADLINE_S, Server


@pytest.fixture(scope="module", params=["sqlite"])
def database_kind(request: pytest.FixtureRequest) -> DatabaseKind:
    """What is tested here does not look at the database; test_crash.py does so with both kinds."""
    kind: DatabaseKind = request.param
    return kind


def open_floor(doomed: Server, stop_delay_s: int) -> Floor:
    """Stations that report to a server, which announces its stop for this long."""
    doomed.settings["RUNCARD_STOP_DELAY_S"] = str(stop_delay_s)
    doomed.start()
    wait_until(doomed, 200)
    with doomed.client(doomed.world.acme.admin.api_key) as admin:
        create_run(admin, run_of(FIRST_SUB_UNIT))
    return Floor(doomed)


def check_recorded(doomed: Server, floor: Floor) -> None:
    """Every run that was answered is there after the next start."""
    doomed.start()
    with doomed.client(doomed.world.acme.admin.api_key) as admin:
        for serial, run_id in floor.answered.items():
            assert [run["id"] for run in runs_of(admin, serial)] == [run_id]
    doomed.stop()


def test_it_is_not_ready_at_once_and_answers_until_it_stops(doomed: Server) -> None:
    floor = open_floor(doomed, stop_delay_s=2)
    with floor.sending(end=lambda: None):
        floor.wait_for(more=100)
        doomed.signal(signal.SIGTERM)
        told = wait_until(doomed, 503)
        assert told["checks"][0] == {
            "name": "serving",
            "holds": False,
            "why": "The server has been told to stop.",
        }
        # New connections are taken, and each has one answer.
        with httpx.Client(base_url=doomed.url, timeout=DEADLINE_S) as visitor:
            answer = visitor.get("/healthz")
            assert (answer.status_code, answer.headers["connection"]) == (200, "close")
        floor.wait_for(more=20)
        assert doomed.wait() == 0
    assert "Traceback" not in doomed.log
    check_recorded(doomed, floor)


def test_without_a_delay_it_answers_what_it_took(doomed: Server) -> None:
    floor = open_floor(doomed, stop_delay_s=0)
    with floor.sending(end=doomed.stop):
        floor.wait_for(more=100)
    check_recorded(doomed, floor)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_the_delay(doomed: Server, number: signal.Signals) -> None:
    doomed.settings["RUNCARD_STOP_DELAY_S"] = "300"
    doomed.start()
    doomed.signal(number)
    wait_until(doomed, 503)
    # It must end long before its delay does.
    assert doomed.end() == 0
