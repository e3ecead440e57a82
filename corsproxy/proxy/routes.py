"""Which route a request takes: a tree over path segments, built when the configuration is loaded.

The most specific route wins, whatever the order in the file: host before no host, then segment by segment literal
before `{name}`, longer before shorter, exact before prefix.
Knows no sockets, no headers and no policy; what a route leads to is the caller's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar
from urllib.parse import unquote_to_bytes

from corsproxy.proxy.target import LONG, other_reading, split_host
from corsproxy.settings import Route

T = TypeVar("T")


class AmbiguousPath(Exception):  # noqa: N818 - it is the client's fault and an answer, not an error of ours
    """Two readings of the path lead to different routes."""


class _Node(Generic[T]):
    """A place in the tree: what is reached by one more segment, and which routes end here."""

    __slots__ = ("any", "exact", "literal", "prefix")

    def __init__(self) -> None:
        self.literal: dict[bytes, _Node[T]] = {}
        self.any: _Node[T] | None = None
        self.exact: T | None = None
        self.prefix: T | None = None

    def find(self, segments: Sequence[bytes], index: int) -> T | None:
        """Return what the most specific route below this node leads to."""
        if index == len(segments):
            return self.exact if self.exact is not None else self.prefix
        segment = segments[index]
        child = self.literal.get(segment)
        if child is not None and (found := child.find(segments, index + 1)) is not None:
            return found
        if self.any is not None and segment and (found := self.any.find(segments, index + 1)) is not None:
            return found
        return self.prefix


class RouteTable(Generic[T]):
    """Finds the value of the most specific route for a host and a path.

    Cost is bounded by the depth of the longest route, not by their number.
    """

    def __init__(self, entries: Sequence[tuple[Route, T]], default_port: int = 80) -> None:
        self._hosts: dict[tuple[bytes, int | None], tuple[_Node[T], _Node[T]]] = {}
        """By host and port: the tree as written, and the tree of the percent-decoded route paths."""
        self._default_port = default_port
        self._depth = max((len(route.segments) + route.exact for route, _ in entries), default=0)
        """Segments that can make a difference; 0 where every route is `/`, and any reading of a path leads to it."""
        names = [segment.encode() for route, _ in entries for segment in route.segments if segment is not None]
        self._longest = max(map(len, names), default=0)
        """Bytes of a segment that can make a difference."""
        self._has_escapes = any(b"%" in name for name in names)
        """Only then can a path that reads one way lead to two routes: by its route's path as written, and decoded."""
        for route, value in entries:
            key = (route.host.encode(), route.host_port) if route.host is not None else (b"", None)
            trees = self._hosts.setdefault(key, (_Node(), _Node()))
            for tree, decode in zip(trees, (False, True), strict=True):
                _insert(tree, route, value, decode=decode)
        self._any_host = self._hosts.pop((b"", None), (_Node(), _Node()))

    def match(self, host: bytes, path: bytes) -> T | None:
        """Return what the route for `host` (a valid Host value, or empty) and `path` leads to, or None.

        Raises `AmbiguousPath` where another reading of the path would lead elsewhere, no route counting as one.
        """
        found = self._find(host, path, 0)
        other = other_reading(path, self._depth, self._longest) if self._depth else None
        if other is None or self._find(host, other, 1) is found:
            return found
        if self._has_escapes and other_reading(path) is None:
            return found
        raise AmbiguousPath

    def _find(self, host: bytes, path: bytes, reading: int) -> T | None:
        # One more than any route has: a path with more segments is longer than every exact route, and that is enough.
        segments: Sequence[bytes]
        if len(path) > LONG:
            segments = _leading_segments(path, self._depth, self._longest)
        else:
            segments = path[1:].split(b"/", self._depth) if path != b"/" else ()
        if self._hosts:
            name, port = split_host(host)
            for key in ((name, port if port is not None else self._default_port), (name, None)):
                trees = self._hosts.get(key)
                if trees is not None and (found := trees[reading].find(segments, 0)) is not None:
                    return found
        return self._any_host[reading].find(segments, 0)


def _leading_segments(path: bytes, count: int, longest: int) -> list[bytes]:
    """Split a long path as far as `count` segments, each cut where it is already longer than `longest`.

    What cannot matter is neither copied nor hashed.
    """
    segments: list[bytes] = []
    start = 1
    while len(segments) < count:
        end = path.find(b"/", start)
        if end < 0:
            segments.append(path[start : start + longest + 1])
            break
        segments.append(path[start : min(end, start + longest + 1)])
        start = end + 1
    return segments


def _insert(node: _Node[T], route: Route, value: T, *, decode: bool) -> None:
    for segment in route.segments:
        if segment is None:
            if node.any is None:
                node.any = _Node()
            node = node.any
        else:
            raw = segment.encode()
            node = node.literal.setdefault(unquote_to_bytes(raw) if decode else raw, _Node())
    if route.exact:
        node.exact = value
    else:
        node.prefix = value
