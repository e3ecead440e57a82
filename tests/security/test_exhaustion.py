"""A single client tries to make the proxy hold more than its share: in trailers, in queues, in tables."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from corsproxy.cors import OriginSpec, PolicySpec, compile_policy
from corsproxy.proxy.cors_gate import CorsGate
from corsproxy.proxy.plan import compile_plan
from corsproxy.settings import PolicySettings, Route, Settings, Upstream
from tests.proxy.bench import ORIGIN, Bench, bench_for, configuration
from tests.proxy.test_memory import resident
from tests.proxy.wire import Client
from tests.support.upstream import Connection

CONFIG = configuration(max_header_lines="8192")

MIB = 1024 * 1024

CHUNKED = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"


def flood(client: Client, piece: bytes, size: int) -> None:
    """Send `piece` again and again; a proxy that hangs up ends it."""
    for _ in range(size // len(piece) + 1):
        client.send(piece)


def silent(connection: Connection) -> None:
    """Read on, and never answer."""
    connection.read_to_end()


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param(b"a: " + b"x" * 8000 + b"\r\n", id="long trailers"),
        pytest.param(b"a:\r\n" * 2000, id="many trailers"),
    ],
)
def test_trailers_without_end_are_a_bad_request(bench: Bench, piece: bytes) -> None:
    """They have the limit of a head, and are not kept."""
    bench.script = silent
    with bench.client() as client:
        before = resident(bench.proxy.pid)
        client.send(CHUNKED + b"0\r\n")
        flood(client, piece, 32 * MIB)
        response = client.read_response()
        assert response.status == 400
        assert response.body.startswith(b"the content of the request is not valid")
        assert resident(bench.proxy.pid) - before < 8 * MIB
    bench.wait_idle()


def test_a_chunk_extension_without_end_is_a_bad_request(bench: Bench) -> None:
    """Between two bytes of content there is no more than a head may have."""
    bench.script = silent
    with bench.client() as client:
        client.send(CHUNKED + b"1;")
        flood(client, b"x" * 8000, MIB)
        assert client.read_response().status == 400


def test_trailers_of_ordinary_size_are_dropped_and_the_connection_goes_on(bench: Bench) -> None:
    """The limit is that of a head, and counts from the last byte of content."""
    request = CHUNKED + b"1;x=%b\r\nb\r\n0\r\nT: %b\r\n\r\n" % (b"y" * 20_000, b"z" * 20_000)
    with bench.client() as client:
        for _ in range(2):
            client.send(request)
            assert client.read_response().status == 200


def test_content_of_waiting_requests_is_held_in_the_socket(bench: Bench) -> None:
    """One request is under way and answers do not come: what waits behind it stays with the clients."""
    bench.script = silent
    request = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 120000\r\n\r\n" + b"x" * 120_000
    clients = [bench.client() for _ in range(6)]
    before = resident(bench.proxy.pid)
    for client in clients:
        client.socket.setblocking(False)
        client.send(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
    for client in clients * 3:
        data = request * 40
        try:
            while data:
                data = data[client.socket.send(data) :]
        except BlockingIOError:
            continue
    bench.wait_metrics(lambda metrics: metrics["corsproxy_requests_in_flight"] == len(clients))
    assert resident(bench.proxy.pid) - before < len(clients) * MIB
    for client in clients:
        client.reset()
    bench.wait_idle()


def test_heads_of_waiting_requests_are_held_too(bench: Bench) -> None:
    """A field of four bytes takes hundreds once it is parsed: what waits is not."""
    bench.script = silent
    request = b"GET / HTTP/1.1\r\nHost: h\r\n" + b"a:\r\n" * 4000 + b"\r\n"
    clients = [bench.client() for _ in range(6)]
    before = resident(bench.proxy.pid)
    for client in clients:
        client.send(b"GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
        client.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            client.socket.send(request * 40)
    bench.wait_metrics(lambda metrics: metrics["corsproxy_requests_in_flight"] == len(clients))
    assert resident(bench.proxy.pid) - before < len(clients) * 4 * MIB
    for client in clients:
        client.reset()
    bench.wait_idle()


@pytest.mark.parametrize("field", [b"", b"A: %b\r\n" % (b"a" * 500), b"a:\r\n" * 4000])
@pytest.mark.parametrize("last", [b"", b"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"])
def test_however_many_requests_come_at_once_each_is_answered_in_its_turn(
    bench: Bench, field: bytes, last: bytes
) -> None:
    """Those that were held come after those that were not, and none is lost."""
    count = 30 if len(field) > 1000 else 150
    data = b"".join(b"GET /%d HTTP/1.1\r\nHost: h\r\n%b\r\n" % (number, field) for number in range(count)) + last
    with bench.client() as client, ThreadPoolExecutor(1) as pool:
        sending = pool.submit(client.send, data)
        statuses = [client.read_response().status for _ in range(count + bool(last))]
        sending.result()
    paths = [b"/%d" % number for number in range(count)] + [b"/last"] * bool(last)
    assert (set(statuses), [request.line.split()[1] for request in bench.requests]) == ({200}, paths)


def test_requests_that_waited_in_the_socket_are_answered_in_order(bench: Bench) -> None:
    """Holding a client back loses nothing."""
    requests = [
        b"POST /%d HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\n\r\n%b" % (number, b"%d" % (number % 10) * 60_000)
        for number in range(20)
    ]
    with bench.client() as client:
        client.send(b"".join(requests))
        assert [client.read_response().body for _ in requests] == [b"ok"] * 20
    assert [request.line.split()[1] for request in bench.requests] == [b"/%d" % number for number in range(20)]
    assert all(len(set(request.body)) == 1 for request in bench.requests)


@pytest.mark.parametrize("size", [25_000, 60_000])
def test_a_head_that_begins_in_the_segment_where_content_ends_has_the_same_limit(bench: Bench, size: int) -> None:
    """Its first bytes count as well."""
    field = b"x: %b\r\n" % (b"y" * 4992)
    with bench.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n")
        bench.wait_in_flight(1)
        client.send(b"abcGET /next HTTP/1.1\r\nHost: h\r\n" + field * (size // 5000))
        assert client.read_response().status == 200
        client.send(b"z: z\r\n\r\n")
        assert client.read_response().status == (200 if size < 32 * 1024 else 431)


def test_a_head_begun_behind_content_must_be_complete_in_time() -> None:
    """The clock of the head starts with its first byte, wherever it is."""
    with bench_for(configuration(header_timeout="1s")) as bench, bench.client() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\n")
        bench.wait_in_flight(1)
        client.send(b"abcGET /next HTTP")
        assert client.read_response().status == 200
        assert client.read_response().status == 408


def settings(policy: PolicySettings, routes: int) -> Settings:
    """Make so many routes under one policy."""
    upstream = Upstream("up", "http", "127.0.0.1", 1)
    return Settings(tuple(Route(f"/{number}", (str(number),), upstream, policy) for number in range(routes)))


def policy() -> PolicySettings:
    """Make a policy whose answers repeat what was asked."""
    spec = PolicySpec((OriginSpec("https://*.app.example"),), allow_headers=("*",), allow_credentials=True)
    return PolicySettings("app", compile_policy(spec))


async def test_decisions_are_remembered_once_for_all_routes_of_a_policy() -> None:
    """However many routes: strangers choose what is remembered."""
    plan = compile_plan(settings(policy(), 50))
    matched = [plan.routes.match(b"h", b"/%d" % number) for number in range(50)]
    assert len({id(route.gate) for route in matched if route is not None}) == 1
    for pool in plan.pools:
        pool.close()


def test_what_a_policy_remembers_of_strangers_is_bounded() -> None:
    """A flood of origins and of requested headers empties the tables, long ones are not kept at all."""
    gate = CorsGate((policy(),))
    most = 0
    for number in range(5000):
        origin = b"https://a%d.app.example" % number
        for long in (b"", b"x" * 1000):
            gate.actual("GET", (origin + long,))
            gate.preflight(origin, b"GET", (b"x-%d" % number + long,))
        most = max(most, len(list(gate.remembered())))
    remembered = list(gate.remembered())
    kept = [grant for _, grant in remembered]
    keys = [key for keys, _ in remembered for key in keys]
    assert most <= 2048
    assert max(map(len, keys)) <= 256
    assert sum(len(grant.answer) + len(grant.block) + len(grant.body) for grant in kept) < 4 * MIB


def test_the_origin_of_the_bench_is_one_of_many(bench: Bench) -> None:
    """What others have sent changes nothing for the one who is allowed."""
    with bench.client() as client:
        for number in range(0, 1200, 100):
            batch = [
                b"GET / HTTP/1.1\r\nHost: h\r\nOrigin: https://e%d.example\r\n\r\n" % n
                for n in range(number, number + 100)
            ]
            client.send(b"".join(batch))
            assert not any(client.read_response().values(b"Access-Control-Allow-Origin") for _ in batch)
    response = bench.ask(b"GET / HTTP/1.1\r\nHost: h\r\nOrigin: %b\r\n\r\n" % ORIGIN.encode())
    assert response.values(b"Access-Control-Allow-Origin") == [ORIGIN.encode()]
