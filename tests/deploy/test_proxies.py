"""Runcard behind the proxies whose samples are shipped, beside a second server that is away."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import pytest
from tofupilot.v2 import TofuPilot

from tests.acceptance.files import attachments_of, downloaded, initialize, put, sync
from tests.acceptance.wire import create_run, run_of
from tests.conftest import DatabaseKind
from tests.deploy.proxies import (
    Ports,
    Site,
    caddy_program,
    free_ports,
    made_certificate,
    nginx_program,
    running_caddy,
    running_nginx,
)
from tests.servers import DEADLINE_S, Server

PROXIES = ("nginx", "caddy")
FILE = os.urandom(1024 * 1024) * 20


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """A proxy does not know it."""
    return "sqlite"


@pytest.fixture(scope="module")
def ports() -> Ports:
    """What each proxy listens on in its turn, so that the address of the servers stays."""
    return free_ports()


@pytest.fixture(scope="module")
def url(ports: Ports) -> str:
    return f"https://localhost:{ports.https}"


@pytest.fixture(scope="module")
def server_settings(url: str) -> dict[str, str]:
    return {
        "RUNCARD_PUBLIC_URL": url,
        "RUNCARD_TRUSTED_PROXIES": "127.0.0.1",
    }


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    """It has settings of its own."""
    return own_server


@pytest.fixture(scope="module", params=PROXIES)
def site(
    request: pytest.FixtureRequest,
    ports: Ports,
    server: Server,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """One with a certificate of its own, which programs of this process believe."""
    program = {"nginx": nginx_program, "caddy": caddy_program}[request.param]()
    if program is None:
        pytest.skip(f"no {request.param} on the PATH (Debian: apt-get install {request.param})")
    folder = tmp_path_factory.mktemp(request.param)
    away = free_ports().http
    servers = [away, urlsplit(server.url).port or 0]
    laid = Site(folder, ports, made_certificate(folder), servers)
    running: dict[str, AbstractContextManager[None]] = {
        "nginx": running_nginx(laid),
        "caddy": running_caddy(laid),
    }
    with pytest.MonkeyPatch.context() as patch, running[request.param]:
        patch.setenv("SSL_CERT_FILE", str(laid.certificate.certificate))
        yield laid


@pytest.fixture
def admin(site: Site, url: str, server: Server) -> Iterator[httpx.Client]:
    """HTTP to the v1 API through the proxy."""
    headers = {"Authorization": f"Bearer {server.world.acme.admin.api_key}"}
    with httpx.Client(base_url=f"{url}/api/v1", headers=headers, timeout=DEADLINE_S) as client:
        yield client


@pytest.fixture
def serial() -> str:
    return f"SN-{uuid4().hex[:12].upper()}"


def test_the_official_client_records_through_it(site: Site, url: str, server: Server, serial: str):
    now = datetime.now(UTC)
    with TofuPilot(server_url=f"{url}/api", api_key=server.world.acme.admin.api_key) as client:
        made = client.runs.create(
            procedure_id=str(server.world.acme.board.id),
            serial_number=serial,
            part_number="PCB-100",
            outcome="PASS",
            started_at=now - timedelta(minutes=1),
            ended_at=now,
        )
        assert client.runs.get(id=made.id).unit.serial_number == serial


def test_a_file_of_20_mb_goes_up_and_comes_back(admin: httpx.Client, url: str, serial: str):
    run_id = create_run(admin, run_of(serial))
    slot = initialize(admin, "waveform.bin", sizeBytes=len(FILE))
    assert slot["uploadUrl"].startswith(f"{url}/")
    assert put(slot, FILE).status_code == 200
    assert sync(admin, slot["id"], run_id).status_code == 200
    (attachment,) = attachments_of(admin, serial)
    assert downloaded(attachment) == FILE


def test_a_file_that_is_too_large_is_refused(admin: httpx.Client):
    slot = initialize(admin, "dump.bin")
    answer = put(slot, bytes(116 * 1024 * 1024))
    assert answer.status_code == 413


def test_runcard_knows_who_called_and_that_it_was_by_tls(site: Site, url: str, server: Server, serial: str):
    headers = {"Authorization": f"Bearer {server.world.acme.admin.api_key}"}
    with httpx.Client(base_url=f"{url}/api", headers=headers, timeout=DEADLINE_S) as client:
        claimed = {"X-Forwarded-For": "192.0.2.6", "X-Forwarded-Proto": "http"}
        made = client.post("/v2/batches", json={"number": serial}, headers=claimed)
        assert made.status_code == 200
        assert "max-age" in made.headers["strict-transport-security"]
        [entry] = client.get("/trail", params={"thing_id": made.json()["id"]}).json()["data"]
    assert entry["address"] == "127.0.0.1"


def test_a_page_leads_to_tls_and_a_report_is_refused(site: Site, ports: Ports):
    plain = f"http://localhost:{ports.http}"
    page = httpx.get(f"{plain}/runs?outcome=FAIL", timeout=DEADLINE_S)
    assert (page.status_code, page.headers["location"]) == (308, "https://localhost/runs?outcome=FAIL")
    report = httpx.post(f"{plain}/api/v1/runs", json={}, timeout=DEADLINE_S)
    assert (report.status_code, report.text.strip()) == (
        403,
        "Send this to https://localhost, not to http://localhost.",
    )


def test_a_server_that_is_away_is_not_noticed(admin: httpx.Client):
    """Every second request would go to it."""
    assert len({create_run(admin, run_of(f"SN-{uuid4().hex[:12]}")) for _ in range(8)}) == 8
