"""The totals as Prometheus metric families, which are built for each scrape.

`FAMILIES` is the complete list of names and labels; docs/operations.md has the same table, and a test compares the two.
The only module that knows prometheus_client, imported only if there is an admin listener.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from corsproxy import __version__
from corsproxy.server.observe.counters import BUCKETS, Totals
from corsproxy.server.observe.process_numbers import PROCESS_NUMBERS, start_time

CONTENT_TYPE = CONTENT_TYPE_LATEST


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family: its name, type, labels and help text."""

    name: str
    kind: str
    labels: tuple[str, ...]
    help: str


FAMILIES = (
    Family(
        "corsproxy_requests_total",
        "counter",
        ("route", "method", "status"),
        "Requests answered or given up; status 0 if the client went away before any response.",
    ),
    Family(
        "corsproxy_request_duration_seconds",
        "histogram",
        ("route",),
        "Time from a request's complete head to the end of its response.",
    ),
    Family(
        "corsproxy_cors_decisions_total",
        "counter",
        ("route", "kind", "outcome", "reason"),
        "CORS decisions on preflights and actual requests.",
    ),
    Family(
        "corsproxy_upstream_errors_total",
        "counter",
        ("upstream", "kind"),
        "Requests without a complete response from the upstream.",
    ),
    Family(
        "corsproxy_upstream_request_duration_seconds",
        "histogram",
        ("upstream",),
        "Time from the head sent to an upstream to the head of its response, or to its failure.",
    ),
    Family(
        "corsproxy_upstream_connections",
        "gauge",
        ("upstream", "state"),
        "Connections to an upstream: idle, busy, bound to a client connection by a login, or tunnel (WebSocket).",
    ),
    Family("corsproxy_connections", "gauge", (), "Open connections of clients."),
    Family("corsproxy_requests_in_flight", "gauge", (), "Requests being answered."),
    Family("corsproxy_config_reloads_total", "counter", ("outcome",), "Attempts to reload the configuration."),
    Family(
        "corsproxy_config_last_reload_successful",
        "gauge",
        (),
        "Whether the last reload succeeded: 1 or 0.",
    ),
    Family(
        "corsproxy_certificate_expiry_timestamp_seconds",
        "gauge",
        ("use",),
        "When a certificate in force expires; `use` is `listener`, or the upstream to which it is presented.",
    ),
    Family("corsproxy_build_info", "gauge", ("version",), "The running version; always 1."),
    Family("process_cpu_seconds_total", "counter", (), "CPU time of the workers."),
    Family("process_resident_memory_bytes", "gauge", (), "Resident memory of the workers."),
    Family("process_virtual_memory_bytes", "gauge", (), "Virtual memory of the workers."),
    Family("process_open_fds", "gauge", (), "Open file descriptors of the workers."),
    Family("process_max_fds", "gauge", (), "Maximum number of open file descriptors of the workers."),
    Family("process_start_time_seconds", "gauge", (), "When the program was started."),
)


def exposition(totals: Totals) -> bytes:
    """Return the totals in Prometheus' text format, whose content type is `CONTENT_TYPE`."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_TotalsCollector(totals))
    return generate_latest(registry)


class _TotalsCollector(Collector):
    def __init__(self, totals: Totals) -> None:
        self._totals = totals

    def collect(self) -> Iterable[Metric]:
        samples = dict(_samples(self._totals))
        return [_metric(family, samples[family.name]) for family in FAMILIES]


Sample = tuple[tuple[str, ...], float]


def _samples(totals: Totals) -> Iterator[tuple[str, list[Sample] | dict[str, list[float]]]]:
    counters = totals.counters
    requests: list[Sample] = [((r, m, str(s)), count) for (r, m, s), count in counters.requests.items()]
    yield "corsproxy_requests_total", requests
    yield "corsproxy_request_duration_seconds", counters.durations
    yield "corsproxy_cors_decisions_total", list(counters.decisions.items())
    yield "corsproxy_upstream_errors_total", list(counters.upstream_errors.items())
    yield "corsproxy_upstream_request_duration_seconds", counters.upstream_durations
    yield "corsproxy_upstream_connections", list(totals.upstream_connections.items())
    yield "corsproxy_connections", [((), totals.connections)]
    yield "corsproxy_requests_in_flight", [((), totals.in_flight)]
    yield "corsproxy_config_reloads_total", [((outcome,), count) for outcome, count in totals.reloads.items()]
    yield "corsproxy_config_last_reload_successful", [((), int(totals.last_reload_successful))]
    expiries: list[Sample] = [((use,), moment) for use, moment in totals.certificates.items()]
    yield "corsproxy_certificate_expiry_timestamp_seconds", expiries
    yield "corsproxy_build_info", [((__version__,), 1)]
    for name in PROCESS_NUMBERS:
        yield name, [((), totals.process[name])] if name in totals.process else []
    yield "process_start_time_seconds", [((), start_time())]


def _metric(family: Family, samples: list[Sample] | dict[str, list[float]]) -> Metric:
    if isinstance(samples, dict):
        histogram = HistogramMetricFamily(family.name, family.help, labels=family.labels)
        for label, row in samples.items():
            histogram.add_metric((label,), _cumulated(row), sum_value=row[-1])
        return histogram
    made = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = made(family.name, family.help, labels=family.labels)
    for labels, value in samples:
        metric.add_metric(labels, value)
    return metric


def _cumulated(row: list[float]) -> list[tuple[str, float]]:
    """Return the cumulative bucket counts that Prometheus expects, up to `+Inf`."""
    bounds = [*map(str, BUCKETS), "+Inf"]
    total = 0.0
    cumulated = []
    for bound, count in zip(bounds, row[:-1], strict=True):
        total += count
        cumulated.append((bound, total))
    return cumulated
