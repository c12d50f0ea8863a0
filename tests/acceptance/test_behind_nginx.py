"""Two servers of one PostgreSQL database behind nginx, set up as the guide says. Each request may meet either."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from runcard.auth.credentials import MAX_FAILURES
from tests.acceptance.wire import create_run, run_of
from tests.conftest import DatabaseKind
from tests.servers import DEADLINE_S, Server
from tests.web.browser import Browser, logged_in
from tests.world import PASSWORD

NGINX = shutil.which("nginx")
GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "operations.md"
BY = "x-served-by"

pytestmark = pytest.mark.skipif(
    NGINX is None, reason="nginx is not installed (Debian: apt-get install nginx-light)"
)


@pytest.fixture(scope="module", params=["postgresql"])
def database_kind(request: pytest.FixtureRequest) -> DatabaseKind:
    """A SQLite file is served by one process only."""
    kind: DatabaseKind = request.param
    return kind


@pytest.fixture(scope="module")
def port() -> int:
    """Where nginx listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found: int = listener.getsockname()[1]
        return found


@pytest.fixture(scope="module")
def server_settings(port: int) -> dict[str, str]:
    return {
        "RUNCARD_TRUSTED_PROXIES": "127.0.0.1",
        "RUNCARD_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "RUNCARD_SECRET_KEY": "a secret key that both servers have",
    }


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    """The first one, on the database of the module."""
    return own_server


@pytest.fixture(scope="module")
def other(
    server: Server,
    peopled_database_url: str,
    server_settings: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """The second one, on the same database, with the same files on a disk that both share."""
    data_dir = tmp_path_factory.mktemp("other")
    (data_dir / "attachments").symlink_to(server.data_dir / "attachments")
    (data_dir / "signing.key").write_bytes((server.data_dir / "signing.key").read_bytes())
    running = Server(data_dir, peopled_database_url, server.world, server_settings)
    running.start()
    yield running
    running.stop()


def configuration(port: int, servers: list[Server]) -> str:
    """What the guide says, with two servers in the place of one, and a header that tells which of them answered."""
    found = re.search(
        r"^    client_max_body_size.*?^    }$", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert found is not None
    site = found[0].replace(
        "http://127.0.0.1:8000;", "http://runcard; add_header X-Served-By $upstream_addr always;"
    )
    upstream = " ".join(f"server {one.url.removeprefix('http://')};" for one in servers)
    temporary = " ".join(
        f"{kind}_temp_path {kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        "daemon off; master_process off; pid nginx.pid; error_log error.log; events {}\n"
        f"http {{ access_log off; {temporary} upstream runcard {{ {upstream} keepalive 8; }}\n"
        f"server {{ listen 127.0.0.1:{port};\n{site}\n}} }}\n"
    )


@pytest.fixture(scope="module")
def url(server: Server, other: Server, port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The root behind which both are."""
    assert NGINX is not None
    folder = tmp_path_factory.mktemp("nginx")
    (folder / "nginx.conf").write_text(configuration(port, [server, other]), "utf-8")
    nginx = subprocess.Popen([NGINX, "-p", folder, "-e", "error.log", "-c", "nginx.conf"])
    try:
        root, until = f"http://127.0.0.1:{port}", time.monotonic() + DEADLINE_S
        while not answers(root):
            assert nginx.poll() is None, (folder / "error.log").read_text()
            assert time.monotonic() < until
        yield root
    finally:
        nginx.terminate()
        nginx.wait(DEADLINE_S)


def answers(root: str) -> bool:
    try:
        return httpx.get(f"{root}/healthz", timeout=DEADLINE_S).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def v2(server: Server, url: str) -> Iterator[httpx.Client]:
    """Acme's admin at the v2 API of both."""
    key = {"Authorization": f"Bearer {server.world.acme.admin.api_key}"}
    with httpx.Client(base_url=f"{url}/api/v2", headers=key, timeout=DEADLINE_S) as client:
        yield client


def asked_of_both(client: httpx.Client, method: str, path: str, **more: Any) -> list[httpx.Response]:
    """The answers of both servers, in no order."""
    found: dict[str, httpx.Response] = {}
    for _ in range(20):
        answer = client.request(method, path, **more)
        found.setdefault(answer.headers[BY], answer)
        if len(found) == 2:
            return list(found.values())
    raise AssertionError(f"only {found.keys()} answered")


def test_a_session_of_one_holds_at_the_other(server: Server, url: str) -> None:
    with closing(logged_in(url, server.world.acme.admin)) as ada:
        for path in ("/", "/runs", "/stations"):
            assert {answer.status_code for answer in asked_of_both(ada.http, "GET", path)} == {200}
        ada.log_out()
        for answer in asked_of_both(ada.http, "GET", "/runs", follow_redirects=False):
            assert answer.headers["location"].startswith("/log-in")


def test_a_form_of_one_is_taken_by_the_other(server: Server, other: Server) -> None:
    admin = server.world.acme.admin
    for one, two in ((server, other), (other, server)):
        with closing(Browser(one.url)) as here:
            fields = here.open("/log-in").hidden_fields
            with closing(Browser(two.url, here.http.cookies)) as there:
                page = there.send("/log-in", {**fields, "email": admin.email, "password": PASSWORD})
                assert (page.status, page.path) == (200, "/")


def test_links_of_one_lead_through_the_other(v2: httpx.Client, url: str) -> None:
    for _ in range(4):
        slot = v2.post("/attachments", json={"name": "note.txt"}).json()
        assert slot["upload_url"].startswith(f"{url}/")
        put = httpx.put(slot["upload_url"], content=b"through nginx", timeout=DEADLINE_S)
        assert put.status_code == 200
        done = v2.post(f"/attachments/{slot['id']}/finalize")
        assert done.status_code == 200, done.text
        with httpx.Client(timeout=DEADLINE_S) as stranger:
            for answer in asked_of_both(stranger, "GET", done.json()["url"]):
                assert answer.content == b"through nginx"


def test_a_page_of_one_goes_on_at_the_other(server: Server, other: Server, v2: httpx.Client) -> None:
    with server.client(server.world.acme.fct.api_key) as station:
        recorded = {create_run(station, run_of("PAGED")) for _ in range(6)}
    found: list[str] = []
    asked: dict[str, Any] = {"serial_numbers": ["PAGED"], "limit": 2}
    for one in (server, other, server):
        page = v2.get(f"{one.url}/api/v2/runs", params=asked).json()
        found += [run["id"] for run in page["data"]]
        asked["cursor"] = page["meta"]["next_cursor"]
    assert (len(found), set(found)) == (6, recorded)
    assert asked["cursor"] is None


def test_what_the_proxy_says_of_a_request_is_kept(url: str, v2: httpx.Client) -> None:
    """nginx makes the id of the request, and overwrites what a caller claims."""
    claimed = {"X-Request-ID": "mine", "X-Forwarded-For": "192.0.2.7"}
    made = v2.post("/batches", json={"number": "B-NGINX"}, headers=claimed)
    assert re.fullmatch(r"[0-9a-f]{32}", made.headers["x-request-id"])
    entries = v2.get(
        "http://127.0.0.1/api/trail".replace("http://127.0.0.1", str(v2.base_url)[:-8]), params={}
    )
    [entry] = [one for one in entries.json()["data"] if one["thing_id"] == made.json()["id"]]
    assert (entry["request_id"], entry["address"]) == (made.headers["x-request-id"], "127.0.0.1")


def test_guesses_are_counted_by_both_together(server: Server, other: Server) -> None:
    """A stranger who asks both servers in turn guesses as often as at one."""
    email = server.world.acme.viewer.email
    with closing(Browser(server.url)) as one, closing(Browser(other.url)) as two:
        statuses = [stranger.log_in(email, "wrong").status for _ in range(6) for stranger in (one, two)]
    assert statuses == [401] * MAX_FAILURES + [429, 429]


def test_both_are_ready(server: Server, other: Server, url: str) -> None:
    with httpx.Client(base_url=url, timeout=DEADLINE_S) as probe:
        until = time.monotonic() + DEADLINE_S
        while {answer.status_code for answer in asked_of_both(probe, "GET", "/readyz")} != {200}:
            assert time.monotonic() < until
        assert {answer.headers[BY] for answer in asked_of_both(probe, "GET", "/readyz")} == {
            one.url.removeprefix("http://") for one in (server, other)
        }
