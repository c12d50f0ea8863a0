"""The figures at the head of a page."""

from typing import NamedTuple


class Tile(NamedTuple):
    """url: where the hint leads; empty: nowhere."""

    label: str
    figure: str
    hint: str = ""
    url: str = ""
