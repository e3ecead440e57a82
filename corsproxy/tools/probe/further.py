"""The further requests of a probe: the URL for other origins, for none, and in turn, and a URL that does not exist.

GETs of the URL have a query that no page uses, so that no cache serves an answer for a made-up origin to pages.
Pure: texts in, requests out; `findings` judges the answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from corsproxy.tools.browser import Answer, Sent, urls
from corsproxy.tools.live.look_alikes import STRANGER, Likeness, look_alikes, strangers

_NOWHERE = "corsproxy-probe-not-found"
_QUERY = "corsproxy-probe"


class Variant(StrEnum):
    """The purpose of a further request without a made-up origin."""

    ITSELF = "itself"
    """The page's origin, with a GET."""
    NO_ORIGIN = "no-origin"
    NOT_FOUND = "not-found"
    PREFLIGHT = "preflight"
    AFTER_STRANGER = "after-stranger"
    """The page, for a URL that a stranger has just requested."""
    BEFORE_STRANGER = "before-stranger"
    STRANGER_AFTER = "stranger-after"
    """A stranger, for a URL that the page has just requested."""


_ASKED_LIKENESSES = (
    Likeness.SUBSTRING,
    Likeness.PREFIX,
    Likeness.GLUED,
    Likeness.CHARACTER,
    Likeness.SUFFIX,
    Likeness.SIBLING_SUFFIX,
    Likeness.TOP_LEVEL_DOMAIN,
    Likeness.REVERSED,
    Likeness.DOT,
    Likeness.LAST_DOT,
    Likeness.SIBLING,
    Likeness.INSECURE,
)
"""Likenesses that nobody allows on purpose; a subdomain, the apex or another port may well be allowed."""


@dataclass(frozen=True, slots=True)
class MadeUp:
    """One made-up origin to send."""

    origin: str
    likeness: Likeness
    resembles: str | None = None
    """The origin from which it is made: the page's, or the server's; None for a stranger."""


@dataclass(frozen=True, slots=True)
class FurtherAnswer:
    """One further request with its answer."""

    asks: Variant | MadeUp
    sent: Sent
    answer: Answer

    @property
    def origin(self) -> str | None:
        """The origin of the request."""
        return self.sent.origin

    @property
    def label(self) -> str:
        """The purpose in a word."""
        return self.asks.likeness.value if isinstance(self.asks, MadeUp) else self.asks.value


def made_up_origins(page: str, url: str) -> tuple[MadeUp, ...]:
    """Return the made-up origins: strangers, then those that resemble the page's origin and the server's."""
    found: dict[str, MadeUp] = {page: MadeUp(page, Likeness.STRANGER)}  # the page itself is no stranger
    for likeness, origins in strangers().items():
        for origin in origins:
            found.setdefault(origin, MadeUp(origin, likeness))
    for base in bases(page, url):
        resembling = look_alikes(base)
        for likeness in _ASKED_LIKENESSES:
            for origin in resembling.get(likeness, ()):
                if origin not in bases(page, url):
                    found.setdefault(origin, MadeUp(origin, likeness, base))
    del found[page]
    return tuple(found.values())


def bases(page: str, url: str) -> tuple[str, ...]:
    """Return the origins that made-up ones resemble: the page's, and the server's if it is public."""
    parts = urlsplit(url)
    own = urls.origin_of(url) or ""
    if urls.nearness(url) != "public" or "." not in (parts.hostname or "") or own == page:
        return (page,)
    return (page, own)


def with_own_query(url: str, word: str) -> str:
    """Return the URL with a unique query, which no cache has seen."""
    parts = urlsplit(url)
    return parts._replace(query=f"{parts.query}&{_QUERY}={word}" if parts.query else f"{_QUERY}={word}").geturl()


def not_found_url(url: str) -> str:
    """Return a URL below `url` that surely does not exist."""
    parts = urlsplit(url)
    return parts._replace(path=f"{parts.path.rstrip('/')}/{_NOWHERE}", query="", fragment="").geturl()


def asking(url: str, origin: str | None, headers: tuple[tuple[str, str], ...]) -> Sent:
    """Return the GET of a further request."""
    own = [("Accept", "*/*")] if not any(name.lower() == "accept" for name, _ in headers) else []
    return Sent("actual", "GET", url, (*own, *headers, *_origin(origin)))


def asking_first(url: str, origin: str | None, method: str, names: tuple[str, ...]) -> Sent:
    """Return the preflight of a further request."""
    wanted = (("Access-Control-Request-Headers", ",".join(names)),) if names else ()
    return Sent(
        "preflight",
        "OPTIONS",
        url,
        (("Accept", "*/*"), ("Access-Control-Request-Method", method), *wanted, *_origin(origin)),
    )


def in_turn(
    url: str, page: str, headers: tuple[tuple[str, str], ...], word: str
) -> Iterator[tuple[Variant | MadeUp, Sent]]:
    """Yield the requests of two origins in turn: a stranger and then the page, the page and then a stranger."""
    first, second = with_own_query(url, f"{word}a"), with_own_query(url, f"{word}b")
    yield MadeUp(STRANGER, Likeness.STRANGER), asking(first, STRANGER, headers)
    yield Variant.AFTER_STRANGER, asking(first, page, headers)
    yield Variant.BEFORE_STRANGER, asking(second, page, headers)
    yield Variant.STRANGER_AFTER, asking(second, STRANGER, headers)


def _origin(origin: str | None) -> tuple[tuple[str, str], ...]:
    return () if origin is None else (("Origin", origin),)
