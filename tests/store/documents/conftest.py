"""A database whose old documents move to a folder, or to an object store that speaks S3."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from runcard.store.commit.writer import Writer
from runcard.store.documents.document_store import DocumentStore
from runcard.store.engine.database import Database
from runcard.store.files.blobs import Blobs
from tests.conftest import SQLITE_FILE
from tests.store.documents.moved import Moved
from tests.trails import assert_trail_fits
from tests.world import build_world

BUCKET = "documents"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_REGION": "eu-central-1",
}


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of an S3 server with a bucket."""
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    moto.start()
    host, port = moto.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    session = boto3.session.Session("AKIATESTTESTTESTTEST", "secret", region_name=CREDENTIALS["AWS_REGION"])
    place: Any = {"LocationConstraint": CREDENTIALS["AWS_REGION"]}
    session.resource("s3", endpoint_url=endpoint).Bucket(BUCKET).create(CreateBucketConfiguration=place)
    yield endpoint
    moto.stop()


@pytest.fixture(params=["file", "s3"])
def documents(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> DocumentStore:
    """A store without a pack. Tests that break a file have the folder only."""
    if request.param == "file":
        url, endpoint = f"file://{tmp_path}/old%20documents", None
    else:
        for name, value in CREDENTIALS.items():
            monkeypatch.setenv(name, value)
        url, endpoint = f"s3://{BUCKET}/{tmp_path.name}-{os.getpid()}", request.getfixturevalue("s3_endpoint")
    return DocumentStore(lambda: Blobs.open(url, endpoint, tmp_path / "unused", "documents_url"))


@pytest.fixture
def moved(database_url: str | None, tmp_path: Path, documents: DocumentStore) -> Iterator[Moved]:
    """Runs of which some are old, in a database of their own."""
    database = Database.open(database_url, tmp_path / SQLITE_FILE, documents)
    writer = Writer(database)
    made = Moved(database, writer, documents, build_world(writer), tmp_path)
    yield made
    writer.close()
    assert_trail_fits(database)
    database.close()
