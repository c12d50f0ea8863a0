"""What a server and the process that records for it say to each other: MessagePack behind its length, over a socket."""

import pickle
import traceback
from struct import Struct as Layout
from uuid import UUID

import msgspec
from msgspec import Struct

from runcard.domain.errors import RuncardError
from runcard.ingest.record_run import PreparedRun
from runcard.store.engine.outages import outage_of

HEAD = Layout("<I")
# Between two signs of life of a recording process.
BEAT_S = 0.5
_encoder = msgspec.msgpack.Encoder()


class RecordingFailed(Exception):
    """A run could not be recorded for a reason that is nobody's but the server's; tells what the other process saw."""


class Start(Struct, frozen=True, array_like=True):
    """The first message to a recording process. It holds secrets, so it is no argument of a command.

    is_retry: the process before this one could not begin, and the log tells why.
    """

    database_url: str
    is_retry: bool = False


class RunOrder(Struct, frozen=True, array_like=True):
    """A run to record for whoever holds this key. is_repeated: it may have been recorded when it was sent before."""

    number: int
    key_digest: bytes
    organization_id: UUID
    run: PreparedRun
    is_repeated: bool = False


class OrderAnswer(Struct, frozen=True, array_like=True):
    """What became of an order: the run that it is recorded as, or else an error, pickled."""

    number: int
    run_id: UUID | None
    error: bytes = b""


class Answers(Struct, frozen=True, array_like=True):
    """All orders of a group; none where the recording process only says that it lives.

    looks: how often it has looked at how the tables have grown.
    """

    answers: list[OrderAnswer]
    looks: int


def message_of(content: Start | RunOrder | Answers) -> bytes:
    """As it goes over the socket."""
    body = _encoder.encode(content)
    return HEAD.pack(len(body)) + body


def pickled(error: BaseException) -> bytes:
    """An error for the other process; of what is no error of Runcard's own, what a log would tell."""
    if not isinstance(error, RuncardError):
        error = outage_of(error) or RecordingFailed("".join(traceback.format_exception(error)))
    return pickle.dumps(error)


def unpickled(error: bytes) -> Exception:
    """What was pickled by a process of one's own."""
    found: Exception = pickle.loads(error)  # noqa: S301 (made by `pickled`, and came through a socket of our own)
    return found
