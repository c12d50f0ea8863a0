"""The first bytes of a file, which tell its format."""

import bz2
import json
import re
import zlib

from runcard.importers.content.unpacking import BZIP2, GZIP

# As much as is looked at of a file's content.
HEAD_BYTES = 64 * 1024
# As much of a packed file as holds that: bzip2 unpacks in blocks, of up to 900 kB.
PACKED_HEAD_BYTES = 1024 * 1024

# A text that is cut off reaches to the end.
_JSON_PIECE = re.compile(r'"(?:[^"\\]|\\.?)*"?|[{}\[\]:]', re.DOTALL)


def unpacked_head(head: bytes) -> bytes:
    """The first bytes of the content of a file that begins so, packed by gzip or bzip2 or not.

    Of what is packed but damaged, as much as can be told.
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
    """Names of the members of the JSON object that begins so, as far as it reaches; none where it is no object."""
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
