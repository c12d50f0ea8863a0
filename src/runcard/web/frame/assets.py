"""The files of pages, under addresses that change with their content, so that browsers keep them for good."""

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "static"


@cache
def asset_url(name: str) -> str:
    """The address of a file in `static`."""
    digest = hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?{digest}"
