"""Quick mode: an upstream and, perhaps, origins; no file."""

from __future__ import annotations

import pytest

from corsproxy.config import ConfigError, quick
from corsproxy.cors import CorsRequest, Decision, Policy, decide
from corsproxy.settings import Settings


def policy(settings: Settings) -> Policy:
    """Give the policy of the one route."""
    (route,) = settings.routes
    assert route.policy is not None
    return route.policy.cors


def preflight(settings: Settings, origin: str, method: str = "PUT", headers: str = "authorization,x-a") -> Decision:
    """Ask as a browser would before a request."""
    request = CorsRequest("OPTIONS", (origin.encode(),), (method.encode(),), (headers.encode(),))
    return decide(policy(settings), request)


def fields(decision: Decision) -> dict[str, str]:
    """Give the response fields of a decision."""
    return {name.decode().lower(): value.decode() for name, value in decision.fields}


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:3000",
        "https://localhost:8443",
        "http://localhost",
        "http://127.0.0.1:5173",
        "https://127.0.0.1",
        "http://[::1]:8080",
        "https://[::1]",
    ],
)
def test_pages_of_this_machine_may_do_everything_with_credentials(origin: str) -> None:
    """Pages of this machine may do everything with credentials."""
    decision = preflight(quick("http://localhost:8000", ()), origin, "PROPFIND")
    granted = fields(decision)
    assert decision.granted
    assert granted["access-control-allow-origin"] == origin
    assert granted["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "http://192.168.0.1"]
)
def test_pages_of_other_machines_may_nothing(origin: str) -> None:
    """Pages of other machines may nothing."""
    assert not preflight(quick("http://localhost:8000", ()), origin).granted


def test_the_response_headers_are_exposed_by_their_names() -> None:
    """The response headers are exposed by their names."""
    decision = decide(policy(quick("http://x", ())), CorsRequest("GET", (b"http://localhost:1",), (), ()))
    assert decision.granted
    assert decision.exposes_all_names


def test_named_origins_replace_loopback_and_keep_credentials() -> None:
    """Named origins replace loopback and keep credentials."""
    settings = quick("http://localhost:8000", ("https://app.example.com",))
    assert fields(preflight(settings, "https://app.example.com"))["access-control-allow-credentials"] == "true"
    assert not preflight(settings, "http://localhost:3000").granted


def test_everybody_gets_no_credentials() -> None:
    """Everybody gets no credentials."""
    granted = fields(preflight(quick("http://x", ("*",)), "https://anywhere.example"))
    assert granted["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in granted
    assert "authorization" in granted["access-control-allow-headers"].lower()


def test_everything_goes_to_the_upstream() -> None:
    """Everything goes to the upstream."""
    (route,) = quick("https://api.internal:8443/v2?k=1", ()).routes
    assert (route.path, route.segments, route.exact, route.host) == ("/", (), False, None)
    assert (route.upstream.origin, route.upstream.base_path, route.upstream.base_query) == (
        "https://api.internal:8443", "/v2", "k=1",
    )  # fmt: skip


@pytest.mark.parametrize("origin", ["null", "http://app.example.com", "https://*.github.io", "", "app.example.com"])
def test_what_a_policy_refuses_is_refused_here_too(origin: str) -> None:
    """Quick is no way around the rules; where only a file can lift one, the message says so."""
    with pytest.raises(ConfigError) as error:
        quick("http://localhost:8000", (origin,))
    (problem,) = error.value.problems
    assert problem.path == "--allow-origin"
    assert ("dangerously_allow in a configuration file" in problem.message) is (problem.reason == "prohibited")


def test_a_bad_upstream_alone_is_one_problem() -> None:
    """The origins are not blamed with it."""
    with pytest.raises(ConfigError) as error:
        quick("", ())
    assert [(problem.path, problem.reason) for problem in error.value.problems] == [("--upstream", "missing")]


def test_problems_name_the_option() -> None:
    """Problems name the option."""
    with pytest.raises(ConfigError) as error:
        quick("localhost:8000", ("https://a.example/", "https://ok.example"))
    assert [(problem.path, problem.reason) for problem in error.value.problems] == [
        ("--upstream", "invalid"),
        ("--allow-origin", "invalid"),
    ]
    assert str(error.value.problems[0]).startswith("--upstream: invalid URL 'localhost:8000'")
    assert "https://a.example" in error.value.problems[1].message
