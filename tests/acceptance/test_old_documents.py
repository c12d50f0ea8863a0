"""A server whose documents of old runs lie in an object store that speaks S3, which goes away."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy import select

from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.phase import Phase
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.tables import moved_documents
from tests.acceptance.test_object_store import CREDENTIALS
from tests.acceptance.wire import create_run, run_of
from tests.conftest import SQLITE_FILE, Template
from tests.old_runs import days_ago
from tests.readiness import wait_until
from tests.servers import DEADLINE_S, Server
from tests.store.documents.moved import record_old


@pytest.fixture
def s3() -> Iterator[ThreadedMotoServer]:
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    moto.start()
    yield moto
    moto.stop()


@pytest.fixture
def bucket(s3: ThreadedMotoServer) -> Any:
    session = boto3.session.Session(
        CREDENTIALS["AWS_ACCESS_KEY_ID"],
        CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=CREDENTIALS["AWS_REGION"],
    )
    host, port = s3.get_host_and_port()
    made = session.resource("s3", endpoint_url=f"http://{host}:{port}").Bucket(f"old-documents-{uuid4()}")
    made.create(CreateBucketConfiguration={"LocationConstraint": CREDENTIALS["AWS_REGION"]})
    return made


def wait_for_pack(bucket: Any, server: Server) -> None:
    """Wait until the server has moved what is old."""
    until = time.monotonic() + DEADLINE_S
    while True:
        wait_until(server, 200)  # so that the store, which runs in this process, has its turn
        with server.database() as database, database.read() as connection:
            if connection.execute(select(moved_documents.c.run_id)).first() is not None:
                break
        assert time.monotonic() < until
    assert len([*bucket.objects.all()]) == 1


@pytest.fixture
def server(
    peopled: Template,
    peopled_database_url: str | None,
    module_data_dir: Path,
    s3: ThreadedMotoServer,
    bucket: Any,
) -> Iterator[Server]:
    """A server with a run of Acme, OLD-1, that was recorded 100 days ago, and whose document has moved."""
    assert peopled.world is not None
    moment = days_ago(100)
    phase = Phase("heat", "PASS", moment, moment, (Measurement("volts", "PASS", 4.5),))
    with (
        closing(Database.open(peopled_database_url, module_data_dir / SQLITE_FILE)) as database,
        closing(Writer(database)) as writer,
    ):
        record_old(writer, peopled.world.acme.admin.actor, moment, "OLD-1", phases=(phase,))
    host, port = s3.get_host_and_port()
    settings = {
        "RUNCARD_DOCUMENTS_URL": f"s3://{bucket.name}/runcard",
        "RUNCARD_DOCUMENTS_ENDPOINT": f"http://{host}:{port}",
        **CREDENTIALS,
    }
    running = Server(module_data_dir, peopled_database_url, peopled.world, settings)
    running.start()
    wait_for_pack(bucket, running)
    yield running
    running.end()


def test_old_runs_are_read_from_the_store_and_young_ones_do_without(
    server: Server, s3: ThreadedMotoServer
) -> None:
    key = server.world.acme.admin.api_key

    def ask(path: str, **parameters: str) -> httpx.Response:
        given = {"Authorization": f"Bearer {key}"}
        return httpx.get(f"{server.url}/api{path}", params=parameters, headers=given, timeout=DEADLINE_S)

    def report() -> str:
        given = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=f"{server.url}/api/v1", headers=given, timeout=DEADLINE_S) as v1:
            return create_run(v1, run_of("YOUNG"))

    [old] = ask("/v2/runs", serial_numbers="OLD-1").json()["data"]
    whole = ask(f"/v2/runs/{old['id']}").json()
    assert whole["phases"][0]["measurements"][0]["measured_value"] == 4.5
    listed = ask("/v2/measurements", procedure_id=whole["procedure"]["id"])
    assert listed.status_code == 200, listed.text
    assert len(listed.json()["data"]) == 1
    assert ask("/export/measurements", format="csv").text.count("volts") == 1
    assert ask(f"/proof/receipts/{old['id']}").status_code == 200
    young = report()

    # What the server read before, it may have kept, so another one is started.
    server.end()
    s3.stop()
    server.start()
    refused = ask(f"/v2/runs/{old['id']}")
    assert refused.status_code == 503, refused.text
    assert "does not answer now" in refused.text
    assert ask(f"/v2/runs/{young}").status_code == 200
    assert ask("/v2/runs", serial_numbers="OLD-1").json()["data"][0]["id"] == old["id"]
    assert report() != young
