"""The answers the proxy gives itself: the grant on them, and a trace of each in the log and in the metrics."""

from __future__ import annotations

import socket

from tests.acceptance.client import APP, ask, send
from tests.support.process import DEADLINE, started
from tests.support.upstream import Upstream

CONFIG = """
upstreams: {{api: "{upstream}"}}
policies:
  app:
    allow_origins: ["https://app.example.com"]
    allow_credentials: true
    expose_headers: ["*"]
routes: [{{path: /, upstream: api, policy: app}}]
limits: {{max_connections: 2}}
log: {{format: json}}
"""


def refused_port() -> socket.socket:
    """Bind a port on which nothing listens."""
    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    return bound


def test_the_proxys_own_error_exposes_its_own_field_names() -> None:
    """With credentials a star means nothing to a browser, so the names of that very answer are listed."""
    with refused_port() as dead, started(CONFIG.format(upstream=f"http://127.0.0.1:{dead.getsockname()[1]}")) as proxy:
        answer = ask(proxy.address, b"/", APP)
        traced = ask(proxy.address, b"/", APP, method=b"TRACE")
    granted = {
        "access-control-allow-origin: https://app.example.com",
        "access-control-allow-credentials: true",
        "vary: Origin",
    }
    assert (answer.status, answer.cors) == (502, granted | {"access-control-expose-headers: X-Request-Id, Vary, Date"})
    allowed = granted | {"access-control-expose-headers: Allow, X-Request-Id, Vary, Date"}
    assert (traced.status, traced.cors) == (405, allowed)


def test_a_connection_that_is_turned_away_is_on_record() -> None:
    """A connection over the limit is answered 503, which the log and the metrics show."""
    with Upstream() as upstream, started(CONFIG.format(upstream=upstream.url), admin=True) as proxy:
        with (
            socket.create_connection(proxy.address, timeout=DEADLINE) as first,
            socket.create_connection(proxy.address, timeout=DEADLINE) as second,
        ):
            for sock in (first, second):
                sock.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
                assert sock.recv(65536).startswith(b"HTTP/1.1 200 ")
            answer = send(proxy.address, b"")
        assert answer.status == 503
        line = proxy.access_log(at_least=3)[2]
        assert answer.body.decode() == f"too many connections; request id {line['request_id']}\n"
        assert (line["client"], line["status"], line["bytes_out"]) == ("127.0.0.1", 503, len(answer.body))
        assert proxy.metrics()['corsproxy_requests_total{method="other",route="none",status="503"}'] == 1


def test_the_log_says_who_sent_what_could_not_be_parsed() -> None:
    """A 400 without a route still has a client, and what was sent to it."""
    with Upstream() as upstream, started(CONFIG.format(upstream=upstream.url)) as proxy:
        answer = send(proxy.address, b"GET / HTTP/1.1\r\nHost : h\r\n\r\n")
        line = proxy.access_log(at_least=1)[0]
    assert (line["client"], line["status"], line["bytes_out"]) == ("127.0.0.1", 400, len(answer.body))
