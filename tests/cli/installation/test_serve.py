"""Starting and stopping the server."""

import signal
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from runcard.analytics.copy.engines.duckdb import DuckDb
from runcard.auth.tokens import digest_of
from runcard.cli.installation import serve
from runcard.settings import SettingsError, load_settings
from runcard.store.engine.tables import setup_links
from runcard.store.people.sessions import is_setup_link_open
from tests.cli.commands import runcard, serving
from tests.servers import DEADLINE_S, Installation


def is_open(installation: Installation, setup_url: str) -> bool:
    with installation.database() as database, database.read() as connection:
        return is_setup_link_open(connection, digest_of(setup_url.rpartition("/")[2]))


def age_links(installation: Installation) -> None:
    """Make all set-up links a day older than they are."""
    with installation.database() as database, database.engine.begin() as connection:
        older = datetime.now(UTC) - timedelta(days=1)
        connection.execute(update(setup_links).values(created_at=older))


def test_a_new_installation_is_set_up_by_the_link_of_any_start_of_the_last_day(tmp_path: Path) -> None:
    installation = Installation(tmp_path, None)
    with serving("serve", "--data-dir", tmp_path) as first:
        url, setup_url = first.first["url"], first.first["setup_url"]
        assert setup_url.startswith(f"{url}/setup/")
        assert is_open(installation, setup_url)
        done = first.stop()
        assert (done.code, done.stdout, done.stderr) == (0, "", "")
    with serving("serve", "--data-dir", tmp_path) as second:
        assert is_open(installation, setup_url), "another server of the installation may have printed it"
        assert is_open(installation, second.first["setup_url"])
        second.stop()
    age_links(installation)
    with serving("serve", "--data-dir", tmp_path) as second:
        assert not is_open(installation, setup_url)
        assert is_open(installation, second.first["setup_url"])

        installation.runcard("init", "--organization", "Acme", "--email", "ada@acme.test")
        assert not is_open(installation, second.first["setup_url"])
        second.stop()
    with serving("serve", "--data-dir", tmp_path) as third:
        assert third.first["setup_url"] is None
        assert third.stop(signal.SIGINT).code == 0


def test_a_second_server_of_a_directory_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    with serving("serve", "--data-dir", tmp_path) as first:
        second = runcard("serve", "--port", "0", "--data-dir", tmp_path)
        assert second.code == 1
        assert second.stdout == ""
        assert f"process {first.process.pid}" in second.stderr
        assert is_open(Installation(tmp_path, None), first.first["setup_url"])
        assert httpx.get(f"{first.first['url']}/api/openapi.json").status_code == 200


def test_a_killed_server_does_not_keep_the_next_from_starting(tmp_path: Path) -> None:
    with serving("serve", "--data-dir", tmp_path) as first:
        first.stop(signal.SIGKILL)
    # 0 is every address of this machine; what is printed can be reached from here.
    with serving("serve", "--data-dir", tmp_path, "--host", "0") as second:
        assert second.first["url"].startswith("http://localhost:")
        assert httpx.get(f"{second.first['url']}/api/openapi.json").status_code == 200


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = runcard("serve", "--port", port, "--data-dir", tmp_path)
    assert done.code == 1
    assert done.stdout == ""
    assert f"and port {port}: Address already in use. Choose others" in done.stderr


def test_a_port_of_figures_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = runcard("serve", "--port", "0", "--data-dir", tmp_path, RUNCARD_METRICS_PORT=port)
    assert (done.code, done.stdout) == (1, "")
    assert (
        f"and port {port}: Address already in use. Choose others with metrics_host and metrics_port"
        in done.stderr
    )


def test_figures_of_several_processes_are_refused(postgresql_url: str, tmp_path: Path) -> None:
    command = (
        "serve",
        "--port",
        "0",
        "--data-dir",
        tmp_path,
        "--database-url",
        postgresql_url,
        "--workers",
        "2",
    )
    done = runcard(*command, RUNCARD_METRICS_TOKEN="a token of this test")
    assert (done.code, done.stdout) == (1, "")
    assert "workers 2 cannot be combined with metrics_token or metrics_port" in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("METRICS_PORT", "0"),
        ("METRICS_PORT", "http"),
        ("METRICS_TOKEN", "short"),
        ("LOG_FORMAT", "xml"),
        ("STOP_DELAY_S", "301"),
        ("READY_COPY_BEHIND_S", "0"),
        ("OTEL_ENDPOINT", "collector:4318"),
        ("OTEL_ENDPOINT", "http://user:password@collector:4318"),
        ("OTEL_SAMPLE_RATIO", "1.1"),
        ("OTEL_SAMPLE_RATIO", "-0.1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name.lower()):
        load_settings({f"RUNCARD_{name}": value, "RUNCARD_DATA_DIR": str(tmp_path)})


def test_traces_without_the_packages_for_them_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings({"RUNCARD_OTEL_ENDPOINT": "http://collector:4318"}, data_dir=tmp_path)
    for missing in ("opentelemetry.of_no_version", "no_such_package.inside"):
        monkeypatch.setattr(serve, "_FOR_TRACES", ("opentelemetry.sdk.trace", missing))
        with pytest.raises(SettingsError, match=r"otel_endpoint http://collector:4318 .* 'runcard\[otel\]'"):
            serve.prepare_server(settings, [])


def test_the_public_url_is_what_links_begin_with(tmp_path: Path) -> None:
    public = "https://runcard.example/"
    with serving("serve", "--data-dir", tmp_path, "--public-url", public) as server:
        assert server.first["url"] == "https://runcard.example"
        assert server.first["setup_url"].startswith("https://runcard.example/setup/")


def test_several_processes_need_a_copy_that_they_share(postgresql_url: str, tmp_path: Path) -> None:
    done = runcard("serve", "--data-dir", tmp_path, "--database-url", postgresql_url, "--workers", "2")
    assert done.code == 1
    assert "Set RUNCARD_COLUMNS_URL to a ClickHouse" in done.stderr


def test_a_copy_that_another_process_owns_is_said_at_the_start(tmp_path: Path) -> None:
    owned = DuckDb(tmp_path / "analytics.duckdb")
    done = runcard("serve", "--port", "0", "--data-dir", tmp_path)
    owned.close()
    assert done.code == 1
    assert "belongs to another process" in done.stderr
    assert "RUNCARD_COLUMNAR_COPY=false" in done.stderr


def test_several_processes_serve_one_postgresql(postgresql_url: str, tmp_path: Path) -> None:
    (tmp_path / "runcard.toml").write_text("columnar_copy = false\n", "ascii")
    options = ("--data-dir", tmp_path, "--database-url", postgresql_url)
    with serving("serve", *options, "--workers", "2") as server:
        made = Installation(tmp_path, postgresql_url).runcard(
            "init", "--organization", "Acme", "--email", "ada@acme.test"
        )
        key = {"Authorization": f"Bearer {made['api_key']}"}
        # A connection each, so that both processes come to answer.
        for _ in range(8):
            url = f"{server.first['url']}/api/v1/runs?serial_number=SN-1"
            answer = httpx.get(url, headers=key, timeout=DEADLINE_S)
            assert answer.status_code == 200
        assert server.stop().code == 0
    assert not list(tmp_path.glob("secret.key.*"))
