"""How a server that decodes and normalises reads a path: the fast way and the plain way are one."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from hypothesis import example, given
from hypothesis import strategies as st

from corsproxy.cors import OriginSpec, PolicySpec, compile_policy
from corsproxy.proxy.routes import RouteTable
from corsproxy.proxy.target import other_reading
from corsproxy.settings import PolicySettings, Route, Upstream

PIECES = "/ // . .. a aa %2e %2E %2F %252e %25252e %25 % %zz %2 %g1 \\ %5c x41 u0041 N{x} %e4 %00 %0a é".encode().split(
    b" "
)

paths = st.lists(st.sampled_from(PIECES), max_size=12).map(lambda pieces: b"/" + b"".join(pieces))


def plainly_read(path: bytes) -> bytes:
    """Decode at most three rounds, then walk the segments one by one."""
    for _ in range(3):
        path = unquote_to_bytes(path)
    segments: list[bytes] = []
    parts = path.replace(b"\\", b"/").split(b"/")
    for part in parts:
        if part == b"..":
            del segments[-1:]
        elif part not in {b"", b"."}:
            segments.append(part)
    return b"/" + b"/".join(segments) + (b"/" if segments and parts[-1] in {b"", b".", b".."} else b"")


@given(paths)
@example(b"/a/%252e%252e//b/.")
@example(b"/\\x41%41")
@example(b"/%4")
def test_the_other_reading_is_what_decoding_and_walking_gives(path: bytes) -> None:
    """None exactly where that is the path itself."""
    plain = plainly_read(path)
    assert other_reading(path) == (None if plain == path else plain)


UPSTREAM = Upstream("up", "http", "127.0.0.1", 1)
POLICY = PolicySettings("app", compile_policy(PolicySpec(allow_origins=(OriginSpec("https://app.example"),))))


def route(path: str, *, exact: bool = False) -> Route:
    """Make a route."""
    segments = tuple(None if part.startswith("{") else part for part in path.strip("/").split("/") if part)
    return Route(path, segments, UPSTREAM, POLICY, exact=exact)


def test_segments_beyond_the_deepest_route_tell_exact_from_longer() -> None:
    """Only as many segments as routes have are looked at, and one more."""
    entries = [route("/"), route("/a/{id}"), route("/a/b/c", exact=True)]
    table = RouteTable([(entry, entry.path) for entry in entries])
    rows = {b"/": "/", b"/a": "/", b"/a/x": "/a/{id}", b"/a/b/c": "/a/b/c"}
    rows |= {b"/a/b/c/d": "/a/{id}", b"/a/b/c/": "/a/{id}", b"/a/b/c/d/e/f": "/a/{id}", b"/a/b": "/a/{id}"}
    assert {path: table.match(b"h", path) for path in rows} == rows
