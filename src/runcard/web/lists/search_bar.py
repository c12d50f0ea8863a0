"""The search bar of a list."""

from collections.abc import Sequence

from runcard.web.lists.filters import Field, FilterBar


def search_field(label: str, value: str | None) -> Field:
    return Field("search", label, value or "", (), is_text=True)


def search_bar(action: str, label: str, value: str | None, kept: Sequence[tuple[str, str]]) -> FilterBar:
    """A bar with one search field. kept: the other parameters of the page's URL, which a new search keeps."""
    return FilterBar(action, [search_field(label, value)], kept)
