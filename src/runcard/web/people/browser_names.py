"""Browsers as people call them, by what they say of themselves."""

import re

# The first that is found counts: most browsers name others too, of which they are a kind.
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
    """Such as Firefox on Windows; what a program calls itself where it is no browser that is known here."""
    said = user_agent or ""
    browser = next((name for name, sign in _BROWSERS.items() if re.search(sign, said)), "")
    system = next((name for name, sign in _SYSTEMS.items() if re.search(sign, said)), "")
    if browser:
        return f"{browser} on {system}" if system else browser
    return said[:_MOST_LETTERS] or "A program that does not say its name"
