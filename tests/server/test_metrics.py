"""Metrics: the names and labels that are promised, what each counts, and that labels stay few."""

from __future__ import annotations

import os
import re
import resource
import signal
import time
from functools import partial
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from corsproxy import __version__
from corsproxy.cors import Decision, Kind, Reason
from corsproxy.proxy import RequestRecord
from corsproxy.server.observe.counters import BUCKETS, Counters, Counts, Totals
from corsproxy.server.observe.metrics import FAMILIES, exposition
from tests.server.setup import APP, OTHER, ask, children, config, connect, receive_until, until
from tests.support.process import Proxy, started
from tests.support.upstream import Connection, Upstream

OPERATIONS = Path(__file__).parents[2] / "docs/operations.md"


def record(**what: object) -> RequestRecord:
    """Make a finished request that differs from the usual one in `what`."""
    made = RequestRecord("GET", 0.0, "127.0.0.1")
    made.route, made.status = "/", 200
    for name, value in what.items():
        setattr(made, name, value)
    return made


def samples(*records: RequestRecord) -> dict[str, float]:
    """Count some requests, and return every sample there then is, by name and labels."""
    totals = Totals()
    for one in records:
        totals.counters(one)
    lines = (line.rsplit(" ", 1) for line in exposition(totals).decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def test_a_running_proxy_counts_every_kind_of_request() -> None:
    """Granted, refused, preflights, no route and a dead upstream: each is where a dashboard looks for it."""
    with Upstream() as upstream:
        text = f"""
upstreams: {{api: "{upstream.url}", dead: "http://127.0.0.1:9"}}
policies: {{app: {{allow_origins: [{APP}]}}}}
routes:
  - {{path: "/items/{{id}}", upstream: api, policy: app}}
  - {{path: /dead, upstream: dead}}
"""
        with started(text, admin=True) as proxy:
            before = proxy.metrics()
            ask(proxy.address, "/items/1", Origin=APP)
            ask(proxy.address, "/items/2", Origin=OTHER)
            ask(proxy.address, "/items/3")
            ask(proxy.address, "/items/4", "PROPFIND")
            for method, origin in (("GET", APP), ("DELETE", APP), ("GET", OTHER)):
                ask(proxy.address, "/items/5", "OPTIONS", Origin=origin, Access_Control_Request_Method=method)
            ask(proxy.address, "/elsewhere")
            ask(proxy.address, "/dead")
            after = proxy.metrics()
    changed = {name: value - before.get(name, 0) for name, value in after.items() if value != before.get(name)}
    item = 'route="/items/{id}"'
    counted = {name: value for name, value in changed.items() if re.match(r"corsproxy_\w+_total", name)}
    assert counted == {
        f'corsproxy_requests_total{{method="GET",{item},status="200"}}': 3,
        f'corsproxy_requests_total{{method="other",{item},status="200"}}': 1,
        f'corsproxy_requests_total{{method="OPTIONS",{item},status="204"}}': 1,
        f'corsproxy_requests_total{{method="OPTIONS",{item},status="403"}}': 2,
        'corsproxy_requests_total{method="GET",route="none",status="404"}': 1,
        'corsproxy_requests_total{method="GET",route="/dead",status="502"}': 1,
        f'corsproxy_cors_decisions_total{{kind="actual",outcome="granted",reason="",{item}}}': 1,
        f'corsproxy_cors_decisions_total{{kind="actual",outcome="refused",reason="origin_not_allowed",{item}}}': 1,
        f'corsproxy_cors_decisions_total{{kind="preflight",outcome="granted",reason="",{item}}}': 1,
        f'corsproxy_cors_decisions_total{{kind="preflight",outcome="refused",reason="method_not_allowed",{item}}}': 1,
        f'corsproxy_cors_decisions_total{{kind="preflight",outcome="refused",reason="origin_not_allowed",{item}}}': 1,
        'corsproxy_upstream_errors_total{kind="connect",upstream="dead"}': 1,
    }
    assert changed[f"corsproxy_request_duration_seconds_count{{{item}}}"] == 7
    assert changed['corsproxy_request_duration_seconds_bucket{le="+Inf",route="none"}'] == 1


def test_gauges_follow_what_is_open_now() -> None:
    """A request in flight is one until it is answered."""
    with Upstream(hold) as upstream, started(config(upstream), admin=True) as proxy:
        with connect(proxy.address) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            upstream.wait_for(lambda: upstream.requests)
            during = proxy.metrics()
            assert (during["corsproxy_requests_in_flight"], during["corsproxy_connections"]) == (1, 1)
            upstream.connections[0].send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            receive_until(client, b"ok")
            assert proxy.metrics()["corsproxy_requests_in_flight"] == 0
        until(lambda: proxy.metrics()["corsproxy_connections"] == 0, "no connection is open")


def hold(connection: Connection) -> None:
    """Read a request and leave the answer to the test."""
    connection.read_request()
    connection.read_to_end()


@pytest.mark.parametrize(
    ("what", "counted"),
    [
        pytest.param({"method": "GET"}, 'method="GET",route="/",status="200"', id="a known method by its name"),
        pytest.param({"method": "PURGE"}, 'method="other",route="/",status="200"', id="any other method as other"),
        pytest.param(
            {"method": ""}, 'method="other",route="/",status="200"', id="a request nobody could parse as other"
        ),
        pytest.param({"route": None, "status": 404}, 'method="GET",route="none",status="404"', id="no route as none"),
        pytest.param({"status": 0}, 'method="GET",route="/",status="0"', id="a client that went away as status 0"),
    ],
)
def test_labels_are_bounded(what: dict[str, object], counted: str) -> None:
    """Whatever strangers send, there is a label for it already."""
    assert samples(record(**what))[f"corsproxy_requests_total{{{counted}}}"] == 1


@pytest.mark.parametrize(
    ("what", "counted"),
    [
        pytest.param(
            {"upstream": "api", "error": "connect"}, {'{kind="connect",upstream="api"}': 1.0}, id="an upstream's"
        ),
        pytest.param({"upstream": "api", "error": "client_disconnected"}, {}, id="not a client that went away"),
        pytest.param({"upstream": None, "error": "connect"}, {}, id="not one without an upstream"),
        pytest.param({"upstream": "api", "error": None}, {}, id="not a success"),
    ],
)
def test_upstream_errors_are_those_of_upstreams(what: dict[str, object], counted: dict[str, float]) -> None:
    """The client's own failures are in the access log alone."""
    found = samples(record(**what))
    name = "corsproxy_upstream_errors_total"
    assert {key.removeprefix(name): value for key, value in found.items() if key.startswith(name)} == counted


@pytest.mark.parametrize(
    ("decision", "counted"),
    [
        pytest.param(None, set(), id="no decision was due"),
        pytest.param(Decision(Kind.NONE, granted=False), set(), id="not a CORS request"),
        pytest.param(
            Decision(Kind.ACTUAL, granted=True), {'{kind="actual",outcome="granted",reason="",route="/"}'}, id="granted"
        ),
        pytest.param(
            Decision(Kind.PREFLIGHT, granted=False, reason=Reason.NO_POLICY),
            {'{kind="preflight",outcome="refused",reason="no_policy",route="/"}'},
            id="a refused preflight with its reason",
        ),
    ],
)
def test_decisions_are_counted_for_cors_requests_only(decision: Decision | None, counted: set[str]) -> None:
    """A request without Origin asks for nothing and is not counted as refused."""
    name = "corsproxy_cors_decisions_total"
    found = samples(record(decision=decision))
    assert {key.removeprefix(name) for key in found if key.startswith(name)} == counted


def test_the_histogram_cumulates_and_a_bound_belongs_to_its_bucket() -> None:
    """Prometheus' `le` is less or equal; the last bucket holds everything."""
    found = samples(*(record(duration=duration) for duration in (0.0, BUCKETS[0], BUCKETS[0] * 1.01, 1000.0)))
    name = "corsproxy_request_duration_seconds"
    buckets = [value for key, value in found.items() if key.startswith(f"{name}_bucket")]
    assert buckets == [2, *[3] * (len(BUCKETS) - 1), 4]
    assert found[f'{name}_count{{route="/"}}'] == 4
    assert found[f'{name}_sum{{route="/"}}'] == pytest.approx(1000.00201)


def test_what_workers_hand_over_adds_up() -> None:
    """Taking leaves nothing behind, and adding what was taken twice over is the sum."""
    here, there, totals = Counters(), Counters(), Counters()
    for counters in (here, there):
        counters(record(duration=0.5, decision=Decision(Kind.ACTUAL, granted=True), upstream="api", error="connect"))
        totals.add(counters.take())
        assert counters.take() == Counts()
    assert totals.requests == {("/", "GET", 200): 2}
    assert totals.decisions == {("/", "actual", "granted", ""): 2}
    assert totals.upstream_errors == {("api", "connect"): 2}
    assert sum(totals.durations["/"][:-1]) == 2
    assert totals.durations["/"][-1] == 1.0


def test_label_values_are_escaped_in_the_text_format() -> None:
    """A route with a quote in it must not break the scrape."""
    text = exposition(Totals(counters_of(record(route='/a"b\\c')))).decode()
    routes = {
        sample.labels["route"]
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "corsproxy_requests_total"
    }
    assert routes == {'/a"b\\c'}


def counters_of(*records: RequestRecord) -> Counters:
    """Count some requests."""
    counters = Counters()
    for one in records:
        counters(one)
    return counters


def test_the_version_is_exposed() -> None:
    """A dashboard shows which one runs."""
    assert f'corsproxy_build_info{{version="{__version__}"}} 1.0' in exposition(Totals()).decode()


def test_the_time_of_a_failed_upstream_counts() -> None:
    """A time-out is what the histogram is watched for: it counts, although there is no status."""
    counters = counters_of(record(upstream="api", upstream_duration=7.0, error="response_timeout"))
    assert counters.upstream_durations["api"][-1] == 7.0
    assert sum(counters.upstream_durations["api"][:-1]) == 1


def test_the_documented_table_is_what_the_program_exposes() -> None:
    """docs/operations.md lists each metric with its type and labels, and no other."""
    rows = re.findall(
        r"^\| `((?:corsproxy|process)_\w+)` \| (\w+) \| (.*?) \|", OPERATIONS.read_text(encoding="utf-8"), re.MULTILINE
    )
    documented = {(name, kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    assert documented == {(family.name, family.kind, family.labels) for family in FAMILIES}


def test_an_upstream_has_a_histogram_and_its_connections_by_state() -> None:
    """Until its head, or its failure; a request that asks no upstream counts for none."""
    with Upstream() as upstream:
        text = f"""
upstreams: {{api: "{upstream.url}", dead: "http://127.0.0.1:9"}}
routes: [{{path: /, upstream: api}}, {{path: /dead, upstream: dead}}]
"""
        for workers in ("1", "2"):
            with started(text, "--workers", workers, admin=True) as proxy:
                ask(proxy.address, "/")
                ask(proxy.address, "/")
                ask(proxy.address, "/dead")
                until(partial(_has_counted, proxy, "api", 2), "both counted")
                found = proxy.metrics()
                assert found.get(_COUNT % "dead") is None
                assert 1 <= found['corsproxy_upstream_connections{state="idle",upstream="api"}'] <= 2
                assert found['corsproxy_upstream_connections{state="busy",upstream="api"}'] == 0
                of_dead = {f'corsproxy_upstream_connections{{state="{one}",upstream="dead"}}' for one in STATES}
                assert of_dead <= set(found)


def _has_counted(proxy: Proxy, upstream: str, count: int) -> bool:
    return proxy.metrics().get(_COUNT % upstream) == count


STATES = ("idle", "busy", "bound", "tunnel")
_COUNT = 'corsproxy_upstream_request_duration_seconds_count{upstream="%s"}'


def test_the_numbers_of_the_process_are_those_of_all_workers() -> None:
    """Sums, and the parent's start; CPU time does not fall when a worker is replaced."""
    with Upstream() as upstream, started(config(upstream), "--workers", "2", admin=True) as proxy:
        workers = children(proxy.pid)

        def resident(pid: int) -> int:
            return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()

        found = proxy.metrics()
        assert found["process_resident_memory_bytes"] == pytest.approx(sum(map(resident, workers)), rel=0.1)
        assert found["process_open_fds"] > 2
        assert found["process_max_fds"] == 2 * resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        assert 0 <= time.time() - found["process_start_time_seconds"] < 120
        before = found["process_cpu_seconds_total"]
        assert before > 0
        os.kill(workers[0], signal.SIGKILL)
        proxy.stderr.wait_line("it is replaced")
        assert proxy.metrics()["process_cpu_seconds_total"] >= before
