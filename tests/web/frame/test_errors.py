"""Pages for what went wrong, and the headers that every page has."""

import re
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from sqlalchemy import update

from runcard.activity.noted_calls import new_notes
from runcard.app import create_server
from runcard.settings import Settings
from runcard.store.engine.tables import run_documents
from tests.conftest import DatabaseKind, Template
from tests.servers import DEADLINE_S, Server
from tests.trails import changed_past_runcard
from tests.web.browser import Browser, Page
from tests.web.reporting import record, report


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def server(module_data_dir: Path, peopled_database_url: str | None, peopled: Template) -> Iterator[Server]:
    """A server that may meet unexpected errors: it is not asked afterwards whether it did."""
    assert peopled.world is not None
    running = Server(module_data_dir, peopled_database_url, peopled.world)
    running.start()
    yield running
    running.close()


@pytest.mark.parametrize("path", ["/nothing", "/static/nothing.css", "/runs/1/2", "/v10/runs", "/log-in/x"])
def test_an_unknown_address_is_a_page(stranger: Browser, path: str):
    page = stranger.open(path)
    assert page.status == 404
    assert "There is nothing here" in page.text


@pytest.mark.parametrize(
    ("path", "status"), [("/nothing", 404), ("/runs/1", 404), ("/runs?period=never", 400)]
)
def test_what_went_wrong_keeps_the_menu_of_who_is_logged_in(
    ada: Browser, stranger: Browser, path: str, status: int
):
    page = ada.open(path)
    assert page.status == status
    assert "/log-out" in [form["action"] for form in page.all("form")]
    assert "/stations" in page.links
    assert "/log-out" not in stranger.open(path).answer.text


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/api/v1/nothing", "/v1/nothing", "/api", "/files/download/x"]
)
def test_an_unknown_address_for_programs_is_json(stranger: Browser, path: str):
    answer = stranger.http.get(path)
    assert answer.headers["content-type"] == "application/json"
    assert answer.status_code in (403, 404)


def test_a_method_that_a_page_does_not_take_is_a_page(stranger: Browser):
    answer = stranger.http.delete("/runs")
    assert (answer.status_code, answer.headers["content-type"]) == (405, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("path", "status"), [("/files/download/x", 403), ("/files/upload/x", 405), ("/files/nothing", 404)]
)
def test_a_link_that_leads_nowhere_is_a_page_in_a_browser(stranger: Browser, path: str, status: int):
    accepts = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    answer = stranger.http.get(path, headers={"Accept": accepts})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert Page(answer).all("h1")


@pytest.mark.parametrize("path", ["/", "/runs", "/log-in", "/nothing", "/runs/x?y=1", "/setup/x"])
def test_head_is_answered_as_get_without_a_body(stranger: Browser, ada: Browser, path: str):
    for browser in (stranger, ada):
        head, get = (browser.http.request(method, path, follow_redirects=False) for method in ("HEAD", "GET"))
        assert head.content == b""
        assert (head.status_code, headers_of(head)) == (get.status_code, headers_of(get))


def headers_of(answer: httpx.Response) -> dict[str, str]:
    """Those that say the same each time. Of a compressed page the length does not: its form token is another one."""
    changing = {"date", "x-request-id", "set-cookie"}
    changing |= {"content-length"} if "content-encoding" in answer.headers else set()
    return {name: value for name, value in answer.headers.items() if name not in changing}


def test_a_failure_of_the_server_tells_nothing_of_itself(server: Server, ada: Browser):
    path = record(server, report("BROKEN"))
    run_id = UUID(path.removeprefix("/runs/"))
    changed_past_runcard(run_id)
    broken = run_documents.c.run_id == run_id
    server.change(
        lambda tx: tx.connection.execute(update(run_documents).where(broken).values(body=b"no document"))
    )
    page = ada.open(path)
    assert page.status == 500
    assert "Something went wrong" in page.text
    assert f"Request {page.answer.headers['x-request-id']}" in page.text
    assert "zstd" not in page.answer.text.lower()
    assert "Traceback" in server.log
    for _ in range(3):
        assert ada.open(path).status == 500
    assert server.log.count("runcard.app: request failed") == 1
    assert "Exception in ASGI application" not in server.log


def test_a_connection_outlives_a_failure_of_the_server(server: Server, ada: Browser):
    path = record(server, report("RESET"))
    run_id = UUID(path.removeprefix("/runs/"))
    changed_past_runcard(run_id)
    broken = run_documents.c.run_id == run_id
    server.change(
        lambda tx: tx.connection.execute(update(run_documents).where(broken).values(body=b"no document"))
    )
    cookies = "; ".join(f"{one.name}={one.value}" for one in ada.http.cookies.jar)
    with closing(HTTPConnection(urlsplit(server.url).netloc, timeout=DEADLINE_S)) as connection:
        connection.connect()
        socket = connection.sock
        for _ in range(2):
            connection.request("GET", path, headers={"Cookie": cookies})
            answer = connection.getresponse()
            assert answer.status == 500
            answer.read()
            assert connection.sock is socket


def test_every_page_is_safe_to_show(server: Server, ada: Browser, stranger: Browser):
    run = record(server, report("SAFE"))
    answers = [
        ada.http.get("/runs"),
        ada.http.get(run),
        ada.http.get("/", follow_redirects=False),
        stranger.http.get("/log-in"),
        stranger.http.get("/runs", follow_redirects=False),
        stranger.http.get("/setup/x"),
        stranger.http.get("/nothing"),
        stranger.http.post("/log-in"),
    ]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert {"default-src 'self'", "style-src 'self'", "frame-ancestors 'none'"} <= set(policy.split("; "))
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"


def every_request(data_dir: Path) -> list[tuple[str, str]]:
    """Method and path of every route, with something in the place of each parameter."""
    app = create_server(Settings(data_dir=data_dir), new_notes()).app
    found = [
        (method, re.sub(r"{[^}]*}", "x", route.path or ""))
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
    ]
    files = ("/static/runcard.css", "/api/docs/files/swagger-ui.css")
    return [*found, *(("GET", path) for path in (*files, "/healthz", "/readyz", "/metrics", "/x"))]


def test_every_answer_is_safe_to_have(server: Server, ada: Browser, tmp_path: Path):
    """Whatever it is: of each route, one for nobody and one for an admin."""
    requests = every_request(tmp_path)
    assert len(requests) > 200
    key = {"Authorization": f"Bearer {server.world.acme.admin.api_key}"}
    admin = httpx.Client(
        base_url=server.url, headers=key, cookies=ada.http.cookies, timeout=DEADLINE_S, follow_redirects=False
    )
    with admin, httpx.Client(base_url=server.url, timeout=DEADLINE_S) as nobody:
        for method, path in requests:
            for client in (admin, nobody):
                headers = client.request(method, path).headers
                where = f"{method} {path}: {headers}"
                assert headers["x-content-type-options"] == "nosniff", where
                assert "no-store" in headers.get("cache-control", "") or "etag" in headers, where
                assert "strict-transport-security" not in headers, where
                if headers.get("content-type", "").startswith("text/html"):
                    assert "frame-ancestors 'none'" in headers["content-security-policy"], where
                    assert headers["x-frame-options"] == "DENY", where


def test_a_redirect_names_no_host(ada: Browser):
    for host in ("evil.example", "localhost"):
        answer = ada.http.get("/runs/", headers={"Host": host}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (307, "/runs")
    answer = ada.http.get("//evil.example/..%2fruns/", follow_redirects=False)
    assert not answer.headers.get("location", "/").startswith("//")


def test_pages_need_nothing_but_this_server(server: Server, ada: Browser):
    for path in ("/runs", record(server, report("ALONE")), "/nothing"):
        page = ada.open(path)
        used = [one["href"] for one in page.all("link")] + [one["src"] for one in page.all("img")]
        assert used
        for url in used:
            assert url.startswith("/static/")
            assert ada.http.get(url).status_code == 200
        assert not [element for element in page.elements if "style" in element.attributes]


def test_style_sheets_are_asked_for_again_and_not_sent_again(server: Server):
    url = f"{server.url}/static/runcard.css"
    first = httpx.get(url, timeout=DEADLINE_S)
    assert first.headers["content-type"] == "text/css; charset=utf-8"
    assert first.headers["cache-control"] == "no-cache"
    again = httpx.get(url, headers={"If-None-Match": first.headers["etag"]}, timeout=DEADLINE_S)
    assert (again.status_code, again.content) == (304, b"")
