"""The first bytes of a file, by which its format is detected."""

import bz2
import json
import re
import zlib

from runcard.importers.content.unpacking import BZIP2, GZIP

# How much of a file's content is looked at.
HEAD_BYTES = 64 * 1024
# How much of a packed file is needed for that: bzip2 unpacks in blocks of up to 900 kB.
PACKED_HEAD_BYTES = 1024 * 1024

# A string that is cut off goes on to the end.
_JSON_PIECE = re.compile(r'"(?:[^"\\]|\\.?)*"?|[{}\[\]:]', re.DOTALL)


def unpacked_head(head: bytes) -> bytes:
    """The first bytes of a file's content, given the file's own first bytes, packed by gzip or bzip2 or not.

    Empty where the packed bytes are damaged.
    """
    try:
        if head.startswith(GZIP):
            return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(head, HEAD_BYTES)
        if head.startswith(BZIP2):
            return bz2.BZ2Decompressor().decompress(head, HEAD_BYTES)
    except (OSError, ValueError, zlib.error):
        return b""
    return head[:HEAD_BYTES]


def json_members(head: bytes) -> frozenset[str]:
    """The names of the outer members of a JSON object, as far as `head` reaches; none where it is no object."""
    text = head.decode(json.detect_encoding(head), "ignore").lstrip("\ufeff \t\r\n")
    if not text.startswith("{"):
        return frozenset()
    names: set[str] = set()
    depth, before = 0, ""
    for piece in _JSON_PIECE.findall(text):
        if piece in ("{", "["):
            depth += 1
        elif piece in ("}", "]"):
            depth -= 1
        elif piece == ":" and depth == 1:
            names.add(before.strip('"'))
        before = piece
        if depth == 0:
            break
    return frozenset(names)
