"""The other reading of a path: that of a server that percent-decodes and normalizes.

`plain_reading` says what that is, segment by segment; `other_reading` says the same without looking at every byte in
Python, and a property test holds the two together.
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
"""Double encoding is seen in attacks, triple in accidents; beyond that every server has its own limit."""

_MOST_ESCAPED: Final = 3**_DECODE_ROUNDS
"""Bytes that can stand for one: each round makes one of three."""

LONG: Final = 1024
"""Bytes of a path above which only the necessary part is read: such paths are rare, or an attack."""

_GLIMPSE: Final = 32
"""Bytes at either end of what is left of a long path, looked at before all of it is."""

_ESCAPE: Final = re.compile(rb"%(?=[0-9A-Fa-f]{2})")

_SLASHES: Final = bytes.maketrans(b"\\", b"/")

_CLASSES: Final = bytes.maketrans(b"25eEfFcC%", b"%%2222222")
"""For `_may_hide_separators`: digits that may stand first behind a `%`, and what may stand behind those.

Named the other way round: of the two bytes the first is then the rarer in most paths, and found in less.
"""

_STAND_IN: Final = 0x01
_QUOTED: Final = bytes.maketrans(b"%=", b"=\x01")
_UNQUOTED: Final = bytes.maketrans(b"\x01", b"=")
"""For `_unescaped`: quoted-printable has `=` for `%`, and what was `=` has a stand-in."""

_PERCENT, _DOT, _BACKSLASH, _CR, _LF, _EQUALS = b"%.\\\r\n="
"""As numbers: `bytes` in `bytes` makes an exception and drops it before it looks, every time (CPython 3.11)."""

_NUL: Final = "\u0100"
"""Stands for NUL, which has no other stand-in within Latin-1."""


def plain_reading(path: bytes) -> bytes:
    """Decode at most three rounds, then walk the segments one by one; for comparison, as it takes its time."""
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

    Percent-decoded until nothing changes, at most three rounds; then `\` as `/`, `//` as `/`, and `.` and `..`
    resolved (RFC 3986 section 5.2.4).

    Who compares the first `depth` segments with names of at most `longest` bytes may say so: of a long path nothing
    else need then be right, but that there is more.
    """
    if len(path) > LONG:
        return _other_reading_of_long(path, depth, longest)
    # Searches in C, each by itself: a regular expression that looks for all of this at once takes ten times as long.
    if _PERCENT not in path and _BACKSLASH not in path and not _has_empty_or_dotted(path):
        return None
    read = _resolved(_decoded(path))
    return None if read == path else read


def _other_reading_of_long(path: bytes, depth: int, longest: int) -> bytes | None:
    """Do the same for a path so long that its bytes are looked at as seldom as can be, and never one by one."""
    most = longest * _MOST_ESCAPED
    if _PERCENT in path and _may_hide_separators(path):
        read = _leading(_decoded(path), depth, longest)
    else:
        read = _leading(path.translate(_SLASHES) if _BACKSLASH in path else path, depth, most)
        if _PERCENT in read:
            segments = read[1:].split(b"/", depth)
            read = b"/" + b"/".join([name if len(name) > most else _decoded(name) for name in segments])
            if most < len(path):  # what was not decoded may read otherwise
                return read
    return None if read == path else read


def _may_hide_separators(path: bytes) -> bool:
    r"""Return False only if no escape, nor an escape of an escape, can become `/`, `.` or `\`.

    These are `%2f`, `%2e` and `%5c`, and however a 2 or a 5 is escaped, its own byte stands last (`%32`, `%35`), and
    however the letter behind it is, its escape begins with `%`: so one of 2 and 5 stands before one of e, f, c and `%`.
    """
    if path[:_GLIMPSE].translate(_CLASSES).find(b"%2") >= 0:  # an attack begins early
        return True
    return (b"2" in path or b"5" in path) and path.translate(_CLASSES).find(b"%2") >= 0


def _leading(path: bytes, depth: int, most: int) -> bytes:
    """Resolve a long path whose escapes hide nothing; what lies beyond `depth` segments, or beyond `most` bytes of a
    segment, need only be there.
    """
    cut = path.rfind(b"/", 0, LONG) + 1
    if len(path) > cut + len(b"..") and path.find(b"/", cut) < 0:
        return _resolved(path[:cut]) + path[cut : cut + most + 1]
    start = _resolved(path[:cut])
    segments = start.count(b"/") - 1
    # Each `..` behind takes away one segment at most, and holds two dots.
    if segments > depth and (_DOT not in path or segments - depth > path.count(b".", cut) // 2):
        return start
    if _is_dots(path[cut : cut + _GLIMPSE]) and _is_dots(path[-_GLIMPSE:]) and path.find(b"...", cut) < 0:
        rest = path[cut:]
        if _is_dots(rest):
            kept = start.split(b"/", max(segments - rest.count(b".."), 0) + 1) if segments else (b"", b"")
            return b"/".join([*kept[:-1], b""])
    return _resolved(path)


def _is_dots(path: bytes) -> bool:
    """Return whether there is nothing but dots and slashes."""
    return not path.translate(None, b"./")


def _decoded(path: bytes) -> bytes:
    r"""Percent-decode as often as is looked at, and read `\` as `/`."""
    for _ in range(_DECODE_ROUNDS):
        if _PERCENT not in path:
            break
        again = _unescaped(path)
        if again == path:
            break
        path = again
    return path.translate(_SLASHES) if _BACKSLASH in path else path


def _unescaped(path: bytes) -> bytes:
    r"""Decode `%41` and its like once, and read `\` as `/`; what is no such escape stays."""
    if _BACKSLASH in path:
        path = path.translate(_SLASHES)
    if _CR not in path and _LF not in path:  # they would end a line
        # Quoted-printable (RFC 2045 section 6.7) has the only decoder in C of two hexadecimal digits that are marked;
        # all other ways make an object of every escape, or write two bytes for its mark, and take ten times as long.
        read = a2b_qp(path.translate(_QUOTED))
        # Each escape becomes one byte of three, while a mark with no digits takes itself away, or stays.
        if len(path) - len(read) == 2 * path.count(b"%"):
            if _EQUALS not in path and _STAND_IN not in read:
                return read
            if read.count(_STAND_IN) == path.count(_EQUALS):
                return read.translate(_UNQUOTED)
    try:
        # Byte by byte in C, where `unquote_to_bytes` makes objects of every escape.
        return path.replace(b"%", b"\\x").decode("unicode_escape").encode("latin-1")
    except UnicodeDecodeError:
        return _ESCAPE.sub(rb"\\x", path).decode("unicode_escape").encode("latin-1")


def _resolved(path: bytes) -> bytes:
    """Take out empty segments and resolve `.` and `..` (RFC 3986 section 5.2.4)."""
    if not _has_empty_or_dotted(path):
        return path
    # `normpath` goes over the text once, in C. It keeps two slashes at the beginning but not three, and up to Python
    # 3.11.4 it ends at a NUL (CVE-2023-41105).
    text = path.decode("latin-1").replace("\0", _NUL)
    read = normpath("//" + text)
    if read != "/" and text.endswith(("/", "/.", "/..")):
        read += "/"
    return read.replace(_NUL, "\0").encode("latin-1")


def _has_empty_or_dotted(path: bytes) -> bool:
    """Return whether a segment but the last is empty, or one begins with a dot."""
    # Two bytes are found up to three times as fast from the end as from the beginning.
    return path.rfind(b"//") >= 0 or (_DOT in path and path.rfind(b"/.") >= 0)
