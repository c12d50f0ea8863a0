"""The local folder of attachments. The object store is driven in tests/acceptance."""

import io
from pathlib import Path

import pytest

from runcard.domain.errors import StorageUnavailable
from runcard.domain.ids import new_id
from runcard.store.files.blobs import Blobs, blob_key


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs.open(None, None, tmp_path / "attachments")


def test_bytes_come_back_and_are_replaced(blobs: Blobs) -> None:
    key = blob_key(new_id(), new_id())
    blobs.write(key, io.BytesIO(b"first"))
    blobs.write(key, io.BytesIO(b"second"))
    assert blobs.read(key) == b"second"
    assert b"".join(blobs.stream(key) or ()) == b"second"
    assert [(entry.key, entry.size_bytes) for entry in blobs.list()] == [(key, 6)]
    found = blobs.find(key)
    assert found is not None
    assert found.size_bytes == 6


def test_the_start_of_a_file_is_read_alone(blobs: Blobs) -> None:
    key = blob_key(new_id(), new_id())
    assert blobs.read_start(key, 3) is None
    blobs.write(key, io.BytesIO(b"abcdef"))
    assert [blobs.read_start(key, most) for most in (3, 6, 99)] == [b"abc", b"abcdef", b"abcdef"]


def test_an_empty_file_is_a_file(blobs: Blobs) -> None:
    key = blob_key(new_id(), new_id())
    blobs.write(key, io.BytesIO(b""))
    assert blobs.read(key) == b""


def test_what_is_not_there_is_none_and_can_be_deleted(blobs: Blobs) -> None:
    key = blob_key(new_id(), new_id())
    assert blobs.read(key) is None
    assert blobs.stream(key) is None
    assert blobs.find(key) is None
    blobs.delete(key)
    blobs.write(key, io.BytesIO(b"x"))
    blobs.delete(key)
    assert blobs.read(key) is None


def test_a_place_that_fails_says_so(tmp_path: Path) -> None:
    blobs = Blobs.open(None, None, tmp_path / "attachments")
    organization = new_id()
    (tmp_path / "attachments" / str(organization)).write_text("a file where the folder should be")
    with pytest.raises(StorageUnavailable):
        blobs.write(blob_key(organization, new_id()), io.BytesIO(b"x"))
