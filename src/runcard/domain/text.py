"""How names are compared: trimmed, without case. How texts of any length are shown: cut in the middle."""


def lookup_key(text: str) -> str:
    """The form under which serial, part, revision, batch numbers, tags, identifiers and e-mails are matched."""
    return text.strip().casefold()


def shortened(text: str, most: int) -> str:
    """The text. Of one that has more than `most` characters: its beginning, how many it has, and its end.

    The end is kept because messages end with the mend.
    """
    if len(text) <= most:
        return text
    count = f"{len(text):,}".replace(",", " ")
    cut = f"\N{HORIZONTAL ELLIPSIS} ({count} characters) \N{HORIZONTAL ELLIPSIS}"
    kept = most - len(cut)
    end = kept // 3
    return text[: kept - end] + cut + text[len(text) - end :]
