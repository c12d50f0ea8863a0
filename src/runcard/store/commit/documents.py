"""The inside of runs: one compressed document a run, written once and read whole."""

from collections.abc import Sequence

import msgspec
import zstandard

from runcard.domain.runs.run import RunDocument

# For a run of 50 measurements and 50 logs: 11 µs and 1.66 kB; level 1: 16 µs and 1.53 kB, level 3: 19 µs and 1.51 kB.
_LEVEL = -1
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(RunDocument)


def pack_document(document: RunDocument) -> bytes:
    """MessagePack of the document."""
    return _encoder.encode(document)


def compress_documents(packed: Sequence[bytes]) -> list[bytes]:
    """Each of these packed documents as it is stored: a Zstandard frame.

    All in one call, which lets go of the interpreter lock once.
    """
    frames = zstandard.ZstdCompressor(level=_LEVEL).multi_compress_to_buffer(list(packed))
    return [frames[position].tobytes() for position in range(len(frames))]


def is_whole(body: bytes) -> bool:
    """Whether a document can be read out of these stored bytes."""
    try:
        unpack_document(body)
    except (zstandard.ZstdError, msgspec.MsgspecError):
        return False
    return True


def unpack_document(body: bytes) -> RunDocument:
    """The document that is stored as these bytes."""
    return read_packed(zstandard.ZstdDecompressor().decompress(body))


def read_packed(packed: bytes) -> RunDocument:
    """The document that `pack_document` made this of."""
    return _decoder.decode(packed)
