"""Whatever is lost on the way, every run arrives once, in order, with its files."""

from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runcard_client import Client, FileReport
from tests.client.losing import Fate, Losing
from tests.client.reporting import report_of
from tests.client.test_delivery import runs_of
from tests.servers import Server

FATES: list[Fate] = ["arrives", "request lost", "answer lost", "503"]
RUNS = 3


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fates=st.lists(st.sampled_from(FATES), max_size=20))
def test_every_run_arrives_once_in_order_with_its_files(
    server: Server, admin: httpx.Client, tmp_path_factory: pytest.TempPathFactory, fates: list[Fate]
):
    serial = f"SN-{uuid4().hex[:12]}"
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    way = Losing(server.url, iter(fates))
    spool = tmp_path_factory.mktemp("spool") / "spool.sqlite3"
    key = server.world.acme.fct.api_key
    with Client(way.url, key, spool=spool, sends=False, clock=lambda: now[0], sleep=sleep) as station:
        for number in range(RUNS):
            content = FileReport("number.txt", str(number).encode())
            station.record_run(report_of(serial, docstring=str(number), files=[content]))
        flushed = station.flush(timeout_s=3600)
    way.close()
    assert (flushed.sent, flushed.is_empty) == (RUNS, True), flushed
    runs = runs_of(admin, serial)
    assert [run["docstring"] for run in runs] == [str(number) for number in range(RUNS)]
    assert [[file["name"] for file in run["attachments"]] for run in runs] == [["number.txt"]] * RUNS
