"""Attachments in an object store that speaks S3: clients send to it, and get from it, past the server."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from tests.acceptance.files import (
    attachments_of,
    downloaded,
    import_report,
    initialize,
    openhtf_report,
    put,
    sync,
    uploaded,
)
from tests.acceptance.wire import assert_error, create_run, run_of, runs_of
from tests.conftest import DatabaseKind
from tests.servers import Server

BUCKET = "station-files"
PREFIX = "runcard/attachments"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "eu-central-1",
}
NOT_LINKABLE = "Failed to sync upload with run"


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    """It has settings of its own."""
    return own_server


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def store_url() -> Iterator[str]:
    """An S3 server of the module's own."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


@pytest.fixture(scope="module")
def bucket(store_url: str) -> Any:
    session = boto3.session.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=CREDENTIALS["AWS_REGION"],
    )
    made = session.resource("s3", endpoint_url=store_url).Bucket(BUCKET)
    if made.creation_date is None:
        made.create(CreateBucketConfiguration={"LocationConstraint": CREDENTIALS["AWS_REGION"]})
    return made


@pytest.fixture(scope="module")
def server_settings(store_url: str, bucket: Any) -> dict[str, str]:
    return {
        "RUNCARD_ATTACHMENTS_URL": f"s3://{bucket.name}/{PREFIX}",
        "RUNCARD_ATTACHMENTS_ENDPOINT": store_url,
        **CREDENTIALS,
    }


def test_client_puts_and_gets_at_the_store_itself(admin, serial, server: Server, bucket, store_url):
    before = {item.key for item in bucket.objects.all()}  # of servers of other tests
    run_id = create_run(admin, run_of(serial))
    slot = initialize(admin, "../odd name.bin", mimeType="application/x-dump", sizeBytes=7)
    assert slot["uploadUrl"].startswith(f"{store_url}/{BUCKET}/{PREFIX}/")
    assert "X-Amz-Signature" in parse_qs(urlsplit(slot["uploadUrl"]).query)
    assert put(slot, b"content", "application/x-dump").status_code == 200
    assert sync(admin, slot["id"], run_id).status_code == 200
    (attachment,) = attachments_of(admin, serial)
    assert attachment["url"].startswith(f"{store_url}/{BUCKET}/{PREFIX}/")
    assert downloaded(attachment) == b"content"
    shown = {name: attachment[name] for name in ("name", "size", "content_type")}
    assert shown == {"name": "../odd name.bin", "size": 7, "content_type": "application/x-dump"}
    keys = {item.key for item in bucket.objects.all()} - before
    assert all(key.startswith(f"{PREFIX}/{server.world.acme.id}/") for key in keys)
    assert urlsplit(attachment["url"]).path.removeprefix(f"/{BUCKET}/") in keys
    assert not (server.data_dir / "attachments").exists()


def test_second_put_replaces_the_first(admin, serial):
    run_id = create_run(admin, run_of(serial))
    slot = initialize(admin)
    put(slot, b"first, and longer")
    put(slot, b"second")
    assert sync(admin, slot["id"], run_id).status_code == 200
    (attachment,) = attachments_of(admin, serial)
    assert attachment["size"] == 6
    assert downloaded(attachment) == b"second"
    assert sync(admin, slot["id"], run_id).status_code == 200
    assert len(attachments_of(admin, serial)) == 1


def test_a_url_that_works_on_replaces_nothing_that_is_finished(admin, serial):
    run_id = create_run(admin, run_of(serial))
    slot = initialize(admin)
    put(slot, b"GENUINE")
    assert sync(admin, slot["id"], run_id).status_code == 200
    assert put(slot, b"TAMPERED").status_code == 200
    (attachment,) = attachments_of(admin, serial)
    assert (attachment["size"], downloaded(attachment)) == (len(b"GENUINE"), b"GENUINE")
    assert sync(admin, slot["id"], run_id).status_code == 200
    assert downloaded(attachments_of(admin, serial)[0]) == b"GENUINE"


def test_deleted_run_takes_its_files_along(admin, serial, bucket):
    run_id = create_run(admin, run_of(serial))
    before = {item.key for item in bucket.objects.all()}
    assert sync(admin, uploaded(admin, b"a curve"), run_id).status_code == 200
    assert len({item.key for item in bucket.objects.all()} - before) == 1
    assert admin.delete(f"/runs/{run_id}").status_code == 200
    assert len({item.key for item in bucket.objects.all()} - before) == 1, "the bin keeps the bytes"
    assert admin.delete(str(admin.base_url.copy_with(path=f"/api/bin/{run_id}"))).status_code == 200
    assert {item.key for item in bucket.objects.all()} == before


def test_empty_file(admin, serial):
    run_id = create_run(admin, run_of(serial))
    assert sync(admin, uploaded(admin, b""), run_id).status_code == 200
    (attachment,) = attachments_of(admin, serial)
    assert attachment["size"] == 0
    assert downloaded(attachment) == b""


def test_sync_of_what_is_not_there(admin, globex, new_serial):
    mine = create_run(admin, run_of(new_serial()))
    assert_error(sync(admin, initialize(admin)["id"], mine), 409, "CONFLICT", NOT_LINKABLE)
    upload_id = uploaded(admin, b"x")
    assert_error(sync(globex, upload_id, mine), 404, "NOT_FOUND")
    other = create_run(admin, run_of(new_serial()))
    assert sync(admin, upload_id, other).status_code == 200
    assert_error(sync(admin, upload_id, mine), 409, "CONFLICT", NOT_LINKABLE)


def test_size_differs_from_the_one_declared(admin, serial):
    run_id = create_run(admin, run_of(serial))
    slot = initialize(admin, sizeBytes=4)
    put(slot, b"too long")
    assert_error(sync(admin, slot["id"], run_id), 409, "CONFLICT", NOT_LINKABLE)
    put(slot, b"four")
    assert sync(admin, slot["id"], run_id).status_code == 200


def test_import(ict, admin, serial):
    report = openhtf_report(serial)
    slot = initialize(ict, "report.json", sizeBytes=len(report))
    assert put(slot, report, "application/json").status_code == 200
    answer = import_report(ict, slot["id"])
    assert answer.status_code == 200, answer.text
    (run,) = runs_of(admin, serial)
    assert run["id"] == answer.json()["id"]
    shown = run["file_import"]["upload"]
    assert shown == {
        "id": slot["id"],
        "name": "report.json",
        "size": len(report),
        "content_type": "application/json",
    }
    assert_error(import_report(ict, slot["id"]), 409, "CONFLICT")
    assert_error(import_report(ict, initialize(ict)["id"]), 404, "NOT_FOUND")


def test_store_that_is_gone(server: Server, admin, serial, bucket):
    """Losing the files of the store costs the files only."""
    run_id = create_run(admin, run_of(serial))
    upload_id = uploaded(admin, b"x")
    sync(admin, upload_id, run_id)
    (attachment,) = attachments_of(admin, serial)
    bucket.Object(urlsplit(attachment["url"]).path.removeprefix(f"/{BUCKET}/")).delete()
    assert httpx.get(attachment["url"]).status_code == 404
