"""The other reading of a path: that of a server that percent-decodes and normalizes.

If the two readings led to different routes, a client could reach one route's resources under the policy of another.
`plain_reading` defines the reading, segment by segment. `other_reading` computes the same without a loop over bytes in
Python; a property test compares the two.
Knows bytes alone: no routes, no sockets.
"""

from __future__ import annotations

import re
import sys
from binascii import a2b_qp
from posixpath import normpath
from typing import Final
from urllib.parse import unquote_to_bytes

_DECODE_ROUNDS: Final = 3
"""Double encoding occurs in attacks, triple by accident; beyond that every server has a limit of its own."""

_MOST_ESCAPED: Final = 3**_DECODE_ROUNDS
"""The most bytes that can stand for one: each round turns three into one."""

LONG: Final = 1024
"""Bytes above which only the necessary part of a path is read: such paths are rare, or an attack."""

_GLIMPSE: Final = 32
"""Bytes at either end of the rest of a long path that are examined before all of it is."""

_ESCAPE: Final = re.compile(rb"%(?=[0-9A-Fa-f]{2})")

_SLASHES: Final = bytes.maketrans(b"\\", b"/")

_CLASSES: Final = bytes.maketrans(b"25eEfFcC%", b"%%2222222")
"""For `_may_hide_separators`: a 2 or 5 becomes `%`, and whatever may follow it becomes 2.

The search is then for `%2`, whose first byte is rare in most paths after that, which makes it fast.
"""

_STAND_IN: Final = 0x01
_QUOTED: Final = bytes.maketrans(b"%=", b"=\x01")
_UNQUOTED: Final = bytes.maketrans(b"\x01", b"=")
"""For `_unescaped`: quoted-printable writes `=` for `%`, and a stand-in replaces the path's own `=`."""

_PERCENT, _DOT, _BACKSLASH, _CR, _LF, _EQUALS = b"%.\\\r\n="
"""Numbers, because a test for `bytes` in `bytes` raises and drops an exception each time (CPython 3.11)."""

_NUL: Final = "\u0100"
"""Stands for NUL; it is outside Latin-1, so it cannot be in the path itself."""


def plain_reading(path: bytes) -> bytes:
    """Return what a server that decodes and normalizes reads: the slow definition that `other_reading` is tested by."""
    for _ in range(_DECODE_ROUNDS):
        path = unquote_to_bytes(path)
    segments: list[bytes] = []
    parts = path.replace(b"\\", b"/").split(b"/")
    for part in parts:
        if part == b"..":
            del segments[-1:]
        elif part not in {b"", b"."}:
            segments.append(part)
    return b"/" + b"/".join(segments) + (b"/" if segments and parts[-1] in {b"", b".", b".."} else b"")


def other_reading(path: bytes, depth: int = sys.maxsize, longest: int = sys.maxsize) -> bytes | None:
    r"""Return how a server that decodes and normalizes would read `path`, or None if it would read the same.

    Such a server percent-decodes until nothing changes, at most three rounds, reads `\` as `/` and `//` as `/`, and
    resolves `.` and `..` (RFC 3986 section 5.2.4).

    A caller that compares only the first `depth` segments with names of at most `longest` bytes may pass both: the
    result for a long path is then exact only as far as that, and otherwise only shows that there is more.
    """
    if len(path) > LONG:
        return _other_reading_of_long(path, depth, longest)
    # Single searches in C: a regular expression that looks for all of this at once takes ten times as long.
    if _PERCENT not in path and _BACKSLASH not in path and not _has_empty_or_dotted(path):
        return None
    read = _resolved(_decoded(path))
    return None if read == path else read


def _other_reading_of_long(path: bytes, depth: int, longest: int) -> bytes | None:
    """Return the same for a long path, reading its bytes as few times as possible and never one by one in Python."""
    most = longest * _MOST_ESCAPED
    if _PERCENT in path and _may_hide_separators(path):
        read = _leading(_decoded(path), depth, longest)
    else:
        read = _leading(path.translate(_SLASHES) if _BACKSLASH in path else path, depth, most)
        if _PERCENT in read:
            segments = read[1:].split(b"/", depth)
            read = b"/" + b"/".join([name if len(name) > most else _decoded(name) for name in segments])
            if most < len(path):  # the part that was not decoded may read differently
                return read
    return None if read == path else read


def _may_hide_separators(path: bytes) -> bool:
    r"""Return False only if no escape, nor an escape of an escape, can become `/`, `.` or `\`.

    Their escapes are `%2f`, `%2e` and `%5c`. An escape of the 2 or 5 itself ends with that digit (`%32`, `%35`), and an
    escape of the letter begins with `%`. So in every spelling a 2 or 5 stands directly before e, f, c or `%`.
    """
    if b"%2" in path[:_GLIMPSE].translate(_CLASSES):  # attacks show early
        return True
    return (b"2" in path or b"5" in path) and b"%2" in path.translate(_CLASSES)


def _leading(path: bytes, depth: int, most: int) -> bytes:
    """Return a long path with dot segments resolved, if no escape hides a separator; exact up to `depth` segments and
    `most` bytes of a segment, beyond which only some rest remains.
    """
    cut = path.rfind(b"/", 0, LONG) + 1
    start = _resolved(path[:cut])
    if path.rfind(b"/") < cut and len(path) > cut + len(b".."):
        return start + path[cut : cut + most + 1]
    segments = start.count(b"/") - 1
    # Each further `..` removes at most one segment, and has two dots.
    if segments >= depth and segments - depth >= path.count(b".", cut) // 2:
        return start
    if _is_dots(path[cut : cut + _GLIMPSE]) and _is_dots(path[-_GLIMPSE:]):
        rest = path[cut:]
        if b"..." not in rest and _is_dots(rest):
            kept = start.split(b"/", max(segments - rest.count(b".."), 0) + 1)
            return b"/".join([*kept[:-1], b""])
    return _resolved(path)


def _is_dots(path: bytes) -> bool:
    """Return whether `path` consists of dots and slashes only."""
    return not path.translate(None, b"./")


def _decoded(path: bytes) -> bytes:
    r"""Return the path percent-decoded, at most `_DECODE_ROUNDS` times, with `\` as `/`."""
    for _ in range(_DECODE_ROUNDS):
        if _PERCENT not in path:
            break
        again = _unescaped(path)
        if again == path:
            break
        path = again
    return path.translate(_SLASHES) if _BACKSLASH in path else path


def _unescaped(path: bytes) -> bytes:
    r"""Return the path percent-decoded once, with `\` as `/`; an invalid escape stays."""
    if _BACKSLASH in path:
        path = path.translate(_SLASHES)
    if _CR not in path and _LF not in path:  # they would end a line of quoted-printable
        # The decoder of quoted-printable (RFC 2045 section 6.7) is the only one in C for a mark and two hexadecimal
        # digits. All other ways make an object for every escape, or widen its mark, and take ten times as long.
        read = a2b_qp(path.translate(_QUOTED))
        # A valid escape is two bytes shorter afterwards; a mark without two digits is not, and needs the slow way.
        if len(path) - len(read) == 2 * path.count(b"%"):
            if _EQUALS not in path and _STAND_IN not in read:
                return read
            if read.count(_STAND_IN) == path.count(_EQUALS):
                return read.translate(_UNQUOTED)
    try:
        # A loop in C, where `unquote_to_bytes` makes an object for every escape.
        return path.replace(b"%", b"\\x").decode("unicode_escape").encode("latin-1")
    except UnicodeDecodeError:
        return _ESCAPE.sub(rb"\\x", path).decode("unicode_escape").encode("latin-1")


def _resolved(path: bytes) -> bytes:
    """Return the path without empty segments, with `.` and `..` resolved (RFC 3986 section 5.2.4)."""
    if not _has_empty_or_dotted(path):
        return path
    # `normpath` is one pass in C. It keeps two leading slashes but not three, and up to Python 3.11.4 it stops at a NUL
    # (CVE-2023-41105).
    text = path.decode("latin-1").replace("\0", _NUL)
    read = normpath("//" + text)
    if read != "/" and text.endswith(("/", "/.", "/..")):
        read += "/"
    return read.replace(_NUL, "\0").encode("latin-1")


def _has_empty_or_dotted(path: bytes) -> bool:
    """Return whether a segment begins with a dot, or one that is not the last is empty."""
    # `rfind` finds two bytes up to three times as fast as `find`.
    return path.rfind(b"//") >= 0 or (_DOT in path and path.rfind(b"/.") >= 0)
