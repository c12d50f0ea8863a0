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
