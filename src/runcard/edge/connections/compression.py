"""Sends pages, tables and JSON compressed to clients that accept gzip.

Compression lets an eavesdropper guess a secret that stands beside text of their choice, from the sizes of many answers
(BREACH). Runcard never repeats such a secret: each page has a fresh form token (`auth.form_tokens`), signed links
change every second, and keys are shown only in answers to a POST, which are never compressed.
"""

from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from runcard.edge.answers.responses import header_of

_SMALLEST_BYTES = 1000
# Level 5 of gzip takes a third of the time of the usual 9, and makes pages a few percent larger.
_LEVEL = 5
# Larger answers take more than about half a millisecond, so a thread compresses them and no station waits.
_IN_A_THREAD_BYTES = 16 * 1024
# Attachments are sent as uploaded: as images, or as a stream of bytes. Parquet and Excel files are compressed already.
_AS_THEY_ARE = (
    *DEFAULT_EXCLUDED_CONTENT_TYPES,
    "application/octet-stream",
    "application/vnd.apache.parquet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
# The paths of attachments, whatever their content type.
_FILES = ("/files/", "/pictures/")
_READS = ("GET", "HEAD")


class Compression:
    """Wraps the whole server. A streamed answer stays a stream: each piece is sent as soon as it is made."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressed = GZipMiddleware(
            app, _SMALLEST_BYTES, _LEVEL, _IN_A_THREAD_BYTES, exclude_content_types=_AS_THEY_ARE
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A run is a POST, so it is passed on at once.
        if scope["type"] == "http" and scope["method"] in _READS and not scope["path"].startswith(_FILES):
            app = self._app if _is_refused(scope) else self._compressed
            await app(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _is_refused(scope: Scope) -> bool:
    """Whether the caller refuses gzip with `gzip;q=0` (RFC 9110, 12.5.3)."""
    for choice in (header_of(scope, b"accept-encoding") or "").split(","):
        name, _, weight = choice.replace(" ", "").partition(";")
        if name.lower() == "gzip" and weight.startswith("q=0") and not weight.strip("q=0."):
            return True
    return False
