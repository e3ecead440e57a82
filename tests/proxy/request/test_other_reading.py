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
from tests.support.cost import calls, peak
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
@example(b"/" + b"a" * 2 * LONG, 1, 0)
@example(b"/" + b"a" * (LONG - 2) + b"//aaa", 2, 1)
@example(b"/" + b"a" * LONG + b"%2fa/b", 3, 1)
@example(b"/" + b"a" * LONG + b"/%2e%2e/b", 3, 1)
@example(b"/" + b"a" * LONG + b"%5c..%5ca", 3, 1)
@example(b"/a" * 511 + b"/.." * 509 + b"/b" * 9, 2, 1)
@example(b"/a" * 511 + b"/.." * 510 + b"/b" * 9, 2, 1)
@example(b"/a" * 511 + b"/.." * 511 + b"/b" * 40 + b"/.." * 20, 3, 1)
@example(b"/a" * 511 + b"/.." * 20 + b"/..." + b"/.." * 510, 3, 1)
@example(b"/a" * 511 + b"/X" * 60, 600, 1)
@example(b"/a" * 511 + b"/.." * 520, 2, 1)
@example(b"/.." * 600, 2, 1)
@example(b"/%2e%2e/" + b"a" * 2 * LONG, 2, 1)
@example(b"/a" + b"/." * 600, 1, 1)
def test_of_a_long_path_what_is_looked_at_is_right(path: bytes, depth: int, longest: int) -> None:
    """The first segments, and whether there are more; None nowhere but where the path reads as itself."""
    plain = plain_reading(path)
    read = other_reading(path, depth, longest)
    if read is None:
        assert plain == path
    else:
        assert looked_at(read, depth, longest) == looked_at(plain, depth, longest)


LIMIT = 32 * 1024


def filled(front: bytes, piece: bytes, end: bytes = b"") -> bytes:
    """Make a path of about the longest that a head may hold."""
    return front + piece * ((LIMIT - len(front) - len(end)) // len(piece)) + end


@pytest.mark.parametrize(
    ("path", "copies"),
    [
        pytest.param(filled(b"", b"/a"), 0, id="names"),
        pytest.param(filled(b"", b"/a", b"/.."), 0, id="names, and two dots at the end"),
        pytest.param(filled(b"/." * 400 + b"/a/b/c/d", b"/a", b"/.a"), 0, id="dots, then names"),
        pytest.param(filled(b"/a" * 511 + b"/.." * 400, b"/a"), 0, id="names, and dots that are too few"),
        pytest.param(filled(b"/a" * 511 + b"/.." * 509, b"/a"), 0, id="names, and as many dots as may be"),
        pytest.param(filled(b"/a/b/", b"c", b"/"), 0, id="as many names as routes have, then a long one"),
        pytest.param(filled(b"/", b"a"), 0, id="one name"),
        pytest.param(filled(b"/", b"a", b".a"), 0, id="one name with a dot"),
        pytest.param(filled(b"/", b"a", b"%41"), 0, id="one name with an escape"),
        pytest.param(filled(b"", b"/%41"), 0, id="escaped names"),
        pytest.param(filled(b"/", b"a", b"\\"), 1, id="one name with a backslash"),
        pytest.param(filled(b"", b"/%41", b"/2a%41"), 1, id="a digit that may be of an escape"),
        pytest.param(filled(b"/a" * 400, b"/"), 1, id="slashes"),
        pytest.param(filled(b"/a" * 400, b"/.."), 2, id="two dots"),
        pytest.param(filled(b"/a" * 400, b"/."), 2, id="single dots"),
        pytest.param(filled(b"/%2e%2e/%2e%2e", b"/a"), 3, id="escaped dots, then names"),
        pytest.param(filled(b"", b"/%2e"), 3, id="escaped dots"),
    ],
)  # fmt: skip
def test_a_hostile_path_is_copied_as_seldom_as_can_be(path: bytes, copies: int) -> None:
    """Of what lies beyond the routes little is looked at: or 32 KiB of path would cost more than the whole request."""
    assert peak(lambda: other_reading(path, 2, 1)) < (copies + 1 / 3) * LIMIT


@pytest.mark.parametrize(
    ("path", "rounds", "as_text"),
    [
        pytest.param(b"/a", 0, 0, id="no escape"),
        pytest.param(b"/%41", 1, 0, id="one"),
        pytest.param(b"/%2541", 2, 0, id="an escape of an escape"),
        pytest.param(b"/%252541", 3, 0, id="three deep"),
        pytest.param(b"/%25252541", 3, 0, id="four deep"),
        pytest.param(b"/=%41", 1, 0, id="beside an equals sign"),
        pytest.param(b"/=%3d", 1, 0, id="of an equals sign beside one"),
        pytest.param(b"/%01", 1, 1, id="that is the stand-in for an equals sign"),
        pytest.param(b"/=%01", 1, 1, id="that is the stand-in, beside an equals sign"),
        pytest.param(b"/%zz", 1, 2, id="none, but a mark"),
        pytest.param(b"/%41%zz", 2, 4, id="one, and a mark"),
        pytest.param(b"/%41\n", 0, 1, id="beside an end of line"),
        pytest.param(b"/%41\r", 0, 1, id="beside a carriage return"),
        pytest.param(b"/%2541\n", 0, 2, id="an escape of an escape, beside an end of line"),
    ],
)  # fmt: skip
def test_escapes_are_decoded_without_text(path: bytes, rounds: int, as_text: int) -> None:
    """Where that can be done, which is ten times as fast, and in no more rounds than change something."""
    called = calls(lambda: other_reading(path))
    assert (called.count("a2b_qp"), called.count("decode")) == (rounds, as_text)


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
