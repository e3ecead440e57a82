"""The access log: every key, no secrets, one line whatever is sent, and a stalled reader."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corsproxy.cors import Decision, Kind, Reason
from corsproxy.proxy import RequestRecord
from corsproxy.proxy.fields.lines import FieldLine
from corsproxy.proxy.fields.names import REQUEST_FIELDS
from corsproxy.proxy.request.head import read_request_head
from corsproxy.server.observe.access_log import FIELDS, json_line, text_line
from tests.server.setup import APP, OTHER, ask, ask_on, config, connect, receive_all, receive_until
from tests.support.process import DEADLINE, Proxy, started
from tests.support.upstream import Upstream

OPERATIONS = Path(__file__).parents[2] / "docs/operations.md"
NOW = "2026-01-02T03:04:05.678Z"


def record(**what: object) -> RequestRecord:
    """Make a finished request that differs from the usual one in `what`."""
    made = RequestRecord("GET", 0.0, "192.0.2.1")
    made.raw_path, made.status = b"/", 200
    for name, value in what.items():
        setattr(made, name, value)
    return made


class Logged:
    """A proxy that logs as JSON, with no upstream behind it, and what it has logged since the test began."""

    def __init__(self, proxy: Proxy) -> None:
        self.address = proxy.address
        self.stderr = proxy.stderr
        self._proxy = proxy
        self._before = len(proxy.stdout.lines) if proxy.stdout else 0

    def line(self) -> dict[str, Any]:
        """Return the line of the one request that there was since it was last asked for."""
        (line,) = self._proxy.access_log(at_least=self._before + 1)[self._before :]
        self._before += 1
        return line


@pytest.fixture(scope="module")
def one_proxy() -> Iterator[Proxy]:
    """Run it for all of them."""
    text = config("http://127.0.0.1:9").replace("path: /,", "path: /a,")
    assert "path: /a" in text
    with started(text, "--log-format", "json") as proxy:
        yield proxy


@pytest.fixture
def logged(one_proxy: Proxy) -> Logged:
    """Begin to count its lines."""
    return Logged(one_proxy)


def test_each_request_is_one_json_line_with_every_key() -> None:
    """What happened is in the line: an actual request, a granted preflight, a refused one, and one without a route."""
    with Upstream() as upstream:
        text = f"""
upstreams: {{api: "{upstream.url}"}}
policies: {{app: {{allow_origins: [{APP}], allow_headers: [X-Known]}}}}
routes: [{{path: "/items/{{id}}", upstream: api, policy: app}}]
"""
        with started(text, "--log-format", "json") as proxy:
            ask(
                proxy.address,
                "/items/7?token=secret",
                "POST",
                b"hello",
                Origin=APP,
                X_Request_Id="abc-1",
                traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            )
            for header in ("x-known", "x-unknown"):
                ask(
                    proxy.address,
                    "/items/8",
                    "OPTIONS",
                    Origin=APP,
                    Access_Control_Request_Method="POST",
                    Access_Control_Request_Headers=header,
                )
            ask(proxy.address, "/", Origin=OTHER, Cookie="a=secret", Authorization="secret")
            lines = proxy.access_log(at_least=4)
            raw = proxy.stdout.text if proxy.stdout else ""
    assert "secret" not in raw
    assert all(list(line) == list(FIELDS) for line in lines)
    for line in lines:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
        duration, upstream_duration = line.pop("duration_ms"), line.pop("upstream_ms")
        assert duration > 0
        assert upstream_duration is None if line["upstream"] is None else 0 < upstream_duration <= duration
        assert line.pop("client") == "127.0.0.1"
        assert line.pop("host")
    assert lines[0] == {
        "method": "POST", "path": "/items/7", "status": 200, "bytes_in": 5, "bytes_out": 2, "route": "/items/{id}",
        "upstream": "api", "upstream_status": 200, "origin": APP, "cors": "granted", "reason": None,
        "requested_method": None, "requested_headers": None, "error": None, "request_id": "abc-1",
        "protocol": "HTTP/1.1", "trace_id": "0af7651916cd43dd8448eb211c80319c",
    }  # fmt: skip
    shown = ("cors", "reason", "status", "upstream", "requested_method", "requested_headers")
    assert [[line[key] for key in shown] for line in lines[1:]] == [
        ["preflight_granted", None, 204, None, "POST", "x-known"],
        ["preflight_refused", "headers_not_allowed", 403, None, "POST", "x-unknown"],
        ["refused", "no_policy", 404, None, None, None],
    ]


@pytest.mark.parametrize(
    ("what", "key", "shown"),
    [
        pytest.param({"raw_path": b"/caf\xc3\xa9"}, "path", "/café", id="UTF-8 in a path as its characters"),
        pytest.param({"raw_path": b"/a\xff"}, "path", "/a\\xff", id="a byte that is not UTF-8 as an escape"),
        pytest.param(
            {"raw_path": b"/a\x1b[2J\n"}, "path", "/a\x1b[2J\n", id="control characters in a path, escaped by JSON"
        ),
        pytest.param({"origin": b"a\x00\xff"}, "origin", "a\x00\\xff", id="an Origin of any bytes"),
        pytest.param(
            {"origin": b"https://a.example/x?token=s"}, "origin", "https://a.example/x?...", id="no query of an Origin"
        ),
        pytest.param({"origin": b"https://a.example/#s"}, "origin", "https://a.example/#...", id="nor its fragment"),
        pytest.param({"origin": b"https://me:s@a.example"}, "origin", "https://...@a.example", id="nor its user info"),
        pytest.param({"client": ""}, "client", None, id="no client address on a Unix socket"),
        pytest.param({"method": ""}, "method", None, id="no method where nothing could be parsed"),
        pytest.param({"status": 0}, "status", 0, id="status 0 where the client went away"),
        pytest.param({"error": "read_timeout"}, "error", "read_timeout", id="an error by its kind"),
        pytest.param({"decision": Decision(Kind.NONE, granted=False)}, "cors", "none", id="no CORS request"),
        pytest.param({"decision": Decision(Kind.ACTUAL, granted=True)}, "cors", "granted", id="a granted request"),
    ],
)
def test_a_json_line_shows(what: dict[str, object], key: str, shown: object) -> None:
    """Whatever was sent is one line of ASCII that parses."""
    line = json_line(record(**what), NOW)
    assert line.isascii()
    assert line.count("\n") == 1
    assert line.endswith("\n")
    assert json.loads(line)[key] == shown


def test_a_text_line_is_one_line_whatever_was_sent() -> None:
    """Control characters are escaped, and a value with a space is in quotes."""
    refused = Decision(Kind.PREFLIGHT, granted=False, reason=Reason.HEADERS_NOT_ALLOWED)
    line = text_line(
        record(
            method="OPTIONS",
            raw_path=b"/a\x1b[2J\xe2\x80\xae\xff",
            status=403,
            duration=0.0123,
            origin=APP.encode(),
            decision=refused,
            requested_method=b"PUT",
            requested_headers=b"x-a, x-b\r\n",
            raw_request_id=b"id-1",
        ),
        NOW,
    )
    assert line == (
        f"{NOW} 192.0.2.1 OPTIONS /a\\x1b[2J\\u202e\\xff 403 12.3ms origin={APP} cors=preflight_refused"
        ' reason=headers_not_allowed requested_method=PUT requested_headers="x-a, x-b\\r\\n" request_id=id-1\n'
    )


def test_a_text_line_shows_no_query_of_an_origin() -> None:
    """Some clients write the page's whole address into Origin."""
    assert "token" not in text_line(record(origin=b"https://a.example/x?token=s"), NOW)


def test_raw_bytes_of_a_client_stay_one_line(logged: Logged) -> None:
    """A request line with bytes above ASCII is one parseable line of the log."""
    with connect(logged.address) as client:
        client.sendall(b"GET /a/%0a HTTP/1.1\r\nHost: h\r\nOrigin: \xff\xfe\r\nConnection: close\r\n\r\n")
        receive_all(client)
    line = logged.line()
    assert (line["path"], line["origin"], line["reason"]) == ("/a/%0a", "\\xff\\xfe", "origin_malformed")


def test_an_unparsable_request_is_a_line_too(logged: Logged) -> None:
    """Where no request can be made out there is no method and no path, but the 400 is on record."""
    with connect(logged.address) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost : h\r\n\r\n")
        assert receive_all(client).startswith(b"HTTP/1.1 400 ")
    line = logged.line()
    assert (line["method"], line["path"], line["status"], line["route"]) == (None, "", 400, None)


def test_no_access_log_where_it_is_switched_off() -> None:
    """`access: false` leaves stdout empty, and a reload can switch it on."""
    with Upstream() as upstream, started(config(upstream, "log: {access: false, format: json}")) as proxy:
        ask(proxy.address, "/unseen")
        proxy.reload(config(upstream, "log: {access: true, format: json}"))
        proxy.stderr.wait_line("configuration reloaded: log changed")
        ask(proxy.address, "/seen")
        assert [line["path"] for line in proxy.access_log(at_least=1)] == ["/seen"]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stdout_that_nobody_reads_does_not_stall_the_proxy(workers: int) -> None:
    """Requests go on; lines that find no room are dropped and said on stderr; those that are written are whole."""
    reader, writer = os.pipe()
    path = "/" + "x" * 8000
    with Upstream() as upstream:
        text = config(upstream, f"log: {{format: json}}\nworkers: {workers}")
        with started(text, stdout=writer) as proxy:
            os.close(writer)
            connections = [http.client.HTTPConnection(*proxy.address, timeout=DEADLINE) for _ in range(4)]
            said = re.compile("access log: [0-9]+ lines dropped: what reads stdout is too slow")
            for number in range(4000):
                assert ask_on(connections[number % 4], path).status == 200
                if any(said.search(line) for line in proxy.stderr.lines):
                    break
            assert said.search(proxy.stderr.text)
            for connection in connections:
                connection.close()
            lines: list[bytes] = []
            with os.fdopen(reader, "rb") as pipe:
                thread = threading.Thread(target=lambda: lines.extend(pipe))
                thread.start()
                assert proxy.stop() == 0
                thread.join(DEADLINE)
    assert len(lines) > 100
    assert all(json.loads(line)["path"] == path for line in lines)


def test_a_stdout_that_is_gone_does_not_end_the_proxy() -> None:
    """The reader of the log may die; requests are still answered."""
    reader, writer = os.pipe()
    with Upstream() as upstream, started(config(upstream), stdout=writer) as proxy:
        os.close(writer)
        os.close(reader)
        with contextlib.closing(http.client.HTTPConnection(*proxy.address, timeout=DEADLINE)) as connection:
            for _ in range(20):
                assert ask_on(connection).status == 200
        assert proxy.stop() == 0


def test_lines_of_several_workers_are_never_mixed() -> None:
    """Lines far longer than a pipe keeps apart by itself arrive whole from all workers."""
    with Upstream() as upstream:
        text = config(upstream, "log: {format: json}\nworkers: 2")
        with started(text) as proxy:

            def many(name: str) -> None:
                for _ in range(40):
                    ask(proxy.address, "/" + name * 20000)

            threads = [threading.Thread(target=many, args=(name,)) for name in "abcd"]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(DEADLINE)
            paths = [line["path"] for line in proxy.access_log(at_least=160)]
    assert sorted(paths) == sorted("/" + name * 20000 for name in "abcd" for _ in range(40))


def test_the_documented_fields_are_those_of_the_line() -> None:
    """docs/operations.md lists each key of the access log in order, with the same words."""
    section = OPERATIONS.read_text(encoding="utf-8").split("\n## Access log\n")[1].split("\n## ")[0]
    documented = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE))
    assert documented == FIELDS
    assert list(documented) == list(json.loads(json_line(record(), NOW)))


def test_a_line_remembers_nothing_of_the_one_before() -> None:
    """Two requests that asked for the same may have met two policies, two upstreams or a failure."""
    asked = {"origin": APP.encode(), "requested_method": b"PUT", "requested_headers": None}
    granted = Decision(Kind.PREFLIGHT, granted=True)
    refused = Decision(Kind.PREFLIGHT, granted=False, reason=Reason.METHOD_NOT_ALLOWED)
    told = [
        json.loads(json_line(record(**asked, decision=decision, error=error, upstream=upstream, minor=1), NOW))
        for decision, error, upstream in (
            (granted, None, None),
            (refused, None, None),
            (refused, "connect", "one"),
            (refused, "connect", "other"),
            (granted, None, None),
        )
    ]
    assert [(one["cors"], one["reason"], one["error"], one["upstream"]) for one in told] == [
        ("preflight_granted", None, None, None),
        ("preflight_refused", "method_not_allowed", None, None),
        ("preflight_refused", "method_not_allowed", "connect", "one"),
        ("preflight_refused", "method_not_allowed", "connect", "other"),
        ("preflight_granted", None, None, None),
    ]


@pytest.mark.parametrize(
    "sent",
    [
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "secret",
    ],
)
def test_what_names_no_trace_is_not_logged(sent: str) -> None:
    """A stranger's text under that name stays out of the log (https://www.w3.org/TR/trace-context/)."""
    trace = FieldLine(REQUEST_FIELDS[b"traceparent"], b"traceparent", sent.encode())
    head = read_request_head([FieldLine(REQUEST_FIELDS[b"Host"], b"Host", b"h"), trace], 1)
    assert head.trace_id == b""
    assert trace in head.fields


def test_a_warning_about_an_upstream_can_be_found_in_the_access_log(logged: Logged) -> None:
    """It names the path and the request's id, as does the text that the client gets."""
    answer = ask(logged.address, "/a/b?token=secret")
    request_id = answer.fields["x-request-id"]
    told = logged.stderr.wait_line(rf"upstream api: connect: \S+:\d+: Connection refused .*{request_id}")
    assert answer.status == 502
    assert answer.body.decode() == f"the upstream refused the connection; request id {request_id}\n"
    assert logged.line()["request_id"] == request_id
    assert f"(GET /a/b, request {request_id})" in told.string
    assert "secret" not in logged.stderr.text


OWN_ANSWERS = {
    "no route": (b"GET /nowhere HTTP/1.1\r\nHost: h\r\n\r\n", 404),
    "a refused preflight": (
        b"OPTIONS /a HTTP/1.1\r\nHost: h\r\nOrigin: https://x.example\r\nAccess-Control-Request-Method: PUT\r\n\r\n",
        403,
    ),
    "no request": (b"GET\r\n\r\n", 400),
    "another protocol": (b"GET / HTTP/2.0\r\n\r\n", 505),
    "a tunnel": (b"CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n", 405),
    "a large head": (b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 40_000 + b"\r\n\r\n", 431),
}


@pytest.mark.parametrize(("sent", "status"), OWN_ANSWERS.values(), ids=OWN_ANSWERS.keys())
def test_the_proxys_own_answer_names_its_request(logged: Logged, sent: bytes, status: int) -> None:
    """In a field, at the end of the text, and in the log."""
    with connect(logged.address) as client:
        client.sendall(sent)
        got = receive_until(client, b"request id ")
        while not got.endswith(b"\n"):
            got += client.recv(1000)
    line = logged.line()
    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert line["status"] == status
    assert f"X-Request-Id: {line['request_id']}".encode() in head
    assert body.endswith(f"; request id {line['request_id']}\n".encode())
    assert f"Content-Length: {len(body)}".encode() in head


def test_a_head_request_is_told_the_length_of_the_text_that_it_does_not_get(logged: Logged) -> None:
    """Its field is all that names the request."""
    answer = ask(logged.address, "/a", "HEAD")
    assert logged.line()["method"] == "HEAD"
    whole = ask(logged.address, "/a")
    assert logged.line()["method"] == "GET"
    assert answer.body == b""
    assert len(answer.fields["content-length"]) == len(whole.fields["content-length"])


def test_a_method_that_nobody_can_carry_is_logged_with_its_path(logged: Logged) -> None:
    """And with the grant of its route, like any other request; the query is left out here too."""
    with connect(logged.address) as client:
        client.sendall(b"CHICKEN /a/soup?token=1 HTTP/1.1\r\nHost: h\r\nOrigin: https://app.example\r\n\r\n")
        assert receive_all(client).startswith(b"HTTP/1.1 501 ")
    line = logged.line()
    assert (line["method"], line["path"], line["status"]) == ("CHICKEN", "/a/soup", 501)
    assert (line["route"], line["host"], line["origin"]) == ("/a", "h", "https://app.example")
    assert line["cors"] == "refused"
