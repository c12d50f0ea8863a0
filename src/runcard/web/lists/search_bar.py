"""The bar of a list that is searched by a text."""

from collections.abc import Sequence

from runcard.web.lists.filters import Field, FilterBar


def search_field(label: str, value: str | None) -> Field:
    return Field("search", label, value or "", (), is_text=True)


def search_bar(action: str, label: str, value: str | None, kept: Sequence[tuple[str, str]]) -> FilterBar:
    """kept: what else the page's URL says and a new search leaves as it is."""
    return FilterBar(action, [search_field(label, value)], kept)
