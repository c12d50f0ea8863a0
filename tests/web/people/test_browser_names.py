"""Browsers are called as people call them."""

import pytest

from runcard.web.people.browser_names import browser_name

_MOZILLA = "Mozilla/5.0"
_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (
            f"{_MOZILLA} (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
            "Firefox on Windows",
        ),
        (
            f"{_MOZILLA} (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
            "Edge on Windows",
        ),
        (
            f"{_MOZILLA} (X11; Linux x86_64) {_WEBKIT} HeadlessChrome/142.0.0.0 Safari/537.36",
            "Chrome on Linux",
        ),
        (
            f"{_MOZILLA} (Linux; Android 14; SM-S911B) {_WEBKIT} Chrome/142.0.0.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            f"{_MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) {_WEBKIT} Version/18.1 Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            f"{_MOZILLA} (iPhone; CPU iPhone OS 18_1 like Mac OS X) {_WEBKIT} FxiOS/145.0 Mobile Safari/605.1.15",
            "Firefox on an iPhone",
        ),
        ("python-httpx/0.28.1", "python-httpx/0.28.1"),
        ("curl/8.5.0 (x86_64-pc-linux-gnu)", "curl/8.5.0 (x86_64-pc-linux-gnu)"),
        ("x" * 900, "x" * 60),
        ("", "A program that does not say its name"),
        (None, "A program that does not say its name"),
    ],
)
def test_a_browser_has_a_plain_name(user_agent: str | None, name: str):
    assert browser_name(user_agent) == name
