"""The names of browsers, found in their user agents."""

import re

# The first match counts: most user agents also name the browsers that theirs derives from.
_BROWSERS = {
    "Edge": r"\bEdg(?:e|A|iOS)?/",
    "Opera": r"\bOPR/",
    "Samsung Internet": r"\bSamsungBrowser/",
    "Firefox": r"\b(?:Firefox|FxiOS)/",
    "Chromium": r"\bChromium/",
    "Chrome": r"\b(?:Headless)?(?:Chrome|CriOS)/",
    "Safari": r"\bSafari/",
}
_SYSTEMS = {
    "Android": r"\bAndroid\b",
    "an iPhone": r"\biPhone\b",
    "an iPad": r"\biPad\b",
    "Windows": r"\bWindows\b",
    "macOS": r"\bMac OS X\b|\bMacintosh\b",
    "ChromeOS": r"\bCrOS\b",
    "Linux": r"\bLinux\b",
}
_MOST_LETTERS = 60


def browser_name(user_agent: str | None) -> str:
    """A name such as Firefox on Windows; for an unknown program, the beginning of its user agent."""
    agent = user_agent or ""
    browser = next((name for name, sign in _BROWSERS.items() if re.search(sign, agent)), "")
    system = next((name for name, sign in _SYSTEMS.items() if re.search(sign, agent)), "")
    if browser:
        return f"{browser} on {system}" if system else browser
    return agent[:_MOST_LETTERS] or "A program that does not say its name"
