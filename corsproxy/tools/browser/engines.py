"""Departures of browsers from the standard that can change a verdict.

Each was found with both browsers (Chromium 14x, Firefox 140 ESR); tests/browser checks that they still hold.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Browser(StrEnum):
    """The browser whose rules apply."""

    STANDARD = "standard"
    CHROMIUM = "chromium"
    FIREFOX = "firefox"

    @property
    def label(self) -> str:
        """Return the name for people."""
        return "the standard" if self is Browser.STANDARD else self.value.capitalize()


_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_WHOLE = re.compile(r"[0-9]+")

_CHROMIUMS_HINTS = {
    "device-memory": _NUMBER,
    "downlink": _NUMBER,
    "dpr": _NUMBER,
    "ect": re.compile("slow-2g|[234]g"),
    "rtt": _WHOLE,
    "save-data": re.compile("on", re.IGNORECASE),
    "user-agent": re.compile(".*", re.DOTALL),
    "viewport-width": _WHOLE,
    "width": _WHOLE,
}
"""Client hints, and User-Agent with any value: headers that Chromium treats as safelisted, with the values that it
accepts (IsCorsSafelistedHeader in services/network/public/cpp/cors/cors.cc)."""

_RANGE_NUMBER = re.compile("[0-9]+")
_LARGEST = {Browser.CHROMIUM: 2**63 - 2, Browser.FIREFOX: 2**64 - 1}
"""The largest byte position in a Range: the standard has no limit, but the browsers' integers do."""


def is_safelisted_by(browser: Browser, name: str, value: str) -> bool:
    """Return whether a browser safelists a header (lower-case name) that the standard does not."""
    if browser is not Browser.CHROMIUM or name not in _CHROMIUMS_HINTS:
        return False
    return _CHROMIUMS_HINTS[name].fullmatch(value) is not None


def unsafe_to(browser: Browser, name: str, value: str) -> str | None:
    """Return why a browser needs permission and the standard does not; None if they agree."""
    if browser is Browser.STANDARD:
        return None
    if name == "range" and any(int(number) > _LARGEST[browser] for number in _RANGE_NUMBER.findall(value)):
        return f"its value names more bytes than {browser.label} can count"
    if browser is Browser.FIREFOX and name in {"accept", "content-type"} and not value.isascii():
        return "its value holds a byte above 0x7F, which Firefox takes for CORS-unsafe"
    if browser is Browser.FIREFOX and name == "content-type" and "," in value:
        return "its value holds a comma, which Firefox takes for the end of the MIME type"
    return None


def star_covers_authorization(browser: Browser) -> bool:
    """Return whether `Access-Control-Allow-Headers: *` covers Authorization.

    Both browsers only warn about it: https://chromestatus.com/feature/5742041264816128.
    """
    return browser is not Browser.STANDARD


def refuses_status(browser: Browser, status: int) -> str | None:
    """Return why a browser refuses a response with this status; None if it accepts it."""
    if browser is Browser.CHROMIUM and status == 407:
        return "Chromium takes 407 from a proxy of its own alone, and drops the answer"
    return None
