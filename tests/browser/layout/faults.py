"""What is wrong with how a page is laid out, as a reader would see it."""

from pathlib import Path

from playwright.sync_api import Page

_FAULTS = Path(__file__).with_name("faults.js").read_text()


def layout_faults(page: Page) -> list[str]:
    """A sentence for each kind of thing that overflows, is cut without a sign, or is broken where it must not be."""
    faults: list[str] = page.evaluate(_FAULTS)
    return faults


def is_taller_than_its_screen(page: Page) -> bool:
    return bool(
        page.evaluate("document.documentElement.scrollHeight > document.documentElement.clientHeight")
    )
