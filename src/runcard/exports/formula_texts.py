"""Texts in CSV that a spreadsheet would run as a formula."""

# How a formula begins, also in East Asian width, or behind what a spreadsheet passes over: tab, line ends, and the mark
# of byte order (OWASP, CSV injection).
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\ufeff", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def without_formula(text: str) -> str:
    """The text of a cell that no spreadsheet takes for a formula: such a text gets an apostrophe before it."""
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text
