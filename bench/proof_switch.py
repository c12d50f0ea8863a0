"""A server that hashes or does not, as a switch says that both of its processes read: one byte in a file.

What proof takes is so little that it shows only between short turns of one server.
"""

import mmap
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from runcard.domain.runs.run import RunDocument
from runcard.ingest import record_run
from runcard.recording import child, process
from runcard.store.commit.documents import PackedDocument, pack_document
from runcard.store.trail import things, watching

_SWITCH = "RUNCARD_BENCH_PROOF_SWITCH"
_ON, _OFF = b"\1", b"\0"
_NO_DIGEST = bytes(32)
_encoder = msgspec.msgpack.Encoder()


class Switch:
    """Whether what stations report is hashed. It is on at first."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(_ON)
        with path.open("r+b") as file:
            self._byte = mmap.mmap(file.fileno(), 1)

    def turn(self, *, on: bool) -> None:
        self._byte[:] = _ON if on else _OFF

    def __bool__(self) -> bool:
        return self._byte[0] == _ON[0]


def switch_of(data_dir: Path) -> Switch:
    """The switch of the server with this data directory."""
    return Switch(data_dir / "proof-switch")


def obey_switch(data_dir: Path) -> None:
    """From now on, this process and the one that it starts hash only while the switch is on."""
    os.environ[_SWITCH] = str(data_dir)
    # The process that records takes no modules from the current directory.
    os.environ["PYTHONPATH"] = str(Path(__file__).parents[1])
    child.PROGRAM = __name__
    switch = switch_of(data_dir)

    def pack(document: RunDocument) -> PackedDocument:
        return pack_document(document) if switch else PackedDocument(_encoder.encode(document), _NO_DIGEST)

    record_run.pack_document = pack  # type: ignore[attr-defined]
    _switch_digests(switch)


def _switch_digests(switch: Switch) -> None:
    digest_of: Callable[..., bytes] = things.digest_of

    def digest(*row: Any, **inside: Any) -> bytes:
        return digest_of(*row, **inside) if switch else _NO_DIGEST

    watching.digest_of = digest  # type: ignore[attr-defined]


if __name__ == "__main__":
    _switch_digests(switch_of(Path(os.environ[_SWITCH])))
    process.main()
