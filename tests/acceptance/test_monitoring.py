"""Probes and figures of a server, as a load balancer and Prometheus see them."""

import json
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open_metrics
from prometheus_client.parser import text_string_to_metric_families

from tests.acceptance.wire import create_run, run_of
from tests.conftest import DatabaseKind, Template
from tests.readiness import CHECKS, wait_until
from tests.servers import DEADLINE_S, Server

TOKEN = "a token of this test"
DEPLOY = Path(__file__).parents[2] / "deploy"
# What /metrics tells only after something has happened, or that Prometheus adds by itself.
_OF_PROMETHEUS = {"up"}


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """test_outages.py takes a PostgreSQL away."""
    return "sqlite"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def server_settings() -> dict[str, str]:
    return {"RUNCARD_METRICS_TOKEN": TOKEN, "RUNCARD_METRICS_PORT": str(free_port())}


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    """A server with a file in quarantine."""
    headers = {"Authorization": f"Bearer {own_server.world.acme.admin.api_key}"}
    with httpx.Client(base_url=f"{own_server.url}/api/v2", headers=headers, timeout=DEADLINE_S) as v2:
        slot = v2.post("/attachments", json={"name": "report.xml"}).json()
        httpx.put(slot["upload_url"], content=b"<testsuite", timeout=DEADLINE_S).raise_for_status()
        items = [{"upload_id": slot["id"], "importer": "JUNIT"}]
        [result] = v2.post("/imports/structured", json={"items": items}).json()["results"]
        assert not result["success"]
    return own_server


@pytest.fixture(scope="module")
def own_port(peopled: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server whose figures are for everybody at a port of their own, and the root there."""
    assert peopled.world is not None
    port, data_dir = free_port(), tmp_path_factory.mktemp("own_port")
    for _ in peopled.copy(data_dir, None):
        running = Server(data_dir, None, peopled.world, {"RUNCARD_METRICS_PORT": str(port)})
        running.start()
        yield running, f"http://127.0.0.1:{port}"
        running.stop()


def ask(method: str, url: str, **headers: str) -> httpx.Response:
    return httpx.request(method, url, headers=headers, timeout=DEADLINE_S)


Sample = tuple[str, frozenset[tuple[str, str]]]


def figures(server: Server) -> Mapping[Sample, float]:
    """All that a scrape finds, by name and labels."""
    answer = ask("GET", f"{server.url}/metrics", Authorization=f"Bearer {TOKEN}")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    return {(one.name, frozenset(one.labels.items())): one.value for of in families for one in of.samples}


def figure(found: Mapping[Sample, float], name: str, **labels: str) -> float:
    return found.get((name, frozenset(labels.items())), 0.0)


def test_a_server_that_works_lives_and_is_ready(server: Server) -> None:
    alive = ask("GET", f"{server.url}/healthz")
    assert (alive.status_code, alive.json()) == (200, {"alive": True})
    ready = wait_until(server, 200)
    assert ready == {
        "ready": True,
        "checks": [{"name": name, "holds": True, "why": None} for name in CHECKS],
    }


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_other_methods_than_get_are_told(server: Server, path: str) -> None:
    wait_until(server, 200)
    key = {"Authorization": f"Bearer {TOKEN}"}
    head = ask("HEAD", f"{server.url}{path}", **key)
    assert (head.status_code, head.content) == (200, b"")
    for method in ("POST", "DELETE", "PROPFIND"):
        answer = ask(method, f"{server.url}{path}", **key)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
        assert answer.json()["message"] == f"Use GET for {path}."


@pytest.mark.parametrize("given", [None, "Bearer", "Bearer wrong", TOKEN, f"Basic {TOKEN}", "Bearer \xe4"])
def test_figures_are_only_for_the_token(server: Server, given: str | None) -> None:
    headers = [] if given is None else [(b"authorization", given.encode("latin-1"))]
    for root in (server.url, f"http://127.0.0.1:{server.settings['RUNCARD_METRICS_PORT']}"):
        answer = httpx.get(f"{root}/metrics", headers=headers, timeout=DEADLINE_S)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert TOKEN not in answer.text


def test_nobody_gets_figures_that_are_off(shared_server: Server) -> None:
    for given in ("", "Bearer", "Bearer None"):
        answer = ask("GET", f"{shared_server.url}/metrics", Authorization=given)
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


def test_a_port_of_their_own_has_figures_and_probes_and_nothing_else(own_port: tuple[Server, str]) -> None:
    server, root = own_port
    assert "runcard_build_info" in ask("GET", f"{root}/metrics").text
    assert ask("GET", f"{root}/healthz").status_code == 200
    assert ask("GET", f"{root}/readyz").json().keys() == {"ready", "checks"}
    for path in ("/", "/log-in", "/api/v2/runs", "/metrics/", "/static/icon.svg"):
        assert ask("GET", f"{root}{path}").status_code == 404
    assert ask("GET", f"{server.url}/metrics").status_code == 404


def test_figures_count_what_happens(server: Server, new_serial: Callable[[], str]) -> None:
    before = figures(server)
    with server.client(server.world.acme.fct.api_key) as station:
        for _ in range(3):
            create_run(station, run_of(new_serial()))
        for number in range(5):
            assert station.get(f"{server.url}/{number}").status_code == 404
            assert station.get(f"{server.url}/api/v2/units/{number}").status_code == 404
        assert station.request("PROPFIND", f"{server.url}/x").status_code == 404
    after = figures(server)

    def more(name: str, **labels: str) -> float:
        return figure(after, name, **labels) - figure(before, name, **labels)

    run = {"route": "/api/v1/runs", "method": "POST"}
    assert more("runcard_requests_total", status="200", **run) == 3
    assert more("runcard_request_seconds_count", **run) == 3
    assert more("runcard_request_seconds_bucket", le="+Inf", **run) == 3
    assert more("runcard_requests_total", route="none", method="GET", status="404") == 5
    assert more("runcard_requests_total", route="none", method="other", status="404") == 1
    unit = {"route": "/api/v2/units/{serial_number:path}", "method": "GET", "status": "404"}
    assert more("runcard_requests_total", **unit) == 5
    assert more("runcard_run_write_seconds_count") == 3
    assert more("runcard_run_write_seconds_sum") > 0
    assert more("runcard_commit_group_size_sum", writer="recorder") == 3
    assert figure(after, "runcard_runs_waiting") == 0
    assert figure(after, "runcard_quarantined_files") == 1
    assert figure(after, "runcard_imports_unfinished") == 0
    assert figure(after, "process_resident_memory_bytes") > 0
    assert figure(after, "runcard_recorder_process_cpu_seconds_total") > 0
    for check in CHECKS:
        assert figure(after, "runcard_ready", check=check) == 1


def test_the_copy_catches_up_and_figures_tell(server: Server, serial: str) -> None:
    with server.client(server.world.acme.fct.api_key) as station:
        create_run(station, run_of(serial))
        # A question waits until the copy has seen what was recorded.
        key = {"Authorization": f"Bearer {server.world.acme.admin.api_key}"}
        asked = httpx.get(f"{server.url}/api/analytics/throughput", headers=key, timeout=DEADLINE_S)
        assert asked.status_code == 200
    found = figures(server)
    assert figure(found, "runcard_copy_lag_seconds") == 0
    assert ("runcard_copy_lag_changes", frozenset()) in found


def test_open_metrics_are_for_who_asks(server: Server) -> None:
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    answer = ask("GET", f"{server.url}/metrics", Authorization=f"Bearer {TOKEN}", Accept=accept)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert "runcard_requests" in {family.name for family in parse_open_metrics(answer.text)}


def test_a_server_without_its_recording_process_says_so_until_there_is_another(
    server: Server, serial: str
) -> None:
    wait_until(server, 200)
    restarts = figure(figures(server), "runcard_recorder_restarts_total")
    server.recording_process().kill()
    told = wait_until(server, 503)
    assert [check["name"] for check in told["checks"] if not check["holds"]] == ["recorder"]
    assert ask("GET", f"{server.url}/healthz").status_code == 200
    wait_until(server, 200)
    with server.client(server.world.acme.fct.api_key) as station:
        create_run(station, run_of(serial))
    assert figure(figures(server), "runcard_recorder_restarts_total") == restarts + 1


def test_what_deploy_names_is_told(server: Server, new_serial: Callable[[], str]) -> None:
    with server.client(server.world.acme.fct.api_key) as station:
        create_run(station, run_of(new_serial()))
    told = {name for name, _ in figures(server)} | _OF_PROMETHEUS
    dashboard: dict[str, Any] = json.loads((DEPLOY / "grafana-dashboard.json").read_text("utf-8"))
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    expressions += re.findall(r"^ +expr: (.+)$", (DEPLOY / "alerts.yaml").read_text("utf-8"), re.MULTILINE)
    named = {
        name
        for expression in [*expressions, (DEPLOY / "alerts.yaml").read_text("utf-8")]
        for name in re.findall(r"\b(?:runcard|process|python)_[a-z_]+\b", expression)
    }
    assert len(named) > 15
    assert named - told == set()


def test_the_guide_lists_every_figure(server: Server) -> None:
    guide = (DEPLOY.parent / "docs" / "guide" / "monitoring.md").read_text("utf-8")
    listed = set(re.findall(r"^\| `(\w+)(?:\*)?` \|", guide, re.MULTILINE))
    families = {re.sub(r"_(?:bucket|sum|count)$", "", name) for name, _ in figures(server)}
    own = {
        name
        for name in families
        if not name.startswith(("process_", "python_gc_", "runcard_recorder_process_"))
    }
    assert own == {name for name in listed if name.startswith("runcard_") and not name.endswith("_")}
