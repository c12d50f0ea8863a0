"""The store of the documents that have left the database: packs in a folder, or in an object store by URL."""

import hashlib
import io
import threading
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

import zstandard
from sqlalchemy import Connection

from runcard.domain.errors import DocumentUnavailable, StorageUnavailable
from runcard.store.commit.documents import decompress_document
from runcard.store.files.blobs import BlobEntry, Blobs

PACK_ENDING = ".documents"
# Documents that were read last are kept, together up to this size.
_KEPT_BYTES = 8 << 20
_PACKS_AT_ONCE = 8


class DocumentLost(DocumentUnavailable):
    """A document is not where the database says, or is damaged there."""

    def __init__(self, run_id: UUID, pack: str, state: str) -> None:
        self.problem = f"its document {state} in {pack} of the document store"
        super().__init__(
            f"The document of run {run_id} {state} in {pack} of the document store. Check `documents_url`, or bring "
            "this file back from a backup; `runcard doctor` names all that are lost."
        )


class Place(NamedTuple):
    """Where the document of a run lies. digest: SHA-256 of the packed document."""

    run_id: UUID
    organization_id: UUID
    pack_id: UUID
    start: int
    size_bytes: int
    digest: bytes

    @property
    def key(self) -> str:
        return pack_key(self.organization_id, self.pack_id)


def pack_key(organization_id: UUID, pack_id: UUID) -> str:
    """The key of a pack in the store."""
    return f"{organization_id}/{pack_id}{PACK_ENDING}"


class DocumentStore:
    """Reads and writes packs."""

    def __init__(self, open_blobs: Callable[[], Blobs]) -> None:
        """open_blobs: is called when the store is needed first, so that most installations have no folder for it."""
        self._open_blobs = open_blobs
        self._lock = threading.Lock()
        self._kept: OrderedDict[UUID, bytes] = OrderedDict()
        self._kept_bytes = 0

    @cached_property
    def blobs(self) -> Blobs:
        """The bytes of the packs."""
        return self._open_blobs()

    def read(self, places: Collection[Place]) -> Mapping[UUID, bytes]:
        """The documents at these places by run, as they were stored in the database; each is compared with its digest.

        Raises DocumentUnavailable, and DocumentLost where one is missing or damaged.
        """
        found, by_pack = self._kept_of(places)
        if not by_pack:
            return found
        try:
            with ThreadPoolExecutor(min(_PACKS_AT_ONCE, len(by_pack))) as threads:
                for some in threads.map(self._read_of_pack, by_pack.values()):
                    found |= some
                    self._keep(some)
        except DocumentUnavailable:
            raise
        except StorageUnavailable as error:
            raise DocumentUnavailable(
                "What is inside these runs has left the database for the document store, which does not answer now. "
                "Ask again in a minute. If it does not come back, tell your admin.",
                str(error),
            ) from error
        return found

    def read_kept(self, places: Collection[Place]) -> Mapping[UUID, bytes]:
        """As `read`, of documents that were read lately. A transaction reads this way: it must not wait for the store.

        Raises DocumentUnavailable for others.
        """
        found, by_pack = self._kept_of(places)
        if by_pack:
            raise DocumentUnavailable(
                "The documents of these runs have left the database, and were not read beforehand. Try again."
            )
        return found

    def write(self, key: str, content: bytes) -> None:
        """Store a pack durably, and read it back. Raises StorageUnavailable, also if other bytes come back."""
        self.blobs.write(key, io.BytesIO(content))
        if self.blobs.read(key) != content:
            raise StorageUnavailable(
                f"The document store did not give back {key} as it was written. Check the store; nothing was moved."
            )

    def list_packs(self) -> Iterator[BlobEntry]:
        """All packs, in no order."""
        return (entry for entry in self.blobs.list() if entry.key.endswith(PACK_ENDING))

    def _kept_of(self, places: Collection[Place]) -> tuple[dict[UUID, bytes], dict[str, list[Place]]]:
        """The documents that were read lately, and the places of the others by pack."""
        found: dict[UUID, bytes] = {}
        by_pack: dict[str, list[Place]] = defaultdict(list)
        with self._lock:
            for place in places:
                if place.run_id in self._kept:
                    self._kept.move_to_end(place.run_id)
                    found[place.run_id] = self._kept[place.run_id]
                else:
                    by_pack[place.key].append(place)
        return found, by_pack

    def _keep(self, read: Mapping[UUID, bytes]) -> None:
        with self._lock:
            for run_id, body in read.items():
                self._kept_bytes += len(body) - len(self._kept.pop(run_id, b""))
                self._kept[run_id] = body
            while self._kept_bytes > _KEPT_BYTES:
                self._kept_bytes -= len(self._kept.popitem(last=False)[1])

    def _read_of_pack(self, places: Sequence[Place]) -> dict[UUID, bytes]:
        """The documents at these places in one pack, by one request for all from the first to the last of them."""
        key = places[0].key
        start = min(place.start for place in places)
        end = max(place.start + place.size_bytes for place in places)
        try:
            read = self.blobs.read_range(key, start, end - start)
        except StorageUnavailable:
            self._check_length(places)
            raise
        if read is None:
            raise DocumentLost(places[0].run_id, key, "is not")
        found: dict[UUID, bytes] = {}
        for place in places:
            at = place.start - start
            body = read[at : at + place.size_bytes]
            if digest_of_body(body) != place.digest:
                raise DocumentLost(place.run_id, key, "is damaged")
            found[place.run_id] = body
        return found

    def _check_length(self, places: Sequence[Place]) -> None:
        """Check that a pack ends behind the last of these places. S3 refuses to read what would begin behind the end.

        Raises DocumentLost, and StorageUnavailable if the store is away.
        """
        key = places[0].key
        meta = self.blobs.find(key)
        for place in places:
            if meta is not None and place.start + place.size_bytes > meta.size_bytes:
                raise DocumentLost(place.run_id, key, "is cut off")


def digest_of_body(body: bytes) -> bytes | None:
    """SHA-256 of the packed document in these stored bytes; None if they are damaged."""
    try:
        return hashlib.sha256(decompress_document(body)).digest()
    except zstandard.ZstdError:
        return None


def store_of(connection: Connection) -> DocumentStore:
    """The document store of the database that a connection leads to. Raises DocumentUnavailable if it has none."""
    store = connection.get_execution_options().get("documents")
    if not isinstance(store, DocumentStore):
        raise DocumentUnavailable(
            "Documents of old runs have left the database, and this process does not know where they are. Set "
            "`documents_url` here too."
        )
    return store
