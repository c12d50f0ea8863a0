"""How names are compared (trimmed, ignoring case), and how long texts are shown (cut in the middle)."""


def lookup_key(text: str) -> str:
    """The form in which serial, part, revision and batch numbers, tags, identifiers and e-mails are compared."""
    return text.strip().casefold()


def shortened(text: str, most: int) -> str:
    """The text, at most `most` characters long: a longer one keeps its beginning, its length and its end.

    The end stays because messages end with the mend.
    """
    if len(text) <= most:
        return text
    count = f"{len(text):,}".replace(",", " ")
    cut = f"\N{HORIZONTAL ELLIPSIS} ({count} characters) \N{HORIZONTAL ELLIPSIS}"
    kept = most - len(cut)
    end = kept // 3
    return text[: kept - end] + cut + text[len(text) - end :]
