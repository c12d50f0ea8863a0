"""Remove secrets from the stored texts of failed calls, which may be cut short or malformed."""

import re
from urllib.parse import parse_qsl, urlencode

import msgspec

BLANK = "***"

# A member is secret, with everything inside it, if its name contains one of these, ignoring case and dashes.
_SECRET_NAMES = re.compile(
    r"passw(?:or)?d|passphrase|secret|token|apikey|privatekey|authorization|credential"
)
_SEPARATORS = re.compile(r"[\s_-]+")
# Runcard's own keys and links, anywhere in a text.
_OWN_TOKENS = re.compile(r"\b(?:rc|rs|setup)_[A-Za-z0-9_-]{8,}")
# The pieces of JSON and of texts that resemble it: strings in either quotes (which the cut may have left open), bare
# words, blanks, signs.
_PIECES = re.compile(
    r""" "(?:\\.|[^"\\])*"? | '(?:\\.|[^'\\])*'? | [^\s"'{}\[\],:]+ | \s+ | . """, re.DOTALL | re.VERBOSE
)
_OPENING, _CLOSING = frozenset("{["), frozenset("}]")


def blanked_json(text: str) -> str:
    """The JSON text with the value of each secret member replaced by ***."""
    kept: list[str] = []
    depth, secret_depth = 0, None
    name = ""
    for piece in _PIECES.findall(text):
        depth -= piece in _CLOSING
        if secret_depth is not None:
            # The secret value ends before the next comma or closing bracket of its level.
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
    """The query or URL-encoded form with the value of each secret field replaced by ***."""
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
