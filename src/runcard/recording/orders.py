"""The messages between the server and its recording process: MessagePack after its length, over a socket."""

import pickle
import traceback
from struct import Struct as Layout
from uuid import UUID

import msgspec
from msgspec import Struct

from runcard.domain.errors import RuncardError
from runcard.ingest.record_run import PreparedRun
from runcard.log_lines import LogFormat
from runcard.store.engine.outages import outage_of

HEAD = Layout("<I")
# The time between two signs of life of a recording process.
BEAT_S = 0.5
_encoder = msgspec.msgpack.Encoder()


class RecordingFailed(Exception):
    """A run could not be recorded, and the fault is the server's. The message has the recording process's traceback."""


class Start(Struct, frozen=True, array_like=True):
    """The first message to a recording process. It contains secrets, so it is not passed on the command line.

    is_retry: the process before this one could not begin, and the log says why.
    """

    database_url: str
    is_retry: bool = False
    log_format: LogFormat = "text"


class RunOrder(Struct, frozen=True, array_like=True):
    """A run to record for the owner of a key. is_repeated: the run was sent before and may be recorded already."""

    number: int
    key_digest: bytes
    organization_id: UUID
    run: PreparedRun
    is_repeated: bool = False


class OrderAnswer(Struct, frozen=True, array_like=True):
    """The result of an order: the id of the recorded run, or else a pickled error."""

    number: int
    run_id: UUID | None
    error: bytes = b""


class Answers(Struct, frozen=True, array_like=True):
    """The answers to a group of orders; none in a mere sign of life.

    statistics_count: how often the recording process has renewed the database's statistics.
    """

    answers: list[OrderAnswer]
    statistics_count: int


def message_of(content: Start | RunOrder | Answers) -> bytes:
    """The bytes of a message as they go over the socket."""
    body = _encoder.encode(content)
    return HEAD.pack(len(body)) + body


def pickled(error: BaseException) -> bytes:
    """The error, pickled for the server. An error that is not Runcard's own becomes its traceback as text."""
    if not isinstance(error, RuncardError):
        error = outage_of(error) or RecordingFailed("".join(traceback.format_exception(error)))
    return pickle.dumps(error)


def unpickled(error: bytes) -> Exception:
    """The error that `pickled` has made."""
    found: Exception = pickle.loads(error)  # noqa: S301 (made by `pickled`, and came through a socket of our own)
    return found
