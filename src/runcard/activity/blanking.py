"""Taking secrets out of what is kept of failed calls, whole or cut short, well-formed or not."""

import re
from urllib.parse import parse_qsl, urlencode

import msgspec

BLANK = "***"

# A member whose name holds one of these, whatever its case and dashes, is a secret with all that lies in it.
_SECRET_NAMES = re.compile(
    r"passw(?:or)?d|passphrase|secret|token|apikey|privatekey|authorization|credential"
)
_SEPARATORS = re.compile(r"[\s_-]+")
# Keys and links that Runcard hands out, wherever they stand.
_OWN_TOKENS = re.compile(r"\b(?:rc|rs|setup)_[A-Za-z0-9_-]{8,}")
# Of JSON and of what people take for it: texts in either quotes, which the cut may have left open, bare words, signs.
_PIECES = re.compile(
    r""" "(?:\\.|[^"\\])*"? | '(?:\\.|[^'\\])*'? | [^\s"'{}\[\],:]+ | \s+ | . """, re.DOTALL | re.VERBOSE
)
_OPENING, _CLOSING = frozenset("{["), frozenset("}]")


def blanked_json(text: str) -> str:
    """The text with the value of each secret member replaced."""
    kept: list[str] = []
    depth, secret_depth = 0, None
    name = ""
    for piece in _PIECES.findall(text):
        depth -= piece in _CLOSING
        if secret_depth is not None:
            # It ends before the comma or the bracket behind it.
            if depth > secret_depth or (depth == secret_depth and piece != ","):
                depth += piece in _OPENING
                continue
            secret_depth = None
        depth += piece in _OPENING
        if piece == ":" and _is_secret(name):
            secret_depth = depth
            kept.append(f': "{BLANK}"')
            continue
        kept.append(piece)
        if not piece.isspace():
            name = piece
    return _OWN_TOKENS.sub(BLANK, "".join(kept))


def blanked_form(text: str) -> str:
    """The same of a query or a URL-encoded form."""
    fields = parse_qsl(text, keep_blank_values=True)
    shown = urlencode([(name, BLANK if _is_secret(name) else value) for name, value in fields], safe="*")
    return _OWN_TOKENS.sub(BLANK, shown)


def _is_secret(name: str) -> bool:
    if "\\" in name:
        try:
            name = str(msgspec.json.decode(name))
        except msgspec.DecodeError:
            name = name.replace("\\", "")
    return _SECRET_NAMES.search(_SEPARATORS.sub("", name).casefold()) is not None
