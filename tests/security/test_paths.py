"""A client tries to reach, below the policy of one path, what the upstream serves at another."""

from __future__ import annotations

import pytest

from tests.proxy.bench import Bench

CONFIG = """
admin: 127.0.0.1:0
upstreams:
  plain: "{upstream}"
  based: "{upstream}/base"
  spaced: "{upstream}/a%20b"
policies:
  open: {{allow_origins: ["*"]}}
  closed: {{allow_origins: ["https://app.example"]}}
routes:
  - {{path: /public, upstream: plain, policy: open}}
  - {{path: /, upstream: plain, policy: closed}}
  - {{path: /based, upstream: based, policy: open}}
  - {{path: /strip, upstream: based, strip_prefix: true, policy: open}}
  - {{path: /bare, upstream: plain, strip_prefix: true, policy: open}}
  - {{path: /spaced, upstream: spaced, strip_prefix: true, policy: open}}
  - {{path: /, host: admin.example, upstream: plain}}
log: {{format: json}}
"""


def get(bench: Bench, path: bytes, host: bytes = b"h") -> tuple[int, list[bytes]]:
    """Ask for a path: the status, and the paths that the upstream was asked for."""
    status = bench.ask(b"GET %b HTTP/1.1\r\nHost: %b\r\nOrigin: https://evil.example\r\n\r\n" % (path, host)).status
    return status, [request.line.split()[1] for request in bench.requests]


@pytest.mark.parametrize(
    "path",
    [
        b"/public/../secret",
        b"/public/%2e%2e/secret",
        b"/public/%252e%252e/secret",
        b"/public/%25252e./secret",
        b"/public/..%5csecret",
        b"/public/x/..//../secret",
        b"//public",
        b"/./public",
        b"/%70ublic",
        b"http://h/public/..",
        b"/based/../../etc",
        b"/based/..",
        b"/strip/../x",
        b"/strip/%2e%2e/x",
        b"/strip/..%2f..%2fx",
        b"/bare/..",
        b"/spaced/%2e%2e/x",
    ],
)
def test_a_path_that_leads_elsewhere_when_decoded_reaches_no_upstream(bench: Bench, path: bytes) -> None:
    """The policy would be that of the path as written, the resource that of the path as read."""
    assert get(bench, path) == (400, [])


@pytest.mark.parametrize(
    ("path", "forwarded"),
    [
        (b"/public/a%2Fb/%zz/%", b"/public/a%2Fb/%zz/%"),
        (b"/public/x/../y", b"/public/x/../y"),
        (b"/public%2f..%2fsecret", b"/public%2f..%2fsecret"),
        (b"/public\\..\\secret", b"/public\\..\\secret"),
        (b"/based/a//b", b"/base/based/a//b"),
        (b"/strip//evil.example/x", b"/base//evil.example/x"),
        (b"/bare", b"/"),
        (b"/bare//evil.example", b"//evil.example"),
        (b"/spaced", b"/a%20b/"),
        (b"/spaced/c%20d", b"/a%20b/c%20d"),
    ],
)
def test_a_path_with_one_meaning_goes_through_as_it_is(bench: Bench, path: bytes, forwarded: bytes) -> None:
    """Byte for byte, below an upstream's base path too, whose own escapes are no escape."""
    assert get(bench, path) == (200, [forwarded])


@pytest.mark.parametrize("host", [b"ADMIN.example", b"admin.example:80", b"admin.example:8443"])
def test_a_host_is_the_same_in_any_spelling_of_it(bench: Bench, host: bytes) -> None:
    """`/public` of that host has no policy, so nothing is granted."""
    response = bench.ask(b"GET /public HTTP/1.1\r\nHost: %b\r\nOrigin: https://evil.example\r\n\r\n" % host)
    assert (response.status, response.cors) == (200, [])


@pytest.mark.parametrize(
    "request_line_and_host",
    [
        b"GET http://admin.example/public HTTP/1.1\r\nHost: h",
        b"GET http://h@admin.example/public HTTP/1.1\r\nHost: admin.example",
        b"GET http://h\\admin.example/public HTTP/1.1\r\nHost: h",
        b"GET /public HTTP/1.1\r\nHost: h\r\nHost: admin.example",
        b"GET /public HTTP/1.1\r\nHost: h, admin.example",
        b"GET /public HTTP/1.1\r\nHost: h@admin.example",
        b"GET /public HTTP/1.1\r\nHost: h/admin.example",
        b"GET /public HTTP/1.1\r\nHost:",
        b"GET /public HTTP/1.1\r\nHost : h",
        b"GET /public HTTP/1.1\r\n Host: h",
        b"GET /public HTTP/1.1\r\nX: y\r\n Host: h",
    ],
)
def test_two_hosts_in_one_request_are_none(bench: Bench, request_line_and_host: bytes) -> None:
    """Two servers could take it for different hosts; 400, and nothing is forwarded."""
    response = bench.ask(request_line_and_host + b"\r\nOrigin: https://evil.example\r\n\r\n")
    assert (response.status, bench.requests) == (400, [])
