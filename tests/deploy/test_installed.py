"""Runcard as the Containerfile installs it, started by each command that deploy/ ships, as it is written there.

Only the paths are those of this machine, and each server is told a free port.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from hypothesis import settings
from moto.server import ThreadedMotoServer

from tests.acceptance.files import attachments_of, downloaded, initialize, put, sync
from tests.acceptance.wire import create_run, run_of
from tests.cli.commands import Serving, environment, serving_as
from tests.clickhouse_server import running_clickhouse
from tests.deploy.shipped import DEPLOY, ROOT, assigned, compose, stages
from tests.servers import DEADLINE_S, Installation

BUILD, RUN = stages(DEPLOY / "Containerfile")
VARIABLES = {"SITE_HOST": "runcard.test", "FILES_HOST": "files.test", "SITE_TLS": "internal"}
INIT = ("init", "--organization", "Acme", "--email", "ada@acme.test")


class Image(NamedTuple):
    """root: where the files of the image are."""

    root: Path

    def serving(
        self, command: Sequence[str], variables: Mapping[str, str], data: Path
    ) -> AbstractContextManager[Serving]:
        """A server that is started so in a container of the image, with this volume."""
        return serving_as(*self._moved(command, variables, data))

    @contextmanager
    def running(
        self, command: Sequence[str], variables: Mapping[str, str], data: Path
    ) -> Iterator["subprocess.Popen[str]"]:
        """Another command in such a container; it is killed in the end."""
        moved, own = self._moved(command, variables, data)
        with subprocess.Popen(moved, env=own, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield process
            finally:
                process.kill()

    def _moved(
        self, command: Sequence[str], variables: Mapping[str, str], data: Path
    ) -> tuple[list[str], dict[str, str]]:
        """The command and all variables that it gets, with the paths of this machine."""
        moved = {
            "/opt/runcard": self.root / "opt",
            "/var/lib/runcard": data,
            "/run/secrets": self.root / "secrets",
        }

        def here(text: str) -> str:
            for there, place in moved.items():
                text = text.replace(there, str(place))
            return text

        own = {
            name: value
            for instruction, said in RUN
            if instruction == "ENV"
            for name, value in assigned(said).items()
        }
        own["PATH"] = own["PATH"].replace("$PATH", os.environ["PATH"])
        return [here(one) for one in command], {
            name: here(value) for name, value in {**own, **variables}.items()
        }


def of_image(name: str) -> list[str]:
    [arguments] = [json.loads(said) for instruction, said in RUN if instruction == name]
    return list(arguments)


def copy_context(folder: Path) -> None:
    """What of the checkout a build sees."""
    kept = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.MULTILINE)
    folder.mkdir()
    for name in kept:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, secrets_folder: Path) -> Image:
    """Built by the commands of the Containerfile, in a virtual environment that has nothing else.

    To install the locked packages takes a minute, so only `make test-long` does. Otherwise those of the tests
    are taken.
    """
    root = tmp_path_factory.mktemp("image")
    copy_context(root / "context")
    for command in (said for instruction, said in BUILD if instruction == "RUN"):
        if "requirements.lock" in command and settings.get_current_profile_name() != "long":
            lend_packages(root / "opt")
        else:
            build(root, re.sub(r"--mount=\S+ +", "", command).replace("/opt/runcard", str(root / "opt")))
    shutil.copytree(secrets_folder, root / "secrets")
    return Image(root)


def build(root: Path, command: str) -> None:
    done = subprocess.run(
        ["sh", "-ec", command],
        cwd=root / "context",
        env=environment() | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def lend_packages(venv: Path) -> None:
    """Let an environment see what is installed here, but not the checkout: a .pth names that, and reads no other."""
    [packages] = venv.glob("lib/*/site-packages")
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib"), "utf-8")


def test_the_image_serves_pages_is_healthy_and_ends_when_it_is_told_to(image: Image, tmp_path: Path):
    with image.serving(of_image("ENTRYPOINT") + of_image("CMD"), {}, tmp_path) as server:
        url = httpx.URL(server.first["url"])
        for path in ("/static/vendor/tabler.min.css", "/static/vendor/echarts.min.js", "/api/openapi.json"):
            assert httpx.get(url.join(path), timeout=DEADLINE_S).status_code == 200
        lives = httpx.get(url.join("/healthz"), timeout=DEADLINE_S).status_code == 200
        assert is_healthy(image, url.port) == lives
        done = server.stop()
    assert (done.code, done.stderr) == (0, "")
    assert not is_healthy(image, url.port)
    assert (tmp_path / "runcard.sqlite3").is_file()


def is_healthy(image: Image, port: int | None) -> bool:
    """What the health check of the image finds at this port."""
    [check] = [json.loads(said.partition("CMD ")[2]) for name, said in RUN if name == "HEALTHCHECK"]
    command = [image.root / "opt/bin/python", *(one.replace("8000", str(port)) for one in check[1:])]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_one_box_serves_under_its_name(image: Image, tmp_path: Path):
    said = compose("compose.yaml", VARIABLES)["services"]["runcard"]
    with image.serving([*of_image("ENTRYPOINT"), *said["command"]], said["environment"], tmp_path) as server:
        assert server.first["url"] == "https://runcard.test"
        assert server.first["setup_url"].startswith("https://runcard.test/setup/")


@pytest.fixture(scope="module")
def store_url() -> Iterator[str]:
    """An S3 server with a bucket, whatever key is shown to it."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    moto.start()
    url = "http://{}:{}".format(*moto.get_host_and_port())
    httpx.put(f"{url}/runcard").raise_for_status()
    yield url
    moto.stop()


@pytest.fixture(scope="module")
def columns_url() -> Iterator[str]:
    """An empty database of ClickHouse."""
    with running_clickhouse() as server:
        yield server.create()


@pytest.fixture
def two_servers(
    image: Image, postgresql_url: str, columns_url: str, store_url: str, tmp_path: Path
) -> Iterator[tuple[Serving, Serving]]:
    """Both of compose.large.yaml, which know the databases and the store of this test."""
    for name, url in (("database_url", postgresql_url), ("columns_url", columns_url)):
        (image.root / "secrets" / name).chmod(0o600)
        (image.root / "secrets" / name).write_text(url, "utf-8")
    services = compose("compose.large.yaml", VARIABLES)["services"]
    here = {"RUNCARD_ATTACHMENTS_ENDPOINT": store_url, "RUNCARD_PUBLIC_URL": ""}
    with ExitStack() as stack:

        def started(name: str) -> Serving:
            said = services[name]
            (data := tmp_path / name).mkdir()
            command = [*said["entrypoint"], *said["command"]]
            return stack.enter_context(image.serving(command, said["environment"] | here, data))

        yield started("runcard-1"), started("runcard-2")


def name_procedure(server: Serving, headers: Mapping[str, str]) -> None:
    """Make the procedure of which the runs of these tests are."""
    url = f"{server.first['url']}/api/v2/procedures"
    made = httpx.post(url, json={"name": "FVT1", "identifier": "FVT1"}, headers=headers, timeout=DEADLINE_S)
    assert made.status_code == 200, made.text


def counted(server: Serving, headers: Mapping[str, str]) -> int:
    """How many runs a question finds, once there is an answer that knows all of them."""
    until = time.monotonic() + DEADLINE_S
    while time.monotonic() < until:
        url = f"{server.first['url']}/api/analytics/throughput"
        answer = httpx.get(url, headers=headers, timeout=DEADLINE_S)
        if answer.status_code == 200 and answer.json()["freshness"]["is_current"]:
            return int(answer.json()["n"])
    raise AssertionError(answer.text)


def test_two_servers_share_databases_store_and_keys(
    two_servers: tuple[Serving, Serving], postgresql_url: str, store_url: str, tmp_path: Path
):
    made = Installation(tmp_path, postgresql_url).runcard(*INIT)
    headers = {"Authorization": f"Bearer {made['api_key']}"}
    with ExitStack() as stack:
        first, second = (
            stack.enter_context(
                httpx.Client(base_url=f"{one.first['url']}/api/v1", headers=headers, timeout=DEADLINE_S)
            )
            for one in two_servers
        )
        name_procedure(two_servers[1], headers)
        run_id = create_run(first, run_of("SN-1"))
        slot = initialize(second, "log.txt")
        assert slot["uploadUrl"].startswith(f"{store_url}/runcard/attachments/")
        assert put(slot, b"content").status_code == 200
        assert sync(first, slot["id"], run_id).status_code == 200
        (attachment,) = attachments_of(second, "SN-1")
        assert downloaded(attachment) == b"content"
        assert {counted(one, headers) for one in two_servers} == {1}
    for one in two_servers:
        assert one.stop().code == 0
    # The keys are those of the secrets.
    assert not list(tmp_path.glob("*/*.key"))


def test_the_worker_keeps_the_columns(image: Image, two_servers: tuple[Serving, Serving], tmp_path: Path):
    said = compose("compose.large.yaml", VARIABLES)["services"]["worker"]
    command = [*of_image("ENTRYPOINT"), *said["command"]]
    with image.running(command, said["environment"], tmp_path) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline().startswith("Runcard keeps the columnar copy in clickhouse://runcard@")


def test_the_unit_serves_with_its_settings_and_secrets(image: Image, tmp_path: Path, secrets_folder: Path):
    folder = DEPLOY / "systemd"
    unit = (folder / "runcard.service").read_text("utf-8")
    [command] = re.findall(r"^ExecStart=(.+)$", unit, re.MULTILINE)
    secrets = (
        (folder / "runcard.service.d/secrets.conf").read_text("utf-8").replace("%d", str(secrets_folder))
    )
    texts = [unit, (folder / "runcard.env").read_text("utf-8"), secrets]
    named = dict(re.findall(r"^(?:Environment=)?(RUNCARD_\w+)=(.+)$", "\n".join(texts), re.MULTILINE))
    del named["RUNCARD_DATABASE_URL_FILE"]  # there is no such host here
    with image.serving(command.split(), named, tmp_path) as server:
        assert server.first["url"] == "https://runcard.example.com"
        assert server.stop().code == 0
    assert not list(tmp_path.glob("*.key"))


def test_the_demo_runs_from_the_wheel(image: Image, tmp_path: Path):
    command = ["/opt/runcard/bin/runcard", "demo", "--runs", "40", "--data-dir", str(tmp_path / "demo-data")]
    with image.serving(command, {}, tmp_path) as server:
        key = {"Authorization": f"Bearer {server.first['api_key']}"}
        answer = httpx.get(f"{server.first['url']}/api/v2/runs", headers=key, timeout=DEADLINE_S)
        assert answer.status_code == 200
        assert len(answer.json()["data"]) >= 40
