"""What a server is built of where it tells traces, and where it does not. Nothing here needs OpenTelemetry."""

from collections.abc import Callable
from typing import NamedTuple

from starlette.types import ASGIApp

from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.recording.recorder import Recorder
from runcard.store.files.blobs import Blobs


class Tracing(NamedTuple):
    """The classes that a server makes its services of, so that a server without traces pays nothing for them.

    requests: wraps the server. close: sends what is left; it takes a few seconds at most.
    """

    requests: Callable[[ASGIApp], ASGIApp]
    recorder: type[Recorder]
    copy: type[ColumnarCopy]
    blobs: type[Blobs]
    close: Callable[[], None]


NO_TRACES = Tracing(lambda app: app, Recorder, ColumnarCopy, Blobs, lambda: None)
