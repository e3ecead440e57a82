"""How a server that decodes and normalizes reads a path: the fast way and the plain way are one.

Paths are made of what is nasty, short and up to the header limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corsproxy.cors import OriginSpec, PolicySpec, compile_policy
from corsproxy.proxy.request.other_reading import LONG, other_reading, plain_reading
from corsproxy.proxy.routes import AmbiguousPath, RouteTable
from corsproxy.settings import PolicySettings, Route, Upstream
from tests.support.examples import examples

EXAMPLES = examples(200)

LIMIT = 32 * 1024
"""Bytes of a head, if none is configured."""

PIECES = "/ // . .. a aa %2e %2E %2F %252e %25252e %25 % %zz %2 %g1 \\ %5c x41 u0041 N{x} %e4 %00 %0a é".encode().split(
    b" "
)

NAMES = b"a aa b a%7Cb a|b %7c | %C3%A4 %c3%a4 %61 %2561 %252561 %25252561 %%361 %6%31 %%%33%36%%33%31 a;x ...".split(
    b" "
)
"""Of routes, of what reads like one, and of what does not."""

SEGMENTS = (
    b"/ /. /.. /./ /../ // /%2e%2E /.%2e /%2e. /%252e%252e /%25252e%2e /%2525252e%2e /%%32%65. /%2%65. /%25%32%65. "
    b"/..%2f ..%2fa %2f %2F %252f %5c %255c %5C..%5C /..\\a \\ \\.. %252541 %41 %3d = %00 % %% %z %zz %2 "
    b"%01 %0a %0d %250a %25%0a %25%0d =%01 =%3D \x01 =\x01 %=41 =%"
).split(b" ")

pieces = st.sampled_from([*PIECES, *SEGMENTS, *NAMES, *(b"/" + name for name in NAMES)])
often = st.sampled_from([1, 1, 1, 1, 2, 3, 7, 100, 341, 1024, 9000])

paths = st.lists(pieces, max_size=12).map(lambda parts: b"/" + b"".join(parts))
long_paths = st.lists(st.tuples(pieces, often), min_size=1, max_size=8).map(
    lambda parts: (b"/" + b"".join(piece * count for piece, count in parts))[:LIMIT]
)


@given(paths)
@example(b"/a/%252e%252e//b/.")
@example(b"/\\x41%41")
@example(b"/%4")
@example(b"/%%341")
@example(b"/a%00b//c")
@example(b"/=%41%3d%25")
@example(b"/=%01")
@example(b"/\x01%41")
@example(b"/%250a%41")
@example(b"/%\n%41")
@example(b"/%250d41%0a%41")
@example(b"/%%41%")
def test_the_other_reading_is_what_decoding_and_walking_gives(path: bytes) -> None:
    """None exactly where that is the path itself."""
    check_whole(path)


@settings(max_examples=EXAMPLES, deadline=None)
@given(long_paths)
@example(b"/" * LIMIT)
@example(b"/" + b"a" * LONG)
@example(b"/" + b"a" * (LONG - 2) + b"/..")
@example(b"/" + b"a" * LIMIT + b"%00/b/../c/")
@example(b"/%2" * 9000)
@example(b"/" + b"a" * LONG + b"/%2%65%2%65/b")
@example(b"/" + b"a" * LONG + b"%5%43..%5%43b")
@example(b"/a/b/c" + b"/./" * LONG + b"..")
@example(b"/a/b/c" + b"//." * LONG + b"/...")
@example(b"/a/b/c" + b"/%2e" * LONG + b"/%2e./b/..")
@example(b"/a" * 600 + b"/.." * 599)
@example(b"/a" * 600 + b"/.." * 601)
def test_a_long_path_is_read_no_other_way(path: bytes) -> None:
    """Whole, where whole is asked for."""
    check_whole(path)


def check_whole(path: bytes) -> None:
    """Read a path both ways."""
    plain = plain_reading(path)
    assert other_reading(path) == (None if plain == path else plain)


def looked_at(path: bytes, depth: int, longest: int) -> Sequence[bytes | None]:
    """What is seen of a path by who compares its first segments with names: None for what is longer than those."""
    segments = path[1:].split(b"/", depth)
    seen: list[bytes | None] = [name if len(name) <= longest else None for name in segments[:depth]]
    return [*seen, b"more"] if len(segments) > depth else seen


@settings(max_examples=EXAMPLES, deadline=None)
@given(paths | long_paths, st.integers(0, 9), st.sampled_from([0, 1, 2, 5, 40]))
@example(b"/a" * 511 + b"/.." * 508, 2, 1)
@example(b"/a" * 511 + b"/.." * 509, 2, 1)
@example(b"/a" * 511 + b"/.." * 510, 2, 1)
@example(b"/a" * 511 + b"/" + b"%61" * LONG, 511, 1)
@example(b"/" + b"%252561" * 5 + b"/a" * LONG, 2, 5)
@example(b"/x" + b"/a/.." * LONG, 1, 1)
@example(b"/b" + b"/a" * LONG + b"%7Cb", 1, 1)
@example(b"/" + b"a" * LONG + b"/a%7Cb", 1, 1)
@example(b"/" + b"." * LONG + b"/a%7Cb", 0, 0)
def test_of_a_long_path_what_is_looked_at_is_right(path: bytes, depth: int, longest: int) -> None:
    """The first segments, and whether there are more; None nowhere but where the path reads as itself."""
    plain = plain_reading(path)
    read = other_reading(path, depth, longest)
    if read is None:
        assert plain == path
    else:
        assert looked_at(read, depth, longest) == looked_at(plain, depth, longest)


UPSTREAM = Upstream("up", "http", "127.0.0.1", 1)
POLICY = PolicySettings("app", compile_policy(PolicySpec(allow_origins=(OriginSpec("https://app.example"),))))


def route(path: str, *, exact: bool = False) -> Route:
    """Make a route."""
    segments = tuple(None if part.startswith("{") else part for part in path.strip("/").split("/") if part)
    if exact and path.endswith("/") and path != "/":
        segments = (*segments, "")
    return Route(path, segments, UPSTREAM, POLICY, exact=exact)


def test_segments_beyond_the_deepest_route_tell_exact_from_longer() -> None:
    """Only as many segments as routes have are looked at, and one more."""
    entries = [route("/"), route("/a/{id}"), route("/a/b/c", exact=True)]
    table = RouteTable([(entry, entry.path) for entry in entries])
    rows = {b"/": "/", b"/a": "/", b"/a/x": "/a/{id}", b"/a/b/c": "/a/b/c"}
    rows |= {b"/a/b/c/d": "/a/{id}", b"/a/b/c/": "/a/{id}", b"/a/b/c/d/e/f": "/a/{id}", b"/a/b": "/a/{id}"}
    assert {path: table.match(b"h", path) for path in rows} == rows


def fits(entry: Route, segments: Sequence[bytes], *, decoded: bool) -> bool:
    """Compare segment by segment."""
    if len(entry.segments) != len(segments) if entry.exact else len(entry.segments) > len(segments):
        return False
    for own, sent in zip(entry.segments, segments, strict=False):
        if own is None:
            if not sent:
                return False
        elif sent != (unquote_to_bytes(own) if decoded else own.encode()):
            return False
    return True


def rank(entry: Route) -> list[int]:
    """Segment by segment literal before `{name}`, longer before shorter, exact before prefix."""
    return [*(int(segment is None) for segment in entry.segments), 2, int(not entry.exact)]


def plainly_matched(entries: Sequence[Route], path: bytes) -> Route | type[AmbiguousPath] | None:
    """Find the best route of all that fit, in both readings of a path."""

    def best(read: bytes, *, decoded: bool) -> Route | None:
        segments = read[1:].split(b"/") if read != b"/" else []
        return min((entry for entry in entries if fits(entry, segments, decoded=decoded)), key=rank, default=None)

    found = best(path, decoded=False)
    read = plain_reading(path)
    return AmbiguousPath if read != path and best(read, decoded=True) is not found else found


ROUTE_NAMES = ["a", "aa", "b", "a%7Cb", "%7C", "%C3%A4", "{x}"]

routes = st.lists(
    st.builds(
        lambda names, exact, slash: route("/" + "/".join(names) + "/" * bool(slash and names), exact=exact),
        st.lists(st.sampled_from(ROUTE_NAMES), max_size=4),
        st.booleans(),
        st.booleans(),
    ),
    max_size=5,
    unique_by=lambda entry: (entry.segments, entry.exact),
)


@settings(max_examples=2 * EXAMPLES, deadline=None)
@given(routes, paths | long_paths)
@example([route("/"), route("/a%7Cb")], b"/a|b")
@example([route("/"), route("/a%7Cb")], b"/a|b" + b"/x" * LONG)
@example([route("/"), route("/a%7Cb")], b"/a|b" + b"/x" * LONG + b"//")
@example([route("/"), route("/{x}/a")], b"/" + b"b" * LONG + b"/a")
@example([route("/"), route("/a")], b"/a" + b"a" * LONG)
@example([route("/"), route("/a")], b"/%%%33%36%%33%31" + b"/b" * LONG)
@example([route("/"), route("/a", exact=True)], b"/a" + b"/b/.." * LONG)
@example([route("/"), route("/a/", exact=True)], b"/a" + b"/b/.." * LONG)
def test_the_route_found_is_the_best_that_fits_both_readings(entries: list[Route], path: bytes) -> None:
    """http-32, http-33: found or refused, as comparing every route with every segment would have it."""
    table = RouteTable([(entry, entry) for entry in entries])
    expected = plainly_matched(entries, path)
    if expected is AmbiguousPath:
        with pytest.raises(AmbiguousPath):
            table.match(b"h", path)
    else:
        assert table.match(b"h", path) is expected
