"""Logins that belong to the connection: they work, and no other client is ever served as that user.

The upstream is a stub that remembers on each connection who has logged in, by a handshake of three messages as NTLM
has: the servers that do so (IIS and what runs in it) cannot be installed here.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import pytest

from tests.proxy.bench import Bench, bench_for
from tests.proxy.wire import Client, Response
from tests.support.upstream import Connection

CONFIG = """
admin: 127.0.0.1:0
upstreams:
  up: {{url: "{upstream}", keepalive_timeout: 30s}}
  brief: {{url: "{upstream}", keepalive_timeout: 100ms, max_connections: 1, connect_timeout: 10s}}
  never: {{url: "{upstream}", keepalive_timeout: 0}}
  full: {{url: "{upstream}", keepalive_timeout: 20s, max_connections: 1, connect_timeout: 500ms}}
  refuse: {{url: "{upstream}", connection_login: refuse}}
  bind: {{url: "{upstream}", connection_login: bind}}
policies:
  app: {{allow_origins: ["https://app.example"], allow_credentials: true}}
  other: {{allow_origins: ["https://other.example"]}}
routes:
  - {{path: /, upstream: up, policy: app}}
  - {{path: /other, upstream: up, policy: other}}
  - {{path: /brief, upstream: brief}}
  - {{path: /never, upstream: never}}
  - {{path: /full, upstream: full}}
  - {{path: /refuse, upstream: refuse, policy: app}}
  - {{path: /bind, upstream: bind}}
log: {{format: json}}
"""

EDGES = [b"X-Forwarded-For: 1.2.3.4", b"forwarded: for=1.2.3.4", b"Via: 1.1 edge"]


def get(path: bytes = b"/", *lines: bytes) -> bytes:
    """Write a GET."""
    return b"GET %b HTTP/1.1\r\nHost: h\r\n%b\r\n" % (path, b"".join(line + b"\r\n" for line in lines))


def answer(status: bytes, content: bytes, *lines: bytes) -> bytes:
    """Write a response."""
    fields = b"".join(line + b"\r\n" for line in lines)
    return b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, fields, len(content), content)


def ntlm(connection: Connection) -> None:
    """Remember who has logged in; `/public` asks for no login, and says who it takes the client for."""
    user = b""
    while True:
        request = connection.read_request()
        login = b"".join(request.values(b"Authorization"))
        if login == b"NTLM hello":
            user = b""
            connection.send(answer(b"401 Who?", b"", b"WWW-Authenticate: NTLM nonce-%d" % connection.number))
            continue
        if login.startswith(b"NTLM proof-%d-" % connection.number):
            user = login.split(b"-")[2]
        if user or b"/public" in request.line:
            connection.send(answer(b"200 OK", user or b"nobody"))
        else:
            connection.send(answer(b"401 Who?", b"", b"WWW-Authenticate: Negotiate", b"WWW-Authenticate: NTLM"))


def ask(client: Client, request: bytes) -> Response:
    """Ask on a connection that stays open."""
    client.send(request)
    return client.read_response()


def begin(client: Client, path: bytes = b"/") -> bytes:
    """Send the first message of a handshake; return the nonce."""
    response = ask(client, get(path, b"Authorization: NTLM hello"))
    (challenge,) = response.values(b"WWW-Authenticate")
    return challenge.split(b"nonce-")[1]


def prove(client: Client, nonce: bytes, user: bytes, path: bytes = b"/") -> Response:
    """Send the last message of a handshake."""
    return ask(client, get(path, b"Authorization: NTLM proof-%b-%b" % (nonce, user)))


def log_in(client: Client, user: bytes, path: bytes = b"/") -> None:
    """Log in, as a browser does that has been asked to."""
    assert ask(client, get(path)).status == 401
    response = prove(client, begin(client, path), user, path)
    assert (response.status, response.body) == (200, user)


@pytest.fixture(autouse=True)
def _ntlm(bench: Bench) -> None:
    bench.script = ntlm


def nobody(bench: Bench, path: bytes = b"/public") -> None:
    """Send a request without credentials; the response is for an anonymous user."""
    with bench.client() as other:
        assert ask(other, get(path)).body == b"nobody"


def test_a_login_works_and_stays_with_its_client(bench: Bench) -> None:
    """The handshake and later requests use one upstream connection, and no other client's do."""
    with bench.client() as client:
        log_in(client, b"alice")
        for _ in range(3):
            nobody(bench)
            nobody(bench, b"/other/public")
            assert ask(client, get()).body == b"alice"
            assert ask(client, get(b"/other/x")).body == b"alice"
    logged_in = [connection for connection in bench.connections if b"NTLM" in bytes(connection.received)]
    assert len(logged_in) == 1
    assert not any(b"/public" in request.line for request in logged_in[0].requests)


def test_logins_work_under_load(bench: Bench) -> None:
    """Handshakes of many clients at once, among requests without login, each end as their own user's."""
    failures: list[object] = []

    def one(number: int) -> None:
        try:
            with bench.client() as client:
                for _ in range(3):
                    log_in(client, b"user%d" % number)
                    assert ask(client, get()).body == b"user%d" % number
                    nobody(bench)
        except Exception as error:  # noqa: BLE001 - told below
            failures.append(error)

    def log_in(client: Client, user: bytes) -> None:
        response = prove(client, begin(client), user)
        assert response.body == user

    threads = [threading.Thread(target=one, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures


def test_nobody_gets_a_connection_in_mid_handshake(bench: Bench) -> None:
    """From the first message on: who comes in between neither breaks the handshake nor takes part in it."""
    with bench.client() as client:
        nonce = begin(client)
        nobody(bench)
        nobody(bench)
        assert prove(client, nonce, b"alice").body == b"alice"


def test_a_challenge_alone_binds(bench: Bench) -> None:
    """From the 401 on, before any Authorization: the next message of this client goes to the same connection."""
    with bench.client() as client:
        assert ask(client, get()).status == 401
        nobody(bench)
        begin(client)
    first = bench.connections[0].requests
    assert [request.values(b"Authorization") for request in first] == [[], [b"NTLM hello"]]


def test_when_the_client_has_gone_its_login_has(bench: Bench) -> None:
    """The upstream's connection is closed with the client's."""
    with bench.client() as client:
        log_in(client, b"alice")
    bench.upstream.wait_for(lambda: bench.connections[0].ended)
    nobody(bench)


def test_a_client_that_resets_in_the_middle_of_an_answer(bench: Bench) -> None:
    """A login whose response is never read is not given to another client."""

    def slow(connection: Connection) -> None:
        connection.read_request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nal")
        connection.read_to_end()

    bench.script = slow
    with bench.client() as client:
        client.send(get(b"/", b"Authorization: Negotiate token"))
        client.read_until(b"\r\n\r\nal")
        client.reset()
    bench.upstream.wait_for(lambda: bench.connections[0].ended)


def test_when_the_upstream_ends_the_client_s_connection_does(bench: Bench) -> None:
    """The client's connection is closed, so that it does not take itself for logged in."""
    with bench.client() as client:
        log_in(client, b"alice")
        bench.connections[0].finish_sending()
        assert client.read_to_end() == b""
        assert client.ended == "closed"


def test_an_upstream_that_closes_with_its_answer(bench: Bench) -> None:
    """What is said of the upstream's connection is said of the client's."""
    bench.answering(answer(b"401 Who?", b"", b"WWW-Authenticate: NTLM", b"Connection: close"))
    with bench.client() as client:
        response = ask(client, get())
        assert (response.status, response.values(b"Connection")) == (401, [b"close"])
        assert client.read_to_end() == b""


def test_no_reuse_and_still_a_login(bench: Bench) -> None:
    """`keepalive_timeout: 0`: the login works and no other client uses its connection."""
    with bench.client() as client:
        log_in(client, b"alice", b"/never")
        nobody(bench, b"/never/public")
        assert ask(client, get(b"/never")).body == b"alice"


def test_a_login_outlives_the_idle_time_if_nobody_waits(bench: Bench) -> None:
    """`keepalive_timeout` is not for connections that belong to a client."""
    with bench.client() as client:
        log_in(client, b"alice", b"/brief")
        time.sleep(0.8)  # several sweeps after it would have been over
        assert ask(client, get(b"/brief")).body == b"alice"


def test_an_idle_login_makes_room_for_who_waits(bench: Bench) -> None:
    """After `keepalive_timeout` it is closed with its client's if a request waits for a place."""
    with bench.client() as client:
        log_in(client, b"alice", b"/brief")
        nobody(bench, b"/brief/public")
        assert client.read_to_end() == b""
        assert len(bench.connections) == 2


def test_a_handshake_does_not_make_room_at_once(bench: Bench) -> None:
    """A client that was just asked for a login has a second to continue, even if others wait."""
    for _ in range(10):
        with bench.client() as client, bench.client() as waiting:
            began = time.monotonic()
            nonce = begin(client, b"/brief")
            waiting.send(get(b"/brief/public"))
            bench.wait_in_flight(1)
            if time.monotonic() - began < 0.5:  # a busy machine does not always get so far
                assert prove(client, nonce, b"alice", b"/brief").body == b"alice"
                assert waiting.read_response().body == b"nobody"
                return
        bench.wait_idle()
    pytest.fail("no client came to continue in time")


def test_a_login_counts_towards_max_connections(bench: Bench) -> None:
    """With one connection for all, who waits for it gets 503 and never the other's."""
    with bench.client() as client, bench.client() as waiting:
        log_in(client, b"alice", b"/full")
        assert ask(waiting, get(b"/full/public")).status == 503
        assert ask(client, get(b"/full")).body == b"alice"
    nobody(bench, b"/full/public")


def test_a_login_that_waiters_want(bench: Bench) -> None:
    """A connection that is bound while others wait for it is not handed to them."""
    go = threading.Event()

    def script(connection: Connection) -> None:
        if connection.number:
            ntlm(connection)
        connection.read_request()
        assert go.wait(20)
        connection.send(answer(b"200 OK", b"alice"))
        connection.read_to_end()

    bench.script = script
    with bench.client() as client, contextlib.ExitStack() as stack:
        client.send(get(b"/brief", b"Authorization: Negotiate token"))
        bench.upstream.wait_for(lambda: bench.requests)
        waiting = [stack.enter_context(bench.client()) for _ in range(3)]
        for other in waiting:
            other.send(get(b"/brief/public"))
        bench.wait_in_flight(4)
        go.set()
        assert client.read_response().body == b"alice"
        assert [other.read_response().body for other in waiting] == [b"nobody"] * 3


@pytest.mark.parametrize("path", [b"/", b"/never"])
@pytest.mark.parametrize("line", EDGES)
def test_auto_refuses_behind_an_edge(bench: Bench, path: bytes, line: bytes) -> None:
    """An edge may send another client's request next: no login is forwarded, and the 502 gives reason and remedy."""
    with bench.client() as client:
        response = ask(client, get(path, line, b"Authorization: ntlm hello"))
        assert response.status == 502
        for word in (b"connection_login", b"auto", b"bind", b"X-Forwarded-For"):
            assert word in response.body
        assert not bench.requests
        assert ask(client, get(path, line)).status == 502  # the upstream has nothing but such challenges
        assert ask(client, get(b"/public", line)).body == b"nobody"
        # What came once over this connection may come again, with the field or without.
        assert ask(client, get(path, b"Authorization: Negotiate x")).status == 502


def test_a_bound_connection_that_turns_out_to_be_an_edge_s(bench: Bench) -> None:
    """The first request with such a field ends the login; it is served anonymously."""
    with bench.client() as client:
        log_in(client, b"alice")
        response = ask(client, get(b"/public", EDGES[0]))
        assert (response.body, response.values(b"Connection")) == (b"nobody", [b"close"])
        assert client.read_to_end() == b""
    bench.upstream.wait_for(lambda: bench.connections[0].ended)


def test_bind_binds_behind_an_edge(bench: Bench) -> None:
    """`bind`: the edge gives each client a connection of its own."""
    with bench.client() as client:
        assert ask(client, get(b"/bind", EDGES[0])).status == 401
        assert prove(client, begin(client, b"/bind"), b"alice", b"/bind").body == b"alice"
        nobody(bench, b"/bind/public")
        assert ask(client, get(b"/bind", EDGES[2])).body == b"alice"


CHALLENGES = [
    ([b"NTLM", b'Basic realm="x"'], [b'Basic realm="x"']),
    ([b'Negotiate, nTLM, Digest realm="a, b", nonce=c, Bearer'], [b'Digest realm="a, b", nonce=c, Bearer']),
    ([b'Basic realm="NTLM"', b"NEGO2"], [b'Basic realm="NTLM"']),
    ([b'Basic realm="x"'], [b'Basic realm="x"']),
    ([b"NTLM", b"Negotiate"], None),
    ([b"Negotiate oYG2, NTLM"], None),
]


@pytest.mark.parametrize(("challenges", "left"), CHALLENGES)
def test_refused_challenges_are_taken_out(bench: Bench, challenges: list[bytes], left: list[bytes] | None) -> None:
    """Of a 401's challenges those three go; where none is left the answer is 502, with the grant."""
    bench.answering(answer(b"401 Who?", b"page", *(b"WWW-Authenticate: " + value for value in challenges)))
    for _ in range(2):
        with bench.client() as client:
            response = ask(client, get(b"/refuse", b"Origin: https://app.example"))
            if left is None:
                assert (response.status, b"connection_login: refuse" in response.body) == (502, True)
            else:
                assert (response.status, response.body) == (401, b"page")
                assert response.values(b"WWW-Authenticate") == left
            assert response.values(b"Access-Control-Allow-Origin") == [b"https://app.example"]


def test_refuse_passes_no_such_login_on(bench: Bench) -> None:
    """`refuse`: 502 names the key; other logins go through."""
    with bench.client() as client:
        assert ask(client, get(b"/refuse", b"Authorization: NTLM hello")).status == 502
        assert not bench.requests
        assert ask(client, get(b"/refuse/public", b"Authorization: Basic dTpw")).status == 200


@pytest.fixture(name="trusting")
def _trusting() -> Iterator[Bench]:
    with bench_for(CONFIG + "trusted_proxies: [127.0.0.1]\n") as bench:
        bench.script = ntlm
        yield bench


def test_auto_refuses_a_trusted_proxy(trusting: Bench) -> None:
    """A trusted proxy is an edge, whatever it writes."""
    with trusting.client() as client:
        assert ask(client, get(b"/", b"Authorization: NTLM hello")).status == 502
        assert prove(client, begin(client, b"/bind"), b"alice", b"/bind").body == b"alice"


def test_a_reload_that_replaces_the_upstream_ends_its_logins(trusting: Bench) -> None:
    """What belongs to an upstream that is no longer configured so goes, with the client's connection."""
    text = trusting.proxy.config.read_text(encoding="utf-8")
    with trusting.client() as client:
        assert prove(client, begin(client, b"/bind"), b"alice", b"/bind").body == b"alice"
        trusting.proxy.reload(text + "# nothing has changed\n")
        trusting.proxy.stderr.wait_line("reload")
        assert ask(client, get(b"/bind")).body == b"alice"
        trusting.proxy.reload(text.replace("connection_login: bind", "connection_login: bind, read_timeout: 9s"))
        assert client.read_to_end() == b""
        nobody(trusting, b"/bind/public")
