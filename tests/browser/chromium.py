"""The Chromium of this machine."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

VARIABLE = "RUNCARD_CHROMIUM"
# .ci/chromium looks for the same.
_NAMES = ("chromium", "chromium-browser", "google-chrome")
# No sandbox: it refuses to be run by root, and opens nothing here but Runcard's own pages.
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def find_chromium() -> Path | None:
    """The one that RUNCARD_CHROMIUM names, or the first on the PATH. Raises FileNotFoundError where it names none."""
    named = os.environ.get(VARIABLE)
    found = next(filter(None, map(shutil.which, [named] if named else _NAMES)), None)
    if named and found is None:
        raise FileNotFoundError(f"{VARIABLE} is {named}, which is no program; name a Chromium, or unset it")
    return None if found is None else Path(found)


@contextmanager
def running_chromium(program: Path) -> Iterator[Browser]:
    """A headless Chromium that knows nothing of earlier ones, closed in the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        yield browser
        browser.close()
