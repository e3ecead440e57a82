"""The Public Suffix List (https://publicsuffix.org/list/), private section included, from the bundled copy.

Under a public suffix anyone may register a name, so a star there is everybody.
Read at most once, and only where a policy needs it, because reading it takes some 40 ms; on the request path only by
quick mode, to judge a cookie.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


def is_public_suffix(domain: str) -> bool:
    """Return whether names directly under `domain`, which may have a final dot, belong to different owners.

    That is so, too, where every name under it is a public suffix (`kawasaki.jp`).
    A last label the list does not know counts as a public suffix, as the list's own algorithm says:
    the proxy cannot know who hands out names under `corp` or `internal`.
    """
    return bool(_public_suffixes().is_public(domain))


@cache
def _public_suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList()
