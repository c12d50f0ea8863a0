"""Pages, tables and JSON are sent compressed to whoever takes that.

Compression lets an eavesdropper guess a secret that stands beside text of their choice, by the sizes of many answers
(BREACH). Here no page repeats such a secret: each makes its form token anew (`auth.form_tokens`), signed links change
each second, and keys are shown in answers to a POST, which are never compressed.
"""

from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from runcard.edge.answers.responses import header_of

_SMALLEST_BYTES = 1000
# Of the levels of gzip, 5 takes a third of the time of the usual 9 and makes pages some hundredths larger.
_LEVEL = 5
# What takes more than about half a millisecond is compressed in a thread, so that no station waits for it.
_IN_A_THREAD_BYTES = 16 * 1024
# Attachments are sent as users uploaded them: as images, or as a stream of bytes. Parquet and Excel files are packed.
_AS_THEY_ARE = (
    *DEFAULT_EXCLUDED_CONTENT_TYPES,
    "application/octet-stream",
    "application/vnd.apache.parquet",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
# Where attachments are fetched, whatever they say they are.
_FILES = ("/files/", "/pictures/")
_READS = ("GET", "HEAD")


class Compression:
    """Wraps the whole server. What is streamed stays a stream: each piece is sent as soon as it is made."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressed = GZipMiddleware(
            app, _SMALLEST_BYTES, _LEVEL, _IN_A_THREAD_BYTES, exclude_content_types=_AS_THEY_ARE
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A run is a POST: it is passed on at once.
        if scope["type"] == "http" and scope["method"] in _READS and not scope["path"].startswith(_FILES):
            app = self._app if _is_refused(scope) else self._compressed
            await app(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _is_refused(scope: Scope) -> bool:
    """Whether a caller names gzip in order not to get it: `gzip;q=0` (RFC 9110, 12.5.3)."""
    for choice in (header_of(scope, b"accept-encoding") or "").split(","):
        name, _, weight = choice.replace(" ", "").partition(";")
        if name.lower() == "gzip" and weight.startswith("q=0") and not weight.strip("q=0."):
            return True
    return False
