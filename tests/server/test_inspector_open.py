"""Requests that are not over, and what of a request may be shown where."""

from __future__ import annotations

import json
import threading

import pytest

from corsproxy.server.inspector.masking import MASK, masked_fields, masked_query
from tests.server.event_stream import event_stream
from tests.server.setup import APP, ask, config, connect, receive_until
from tests.support.process import DEADLINE, started
from tests.support.upstream import Connection, Upstream

STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_stream_is_shown_from_its_start_with_the_bytes_so_far(workers: str) -> None:
    """It has a row while it is open, under a key that its end bears too."""
    go_on = threading.Event()

    def play(connection: Connection) -> None:
        connection.read_request()
        connection.send(STREAM + b"5\r\nhello\r\n")
        go_on.wait(DEADLINE)
        connection.send(b"0\r\n\r\n")

    options = ("--inspect", "--workers", workers)
    with (
        Upstream(play) as upstream,
        started(config(upstream), *options, admin=True) as proxy,
        event_stream(proxy.admin) as stream,
        connect(proxy.address) as client,
    ):
        client.sendall(b"GET /events?since=1 HTTP/1.1\r\nHost: h\r\nOrigin: %b\r\n\r\n" % APP.encode())
        receive_until(client, b"hello")
        stream.wait(lambda stream: any(event["bytes_out"] == 5 for event in opened(stream.raw)))
        (event,) = [event for event in opened(stream.raw) if event["bytes_out"] == 5][-1:]
        assert (event["path"], event["status"], event["open"], event["query"]) == ("/events", 200, True, "since=1")
        go_on.set()
        receive_until(client, b"0\r\n\r\n")
        stream.wait(lambda stream: any(event["path"] == "/events" for event in stream.requests))
        (ended,) = [event for event in stream.requests if event["path"] == "/events"]
        assert (ended["open"], ended["key"]) == (False, event["key"])
        stream.wait(lambda stream: opened(stream.raw, last=True) == [])


def opened(raw: bytes, *, last: bool = False) -> list[dict[str, object]]:
    """Return the events of every `open` message so far, or of the last."""
    blocks = [block for block in raw.decode().split("\n\n")[:-1] if "event: open" in block]
    lists = [json.loads(block.partition("data: ")[2]) for block in blocks]
    return (lists[-1] if lists else [{"path": "none yet"}]) if last else [event for one in lists for event in one]


@pytest.mark.parametrize(("admin", "shown"), [("127.0.0.1:0", True), ("0.0.0.0:0", False)])
def test_fields_and_query_are_shown_on_loopback_alone(admin: str, shown: bool) -> None:
    """Any client may reach a listener that is not on loopback."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSet-Cookie: sid=hunter2; Path=/\r\nX-Total: 7\r\n\r\nok"
    with (
        Upstream.answering(answer) as upstream,
        started(config(upstream), "--inspect", "--admin", admin) as proxy,
    ):
        address = ("127.0.0.1", proxy.admin[1])
        with event_stream(address) as stream:
            ask(proxy.address, "/a?page=2&token=hunter2", Origin=APP, Cookie="sid=hunter2", X_Page="2")
            stream.wait(lambda stream: stream.requests)
            (event,) = stream.requests
        assert "hunter2" not in stream.raw.decode()
        if shown:
            assert event["query"] == f"page=2&token={MASK}"
            assert ["Cookie", f"sid={MASK}"] in event["fields"]
            assert ["X-Page", "2"] in event["fields"]
            assert ["Set-Cookie", f"sid={MASK}; Path=/"] in event["response_fields"]
            assert ["X-Total", "7"] in event["response_fields"]
            assert ["Access-Control-Allow-Origin", APP] in event["response_fields"]
        else:
            assert (event["query"], event["fields"], event["response_fields"]) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("Authorization", "Bearer hunter2", f"Bearer {MASK}"),
        ("Authorization", "hunter2", MASK),
        ("Proxy-Authorization", "Basic aHVudGVyMg==", f"Basic {MASK}"),
        ("Cookie", "sid=hunter2; theme=dark", f"sid={MASK}; theme={MASK}"),
        ("Set-Cookie", "sid=hunter2; Path=/; HttpOnly", f"sid={MASK}; Path=/; HttpOnly"),
        ("Set-Cookie", "hunter2", f"={MASK}"),
        ("Set-Cookie", "a=b; Path=/4bf92f3577b34da6a3ce929d0e0e4736", f"a={MASK}; {MASK}"),
        ("WWW-Authenticate", "Negotiate hunter2", f"Negotiate {MASK}"),
        ("WWW-Authenticate", "NTLM", "NTLM"),
        ("Location", "/back?code=hunter2&page=2#top", f"/back?code={MASK}&page=2#top"),
        ("Access-Control-Allow-Credentials", "true", "true"),
        ("X-Api-Key", "hunter2", MASK),
        ("X-CSRF-Token", "hunter2", MASK),
        ("X-Amz-Signature", "hunter2", MASK),
        ("X-Trace", "4bf92f3577b34da6a3ce929d0e0e4736", MASK),
        ("X-Whatever", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc", MASK),
        ("Referer", "https://a.example/hunter2?x=1", f"https://a.example/{MASK}"),
        ("Content-Type", "application/json", "application/json"),
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (X11; Linux x86_64)"),
        ("Accept-Language", "a\x1b[31m", "a\\x1b[31m"),
        ("Access-Control-Request-Headers", "authorization,x-api-key", "authorization,x-api-key"),
    ],
)
def test_what_could_be_a_login_or_a_key_is_masked(name: str, value: str, shown: str) -> None:
    """Names stay; a person who reads sees that it was there."""
    assert masked_fields([(name.encode(), value.encode())]) == [(name, shown)]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        (b"page=2&q=blue+shoes", "page=2&q=blue+shoes"),
        (b"access_token=hunter2&page=2", f"access_token={MASK}&page=2"),
        (b"X-Amz-Signature=hunter2", f"X-Amz-Signature={MASK}"),
        (b"q=4bf92f3577b34da6a3ce929d0e0e4736", f"q={MASK}"),
        (b"4bf92f3577b34da6a3ce929d0e0e4736", MASK),
        (b"", ""),
        (None, None),
    ],
)
def test_a_query_is_masked_by_its_names_and_by_what_looks_like_a_key(query: bytes | None, shown: str | None) -> None:
    """As the fields are."""
    assert masked_query(query) == shown
