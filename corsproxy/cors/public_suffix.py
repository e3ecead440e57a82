"""The Public Suffix List (https://publicsuffix.org/list/), private section included, from the bundled copy.

Anyone may register a name under a public suffix, so a star there matches everyone.
It is read at most once, and only if needed, because that takes about 40 ms; on the request path only quick mode needs
it, to predict what a browser does with a cookie.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


def is_public_suffix(domain: str) -> bool:
    """Return whether names directly under `domain`, which may have a final dot, belong to different owners.

    It is also true if every name under it is a public suffix (`kawasaki.jp`).
    A last label that is not on the list counts as a public suffix, by the list's own algorithm:
    the proxy cannot know who assigns names under `corp` or `internal`.
    """
    return bool(_public_suffixes().is_public(domain))


def registrable_domain(host: str) -> str | None:
    """Return the part of a host that one owner registered (`example.co.uk` of `a.example.co.uk`).

    None if the host is itself a public suffix or a single label; an address must not be asked about.
    """
    domain = _public_suffixes().privatesuffix(host)
    return str(domain) if domain else None


@cache
def _public_suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
