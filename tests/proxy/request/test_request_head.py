"""What one pass over a client's field lines finds, and which of them go on."""

from __future__ import annotations

from typing import Any

import pytest

from corsproxy.proxy.errors import Refusal
from corsproxy.proxy.fields.lines import FieldLine
from corsproxy.proxy.fields.names import REQUEST_FIELDS
from corsproxy.proxy.request.head import RequestHead, read_request_head
from tests.proxy.messages import spellings


def read(*lines: bytes, minor: int = 1, host: bytes | None = b"h") -> RequestHead:
    """Read a head of these lines, `name: value`, behind a Host."""
    pairs = [tuple(line.split(b": ", 1)) for line in lines]
    if host is not None:
        pairs.insert(0, (b"Host", host))
    return read_request_head([FieldLine(REQUEST_FIELDS[name], name, value) for name, value in pairs], minor)


def going_on(head: RequestHead) -> list[bytes]:
    """Return the lines that go on as they are."""
    return [line.line.removesuffix(b"\r\n") for line in head.fields]


PASSED_ON = [
    b"X-A: b",
    b"Cookie: a=b",
    b"Origin: https://app.example",
    b"Access-Control-Request-Method: PUT",
    b"Access-Control-Request-Headers: x-a",
    b"Content-Length: 3",
    b"Via: 1.1 edge",
    b"Referer: https://app.example/",
    b"Max-Forwards: 3",
    b"Authorization: Basic abc",
    b"Destination: /b",
    b"If: (<urn:x>)",
    b"traceparent: 00-11111111111111111111111111111111-2222222222222222-01",
    b"Proxy: x",
    b"TE-X: a",
]

STOPPED = [
    b"Connection: close",
    b"Upgrade: websocket",
    b"TE: trailers",
    b"Expect: 100-continue",
    b"Transfer-Encoding: chunked",
    b"X-Request-Id: abc",
    b"Forwarded: for=1.2.3.4",
    b"X-Forwarded-By: a",
    b"X-Forwarded-For: a",
    b"X-Forwarded-Host: a",
    b"X-Forwarded-Port: 1",
    b"X-Forwarded-Prefix: /a",
    b"X-Forwarded-Proto: https",
    b"X-Forwarded-Protocol: https",
    b"X-Forwarded-Scheme: https",
    b"X-Forwarded-Server: a",
    b"X-Forwarded-Ssl: on",
    b"X_Forwarded_For: a",
    b"X-Forwarded_Proto: a",
    b"X_Forwarded-Host: a",
    b"Content_Length: 3",
    b"Transfer_Encoding: chunked",
    b"Keep-Alive: timeout=5",
    b"Proxy-Connection: close",
    b"Proxy-Authorization: Basic abc",
    b"Proxy-Authenticate: Basic",
    b"Trailer: X-A",
    b"HTTP2-Settings: abc",
]


@pytest.mark.parametrize("line", PASSED_ON)
def test_a_line_that_goes_on(line: bytes) -> None:
    """As it is, in any letter case of its name."""
    for spelt in spellings(line):
        assert going_on(read(spelt)) == [spelt]


@pytest.mark.parametrize("line", STOPPED)
def test_a_line_that_stops_here(line: bytes) -> None:
    """Hop-by-hop, or written anew, in any letter case of its name."""
    for spelt in spellings(line):
        assert going_on(read(b"X-A: 1", spelt, b"X-B: 2")) == [b"X-A: 1", b"X-B: 2"]


TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

NOTED: list[Any] = [
    pytest.param((b"X-A: b",), {}, id="nothing"),
    pytest.param((b"Origin: a", b"Origin: b"), {"origins": (b"a", b"b")}, id="every Origin"),
    pytest.param(
        (b"Access-Control-Request-Method: PUT", b"Access-Control-Request-Method: GET"),
        {"requested_methods": (b"PUT", b"GET")},
        id="every requested method",
    ),
    pytest.param(
        (b"Access-Control-Request-Headers: a", b"Access-Control-Request-Headers: b"),
        {"requested_headers": (b"a", b"b")},
        id="every list of requested headers",
    ),
    pytest.param(
        (b"Content-Length: 7",), {"content_length": 7, "has_length_field": True, "has_content": True}, id="a length"
    ),
    pytest.param((b"Content-Length: 0",), {"has_length_field": True}, id="no content, said"),
    pytest.param(
        (b"Content-Length: 1",),
        {"content_length": 1, "has_length_field": True, "has_content": True},
        id="a byte of content",
    ),
    pytest.param(
        (b"Content-Length: 0000000000000000007",),
        {"content_length": 7, "has_length_field": True, "has_content": True},
        id="zeros",
    ),
    pytest.param(
        (b"Content-Length: 9223372036854775807",),
        {"content_length": 2**63 - 1, "has_length_field": True, "has_content": True},
        id="the longest",
    ),
    pytest.param((b"Transfer-Encoding: Chunked",), {"chunked": True, "has_content": True}, id="chunked"),
    pytest.param((b"Expect: 100-Continue",), {"expect": b"100-Continue"}, id="an expectation"),
    pytest.param((b"Upgrade: a", b"Upgrade: b"), {"upgrades": (b"a", b"b")}, id="every Upgrade"),
    pytest.param(
        (b"TE: gzip", b"TE: deflate, Trailers"),
        {"te": (b"gzip", b"deflate, Trailers"), "wants_trailers": True},
        id="trailers wanted",
    ),
    pytest.param((b"TE: gzip, trailersx",), {"te": (b"gzip, trailersx",)}, id="no trailers wanted"),
    pytest.param(
        (b"X-Forwarded-For: a", b"forwarded: b"),
        {"forwarded": ((b"X-Forwarded-For", b"a"), (b"forwarded", b"b"))},
        id="what others say of hops, as spelt",
    ),
    pytest.param((b"Via: a", b"Via: b"), {"via": (b"a", b"b")}, id="every Via"),
    pytest.param((b"X-Request-Id: Az09._~+/=:@-",), {"request_id": b"Az09._~+/=:@-"}, id="a request id"),
    pytest.param((b"X-Request-Id: " + b"a" * 128,), {"request_id": b"a" * 128}, id="the longest request id"),
    pytest.param((b"X-Request-Id: " + b"a" * 129,), {}, id="a request id too long"),
    pytest.param((b"X-Request-Id: a b",), {}, id="a request id with a space"),
    pytest.param((b'X-Request-Id: a"b',), {}, id="a request id with a quote"),
    pytest.param((b"X-Request-Id: a", b"X-Request-Id: a b"), {}, id="a request id, then one that is not sane"),
    pytest.param((b"Connection: keep-alive, X-A",), {"options": (b"keep-alive, X-A",)}, id="options that name fields"),
    pytest.param((b"Connection: Keep-Alive", b"Connection: close"), {}, id="options that name none"),
    pytest.param((b"Max-Forwards: 3",), {"max_forwards": 3}, id="hops left"),
    pytest.param((b"Max-Forwards: 999999999",), {"max_forwards": 999_999_999}, id="many hops left"),
    pytest.param((b"Max-Forwards: 1000000000",), {}, id="hops left beyond counting"),
    pytest.param((b"Max-Forwards: -1",), {}, id="hops left, negative"),
    pytest.param((b"Max-Forwards: 3", b"Max-Forwards: x"), {}, id="hops left, then a word"),
    pytest.param((b"Authorization: Basic abc",), {}, id="a login for this request"),
    pytest.param((b"Authorization: NTLM abc",), {"login": b"NTLM"}, id="a login of the connection"),
    pytest.param((b"Authorization: NTLM abc", b"Authorization: Basic abc"), {"login": b"NTLM"}, id="two logins"),
    pytest.param(
        (b"Authorization: Basic abc", b"Authorization: NTLM abc"), {"login": b"NTLM"}, id="two, the other way"
    ),
    pytest.param((b"Destination: /b",), {"has_references": True}, id="Destination"),
    pytest.param((b"If: (<urn:x>)",), {"has_references": True}, id="If"),
    pytest.param((b"traceparent: " + TRACE,), {"trace_id": TRACE[3:35]}, id="a trace"),
    pytest.param(
        (b"traceparent: cc" + TRACE[2:] + b"-more",), {"trace_id": TRACE[3:35]}, id="a trace of a later version"
    ),
    pytest.param((b"traceparent: ff" + TRACE[2:],), {}, id="a trace of the forbidden version"),
    pytest.param((b"traceparent: 00-" + b"0" * 32 + TRACE[35:],), {}, id="a trace of zeros"),
    pytest.param((b"traceparent: " + TRACE[:36] + b"0" * 16 + TRACE[52:],), {}, id="a trace whose parent is zeros"),
    pytest.param((b"traceparent: cc" + TRACE[2:],), {"trace_id": TRACE[3:35]}, id="a later version, no longer"),
    pytest.param((b"traceparent: " + TRACE + b"x",), {}, id="a trace with more behind it"),
    pytest.param((b"traceparent: " + TRACE + b"-",), {}, id="a trace with a hyphen behind it"),
    pytest.param((b"traceparent: " + TRACE + b"-more",), {}, id="a trace of a later version's form"),
    pytest.param((b"traceparent: cc" + TRACE[2:] + b"x",), {}, id="a later version with more behind its flags"),
    pytest.param((b"traceparent: " + TRACE, b"traceparent: " + TRACE), {}, id="two traces"),
]

PLAIN = {
    "origins": (), "requested_methods": (), "requested_headers": (), "options": (), "forwarded": (), "upgrades": (),
    "te": (), "via": (), "login": None, "request_id": b"", "trace_id": b"", "max_forwards": None, "content_length": 0,
    "has_length_field": False, "chunked": False, "expect": b"", "refusal": None, "has_references": False,
    "has_content": False, "wants_trailers": False, "minor": 1, "host": b"h",
}  # fmt: skip


@pytest.mark.parametrize(("lines", "noted"), NOTED)
def test_what_is_noted(lines: tuple[bytes, ...], noted: dict[str, Any]) -> None:
    """Just this, and nothing else."""
    head = read(*lines)
    assert {name: getattr(head, name) for name in PLAIN} == {**PLAIN, **noted}


TOO_LONG = "the Content-Length is more than can be counted"
CODING = "the only transfer coding understood here is chunked"


@pytest.mark.parametrize(
    ("lines", "minor", "status", "closes", "text"),
    [
        pytest.param((b"Content-Length: 9223372036854775808",), 1, 400, True, TOO_LONG, id="a length too large"),
        pytest.param((b"Content-Length: 00000000000000000001",), 1, 400, True, TOO_LONG, id="twenty digits"),
        pytest.param((b"Transfer-Encoding: gzip",), 1, 501, True, CODING, id="another coding"),
        pytest.param((b"Transfer-Encoding: gzip, chunked",), 1, 501, True, CODING, id="another coding within"),
        pytest.param((b"Transfer-Encoding: chunked",) * 2, 1, 501, True, CODING, id="chunked twice"),
        pytest.param(
            (b"Transfer-Encoding: chunked",), 0, 400, True, "HTTP/1.0 has no Transfer-Encoding", id="in HTTP/1.0"
        ),
        pytest.param(
            (b"Expect: 200-ok",), 1, 417, False, "the only expectation that can be met is 100-continue",
            id="another expectation",
        ),
        pytest.param((b"Transfer-Encoding: gzip", b"Expect: x"), 1, 501, True, CODING, id="the one that closes stays"),
        pytest.param((b"Expect: x", b"Transfer-Encoding: gzip"), 1, 501, True, CODING, id="the one that closes comes"),
    ],
)  # fmt: skip
def test_what_is_refused_once_the_route_is_known(
    lines: tuple[bytes, ...], minor: int, status: int, closes: bool, text: str
) -> None:
    """The status, whether the connection can go on, and the reason that the client is given."""
    refusal = read(*lines, minor=minor).refusal
    assert refusal is not None
    assert (refusal.status, refusal.close, refusal.text) == (status, closes, text)


def test_an_expectation_of_http_1_0_is_none() -> None:
    """RFC 9110 section 10.1.1: a server must ignore a 100-continue expectation in such a request."""
    head = read(b"Expect: 100-continue", minor=0)
    assert (head.expect, head.refusal, head.minor) == (b"", None, 0)


@pytest.mark.parametrize(
    ("host", "read_as"),
    [(b"h", b"h"), (b"h:80", b"h:80"), (b"h:", b"h"), (b"[::1]:8080", b"[::1]:8080"), (b"a_b.example", b"a_b.example")],
)
def test_a_host(host: bytes, read_as: bytes) -> None:
    """An empty port is none."""
    assert read(host=host).host == read_as


@pytest.mark.parametrize("host", [b"", b"a b", b"a,b", b"a@b", b"a/b", b":", b":80", b"a:b", b"a:123456"])
def test_no_host(host: bytes) -> None:
    """Where no host can be known nothing is forwarded, and the connection ends."""
    with pytest.raises(Refusal) as refused:
        read(host=host)
    assert (refused.value.status, refused.value.close) == (400, True)
    assert refused.value.text == f"the Host field is {'not a host name' if host else 'empty'}"


def test_http_1_0_needs_no_host() -> None:
    """An old client may send none, or an empty one."""
    assert read(host=None, minor=0).host == read(host=b"", minor=0).host == b""


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        pytest.param((b"X-A",), (b"Cookie", b"X-B"), id="one"),
        pytest.param((b"close, x-a , X-B",), (b"Cookie",), id="several"),
        pytest.param((b"x-a", b"x-b"), (b"Cookie",), id="on two lines"),
        pytest.param(
            (b"Cookie, Host, Content-Type, Content-Length, Origin",), (b"Cookie", b"X-A", b"X-B"), id="protected"
        ),
        pytest.param((b"close", b"x-b"), (b"Cookie", b"X-A"), id="on the second line"),
    ],
)
def test_what_connection_names_goes(options: tuple[bytes, ...], kept: tuple[bytes, ...]) -> None:
    """For this hop alone; but no option takes away what gives the request its meaning (CVE-2022-31813)."""
    protected = [b"Content-Type: a", b"Content-Length: 1", b"Origin: a", b"Access-Control-Request-Method: a"]
    protected.append(b"Access-Control-Request-Headers: a")
    head = read(b"Cookie: 1", b"X-A: 1", b"X-B: 1", *protected, *(b"Connection: " + option for option in options))
    assert going_on(head) == [*(name + b": 1" for name in kept), *protected]
    assert head.host == b"h"


def test_a_request_id_for_this_hop() -> None:
    """What Connection names is not taken over either."""
    assert read(b"X-Request-Id: abc", b"Connection: x-request-id").request_id == b""
    assert read(b"X-Request-Id: abc", b"Connection: x-a").request_id == b"abc"
