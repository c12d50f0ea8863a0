"""Bytes outside of the database: in a local folder, or in an object store by URL."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Literal, NamedTuple, Self, cast
from urllib.parse import unquote, urlsplit
from uuid import UUID

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, LocalStore, ObjectStore, S3Store, from_url

from runcard.domain.errors import StorageUnavailable
from runcard.store.engine.outages import outage_of

_FILE = "file:///"
# A store that is away is given up after this time.
_GIVE_UP_AFTER = timedelta(seconds=10)


class BlobMeta(NamedTuple):
    """blob_id: the id under which the bytes are stored; None: the id of their attachment."""

    size_bytes: int
    content_type: str | None
    blob_id: UUID | None = None


class BlobEntry(NamedTuple):
    key: str
    size_bytes: int
    modified_at: datetime


def blob_key(organization_id: UUID, blob_id: UUID) -> str:
    """The key of the bytes with this id in the store. No text of a client is part of it."""
    return f"{organization_id}/{blob_id}"


class Blobs:
    """The store of bytes. It raises its failures as StorageUnavailable, or as StorageFull or StorageReadOnly."""

    def __init__(self, store: ObjectStore, folder: Path | None = None) -> None:
        self._store = store
        self._folder = folder

    @classmethod
    def open(
        cls, url: str | None, endpoint: str | None, folder: Path, setting: str = "attachments_url"
    ) -> Self:
        """The object store at `url`, with credentials from its usual variables; None: the local folder.

        setting: which names the URL.
        """
        if url is None:
            return cls._in_folder(folder)
        try:
            if url.startswith(_FILE) and len(url) > len(_FILE):
                return cls._in_folder(Path(unquote(urlsplit(url).path)))
            return cls(_object_store(url, endpoint))
        except (BaseError, ValueError, OSError) as error:
            raise StorageUnavailable(
                f"{setting} {url} names no object store. Use a URL such as s3://bucket/prefix, or leave it out."
            ) from error

    @classmethod
    def _in_folder(cls, folder: Path) -> Self:
        folder.mkdir(parents=True, exist_ok=True)
        return cls(LocalStore(prefix=folder), folder)

    @property
    def signs_urls(self) -> bool:
        """Whether the store can sign URLs by which clients reach it directly."""
        return isinstance(self._store, AzureStore | GCSStore | S3Store)

    def sign(self, method: Literal["GET", "PUT"], key: str, expires_in: timedelta) -> str:
        """A URL that the store signed for GET or PUT. Only if `signs_urls`."""
        with _storage_errors():
            return obstore.sign(cast("S3Store", self._store), method, key, expires_in)

    def write(self, key: str, content: IO[bytes]) -> None:
        """Store these bytes durably, in place of what was there."""
        with _storage_errors():
            obstore.put(self._store, key, content)
            if self._folder is not None:
                make_durable(self._folder / key)

    def read(self, key: str) -> bytes | None:
        """All bytes of a blob; None if there is no blob."""
        with _storage_errors():
            try:
                return bytes(obstore.get(self._store, key).bytes())
            except FileNotFoundError:
                return None

    def read_start(self, key: str, most_bytes: int) -> bytes | None:
        """The first bytes of a blob, which must not be empty, at most `most_bytes`; None if there is no blob."""
        with _storage_errors():
            try:
                result = obstore.get(self._store, key, options={"range": (0, most_bytes)})
                return bytes(result.bytes())
            except FileNotFoundError:
                return None

    def read_range(self, key: str, start: int, length: int) -> bytes | None:
        """These bytes of a blob, fewer if it ends before; None if there is no blob.

        Raises StorageUnavailable also where it ends before `start`.
        """
        with _storage_errors():
            try:
                return bytes(obstore.get_range(self._store, key, start=start, length=length))
            except FileNotFoundError:
                return None

    def stream(self, key: str) -> Iterator[bytes] | None:
        """The bytes of a blob in pieces; None if there is no blob."""
        with _storage_errors():
            try:
                result = obstore.get(self._store, key)
            except FileNotFoundError:
                return None
        return (bytes(piece) for piece in result.stream())

    def find(self, key: str) -> BlobMeta | None:
        """The size and the stored content type of a blob; None if there is no blob."""
        with _storage_errors():
            try:
                result = obstore.get(self._store, key)
            except FileNotFoundError:
                return None
            content_type = result.attributes.get("Content-Type")
            return BlobMeta(result.meta["size"], None if content_type is None else str(content_type))

    def copy(self, source: str, target: str) -> bool:
        """Copy a blob to another key of the store. Returns False if there is no blob."""
        with _storage_errors():
            try:
                obstore.copy(self._store, source, target)
            except FileNotFoundError:
                return False
        return True

    def list(self) -> Iterator[BlobEntry]:
        """All blobs, in no order."""
        with _storage_errors():
            for page in obstore.list(self._store):
                for meta in page:
                    yield BlobEntry(meta["path"], meta["size"], meta["last_modified"])

    def delete(self, key: str) -> None:
        """Remove a blob. It is no error if there is none."""
        with _storage_errors():
            try:
                obstore.delete(self._store, key)
            except FileNotFoundError:
                return


def _object_store(url: str, endpoint: str | None) -> ObjectStore:
    if endpoint is None:
        return from_url(url, retry_config={"retry_timeout": _GIVE_UP_AFTER})
    # An endpoint means an S3-compatible server, which often has no domain for each bucket.
    return from_url(
        url,
        retry_config={"retry_timeout": _GIVE_UP_AFTER},
        endpoint=endpoint,
        virtual_hosted_style_request=False,
        client_options={"allow_http": endpoint.startswith("http://")},
    )


@contextmanager
def _storage_errors() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as error:
        unavailable = StorageUnavailable(f"The object store did not answer: {type(error).__name__}.")
        raise outage_of(error) or unavailable from error


def make_durable(path: Path) -> None:
    """Wait until a file and its directory entry are on the disk. The store's own put does not wait for that."""
    for target in (path, path.parent):
        descriptor = os.open(target, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
