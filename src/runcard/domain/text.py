"""How names are compared: trimmed, without case."""


def lookup_key(text: str) -> str:
    """The form under which serial, part, revision, batch numbers, tags, identifiers and e-mails are matched."""
    return text.strip().casefold()
