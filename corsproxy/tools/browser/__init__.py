"""A model of a browser: Fetch's algorithm from the browser's side, as data.

`play` takes the request of a page and a function that sends requests, and returns every step with its outcome.
It judges the proxy like any other server, so it shares no decision with `corsproxy.cors`.
"""

from corsproxy.tools.browser.cache import CacheKey, PreflightCache
from corsproxy.tools.browser.engines import Browser
from corsproxy.tools.browser.fetch import Send, play
from corsproxy.tools.browser.page import Credentials, PageRequest, kept_headers, presumed_value
from corsproxy.tools.browser.steps import Answer, Check, Exchange, Finding, Outcome, Play, Sent, Step

__all__ = [
    "Answer",
    "Browser",
    "CacheKey",
    "Check",
    "Credentials",
    "Exchange",
    "Finding",
    "Outcome",
    "PageRequest",
    "Play",
    "PreflightCache",
    "Send",
    "Sent",
    "Step",
    "kept_headers",
    "play",
    "presumed_value",
]
