"""What the charts of a page are drawn from."""

import json
import re
from typing import Any

from tests.web.browser import Page


def options(page: Page) -> dict[str, Any]:
    """The options of each chart, by its id."""
    found = re.findall(
        r'<script type="application/json" id="([\w-]+)-option">(.*?)</script>', page.answer.text
    )
    return {name: json.loads(text) for name, text in found}


def values(series: dict[str, Any]) -> list[Any]:
    """What a series draws, whether or not its points lead somewhere."""
    return [one["value"] if isinstance(one, dict) else one for one in series["data"]]


def urls(series: dict[str, Any]) -> list[str]:
    """Where the points of a series lead, as far as they lead somewhere."""
    return [one["url"] for one in series["data"] if isinstance(one, dict)]
