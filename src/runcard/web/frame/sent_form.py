"""Forms that send files (multipart/form-data, RFC 7578)."""

import re
from collections.abc import AsyncGenerator, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from runcard.domain.errors import InvalidInput, PayloadTooLarge
from runcard.web.frame.forms import Fields

_MAX_FIELDS = 20
_FORM_BYTES = 16_384
# Characters of the name of a file that are kept.
MOST_NAME = 255


class SentForm(NamedTuple):
    """files: the chosen files, each at its beginning. A file beyond a megabyte lies on the disk."""

    fields: Fields
    files: Sequence[UploadFile]


async def read_sent_form(
    request: Request, max_bytes: int, too_large: str, *, max_files: int, field_bytes: int = _FORM_BYTES
) -> SentForm:
    """The fields and the files of a form. max_bytes: of all files together. field_bytes: of one field.

    Raises InvalidInput if it is no multipart form or has more files, PayloadTooLarge with the message `too_large`.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise InvalidInput.at(
            "form", "It is not multipart/form-data, so it has no file; send it as multipart/form-data"
        )
    chunks = _bounded(request.stream(), max_bytes + field_bytes, too_large)
    parser = MultiPartParser(
        request.headers, chunks, max_files=max_files, max_fields=_MAX_FIELDS, max_part_size=field_bytes
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as error:
        reason = getattr(error, "message", "It is not valid multipart/form-data.")
        raise InvalidInput.at("form", f"{reason} Send it from the page") from error
    items = form.multi_items()
    return SentForm(
        {name: value for name, value in items if isinstance(value, str)},
        # If no file was chosen, browsers send a file without a name.
        [value for _, value in items if isinstance(value, UploadFile) and (value.filename or value.size)],
    )


def file_name(claimed: str | None, unnamed: str = "report") -> str:
    """The name of a file, without the folders that a browser may send and without control characters.

    unnamed: the name of a file without one.
    """
    last = PurePosixPath((claimed or "").replace("\\", "/")).name
    return re.sub(r"[\x00-\x1f\x7f]", "_", last).strip()[-MOST_NAME:] or unnamed


async def _bounded(
    chunks: AsyncGenerator[bytes, None], max_bytes: int, too_large: str
) -> AsyncGenerator[bytes, None]:
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            raise PayloadTooLarge(too_large)
        yield chunk
