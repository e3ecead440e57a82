"""Explain on routes: the one that is chosen, those that came close, and methods that no route takes."""

from __future__ import annotations

import contextlib
import http.client
from pathlib import Path

import pytest

from corsproxy.tools.own_answers import FORWARDED_METHODS
from tests.support.process import started
from tests.support.upstream import Upstream
from tests.tools.explained import FILE, explained, file_fixture

__all__ = ["file_fixture"]


@pytest.mark.parametrize(
    ("path", "host", "route", "upstream"),
    [
        ("/orders", None, "/orders", "orders"),
        ("/orders/7", None, "/orders", "orders"),
        ("/orders/7/invoice", None, "/orders/{id}/invoice", "billing"),
        ("/orders?x=1", None, "/orders", "orders"),
        ("https://any.example.com/orders", None, "/orders", "orders"),
        ("/status", "api.example.com", "/status", "orders"),
        ("/status", "API.example.com:8443", "/status", "orders"),
        ("http://api.example.com/status", None, "/status", "orders"),
        ("/status", "other.example.com", None, None),
        ("/status", None, None, None),
        ("/exact/below", None, None, None),
        ("/orders2", None, None, None),
    ],
)
def test_route(file: Path, path: str, host: str | None, route: str | None, upstream: str | None) -> None:
    """The route is the data path's own choice."""
    _, found = explained(file, path, host=host)
    assert (found["route"], found["upstream"]) == (route, upstream)


@pytest.mark.parametrize(
    ("path", "near", "why"),
    [
        ("/status", "/status", "it is for the host api.example.com only: give it with --host"),
        ("/exact/below", "/exact", "it is exact: it matches /exact and nothing below"),
        ("/orders/7/invoice", "/orders", "it matches too, and is less specific"),
        ("/orders/7", "/orders/{id}/invoice", "it is longer than the path"),
        ("/orders/7/receipt", "/orders/{id}/invoice", "its segment 3 is 'invoice', the path's is 'receipt'"),
    ],
)
def test_routes_that_came_close(file: Path, path: str, near: str, why: str) -> None:
    """Near misses are listed with the reason."""
    assert {"route": near, "why": why} in explained(file, path)[1]["near_routes"]


@pytest.mark.parametrize(
    ("host", "ports"),
    [
        ("api.example.com:8443", {8443}),
        ("API.example.com:8443", {8443}),
        ("api.example.com", {80}),
        ("api.example.com:80", {80}),
        ("api.example.com:8444", set()),
        ("x.example.com:8443", set()),
    ],
)
@pytest.mark.parametrize("port", [8443, 80])
def test_the_host_of_a_route_that_came_close(tmp_path: Path, host: str, ports: set[int], port: int) -> None:
    """As the proxy compares it: a host without a port has the listener's default port, and case does not count."""
    file = tmp_path / "corsproxy.yaml"
    file.write_text(
        f"upstreams: {{a: 'http://a.internal'}}\n"
        f"routes: [{{path: /status, exact: true, host: 'api.example.com:{port}', upstream: a}}]\n"
    )
    (near,) = explained(file, "/status/below", host=host)[1]["near_routes"]
    assert near["why"].startswith("it is exact" if port in ports else "it is for the host"), near


def test_an_ambiguous_path(file: Path) -> None:
    """A path with two readings has no route: the proxy answers 400."""
    status, found = explained(file, "/orders%2f..%2fbare")
    assert (status, found["reason"], found["response"]["status"]) == (1, "no_route", 400)
    assert "two readings" in found["remarks"][0]
    assert explained(file, "/nowhere")[1]["response"]["status"] == 404


def test_a_method_that_the_proxy_does_not_forward(file: Path) -> None:
    """Whatever a policy allows, the preflight is refused, and the request would be answered 501, with the grant."""
    file.write_text(FILE.replace("[GET, PUT]", '["*"]'))
    status, found = explained(file, "/orders", method="patch")
    assert (status, found["reason"], found["response"]["status"]) == (1, "method_not_allowed", 501)
    assert "Access-Control-Allow-Origin" in dict(found["response"]["headers"])
    assert found["preflight"]["status"] == 403
    assert found["verdict"]["why"] == "the proxy knows no method 'patch' and answers 501"
    assert "have the page write 'PATCH'" in found["no_change"]


def test_the_methods_that_are_forwarded() -> None:
    """The list is that of the proxy's own parser: each passes, and others get 501."""
    with (
        Upstream.answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as upstream,
        started(f"upstreams: {{a: {upstream.url}}}\nroutes: [{{path: /, upstream: a}}]") as proxy,
    ):
        found = {}
        for method in (*FORWARDED_METHODS, "patch", "CHICKEN", "get"):
            with contextlib.closing(http.client.HTTPConnection(*proxy.address, timeout=20)) as connection:
                connection.putrequest(method, "/")
                connection.endheaders()
                found[method] = connection.getresponse().status
    assert found == {method: 200 if method in FORWARDED_METHODS else 501 for method in found}
