"""Texts in CSV that a spreadsheet would run as a formula."""

# The first characters of a formula, also in East Asian width, and those that a spreadsheet skips before it: tab, line
# ends and the byte order mark (OWASP, CSV injection).
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\ufeff", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def without_formula(text: str) -> str:
    """The text with an apostrophe before it if a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(FORMULA_SIGNS) else text
