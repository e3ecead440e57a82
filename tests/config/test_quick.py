"""Quick mode: an upstream and, perhaps, origins; no file."""

from __future__ import annotations

from typing import Any

import pytest

from corsproxy.config import ConfigError, Loaded, Options, load_quick, option_of
from corsproxy.cors import CorsRequest, Decision, Policy, decide
from corsproxy.settings import Settings


def quick(upstream: str, allow_origins: tuple[str, ...]) -> Settings:
    """Load quick mode with one upstream."""
    return loaded(upstream=upstream, allow_origins=allow_origins).settings


def loaded(**options: Any) -> Loaded:
    """Load quick mode with these options."""
    return load_quick(Options(**options))


def problems(**options: Any) -> list[tuple[str, str, str]]:
    """Return option, severity and reason of everything that is wrong with these options."""
    try:
        found = load_quick(Options(**options)).warnings
    except ConfigError as error:
        found = error.problems
    return [(problem.path, problem.severity, problem.reason) for problem in found]


def policy(settings: Settings) -> Policy:
    """Return the policy of the one route."""
    (route,) = settings.routes
    assert route.policy is not None
    return route.policy.cors


def preflight(settings: Settings, origin: str, method: str = "PUT", headers: str = "authorization,x-a") -> Decision:
    """Ask as a browser would before a request."""
    request = CorsRequest("OPTIONS", (origin.encode(),), (method.encode(),), (headers.encode(),))
    return decide(policy(settings), request)


def fields(decision: Decision) -> dict[str, str]:
    """Return the response fields of a decision."""
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


def test_everything_is_forwarded_to_the_upstream() -> None:
    """There is one route, `/`, with the parts of the URL."""
    (route,) = quick("https://api.internal:8443/v2?k=1", ()).routes
    assert (route.path, route.segments, route.exact, route.host) == ("/", (), False, None)
    assert (route.upstream.origin, route.upstream.base_path, route.upstream.base_query) == (
        "https://api.internal:8443", "/v2", "k=1",
    )  # fmt: skip


@pytest.mark.parametrize("origin", ["null", "http://app.example.com", "https://*.github.io", "", "app.example.com"])
def test_origins_that_a_policy_refuses_are_refused_here_too(origin: str) -> None:
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


def test_routes_go_to_upstreams_of_their_own() -> None:
    """Each path has its upstream, split at the first `=`; nothing is stripped."""
    found = loaded(upstream="http://a:1", routes=("/api=http://b:2/v2?k=1=2", "/api/x=http://c:3", "/API=https://d"))
    routes = [
        (route.path, route.upstream.name, route.upstream.origin, route.upstream.base_path, route.upstream.base_query)
        for route in found.settings.routes
    ]
    assert routes == [
        ("/", "upstream", "http://a:1", "", ""),
        ("/api", "api", "http://b:2", "/v2", "k=1=2"),
        ("/api/x", "api-x", "http://c:3", "", ""),
        ("/API", "api-2", "https://d", "", ""),
    ]
    assert {route.strip_prefix for route in found.settings.routes} == {""}
    assert {route.policy.name for route in found.settings.routes if route.policy} == {"quick"}


def test_every_knob_reaches_its_key() -> None:
    """The named values replace the default, and nothing else changes."""
    found = loaded(
        upstream="https://api.example.com",
        allow_origins=("https://app.example.com",),
        allow_methods=("PUT",),
        allow_headers=("X-One",),
        expose_headers=("ETag",),
        allow_credentials=False,
        max_age="1h",
        send_host="client",
        send_origin="upstream",
        trusted_proxies=("10.0.0.0/8",),
        websockets="off",
        insecure=True,
    )
    (route,) = found.settings.routes
    assert route.policy is not None
    spec = route.policy.cors.spec
    assert (spec.allow_methods, spec.allow_headers, spec.expose_headers) == (("PUT",), ("X-One",), ("ETag",))
    assert (spec.allow_credentials, spec.max_age) == (False, 3600)
    assert (route.policy.websockets, route.policy.on_refused) == ("off", "reject")
    assert (route.upstream.host_mode, route.upstream.origin_mode) == ("client", "upstream")
    assert not route.upstream.tls.verify
    assert [str(network) for network in found.settings.trusted_proxies] == ["10.0.0.0/8"]


def test_a_debugger_may_hold_an_upstream_on_this_machine() -> None:
    """A breakpoint is no time-out."""
    found = loaded(routes=("/a=http://localhost:1", "/b=http://[::1]:1", "/c=unix:/run/a.sock", "/d=https://d.example"))
    assert [route.upstream.response_timeout for route in found.settings.routes] == [3600, 3600, 3600, 60]


PRIVATE = (
    "http://192.168.1.20:5173", "http://10.0.0.1", "http://172.31.0.1:1", "http://169.254.1.1", "http://[fd00::1]:80",
    "http://[fe80::1]", "http://shop.local:3000", "http://app.test", "http://a.b.internal", "http://x.home.arpa:*",
)  # fmt: skip


@pytest.mark.parametrize("origin", PRIVATE)
def test_a_plain_http_page_of_the_own_network_is_a_warning(origin: str) -> None:
    """A phone on the LAN, a name of the hosts file; [fd00::1]:80 is refused for its port alone."""
    if origin.endswith(":80"):
        assert problems(upstream="http://x", allow_origins=(origin,)) == [("--allow-origin", "error", "invalid")]
        return
    assert problems(upstream="http://x", allow_origins=(origin,)) == [("--allow-origin", "warning", "prohibited")]
    settings = quick("http://x", (origin,))
    assert preflight(settings, origin.replace(":*", ":81")).granted


@pytest.mark.parametrize("stranger", ["http://app.example.com", "http://172.32.0.1", "http://evil.local.example.com"])
def test_a_private_page_lifts_the_rule_for_no_other(stranger: str) -> None:
    """Beside a page of the own network a plain-http page of the internet is refused as ever."""
    found = problems(upstream="http://x", allow_origins=("http://192.168.1.20:5173", stranger))
    assert found == [("--allow-origin", "error", "prohibited")]


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"routes": ("api=http://a",)}, "--route"),
        ({"routes": ("http://a",)}, "--route"),
        ({"routes": ("/api=",)}, "--route"),
        ({"routes": ("/api=localhost:1",)}, "--route"),
        ({"routes": ("/api?=http://a",)}, "--route"),
        ({"routes": ("/a=http://a", "/a=http://b")}, "--route"),
        ({"upstream": "http://a", "max_age": "soon"}, "--max-age"),
        ({"upstream": "http://a", "allow_methods": ("TRACE",)}, "--allow-method"),
        ({"upstream": "http://a", "allow_headers": ("Cookie",)}, "--allow-header"),
        ({"upstream": "http://a", "expose_headers": ("Set-Cookie",)}, "--expose-header"),
        ({"upstream": "http://a", "trusted_proxies": ("nobody",)}, "--trusted-proxy"),
        ({"upstream": "http://a", "allow_origins": ("*",), "allow_credentials": True}, "--allow-"),
    ],
)
def test_a_mistake_names_its_option(options: dict[str, Any], option: str) -> None:
    """The file of quick mode is generated, so it has no unused parts."""
    found = problems(**options)
    assert found
    assert all(path.startswith(option) and severity == "error" for path, severity, _ in found), found


def test_a_variable_is_named_as_such() -> None:
    """The message names the variable."""
    found = problems(upstream="x", names={"upstream": "CORSPROXY_UPSTREAM"})
    assert found == [("CORSPROXY_UPSTREAM", "error", "invalid")]


@pytest.mark.parametrize("text", ['"', "$HOME", "${HOME}", "$$", "\\", "a: b #c", "\x07", "ä", "\udc80"])
def test_no_text_changes_the_file(text: str) -> None:
    """Whatever an option holds is one value."""
    found = problems(upstream="http://a", allow_headers=(text,))
    assert {path for path, _, _ in found} <= {"--allow-header"}


def test_the_file_that_the_options_stand_for_can_be_pointed_into() -> None:
    """Tools find the option behind a line."""
    found = loaded(upstream="http://a", allow_origins=("https://app.example.com",))
    assert found.is_quick
    assert found.places["policies.quick.allow_origins[0]"].line == 7
    options = Options(upstream="http://a")
    assert option_of("policies.quick.allow_origins[0]", options) == "--allow-origin"
    assert option_of("upstreams.upstream.host", options) == "--send-host"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"routes": ("api=http://a",)}, ["invalid route 'api=http://a': expected PATH=URL, as in /api=http://a"]),
        ({"routes": ("http://a/?b=c",)}, ["invalid route 'http://a/?b=c': expected PATH=URL, as in /=http://a/?b=c"]),
        (
            {"routes": ("/a=http://a", "/a=http://b")},
            ["duplicate path '/a': an earlier route has it; change one, or remove it"],
        ),
        (
            {"routes": ("/a=http://a", "/a=http://b", "/b=http://c", "/b=http://d")},
            [
                "duplicate path '/a': an earlier route has it; change one, or remove it",
                "duplicate path '/b': an earlier route has it; change one, or remove it",
            ],
        ),
        (
            {"upstream": "http://a", "routes": ("/=http://b",)},
            ["duplicate path '/': --upstream is its route; change one, or remove it"],
        ),
    ],
)
def test_a_mistake_in_a_route_is_reported_once_with_a_correct_line(options: dict[str, Any], said: list[str]) -> None:
    """Nothing of the generated file is mentioned."""
    with pytest.raises(ConfigError) as refused:
        load_quick(Options(**options))
    assert [problem.message for problem in refused.value.problems] == said


@pytest.mark.parametrize(
    ("options", "remedy"),
    [
        ({"send_origin": "upstream", "on_refused": "forward"}, "add --on-refused reject"),
        ({"send_origin": "upstream", "allow_origins": ("*",)}, "add --on-refused reject"),
        ({"send_origin": "upstream", "send_host": "client"}, "write --send-host upstream"),
    ],
)
def test_a_doubt_about_options_is_mended_by_options(options: dict[str, Any], remedy: str) -> None:
    """A key is no help to a user without a file."""
    (warning,) = load_quick(Options(**{"upstream": "http://a", **options})).warnings
    assert warning.message.endswith(remedy)
    assert "'quick'" not in warning.message
