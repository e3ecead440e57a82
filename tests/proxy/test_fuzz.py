"""Broken messages in both directions, against a running proxy.

Whatever comes, the upstream never sees more requests than were sent, what it sees is well-formed, the proxy has no
fault of its own, does not hang, and keeps no connection.
`make fuzz` tries many more examples.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.proxy.bench import Bench
from tests.proxy.messages import mutated, requests, responses
from tests.support.examples import examples
from tests.support.upstream import Connection

EXAMPLES = examples(150)

CONFIG = """
admin: 127.0.0.1:0
upstreams:
  up: {{url: "{upstream}", response_timeout: 5s, read_timeout: 5s}}
policies:
  app: {{allow_origins: ["https://app.example"], allow_credentials: true}}
routes:
  - {{path: /, upstream: up, policy: app}}
limits: {{body_timeout: 5s, header_timeout: 5s}}
log: {{format: json}}
"""

fuzzing = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

WELL_FORMED = re.compile(
    rb"[A-Z-]+ /[!-~]* HTTP/1\.1\r\nHost: [^\r\n]+\r\n"
    rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+: ?[^\x00-\x08\x0a-\x1f\x7f]*\r\n)*\r\n"
)
"""A head that every server reads in the same way."""

numbers = itertools.count()


@pytest.fixture(autouse=True)
def _nothing_left(bench: Bench) -> Iterator[None]:
    """Whatever a test has done, in the end no client is connected and no request is in flight."""
    yield
    bench.settle()
    bench.wait_idle()
    assert not [line for line in bench.proxy.stderr.lines if "fault of the proxy" in line]


@fuzzing
@given(data=mutated(st.lists(requests(), min_size=1, max_size=3).map(b"".join)), resets=st.booleans())
def test_broken_requests(bench: Bench, data: bytes, resets: bool) -> None:
    """The upstream sees no more requests than were sent, each of them well-formed and whole or cut."""
    bench.settle()
    with bench.client() as client:
        client.send(data)
        if resets:
            client.reset()
        else:
            client.finish_sending()
            answers = client.read_to_end()
            for status in re.findall(rb"^HTTP/1\.1 (\d+) ", answers, re.MULTILINE):
                assert int(status) != 500
            assert answers == b"" or answers.startswith(b"HTTP/1.1 ")
    bench.settle_only()
    sent = data.count(b"HTTP/1.")
    received = [bytes(connection.received) for connection in bench.connections]
    assert sum(len(connection.requests) for connection in bench.connections) <= sent
    for stream, connection in zip(received, bench.connections, strict=True):
        rest = stream
        for request in connection.requests:
            assert WELL_FORMED.fullmatch(request.head), request.head
            assert len(request.values(b"Content-Length")) + len(request.values(b"Transfer-Encoding")) <= 1
            rest = rest.removeprefix(request.head + request.body)
        if b"\r\n\r\n" in rest:  # one more, cut inside its content
            head = rest.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            assert WELL_FORMED.fullmatch(head), head
            assert not rest.endswith(b"0\r\n\r\n") or b"chunked" not in head
    assert bench.ask(b"GET /probe HTTP/1.1\r\nHost: h\r\n\r\n").status == 200


@fuzzing
@given(answer=mutated(responses()), method=st.sampled_from([b"GET", b"HEAD", b"POST"]), resets=st.booleans())
def test_broken_responses(bench: Bench, answer: bytes, method: bytes, resets: bool) -> None:
    """The client gets a valid answer or a cut one, and the next client its own answer, never a rest of this one."""
    number = next(numbers)

    def script(connection: Connection) -> None:
        while True:
            target = connection.read_request().line.split(b" ")[1]
            if target == b"/%d" % number:
                connection.send(answer)
                if resets:
                    connection.reset()
                    return
                connection.finish_sending()
                connection.read_to_end()
                return
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(target), target))

    bench.script = script
    with bench.client() as client:
        client.send(b"%b /%d HTTP/1.1\r\nHost: h\r\n\r\n" % (method, number))
        response = client.read_response(to=method.decode())
        if response.head:
            assert 200 <= response.status <= 999
            assert response.status != 500 or b" 500 x" in answer
            assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", response.head.replace(b"\r\n", b""))
            assert len(response.values(b"Content-Length")) <= 1
            assert not (response.values(b"Content-Length") and response.values(b"Transfer-Encoding"))
            assert response.values(b"Access-Control-Allow-Origin") == []
        probe = b"/probe-%d" % number
        assert bench.ask(b"GET %b HTTP/1.1\r\nHost: h\r\n\r\n" % probe).body == probe
    asked = [request for request in bench.requests if request.line.split(b" ")[1] == b"/%d" % number]
    assert len(asked) == 1


@fuzzing
@given(answer=mutated(responses()), behind=st.binary(max_size=20))
def test_a_connection_left_open(bench: Bench, answer: bytes, behind: bytes) -> None:
    """An upstream that keeps its connection after a broken answer cannot answer the next client with it."""
    number = next(numbers)

    def script(connection: Connection) -> None:
        first = True
        while True:
            target = connection.read_request().line.split(b" ")[1]
            if first and target == b"/%d" % number:
                connection.send(answer + behind)
            else:
                connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(target), target))
            first = False

    bench.settle()
    bench.script = script
    with bench.client() as client:
        client.send(b"GET /%d HTTP/1.1\r\nHost: h\r\n\r\n" % number)
        client.socket.settimeout(0.02)  # an answer that is not whole may be waited for without end
        with contextlib.suppress(TimeoutError):
            client.read_response()
        probe = b"/probe-%d" % number
        assert bench.ask(b"GET %b HTTP/1.1\r\nHost: h\r\n\r\n" % probe).body == probe
