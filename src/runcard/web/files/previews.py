"""Previews of attachments: images as they are, the beginning of texts and tables as text.

A preview never holds anything that a browser would run: SVG and HTML do not count as images, and text is escaped.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from runcard.domain.errors import StorageUnavailable
from runcard.edge.files.transfers import HARMLESS_IMAGES
from runcard.edge.files.uploads import download_url
from runcard.edge.requests.services import Services
from runcard.store.files.attachments import Attachment
from runcard.web.bin.deleting import DeleteForm, delete_form
from runcard.web.frame.formats import size_text
from runcard.web.frame.visit import Visit

_MAX_IMAGE_BYTES = 20_000_000
_READ_BYTES = 16_384
# How many files of a page are read; the others can be downloaded.
_MOST_READ = 8
_MOST_ROWS, _MOST_COLUMNS = 20, 12
_TABLES = ("text/csv", "text/tab-separated-values")
_TEXTS = ("application/json", "application/xml", "application/yaml", "application/toml")


class Preview(NamedTuple):
    """It has an image_url, a text or rows, of which the first names the columns. note: what is left out."""

    image_url: str = ""
    text: str = ""
    rows: Sequence[Sequence[str]] = ()
    note: str = ""


class AttachmentLine(NamedTuple):
    url: str
    name: str
    size: str
    content_type: str
    is_report: bool
    preview: Preview | None
    deletion: DeleteForm | None


def attachment_lines(
    services: Services, attachments: Sequence[Attachment], request_root: str, visit: Visit | None = None
) -> Iterator[AttachmentLine]:
    """Stored files with their previews. Only the first few texts are read, the first kilobytes of each.

    visit: of the reader, who may be offered to delete a file; None: nobody is.
    """
    left_to_read = _MOST_READ
    for attachment in attachments:
        preview = None
        if attachment.shown_content_type in HARMLESS_IMAGES:
            preview = _image(services, attachment, request_root)
        elif left_to_read and _is_text(attachment):
            left_to_read -= 1
            preview = _read(services, attachment)
        yield AttachmentLine(
            url=download_url(services, attachment, request_root),
            name=attachment.name,
            size=size_text(attachment.size_bytes or 0),
            content_type=attachment.shown_content_type,
            is_report=attachment.is_report,
            preview=preview,
            deletion=visit and delete_form(visit, "attachment", attachment.id, "This file is deleted."),
        )


def _image(services: Services, attachment: Attachment, request_root: str) -> Preview | None:
    """The preview of an image. Its link goes through this server even if an object store could sign one, because a page
    shows only what comes from this server.
    """
    if (attachment.size_bytes or 0) > _MAX_IMAGE_BYTES:
        return None
    return Preview(image_url=services.links.url("download", attachment.id, request_root))


def _is_text(attachment: Attachment) -> bool:
    kind = attachment.shown_content_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind in _TEXTS


def _read(services: Services, attachment: Attachment) -> Preview | None:
    if not attachment.size_bytes:
        return None
    try:
        beginning = services.blobs.read_start(attachment.blob_key, _READ_BYTES)
    except StorageUnavailable as error:
        return Preview(note=str(error))
    if not beginning or b"\0" in beginning:
        return None
    is_whole = len(beginning) == attachment.size_bytes
    text = beginning.decode("utf-8", "replace").removeprefix("\ufeff")
    if attachment.shown_content_type.partition(";")[0].strip().lower() in _TABLES:
        return table_preview(text, is_whole=is_whole)
    return Preview(text=text, note="" if is_whole else f"The first {size_text(len(beginning))}")


def table_preview(text: str, *, is_whole: bool) -> Preview:
    """The first rows of a table. is_whole: the text is the whole file."""
    lines = text.splitlines(keepends=True)
    if not is_whole and len(lines) > 1:
        lines.pop()  # it may have been cut
    first = lines[0] if lines else ""
    delimiter = max(",;\t", key=first.count)
    try:
        rows = [
            row for row in csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter) if row
        ]
    except csv.Error:
        return Preview(text=text)
    shown = [row[:_MOST_COLUMNS] for row in rows[:_MOST_ROWS]]
    is_cut = not is_whole or len(rows) > _MOST_ROWS or any(len(row) > _MOST_COLUMNS for row in rows)
    return Preview(rows=shown, note="The first rows and columns" if is_cut else "")
