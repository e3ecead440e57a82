"""Whole heads as an upstream gets them: every line, in order, for each thing that a configuration can ask for."""

from __future__ import annotations

import pytest

from tests.proxy.inside import stage

CONFIG = """
upstreams: {{up: {{url: "http://127.0.0.1:PORT{base}"{upstream}}}}}
policies: {{app: {{allow_origins: ["https://app.example"]}}}}
routes: [{{path: /, upstream: up, policy: app{route}}}]
"""

FORWARDED = [
    b"X-Forwarded-For: 127.0.0.1",
    b"X-Forwarded-Proto: http",
    b"X-Forwarded-Host: h",
    b"X-Forwarded-Port: 80",
    b'Forwarded: for=127.0.0.1;proto=http;host="h"',
]
OF_CLIENT_ALONE = FORWARDED[:1]
OUR_OWN = [b"X-Request-Id: id-1", b"Via: 1.1 me"]


async def sent(request: bytes, *, base: str = "", upstream: str = "", route: str = "") -> tuple[bytes, list[bytes]]:
    """Return the request line and the field lines that the upstream gets, its own port as PORT."""
    config = CONFIG.format(base=base, upstream=f", {upstream}" if upstream else "", route=f", {route}" if route else "")
    async with stage(config) as it:
        line, _, fields = request.partition(b"\n")
        it.writer.write(b"\r\n".join([line, b"Host: h", *fields.split(b"\n"), b"X-Request-Id: id-1", b"", b""]))
        asked = await it.asked()
        port = str(it.proxy.plan.pools[0].upstream.port).encode()
        asked.answer(b"HTTP/1.1 204 No\r\n\r\n")
        await it.head()
        return asked.line, [one.replace(b"127.0.0.1:" + port, b"127.0.0.1:PORT") for one in asked.fields]


HOST = b"Host: 127.0.0.1:PORT"


@pytest.mark.parametrize(
    ("options", "request_", "line", "fields"),
    [
        pytest.param(
            {},
            b"GET /a?b HTTP/1.1\nX-A: b",
            b"GET /a?b HTTP/1.1",
            [HOST, b"X-A: b", *FORWARDED, *OUR_OWN],
            id="an ordinary request",
        ),
        pytest.param(
            {"base": "/base?k=1"},
            b"GET /a?b HTTP/1.1\nX-A: b",
            b"GET /base/a?k=1&b HTTP/1.1",
            [HOST, b"X-A: b", *FORWARDED, *OUR_OWN],
            id="a base path and a base query",
        ),
        pytest.param(
            {},
            b"POST /a HTTP/1.1\nTE: trailers\nConnection: TE, X-B\nX-B: 1\nX-A: b",
            b"POST /a HTTP/1.1",
            [HOST, b"X-A: b", b"Content-Length: 0", b"Connection: TE", b"TE: trailers", *FORWARDED, *OUR_OWN],
            id="trailers wanted, and no content",
        ),
        pytest.param(
            {},
            b"OPTIONS /a HTTP/1.1\nMax-Forwards: 10",
            b"OPTIONS /a HTTP/1.1",
            [HOST, b"Max-Forwards: 9", *FORWARDED, *OUR_OWN],
            id="one hop less",
        ),
        pytest.param(
            {},
            b"GET /a HTTP/1.1\nMax-Forwards: 10",
            b"GET /a HTTP/1.1",
            [HOST, b"Max-Forwards: 10", *FORWARDED, *OUR_OWN],
            id="hops are counted for OPTIONS alone",
        ),
        pytest.param(
            {"upstream": "host: client"},
            b"GET /a HTTP/1.1\nX-A: b",
            b"GET /a HTTP/1.1",
            [b"Host: h", b"X-A: b", *FORWARDED, *OUR_OWN],
            id="the client's own Host",
        ),
        pytest.param(
            {"upstream": "host: other.example"},
            b"GET /a HTTP/1.1\nX-A: b",
            b"GET /a HTTP/1.1",
            [b"Host: other.example", b"X-A: b", *FORWARDED, *OUR_OWN],
            id="another Host",
        ),
        pytest.param(
            {"upstream": "forwarded: none"},
            b"GET /a HTTP/1.1\nX-A: b",
            b"GET /a HTTP/1.1",
            [HOST, b"X-A: b", *OUR_OWN],
            id="nothing of the way",
        ),
        pytest.param(
            {"upstream": "origin: upstream"},
            b"GET /a HTTP/1.1\nX-A: b\nOrigin: https://app.example\nReferer: http://h/page?q\nX-C: d",
            b"GET /a HTTP/1.1",
            [
                HOST,
                b"X-A: b",
                b"Origin: http://127.0.0.1:PORT",
                b"Referer: http://127.0.0.1:PORT/page?q",
                b"X-C: d",
                *OF_CLIENT_ALONE,
                *OUR_OWN,
            ],
            id="Origin and Referer of the upstream's own",
        ),
        pytest.param(
            {"upstream": "origin: upstream"},
            b"GET /a HTTP/1.1\nOrigin: https://app.example\nReferer: https://app.example/page\nX-C: d",
            b"GET /a HTTP/1.1",
            [
                HOST,
                b"Origin: http://127.0.0.1:PORT",
                b"Referer: http://127.0.0.1:PORT/page",
                b"X-C: d",
                *OF_CLIENT_ALONE,
                *OUR_OWN,
            ],
            id="a Referer of another page",
        ),
        pytest.param(
            {"upstream": "origin: remove"},
            b"GET /a HTTP/1.1\nOrigin: https://app.example\nReferer: https://app.example/page\nX-C: d",
            b"GET /a HTTP/1.1",
            [HOST, b"X-C: d", *FORWARDED, *OUR_OWN],
            id="neither Origin nor Referer",
        ),
        pytest.param(
            {},
            b"GET /a HTTP/1.1\nOrigin: https://app.example\nReferer: https://app.example/page",
            b"GET /a HTTP/1.1",
            [HOST, b"Origin: https://app.example", b"Referer: https://app.example/page", *FORWARDED, *OUR_OWN],
            id="Origin and Referer as they came",
        ),
        pytest.param(
            {"base": "/dav"},
            b"MOVE /a HTTP/1.1\nDestination: http://h/b\nX-C: d",
            b"MOVE /dav/a HTTP/1.1",
            [HOST, b"Destination: http://127.0.0.1:PORT/dav/b", b"X-C: d", *OF_CLIENT_ALONE, *OUR_OWN],
            id="a Destination here: the upstream is told of its own name alone",
        ),
        pytest.param(
            {"base": "/dav"},
            b"MOVE /a HTTP/1.1\nDestination: http://elsewhere/b",
            b"MOVE /dav/a HTTP/1.1",
            [HOST, b"Destination: http://elsewhere/b", *FORWARDED, *OUR_OWN],
            id="a Destination elsewhere",
        ),
        pytest.param(
            {"base": "/dav", "upstream": "redirects: keep"},
            b"MOVE /a HTTP/1.1\nDestination: http://h/b",
            b"MOVE /dav/a HTTP/1.1",
            [HOST, b"Destination: http://h/b", *FORWARDED, *OUR_OWN],
            id="a Destination that is not rewritten",
        ),
        pytest.param(
            {"upstream": "request_headers: {set: {X-A: ours, Via: none}, remove: [X-C, X-Forwarded-For, Forwarded]}"},
            b"GET /a HTTP/1.1\nx-a: theirs\nX_A: theirs\nX-C: d\nX-D: e",
            b"GET /a HTTP/1.1",
            [HOST, b"X-D: e", *FORWARDED[1:4], OUR_OWN[0], b"X-A: ours", b"Via: none"],
            id="fields that are set and removed",
        ),
        pytest.param(
            {},
            b"GET /a HTTP/1.0\nX-A: b",
            b"GET /a HTTP/1.1",
            [HOST, b"X-A: b", *FORWARDED, OUR_OWN[0], b"Via: 1.0 me"],
            id="a request of HTTP/1.0",
        ),
    ],
)
async def test_a_whole_head(options: dict[str, str], request_: bytes, line: bytes, fields: list[bytes]) -> None:
    """Nothing is there but this."""
    assert await sent(request_, **options) == (line, fields)
