"""Reading the part number out of a serial number."""

from runcard.domain.pattern import compile_pattern


def part_number_of(serial_number: str, pattern: str) -> str | None:
    """The part number that `pattern` finds in a serial number; None where it finds none or an empty text.

    The value is the named group `part_number` if there is one, else group 1, else the whole match. Raises
    InvalidInput where the pattern itself cannot be used.
    """
    match = compile_pattern(pattern).search(serial_number.strip())
    if match is None:
        return None
    if "part_number" in match.re.groupindex:
        found = match.group("part_number")
    else:
        found = match.group(1 if match.re.groups else 0)
    return (found or "").strip() or None
