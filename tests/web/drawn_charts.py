"""What charts are drawn from."""

import json
import re

from tests.web.browser import Page


def drawn(page: Page) -> dict[str, dict[str, float | None]]:
    """By chart, the percents of its bars by name."""
    found = re.findall(
        r'<script type="application/json" id="([\w-]+)-option">(.*?)</script>', page.answer.text
    )
    options = {name: json.loads(text) for name, text in found}
    return {
        name: dict(
            zip(option["yAxis"]["data"], [one["value"] for one in option["series"][0]["data"]], strict=True)
        )
        for name, option in options.items()
    }
