"""What is wrong with how a page is laid out, as a reader would see it."""

from pathlib import Path

from playwright.sync_api import Page

_FAULTS = Path(__file__).with_name("faults.js").read_text()


def layout_faults(page: Page) -> list[str]:
    """A sentence for each kind of thing that overflows, is cut without a sign, or is broken where it must not be."""
    faults: list[str] = page.evaluate(_FAULTS)
    return faults


def faults_on_the_wall(page: Page) -> list[str]:
    """What nobody can scroll to, or read from afar, where a page is shown on a screen on the wall."""
    root = "document.documentElement"
    faults = []
    if page.evaluate(f"{root}.scrollHeight > {root}.clientHeight"):
        faults.append("the slide is higher than its screen")
    faults += [
        f"leaves its card: {card.inner_text()[:40]}"
        for card in page.locator(".slide .card").all()
        if card.evaluate("one => one.scrollHeight > one.clientHeight + 1")
    ]
    faults += [
        f"a chart is low: {chart.get_attribute('aria-label')}"
        for chart in page.locator(".slide .canvas").all()
        if chart.evaluate("one => one.clientHeight < innerHeight / 5")
    ]
    return faults
