"""The dashboard and the alert rules: they parse, they ask only for what the program exposes, and the alerts fire."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import subprocess
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.packaging.files import DEPLOY, program
from tests.support.process import Proxy, started

RULES = DEPLOY / "prometheus/alerts.yaml"
DASHBOARD = DEPLOY / "grafana/corsproxy.json"

CONFIG = """
upstreams: {{api: "http://127.0.0.1:{port}"}}
policies: {{app: {{allow_origins: [https://app.example.com]}}}}
routes: [{{path: /, upstream: api, policy: app}}]
"""
PREFLIGHT = {"Access-Control-Request-Method": "PUT"}

# What a series carries besides its own labels: the scraper puts these there, and a histogram its buckets.
FROM_THE_SCRAPER = {"job", "instance", "le"}
# The names and labels the program promises; the test at the end holds this table to a running one.
EXPOSED = {
    "corsproxy_requests_total": {"route", "method", "status"},
    "corsproxy_request_duration_seconds": {"route"},
    "corsproxy_cors_decisions_total": {"route", "kind", "outcome", "reason"},
    "corsproxy_upstream_errors_total": {"upstream", "kind"},
    "corsproxy_connections": set(),
    "corsproxy_requests_in_flight": set(),
    "corsproxy_config_reloads_total": {"outcome"},
    "corsproxy_config_last_reload_successful": set(),
    "corsproxy_build_info": {"version"},
    "corsproxy_upstream_request_duration_seconds": {"upstream"},
    "corsproxy_upstream_connections": {"upstream", "state"},
    "corsproxy_certificate_expiry_timestamp_seconds": {"use"},
    "process_cpu_seconds_total": set(),
    "process_resident_memory_bytes": set(),
    "process_open_fds": set(),
    "process_max_fds": set(),
}
NOT_SHOWN = {"process_virtual_memory_bytes", "process_start_time_seconds"}
# Without TLS, and an upstream that is sent anything, there is nothing to say.
OFTEN_EMPTY = {"corsproxy_certificate_expiry_timestamp_seconds", "corsproxy_upstream_request_duration_seconds"}


def rules() -> list[dict[str, Any]]:
    """Read the alert rules."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    """Read the dashboard."""
    found: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return found


def expressions() -> list[Any]:
    """Return every PromQL expression that ships, each with its place as the id."""
    found = [pytest.param(rule["expr"], id=f"alert {rule['alert']}") for rule in rules()]
    return found + [
        pytest.param(target["expr"], id=f"panel {panel['title']} {target['refId']}")
        for panel in dashboard()["panels"]
        for target in panel.get("targets", ())
    ]


def parse(expression: str) -> promql_parser.Expr:
    """Parse an expression, with the durations that Grafana fills in."""
    filled = expression.replace("$__rate_interval", "5m").replace("$__range", "1h")
    return promql_parser.parse(filled)


def selectors(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Find every series name in an expression, and the labels it is matched by."""
    found: list[promql_parser.VectorSelector] = []

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)

    promql_parser.walk(parse(expression), pre_visit=visit)
    for selector in found:
        yield str(selector.name), {matcher.name for matcher in selector.matchers.matchers}


def grouped(expression: str) -> set[str]:
    """Find the labels that an expression groups or joins by."""
    lists = re.findall(r"\b(?:by|on|without)\s*\(([^)]*)\)", expression)
    return {label.strip() for text in lists for label in text.split(",") if label.strip()}


def labels_of(series: str) -> set[str]:
    """Return the labels of a series; raises KeyError if it is not exposed."""
    if series not in EXPOSED:
        series = re.sub(r"_(bucket|sum|count)$", "", series)
    return EXPOSED[series]


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_queries_only_exposed_metrics(expression: str) -> None:
    """An expression asks only for series and labels that are exposed."""
    asked = list(selectors(expression))
    assert asked
    known = set(FROM_THE_SCRAPER)
    for series, matched in asked:
        if series == "up":
            assert matched <= FROM_THE_SCRAPER
            continue
        known |= labels_of(series)
        assert matched <= labels_of(series) | FROM_THE_SCRAPER, series
    assert grouped(expression) <= known


def test_dashboard_is_complete() -> None:
    """Every series is on the dashboard."""
    shown = {
        re.sub(r"_(bucket|sum|count)$", "", series)
        for panel in dashboard()["panels"]
        for target in panel.get("targets", ())
        for series, _ in selectors(target["expr"])
    }
    assert shown == set(EXPOSED)


def test_dashboard_variables() -> None:
    """The dashboard's variables ask for exposed series and are all defined."""
    document = dashboard()
    variables = {variable["name"]: variable for variable in document["templating"]["list"]}
    for variable in variables.values():
        if variable["type"] == "query":
            match = re.fullmatch(r"label_values\((\w+)(\{.*\})?, (\w+)\)", variable["query"]["query"])
            assert match is not None
            assert match[3] in labels_of(match[1]) | FROM_THE_SCRAPER
    used = set(re.findall(r"\$\{?([a-z]+)\b", json.dumps(document["panels"])))
    assert used <= set(variables)


def test_dashboard_layout() -> None:
    """The dashboard's panels have their own ids and do not overlap."""
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_dashboard_descriptions() -> None:
    """Every panel says what it shows."""
    for panel in dashboard()["panels"]:
        if panel["type"] != "row":
            assert panel["description"].endswith(".")


def test_alert_texts() -> None:
    """Every alert says what happened what to do and how bad it is."""
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert set(rule["annotations"]) == {"summary", "description"}


@pytest.mark.parametrize("arguments", [("check", "rules", RULES.name), ("test", "rules", "alerts.test.yaml")])
def test_alerts_fire(arguments: tuple[str, ...]) -> None:
    """Prometheus takes the rules and they fire as their cases say."""
    done = subprocess.run(
        [program("promtool", "prometheus"), *arguments],
        cwd=RULES.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_alert_cases_are_complete() -> None:
    """Every alert has a case that fires it and one that does not."""
    cases = yaml.safe_load((RULES.parent / "alerts.test.yaml").read_text(encoding="utf-8"))["tests"]
    checks = [check for case in cases for check in case["alert_rule_test"]]
    alerts = {rule["alert"] for rule in rules()}
    assert {check["alertname"] for check in checks if check.get("exp_alerts")} == alerts
    assert {check["alertname"] for check in checks if not check.get("exp_alerts")} == alerts


def test_exposed_series() -> None:
    """A running proxy exposes exactly these series with these labels.

    One preflight refused, one granted request to an upstream that is not there: every family then has a sample.
    """
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        config = CONFIG.format(port=nobody.getsockname()[1])
        with started(config, admin=True) as proxy:
            assert ask(proxy, "OPTIONS", "https://other.example", PREFLIGHT) == 403
            assert ask(proxy, "GET", "https://app.example.com", {}) == 502
            proxy.reload(config)
            proxy.stderr.wait_line("(?i)reload")
            _, text = proxy.ask_admin("/metrics")
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name not in NOT_SHOWN:
                series = re.sub(r"_(bucket|sum|count)$", "", sample.name)
                found.setdefault(series, set()).update(set(sample.labels) - FROM_THE_SCRAPER)
    assert found == {name: labels for name, labels in EXPOSED.items() if name not in OFTEN_EMPTY}


def ask(proxy: Proxy, method: str, origin: str, fields: dict[str, str]) -> int:
    """Send one request and return its status."""
    connection = http.client.HTTPConnection(*proxy.address, timeout=30)
    with contextlib.closing(connection):
        connection.request(method, "/", headers={"Origin": origin, **fields})
        return connection.getresponse().status
