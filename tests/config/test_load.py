"""A good file: every key arrives in the settings, and what is not written has its declared default."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import pytest

from corsproxy.config import ConfigError, Place, load_file
from corsproxy.cors import OriginSpec, PolicySpec
from corsproxy.settings import (
    CookieRules,
    Limits,
    Log,
    Route,
    Settings,
    Shutdown,
    TcpAddress,
    TlsFiles,
    UnixAddress,
    Upstream,
    UpstreamTls,
)
from tests.config.files import MINIMAL, load, with_policy, with_routes, with_upstream

ROOT = Path(__file__).parents[2]


def upstream(keys: str) -> Upstream:
    """Return the one upstream of a configuration."""
    return load(with_upstream(keys)).upstreams["api"]


def test_a_missing_key_has_the_default_of_the_settings() -> None:
    """The declaration and the dataclasses name the same defaults."""
    api = Upstream("api", "http", "localhost", 8000)
    assert load(MINIMAL).settings == Settings((Route("/", (), api),))


def test_a_policy_has_the_defaults_of_its_spec() -> None:
    """A policy has the defaults of its spec."""
    loaded = load(with_policy("allow_origins: [https://a.example]"))
    assert loaded.specs["app"] == PolicySpec((OriginSpec("https://a.example"),))
    policy = loaded.policies["app"]
    assert (policy.on_refused, policy.websockets, policy.mode, policy.preflight_status) == (
        "forward", "policy", "enforce", 204,
    )  # fmt: skip


def test_the_top_of_the_file_arrives() -> None:
    """The top of the file arrives."""
    settings = load(
        MINIMAL
        + "listen: unix:/run/p.sock\nadmin: '[::1]:0'\nadmin_hosts: [Cors.Internal]\ninspector: on\nworkers: 2\n"
        "trusted_proxies: [10.0.0.0/8, '::1']\n"
        "limits: {max_body: 1MiB, max_header_bytes: 64KiB, max_header_lines: 99, header_timeout: 1s, "
        "body_timeout: 2s, min_rate: 1KiB, idle_timeout: 3s, max_connections: 4}\n"
        "shutdown: {delay: 5s, drain: 1m}\nlog: {format: json, level: error, access: false}\n"
    ).settings
    assert settings.listen == UnixAddress("/run/p.sock")
    assert settings.admin == TcpAddress("::1", 0)
    assert settings.admin_hosts == ("cors.internal",)
    assert settings.inspector
    assert settings.workers == 2
    assert settings.trusted_proxies == (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("::1"))
    assert settings.limits == Limits(1024**2, 64 * 1024, 99, 1.0, 2.0, 1024, 3.0, 4)
    assert settings.shutdown == Shutdown(5.0, 60.0)
    assert settings.log == Log("json", "error", access=False)


def test_an_upstream_arrives() -> None:
    """An upstream arrives."""
    keys = (
        "url: 'https://b.internal/v2?k=1', connect_timeout: 1s, response_timeout: 2s, read_timeout: 0, "
        "max_connections: 3, keepalive_timeout: 0.5, host: b.example, origin: upstream, redirects: keep, "
        "cookies: {domain: x.example, path: /x, same_site: strict, secure: remove, partitioned: false}, "
        "tls: {verify: false, server_name: b}"
    )
    assert upstream(keys) == Upstream(
        "api", "https", "b.internal", 443, None, "/v2", "k=1", 1.0, 2.0, 0.0, 3, 0.5,
        host_mode="literal",
        host_literal="b.example",
        origin_mode="upstream",
        rewrite_redirects=False,
        cookies=CookieRules("x.example", "/x", "strict", "remove", partitioned=False),
        tls=UpstreamTls(verify=False, server_name="b"),
    )  # fmt: skip


@pytest.mark.parametrize("host", ["upstream", "client"])
def test_a_host_may_be_a_word(host: str) -> None:
    """A host may be a word."""
    found = upstream(f"url: http://x, host: {host}")
    assert (found.host_mode, found.host_literal) == (host, "")


def test_cookies_that_are_all_kept_are_no_rules() -> None:
    """Cookies that are all kept are no rules."""
    assert upstream("url: http://x, cookies: {domain: keep, path: keep, same_site: keep, secure: keep}").cookies is None
    assert upstream("url: http://x, cookies: {}").cookies is None
    assert upstream("url: http://x, cookies: {domain: remove, path: rewrite}").cookies == CookieRules(
        "remove", "rewrite"
    )


def test_tls_files_are_found_beside_the_file(tmp_path: Path) -> None:
    """Tls files are found beside the file."""
    for name in ("a.pem", "a.key", "ca.pem"):
        (tmp_path / name).write_text("x")
    file = tmp_path / "c.yaml"
    file.write_text(
        "tls: {certificate: a.pem, private_key: a.key}\n"
        + with_upstream(f"url: https://x, tls: {{ca: ca.pem, certificate: a.pem, private_key: {tmp_path}/a.key}}")
    )
    loaded = load_file(str(file), {})
    assert loaded.settings.tls == TlsFiles(str(tmp_path / "a.pem"), str(tmp_path / "a.key"))
    assert loaded.upstreams["api"].tls == UpstreamTls(
        ca=str(tmp_path / "ca.pem"), certificate=str(tmp_path / "a.pem"), private_key=str(tmp_path / "a.key")
    )


def test_the_named_files_are_watched(tmp_path: Path) -> None:
    """Every named file is listed, usable or not, because it may be fixed later."""
    for name in ("a.pem", "a.key"):
        (tmp_path / name).touch()
    tls = "tls: {certificate: a.pem, private_key: a.key}\n"
    authorities = with_upstream("url: https://x, tls: {ca: no.pem}")
    file = str(tmp_path / "c.yaml")

    assert load(MINIMAL + tls, file=file).watched == (str(tmp_path / "a.pem"), str(tmp_path / "a.key"))
    with pytest.raises(ConfigError) as caught:
        load(authorities, file=file)
    assert caught.value.watched == (str(tmp_path / "no.pem"),)


def test_a_policy_arrives() -> None:
    """A policy arrives."""
    loaded = load(
        with_policy(
            "allow_origins:\n- https://a.example\n- regex: https://b[0-9]\\.example\n- null\n"
            "allow_methods: [PUT, '*']\nallow_headers: [X-A]\nexpose_headers: [ETag]\nallow_credentials: false\n"
            "max_age: 1h\non_refused: reject\nwebsockets: off\nmode: shadow\ntiming: true\npreflight_status: 200\n"
            "dangerously_allow: [null_origin]"
        )
    )
    assert loaded.specs["app"] == PolicySpec(
        (OriginSpec("https://a.example"), OriginSpec(r"https://b[0-9]\.example", is_regex=True), OriginSpec("null")),
        ("PUT", "*"), ("X-A",), ("ETag",), allow_credentials=False, max_age=3600, timing=True,
        dangerously_allow=("null_origin",),
    )  # fmt: skip
    policy = loaded.policies["app"]
    assert (policy.name, policy.on_refused, policy.websockets, policy.mode, policy.preflight_status) == (
        "app", "reject", "off", "shadow", 200,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "strip"),
    [
        ("path: /a/b, strip_prefix: true", "/a/b"),
        ("path: '/a/{x}/b', strip_prefix: true", "/a"),
        ("path: '/{x}', strip_prefix: true", ""),
        ("path: /, strip_prefix: true", ""),
        ("path: /a/b, strip_prefix: /a/", "/a"),
        ("path: /a/b, strip_prefix: /", ""),
        ("path: /a/b, strip_prefix: no", ""),
        ("path: /a/b", ""),
    ],
)
def test_the_prefix_of_a_route(keys: str, strip: str) -> None:
    """The prefix of a route."""
    assert load(with_routes(keys)).settings.routes[0].strip_prefix == strip


def test_a_route_arrives() -> None:
    """A route arrives."""
    loaded = load(with_routes("path: '/a/{id}/', exact: true, host: 'API.example:81'", "path: '/a/{id}/'"))
    first, second = loaded.settings.routes
    assert first == Route(
        "/a/{id}/", ("a", None, ""), loaded.upstreams["api"], exact=True, host="api.example", host_port=81
    )
    assert second == Route("/a/{id}/", ("a", None), loaded.upstreams["api"])


def test_names_may_be_words_and_numbers_of_yaml() -> None:
    """Names may be words and numbers of yaml."""
    loaded = load("upstreams: {no: http://x, 1: http://y}\nroutes: [{path: /, upstream: no}, {path: /1, upstream: 1}]")
    assert [route.upstream.name for route in loaded.settings.routes] == ["no", "1"]


def test_an_alias_repeats_a_value() -> None:
    """An alias repeats a value."""
    loaded = load(
        "upstreams: {api: http://x}\n"
        "policies:\n  a: {allow_origins: &ours [https://a.example]}\n  b: {allow_origins: *ours}\n"
        "routes: [{path: /a, upstream: api, policy: a}, {path: /b, upstream: api, policy: b}]"
    )
    assert loaded.specs["a"].allow_origins == loaded.specs["b"].allow_origins


def test_places_point_at_values_and_at_the_keys_of_blocks() -> None:
    """Places point at values and at the keys of blocks."""
    text = with_policy("allow_origins:\n  - https://a.example\n  - regex: x\nmax_age: 10m\nallow_methods: [GET, PUT]")
    places = load(text).places
    assert places["policies.app"] == Place(2, 3)
    assert places["policies.app.allow_origins"] == Place(3, 5)
    assert places["policies.app.allow_origins[0]"] == Place(4, 9)
    assert places["policies.app.allow_origins[1]"] == Place(5, 9)
    assert places["policies.app.allow_origins[1].regex"] == Place(5, 16)
    assert places["policies.app.max_age"] == Place(6, 14)
    assert places["policies.app.allow_methods[1]"] == Place(7, 26)
    assert places["routes[0].policy"].line == 9


def test_spans_hold_the_very_text_of_a_value() -> None:
    """Spans hold the very text of a value."""
    loaded = load(with_policy("allow_origins: [https://a.example]\nallow_headers: [X-A,  X-B]"))
    span = loaded.spans["policies.app.allow_headers"]
    line = loaded.text.splitlines()[span.start.line - 1]
    assert line[span.start.column - 1 : span.end.column - 1] == "[X-A,  X-B]"
    assert span.flow


def test_the_example_is_valid_and_has_nothing_to_warn_of() -> None:
    """The example is valid and has nothing to warn of."""
    loaded = load_file(str(ROOT / "config.example.yaml"), {})
    assert loaded.warnings == ()
    assert loaded.settings.routes[0].strip_prefix == "/orders"
