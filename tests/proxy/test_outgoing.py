"""The head that an upstream gets, from what was found in the client's."""

from __future__ import annotations

from typing import Any

import pytest

from corsproxy.proxy.outgoing import decrement_max_forwards, upstream_head
from tests.proxy.request.test_request_head import going_on, read


def written(*lines: bytes, method: str = "GET", upgrade: bytes | None = None, expects: bool = False) -> list[bytes]:
    """Return the lines of the upstream's head behind its request line, its Host and what the proxy adds."""
    block = upstream_head(
        read(*lines),
        method=method,
        target=b"/t?q",
        host_line=b"Host: up\r\n",
        added=b"Via: 1.1 x\r\n",
        upgrade=upgrade,
        expects_continue=expects,
    )
    front, end = method.encode() + b" /t?q HTTP/1.1\r\nHost: up\r\n", b"Via: 1.1 x\r\n\r\n"
    assert block.startswith(front)
    assert block.endswith(end)
    return block[len(front) : -len(end)].split(b"\r\n")[:-1]


@pytest.mark.parametrize(
    ("lines", "options", "expected"),
    [
        pytest.param((b"X-A: b",), {}, [b"X-A: b"], id="as it came"),
        pytest.param((), {"method": "POST"}, [b"Content-Length: 0"], id="POST without content"),
        pytest.param((), {"method": "PUT"}, [b"Content-Length: 0"], id="PUT without content"),
        pytest.param((), {"method": "PATCH"}, [b"Content-Length: 0"], id="PATCH without content"),
        pytest.param((), {"method": "DELETE"}, [], id="DELETE without content"),
        pytest.param((b"Content-Length: 0",), {"method": "POST"}, [b"Content-Length: 0"], id="no content, said"),
        pytest.param((b"Content-Length: 3",), {"method": "POST"}, [b"Content-Length: 3"], id="content"),
        pytest.param(
            (b"Transfer-Encoding: chunked",),
            {"method": "POST"},
            [b"Transfer-Encoding: chunked"],
            id="content in chunks",
        ),
        pytest.param((b"Expect: 100-Continue",), {"expects": True}, [b"Expect: 100-Continue"], id="an expectation"),
        pytest.param((b"Expect: 100-continue",), {}, [], id="an expectation met already"),
        pytest.param((b"TE: gzip, trailers",), {}, [b"Connection: TE", b"TE: trailers"], id="trailers wanted"),
        pytest.param((b"TE: gzip",), {}, [], id="a coding wanted"),
        pytest.param(
            (b"TE: trailers", b"Upgrade: websocket"),
            {"upgrade": b"websocket"},
            [b"Connection: Upgrade", b"Upgrade: websocket"],
            id="an upgrade",
        ),
    ],
)
def test_what_the_upstream_gets(lines: tuple[bytes, ...], options: dict[str, Any], expected: list[bytes]) -> None:
    """Between its Host and what the proxy adds."""
    assert written(*lines, **options) == expected


def test_one_hop_less() -> None:
    """RFC 9110 section 7.6.2: in its place, the others as they were."""
    head = read(b"X-A: 3", b"Max-Forwards: 3", b"X-B: 3")
    decrement_max_forwards(head, 3)
    assert going_on(head) == [b"X-A: 3", b"Max-Forwards: 2", b"X-B: 3"]
