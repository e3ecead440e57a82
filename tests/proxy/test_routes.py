"""The route table by itself: the most specific route wins, whatever the order; no reading of a path slips between."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corsproxy.config import load_text
from corsproxy.proxy import compile_plan
from corsproxy.proxy.fields.hosts import is_valid_host
from corsproxy.proxy.request.other_reading import other_reading
from corsproxy.proxy.routes import AmbiguousPath, RouteTable, with_head
from corsproxy.settings import Route, Upstream
from tests.support.cost import calls
from tests.support.examples import examples

UPSTREAM = Upstream("up", "http", "localhost", 80)


def route(
    path: str, *methods: str, exact: bool = False, host: str | None = None, port: int | None = None
) -> tuple[Route, str]:
    """Make a route from its path as written, with a name for it."""
    parts = path.strip("/").split("/") if path != "/" else []
    segments = tuple(None if part.startswith("{") else part for part in parts)
    if exact and path.endswith("/") and path != "/":
        segments += ("",)
    made = Route(path, segments, UPSTREAM, exact=exact, host=host, host_port=port, methods=methods)
    said = f"{' '.join(methods)} " if methods else ""
    return made, f"{said}{host or ''}{f':{port}' if port else ''}{path}{' exact' if exact else ''}"


ROUTES = [
    route("/"),
    route("/orders"),
    route("/orders/{id}"),
    route("/orders/{id}/invoice"),
    route("/orders/new"),
    route("/orders/new", exact=True),
    route("/orders/new/", exact=True),
    route("/{a}/{b}/deep"),
    route("/a/{b}"),
    route("/", host="api.example"),
    route("/orders", host="api.example", port=8443),
    route("/%7Euser"),
]

FOUND = [
    ("h", "/", "/"),
    ("h", "/x", "/"),
    ("h", "/ordersx", "/"),
    ("h", "/orders", "/orders"),
    ("h", "/orders/", "/orders"),
    ("h", "/orders/7", "/orders/{id}"),
    ("h", "/orders/7/invoice", "/orders/{id}/invoice"),
    ("h", "/orders/7/invoice/pdf", "/orders/{id}/invoice"),
    ("h", "/orders/7/x", "/orders/{id}"),
    ("h", "/orders/new", "/orders/new exact"),
    ("h", "/orders/new/", "/orders/new/ exact"),
    ("h", "/orders/new/x", "/orders/new"),
    ("h", "/orders/new/invoice", "/orders/new"),
    ("h", "/x/y/deep", "/{a}/{b}/deep"),
    ("h", "/a/y/deep", "/a/{b}"),
    ("h", "/%7Euser/x", "/%7Euser"),
    ("api.example", "/orders", "api.example/"),
    ("API.example:80", "/orders", "api.example/"),
    ("Api.Example", "/orders", "api.example/"),
    ("api.example:8443", "/orders/7", "api.example:8443/orders"),
    ("api.example:8443", "/x", "api.example/"),
    ("", "/orders", "/orders"),
]


@pytest.mark.parametrize("seed", range(5))
def test_the_most_specific_route_wins(seed: int) -> None:
    """http-33: host before none, literal before {name}, longer before shorter, exact before prefix; no order."""
    shuffled = ROUTES[:]
    random.Random(seed).shuffle(shuffled)
    table = RouteTable(shuffled)
    for host, path, name in FOUND:
        assert table.match(host.encode(), path.encode()) == name, (host, path)


def test_an_empty_segment_is_no_name() -> None:
    """http-33: `{name}` is one segment that is not empty."""
    table = RouteTable([route("/a/{b}")])
    assert table.match(b"h", b"/a/") is None
    assert table.match(b"h", b"/a") is None
    assert table.match(b"h", b"/a/b") == "/a/{b}"


READINGS = [
    (b"/a", None),
    (b"/a?", None),
    (b"/a.b/..c/d..", None),
    (b"/%61", b"/a"),
    (b"/%2561", b"/a"),
    (b"/%252561", b"/a"),
    (b"/%25252561", b"/%61"),
    (b"/a/../b", b"/b"),
    (b"/../../b", b"/b"),
    (b"/a/./b", b"/a/b"),
    (b"/a//b", b"/a/b"),
    (b"//a", b"/a"),
    (b"/./a", b"/a"),
    (b"/a\\..\\b", b"/b"),
    (b"/a%5c..%5cb", b"/b"),
    (b"/a/..", b"/"),
    (b"/a/b/..", b"/a/"),
    (b"/a/.", b"/a/"),
    (b"/a%2fb", b"/a/b"),
    (b"/%zz", None),
]


@pytest.mark.parametrize(("path", "read"), READINGS)
def test_the_other_reading_of_a_path(path: bytes, read: bytes | None) -> None:
    """http-32: decoded until nothing changes, three rounds at most, then resolved."""
    assert other_reading(path) == read


SEGMENTS = st.sampled_from(
    [
        b"public",
        b"admin",
        b"..",
        b".",
        b"",
        b"%2e%2e",
        b"%2E",
        b"..%2fadmin",
        b"%5c..",
        b"\\",
        b"%252e%252e",
        b"%61dmin",
    ]
)


@settings(max_examples=examples(200), deadline=None)
@given(st.lists(SEGMENTS, max_size=6).map(lambda parts: b"/" + b"/".join(parts)))
def test_a_path_that_reads_as_another_route_is_never_matched(path: bytes) -> None:
    """http-32: either both readings lead to one route, or the path is refused; nothing else is ever raised."""
    table = RouteTable([route("/public"), route("/admin")])
    read = path
    for _ in range(4):  # to a reading that has no other
        read = other_reading(read) or read
    try:
        found = table.match(b"h", path)
    except AmbiguousPath:
        return
    if b"%25" not in path:  # three rounds undo what the segments above can hold
        expected = next(
            (name for name in ("/public", "/admin") if (read + b"/").startswith(name.encode() + b"/")), None
        )
        assert found == expected


@settings(max_examples=examples(150), deadline=None)
@given(st.binary(max_size=40))
def test_hosts_and_paths_never_raise(data: bytes) -> None:
    """Strangers' bytes are read or refused, never an error of ours."""
    is_valid_host(data)
    other_reading(b"/" + data)


@pytest.mark.parametrize(
    ("host", "valid"),
    [
        (b"h", True),
        (b"h.example:80", True),
        (b"127.0.0.1:8080", True),
        (b"[::1]:80", True),
        (b"my_service:1", True),
        (b"", False),
        (b"h:", False),
        (b"h:123456", False),
        (b"h:65535", True),
        (b"h:00080", True),
        (b"[::1]:65536", False),
        (b"h:99999", False),
        (b"h:8a", False),
        (b":80", False),
        (b"a b", False),
        (b"a,b", False),
        (b"u@h", False),
        (b"h/p", False),
        (b"h\r\nX: y", False),
        (b"::1", False),
        (b"\xe4", False),
    ],
)
def test_valid_hosts(host: bytes, valid: bool) -> None:
    """http-13: a name or an address, and a port."""
    assert is_valid_host(host) is valid


def _calls(table: RouteTable[str], host: bytes, path: bytes, method: str) -> int:
    """Return how many functions are called to find a route."""
    return len(calls(lambda: table.match(host, path, method)))


@pytest.mark.parametrize(
    ("host", "path", "method"),
    [
        ("x.h{0}.example", "/p{0}/x", "GET"),
        ("x.h{0}.example", "/p{0}/x", "PUT"),
        ("x.h{0}.example", "/p{0}/x", "DELETE"),
        ("x.y.z.elsewhere.example", "/p{0}", "GET"),
    ],
)
def test_a_thousand_routes_with_methods_and_hosts_cost_what_one_costs(host: str, path: str, method: str) -> None:
    """As many calls as with one route of the same form."""

    def table(numbers: range) -> RouteTable[str]:
        routes = [
            route(f"/p{number}", *methods, host=f"*.h{number}.example")
            for number in numbers
            for methods in (("GET", "POST"), ("PUT",))
        ]
        return RouteTable(routes)

    one, many = table(range(1999, 2000)), table(range(1000, 2000))
    asked = (host.format(1999).encode(), path.format(1999).encode(), method)
    assert one.match(*asked) == many.match(*asked)
    assert _calls(one, *asked) == _calls(many, *asked)


BY_METHOD = [
    route("/", "GET"),
    route("/a", "GET", "POST"),
    route("/a", "PUT"),
    route("/a/b", "DELETE"),
    route("/a/b", exact=True),
    route("/c", "GET"),
    route("/c", "HEAD"),
    route("/d", "GET"),
    route("/d"),
    route("/e/{x}", "PUT"),
    route("/e/f", "GET"),
]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/a", "GET POST /a"),
        ("HEAD", "/a", "GET POST /a"),
        ("PUT", "/a/x", "PUT /a"),
        ("DELETE", "/a", None),
        ("DELETE", "/a/b/c", "DELETE /a/b"),
        ("GET", "/a/b/c", "GET POST /a"),
        ("PUT", "/a/b/c", "PUT /a"),
        ("GET", "/a/b", "/a/b exact"),
        ("GET", "/c", "GET /c"),
        ("HEAD", "/c", "HEAD /c"),
        ("POST", "/c", None),
        ("POST", "/d", "/d"),
        ("HEAD", "/d", "GET /d"),
        ("PUT", "/e/f", "PUT /e/{x}"),
        ("GET", "/e/f", "GET /e/f"),
        ("GET", "/e/g", "GET /"),
        ("PUT", "/", None),
    ],
)
def test_a_route_that_does_not_take_the_method_is_passed_over(
    method: str, path: str, name: str | None, seed: int
) -> None:
    """As if it were not there, whatever the order; GET includes HEAD unless another route of the path names it."""
    shuffled = random.Random(seed).sample(BY_METHOD, len(BY_METHOD))
    assert RouteTable(shuffled).match(b"h", path.encode(), method) == name


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/", {"GET", "HEAD"}),
        ("/a", {"GET", "HEAD", "POST", "PUT"}),
        ("/a/b/c", {"DELETE", "GET", "HEAD", "POST", "PUT"}),
        ("/e/f", {"PUT", "GET", "HEAD"}),
    ],
)
def test_what_a_path_allows_is_what_was_passed_over(path: str, methods: set[str]) -> None:
    """The methods of every route that the path leads to, for a 405's Allow."""
    assert set(RouteTable(BY_METHOD).allowed(b"h", path.encode())) == methods
    assert RouteTable(ROUTES).allowed(b"h", path.encode()) == ()


@pytest.mark.parametrize(
    ("routes", "path", "methods"),
    [
        ([route("/%7Ea", "PUT")], "/%7Ea", ("PUT",)),
        ([route("/%7Ea", "PUT")], "/~a", ()),
        ([route("/{a}/b/{c}/d", "PUT"), route("/x/{b}", "POST")], "/x/b/c/d", ("POST", "PUT")),
        ([route("/{a}/b/{c}/d", "PUT"), route("/x/{b}", "POST")], "/y/b/c/d", ("PUT",)),
    ],
)
def test_what_a_path_allows_is_read_as_written(
    routes: list[tuple[Route, str]], path: str, methods: tuple[str, ...]
) -> None:
    """Segment by segment, as the route that is found is."""
    assert RouteTable(routes).allowed(b"h", path.encode()) == methods


STARS = [
    route("/", host="*.example"),
    route("/", host="*.a.example"),
    route("/", host="b.a.example"),
    route("/", host="*.a.example", port=81),
    route("/only", host="*.example"),
    route("/"),
]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("host", "path", "name"),
    [
        ("x.example", "/", "*.example/"),
        ("x.y.example", "/", "*.example/"),
        ("x.a.example", "/", "*.a.example/"),
        ("x.y.a.example", "/", "*.a.example/"),
        ("X.A.EXAMPLE:80", "/", "*.a.example/"),
        ("x.a.example:81", "/", "*.a.example:81/"),
        ("b.a.example", "/", "b.a.example/"),
        ("b.a.example:81", "/", "b.a.example/"),
        ("example", "/", "/"),
        ("xexample", "/", "/"),
        ("x.example.org", "/", "/"),
        (".example", "/", "/"),
        ("x..example", "/", "/"),
        (".x.a.example", "/", "/"),
        ("x.example", "/only", "*.example/only"),
        ("x.a.example", "/only", "*.a.example/"),
        ("x" + ".y" * 2000 + ".a.example", "/", "*.a.example/"),
    ],
)
def test_a_host_with_a_star_comes_after_hosts_and_the_longer_first(host: str, path: str, name: str, seed: int) -> None:
    """Then no host at all; a star matches one or more labels."""
    shuffled = random.Random(seed).sample(STARS, len(STARS))
    assert RouteTable(shuffled).match(host.encode(), path.encode()) == name


@pytest.mark.parametrize(
    ("methods", "is_named", "taken"),
    [
        ((), False, ()),
        (("POST",), False, ("POST",)),
        (("GET",), False, ("GET", "HEAD")),
        (("PUT", "GET", "POST"), False, ("PUT", "GET", "HEAD", "POST")),
        (("HEAD", "GET"), False, ("HEAD", "GET")),
        (("GET", "POST"), True, ("GET", "POST")),
    ],
)
def test_get_includes_head(methods: tuple[str, ...], is_named: bool, taken: tuple[str, ...]) -> None:
    """Beside it, as Allow lists them, unless another route of the path names HEAD."""
    assert with_head(methods, is_named=is_named) == taken


LONG_ROUTES = [route("/"), route("/a"), route("/a/b", exact=True), route("/a/{x}/c"), route("/a/b/c/d")]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (b"/a/", "/a"),
        (b"/a/b/", "/a"),
        (b"/a/b/z", "/a"),
        (b"/a/bz", "/a"),
        (b"/az", "/"),
        (b"/z", "/"),
        (b"/a/x/c/", "/a/{x}/c"),
        (b"/a/x/cz", "/a"),
        (b"/a/b/c/", "/a/{x}/c"),
        (b"/a/b/c/z", "/a/{x}/c"),
        (b"/a/b/c/d/", "/a/b/c/d"),
        (b"/a/b/c/dz", "/a/{x}/c"),
        (b"/z/a/b/c/d/", "/"),
    ],
)
def test_a_long_path_is_found_by_its_first_segments(path: bytes, name: str) -> None:
    """What comes behind them changes nothing, be it one long segment or many short ones."""
    table = RouteTable(LONG_ROUTES)
    for rest in (b"z", b"z/z", b"z" * 1000, b"z" * 1030, b"z" * 9000, b"z/" * 500, b"z/" * 4500):
        assert table.match(b"h", path + rest) == name


@pytest.mark.parametrize(
    ("routes", "path", "name"),
    [
        pytest.param([route("/"), route("/a", exact=True)], "/%61", None, id="an exact route hidden by an escape"),
        pytest.param([route("/"), route("/a", exact=True)], "/b/../a", None, id="an exact route hidden by dots"),
        pytest.param([route("/"), route("/a", "GET")], "/a//b", "GET /a", id="two readings of one route with methods"),
        pytest.param(
            [route("/"), route("/a", "POST")], "/a//b", "/", id="two readings beside a route of another method"
        ),
        pytest.param([route("/"), route("/{a}/{b}")], "/" + "c" * 2000, "/", id="one long segment, which is not two"),
        pytest.param(
            [route("/"), route("/{a}/{b}")], "/" + "c" * 2000 + "/d", "/{a}/{b}", id="a long segment and a short one"
        ),
    ],
)
def test_no_reading_of_a_path_slips_past_a_route(routes: list[tuple[Route, str]], path: str, name: str | None) -> None:
    """Every reading of the path leads to the route found; None is a refusal."""
    table = RouteTable(routes)
    if name is None:
        with pytest.raises(AmbiguousPath):
            table.match(b"h", path.encode())
    else:
        assert table.match(b"h", path.encode()) == name


def test_a_long_name_in_a_path() -> None:
    """A route's own long name is compared whole, and a path's that only begins like it is another."""
    name = "n" * 6000
    table = RouteTable([route("/"), route(f"/{name}/b")])
    assert table.match(b"h", f"/{name}/b".encode()) == f"/{name}/b"
    assert table.match(b"h", f"/{name}n/b".encode()) == "/"
    assert table.match(b"h", f"/{name[1:]}/b".encode()) == "/"
    assert table.match(b"h", f"/{name}".encode()) == "/"


def test_what_a_path_allows_by_host() -> None:
    """The methods of all routes, the most specific host first, each method once and in order."""
    table = RouteTable(
        [
            route("/", "GET"),
            route("/a", "POST", "GET", host="h"),
            route("/a/{x}", "PUT", host="*.h"),
            route("/a/b", "PATCH", host="x.h", exact=True),
        ]
    )
    assert table.allowed(b"h", b"/a") == ("POST", "GET", "HEAD")
    assert table.allowed(b"h", b"/b") == ("GET", "HEAD")
    assert table.allowed(b"x.h", b"/a/b") == ("PATCH", "PUT", "GET", "HEAD")
    assert table.allowed(b"x.h", b"/a/") == ("GET", "HEAD")
    assert table.allowed(b"x.h", b"/a/c") == ("PUT", "GET", "HEAD")


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/%61", "/%61"),
        ("/%61/x", "/%61"),
        ("/b", None),
        ("/%62", None),
        ("/a", None),
        ("/%2561", None),
    ],
)
def test_a_route_that_is_written_with_an_escape(path: str, found: str | None) -> None:
    """It is matched as it is written; a path that only reads like it is refused or not found."""
    table = RouteTable([route("/%61")])
    try:
        assert table.match(b"h", path.encode()) == found
    except AmbiguousPath:
        assert found is None


def test_a_method_is_asked_for_on_every_host() -> None:
    """A route of the host that does not take it is passed over, for one of no host."""
    table = RouteTable([route("/a", "PUT", host="h"), route("/a", "GET", host="*.h"), route("/a")])
    assert table.match(b"H", b"/a", "PUT") == "PUT h/a"
    assert table.match(b"h", b"/a", "GET") == "/a"
    assert table.match(b"X.h", b"/a", "GET") == "GET *.h/a"
    assert table.match(b"x.h", b"/a", "PUT") == "/a"


@pytest.mark.parametrize(("listener", "port"), [("", b"80"), ("tls: {certificate: a, private_key: a}", b"443")])
async def test_a_written_default_port_is_the_listeners(listener: str, port: bytes, tmp_path: Path) -> None:
    """A route whose host has the port that browsers leave out takes requests without it: 443 if clients come by TLS."""
    text = f"""
{listener}
upstreams: {{up: "http://127.0.0.1:9"}}
routes: [{{path: /, host: "api.example:{port.decode()}", upstream: up}}]
"""
    (tmp_path / "a").touch()
    plan = compile_plan(load_text(text, str(tmp_path / "corsproxy.yaml"), {}).settings)
    assert plan.routes.match(b"api.example", b"/", "GET") is not None
    assert plan.routes.match(b"api.example:" + port, b"/", "GET") is not None
    assert plan.routes.match(b"api.example:8080", b"/", "GET") is None
