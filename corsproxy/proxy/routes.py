"""The route of a request: a tree over path segments, built when the configuration is loaded.

The most specific route wins, whatever the order in the file: host before host with a star (the longer first) before no
host, then segment by segment literal before `{name}`, longer before shorter, exact before prefix, methods before none.
A route that does not accept the method is passed over as if it were not there.
Knows nothing about sockets, headers or policies; the value of a route is opaque.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar
from urllib.parse import unquote_to_bytes

from corsproxy.proxy.fields.hosts import split_host
from corsproxy.proxy.request.other_reading import LONG, other_reading
from corsproxy.settings import Route

T = TypeVar("T")


class AmbiguousPath(Exception):  # noqa: N818 - it is the client's fault and gets a response
    """The two readings of a path lead to different routes."""


class _Ends(Generic[T]):
    """The routes that end at one node of the tree and differ only in their methods."""

    __slots__ = ("any", "by_method")

    def __init__(self) -> None:
        self.any: T | None = None
        """The value of the route for all methods that no other route names."""
        self.by_method: dict[str, T] = {}

    def get(self, method: str) -> T | None:
        """Return the value of the route for `method`, or None."""
        return self.by_method.get(method, self.any)


class _Node(Generic[T]):
    """A node of the tree: its children by segment, and the routes that end here."""

    __slots__ = ("any", "exact", "literal", "prefix")

    def __init__(self) -> None:
        self.literal: dict[bytes, _Node[T]] = {}
        self.any: _Node[T] | None = None
        self.exact: _Ends[T] | None = None
        self.prefix: _Ends[T] | None = None

    def find(self, segments: Sequence[bytes], index: int, method: str) -> T | None:
        """Return the value of the most specific route below this node that accepts `method`."""
        if index == len(segments):
            if self.exact is not None and (found := self.exact.get(method)) is not None:
                return found
            return self.prefix.get(method) if self.prefix is not None else None
        segment = segments[index]
        child = self.literal.get(segment)
        if child is not None and (found := child.find(segments, index + 1, method)) is not None:
            return found
        if self.any is not None and segment and (found := self.any.find(segments, index + 1, method)) is not None:
            return found
        return self.prefix.get(method) if self.prefix is not None else None

    def methods(self, segments: Sequence[bytes], index: int) -> Iterator[str]:
        """Yield the methods that the routes below this node which match the path are limited to."""
        if index == len(segments):
            yield from self.exact.by_method if self.exact is not None else ()
        else:
            segment = segments[index]
            if (child := self.literal.get(segment)) is not None:
                yield from child.methods(segments, index + 1)
            if self.any is not None and segment:
                yield from self.any.methods(segments, index + 1)
        yield from self.prefix.by_method if self.prefix is not None else ()


class _Trees(Generic[T]):
    """The routes of one host, in two trees: one of the paths as written, and one of the percent-decoded paths."""

    __slots__ = ("by_reading",)

    def __init__(self) -> None:
        self.by_reading: tuple[_Node[T], _Node[T]] = (_Node(), _Node())


class RouteTable(Generic[T]):
    """Finds the value of the most specific route for a host, a path and a method.

    The cost of a look-up depends on the depth of the longest route and on the labels of the longest host with a star,
    not on the number of routes.
    """

    def __init__(self, entries: Sequence[tuple[Route, T]], default_port: int = 80) -> None:
        self._hosts: dict[tuple[bytes, int | None], _Trees[T]] = {}
        """The trees by host and port."""
        self._under: dict[tuple[bytes, int | None], _Trees[T]] = {}
        """The trees of hosts with a star, by the domain behind the star and the port."""
        self._any_host: _Trees[T] = _Trees()
        self._default_port = default_port
        self._depth = max((len(route.segments) + route.exact for route, _ in entries), default=0)
        """The number of segments that can decide; 0 if every route is `/`, which any reading of a path matches."""
        names = [segment.encode() for route, _ in entries for segment in route.segments if segment is not None]
        self._longest = max(map(len, names), default=0)
        """The number of bytes of a segment that can decide."""
        self._has_escapes = any(b"%" in name for name in names)
        """True if a route has an escape in its path, so that the two trees differ."""
        self._has_methods = any(route.methods for route, _ in entries)
        heads = {_place(route) for route, _ in entries if "HEAD" in route.methods}
        for route, value in entries:
            methods = with_head(route.methods, is_named=_place(route) in heads)
            for reading, tree in enumerate(self._trees(route).by_reading):
                _insert(tree, route, methods, value, decode=bool(reading))
        self._labels = max((domain.count(b".") + 1 for domain, _ in self._under), default=0)
        """The number of labels of a domain that can decide."""

    def _trees(self, route: Route) -> _Trees[T]:
        """Return the trees for the host of a route."""
        if route.host is None:
            return self._any_host
        if route.host.startswith("*."):
            return self._under.setdefault((route.host[2:].encode(), route.host_port), _Trees())
        return self._hosts.setdefault((route.host.encode(), route.host_port), _Trees())

    def allowed(self, host: bytes, path: bytes) -> tuple[str, ...]:
        """Return the methods that the routes for `host` and `path` are limited to, for the Allow field of a 405."""
        if not self._has_methods:
            return ()
        segments = self._segments(path)
        found = [method for trees in self._for_host(host) for method in trees.by_reading[0].methods(segments, 0)]
        return tuple(dict.fromkeys(found))

    def match(self, host: bytes, path: bytes, method: str = "GET") -> T | None:
        """Return the value of the route for `host` (a valid Host value, or empty), `path` and `method`, or None.

        Raises `AmbiguousPath` if the other reading of the path leads to a different result, no route included.
        """
        found = self._find(host, path, 0, method)
        other = other_reading(path, self._depth, self._longest) if self._depth else None
        if other is None or self._find(host, other, 1, method) is found:
            return found
        if self._has_escapes and other_reading(path) is None:
            return found
        raise AmbiguousPath

    def _find(self, host: bytes, path: bytes, reading: int, method: str) -> T | None:
        segments = self._segments(path)
        if self._hosts or self._under:
            for trees in self._for_host(host):
                if (found := trees.by_reading[reading].find(segments, 0, method)) is not None:
                    return found
            return None
        return self._any_host.by_reading[reading].find(segments, 0, method)

    def _segments(self, path: bytes) -> Sequence[bytes]:
        # At most one segment more than any route has: that shows that the path is longer than every exact route.
        if len(path) > LONG:
            return _leading_segments(path, self._depth, self._longest)
        return path[1:].split(b"/", self._depth) if path != b"/" else ()

    def _for_host(self, host: bytes) -> Iterator[_Trees[T]]:
        """Yield the trees for a host, the most specific first."""
        name, port = split_host(host)
        ports = (port if port is not None else self._default_port, None)
        for one in ports:
            if (trees := self._hosts.get((name, one))) is not None:
                yield trees
        # A host with an empty label (`.example`, `a..example`) is invalid, so no star matches it.
        if self._under and not name.startswith(b".") and b".." not in name:
            labels = name.rsplit(b".", self._labels)
            for start in range(1, len(labels)):
                domain = b".".join(labels[start:])
                for one in ports:
                    if (trees := self._under.get((domain, one))) is not None:
                        yield trees
        yield self._any_host


def with_head(methods: tuple[str, ...], *, is_named: bool) -> tuple[str, ...]:
    """Return the methods of a route; GET includes HEAD unless a route of the same path names it (`is_named`)."""
    if "GET" not in methods or "HEAD" in methods or is_named:
        return methods
    at = methods.index("GET") + 1
    return (*methods[:at], "HEAD", *methods[at:])


def _place(route: Route) -> tuple[str | None, int | None, tuple[str | None, ...], bool]:
    """Return what routes that differ only in their methods have in common."""
    return route.host, route.host_port, route.segments, route.exact


def _leading_segments(path: bytes, count: int, longest: int) -> list[bytes]:
    """Split a long path into at most `count` segments, each cut to at most one byte more than `longest`.

    The rest cannot decide, so it is neither copied nor hashed.
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


def _insert(node: _Node[T], route: Route, methods: tuple[str, ...], value: T, *, decode: bool) -> None:
    for segment in route.segments:
        if segment is None:
            if node.any is None:
                node.any = _Node()
            node = node.any
        else:
            raw = segment.encode()
            node = node.literal.setdefault(unquote_to_bytes(raw) if decode else raw, _Node())
    ends = node.exact if route.exact else node.prefix
    if ends is None:
        ends = _Ends()
        if route.exact:
            node.exact = ends
        else:
            node.prefix = ends
    if methods:
        ends.by_method |= dict.fromkeys(methods, value)
    else:
        ends.any = value
