"""Files that arrive, and the place of their bytes once something needs them."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from os import SEEK_END
from typing import BinaryIO, NamedTuple, Protocol, cast
from uuid import UUID

from runcard.domain.actor import Actor
from runcard.domain.errors import AttachmentNotFound, Conflict
from runcard.domain.ids import new_id
from runcard.intake.parsing.opened_file import OpenFile, open_here
from runcard.store.commit.transaction import Transaction
from runcard.store.commit.writer import Writer
from runcard.store.creator import Creator
from runcard.store.engine.database import Database
from runcard.store.files.attachments import (
    AnnouncedFile,
    Attachment,
    create_attachment,
    find_attachments,
    hold_attachment,
    mark_stored,
)
from runcard.store.files.blobs import BlobMeta, Blobs, blob_key
from runcard.store.files.imports import find_import_state
from runcard.store.intake.quarantine import find_quarantined

_IN_MEMORY_BYTES = 8 << 20


class Stores(NamedTuple):
    """open_file: opens report files, in this process or in another.

    rest: waits after work that took this many seconds, so that stations come first.
    """

    database: Database
    writer: Writer
    blobs: Blobs
    open_file: OpenFile = open_here
    rest: Callable[[float], None] = lambda _: None


class Arrived(Protocol):
    """A file that has arrived. attachment_id: the attachment that holds its bytes, or will hold them."""

    attachment_id: UUID

    def find_place(self, digest: bytes) -> None:
        """Find the attachment that holds this content already, or store the bytes for a new one."""

    def keep(self, tx: Transaction) -> Attachment:
        """The attachment. If it does not exist yet, it is created."""


class Upload:
    """A file whose bytes a client has uploaded already."""

    def __init__(self, attachment: Attachment) -> None:
        self.attachment_id = attachment.id
        self.name = attachment.name
        self.blob_key = attachment.blob_key
        self._organization_id = attachment.organization_id

    def find_place(self, digest: bytes) -> None:
        pass

    def keep(self, tx: Transaction) -> Attachment:
        """The attachment. Raises Conflict if its bytes were replaced since they were read."""
        attachment = hold_attachment(tx, self.attachment_id)
        if attachment.blob_key != self.blob_key:
            raise Conflict(f"Upload {attachment.id} was replaced while it was imported. Import it again.")
        return attachment


@contextmanager
def opened_upload(blobs: Blobs, upload: Upload) -> Iterator[BinaryIO]:
    """The bytes of an upload, able to seek. Raises AttachmentNotFound if none have arrived."""
    pieces = blobs.stream(upload.blob_key)
    with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as spooled:
        for piece in pieces or ():
            spooled.write(piece)
        if not spooled.tell():
            raise AttachmentNotFound(upload.attachment_id)
        yield cast(BinaryIO, spooled)


class NewFile:
    """A file that comes with its bytes, which are stored unless they are stored already."""

    def __init__(self, stores: Stores, actor: Actor, name: str, file: BinaryIO) -> None:
        self._stores = stores
        self._actor = actor
        self._name = name
        self._file = file
        self._meta: BlobMeta | None = None
        self._is_placed = False
        self.attachment_id = new_id()

    def find_place(self, digest: bytes) -> None:
        if self._is_placed:
            return
        self._is_placed = True
        organization_id = self._actor.organization_id
        with self._stores.database.read_in(organization_id) as scope:
            state = find_import_state(scope, digest)
            kept = (state and state.attachment_id) or find_quarantined(scope, digest)
        if kept is not None:
            self.attachment_id = kept
            return
        # The reader of the file goes on from its position, so it is restored.
        position = self._file.tell()
        size_bytes = self._file.seek(0, SEEK_END)
        self._file.seek(0)
        self._stores.blobs.write(blob_key(organization_id, self.attachment_id), self._file)
        self._file.seek(position)
        self._meta = BlobMeta(size_bytes, None)

    def keep(self, tx: Transaction) -> Attachment:
        known = find_attachments(tx.scope, [self.attachment_id]).get(self.attachment_id)
        if known is not None:
            return known
        made = create_attachment(
            tx, AnnouncedFile(self._name, id=self.attachment_id), Creator.of(self._actor)
        )
        return made if self._meta is None else mark_stored(tx, made, self._meta)
