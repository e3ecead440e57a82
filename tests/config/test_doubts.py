"""Warnings of `check` about dangerous or useless settings, and settings without a warning."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tests.config.files import problems

ORIGINS = "allow_origins: [https://app.example.com]"
REJECTS = f"{ORIGINS}, on_refused: reject"


@dataclass(frozen=True, slots=True)
class Row:
    """A configuration, and the warning at a key path: a part of its message, its remedy included."""

    title: str
    path: str
    said: tuple[str, ...] = ()
    """Empty if there must be no warning at this path."""
    url: str = "http://legacy:8000"
    upstream: str = ""
    policy: str = ORIGINS
    route: str = "upstream: legacy, policy: app"
    top: str = ""

    @property
    def text(self) -> str:
        """The file."""
        return (
            f"{self.top}\nupstreams: {{legacy: {{url: '{self.url}', {self.upstream}}}}}\n"
            f"policies: {{app: {{{self.policy}}}}}\nroutes: [{{path: /, {self.route}}}]\n"
        )


ORIGIN = "upstreams.legacy.origin"
SET = "upstreams.legacy.request_headers.set"
COOKIES = "upstreams.legacy.cookies"
URL = "upstreams.legacy.url"
STAR = "allow_origins: ['*']"
NO_CREDENTIALS = ("no policy of this upstream's routes", "'allow_credentials: true'")

ROWS = [
    Row(
        "origin: upstream under on_refused: forward",
        ORIGIN,
        ("route '/'", "'app' lets refused origins through", "write 'on_refused: reject' in policy 'app'"),
        upstream="origin: upstream",
    ),
    Row("origin: remove under it", ORIGIN, ("'remove' disables",), upstream="origin: remove"),
    Row("origin: upstream under reject", ORIGIN, upstream="origin: upstream", policy=REJECTS),
    Row("origin: forward", ORIGIN, upstream="origin: forward"),
    Row(
        "origin: upstream without a policy",
        ORIGIN,
        ("it has no policy", "give it a policy with 'on_refused: reject'"),
        upstream="origin: upstream",
        route="upstream: legacy",
    ),
    Row(
        "origin: upstream under a star",
        ORIGIN,
        ("'app' refuses no page", "name the origins"),
        upstream="origin: upstream",
        policy=f"{STAR}, on_refused: reject",
    ),
    Row(
        "origin: upstream with host: client",
        ORIGIN,
        ("two names", "'host: upstream'"),
        upstream="origin: upstream, host: client",
        policy=REJECTS,
    ),
    Row("origin: remove with host: client", ORIGIN, upstream="origin: remove, host: client", policy=REJECTS),
    Row(
        "Authorization under a star",
        f"{SET}.authorization",
        ("policy 'app' lets any page read", "name the origins"),
        upstream="request_headers: {set: {authorization: Basic eDp5}}",
        policy=STAR,
    ),
    Row(
        "Cookie under a star",
        f"{SET}.Cookie",
        ("any page",),
        upstream="request_headers: {set: {Cookie: a=b}}",
        policy=STAR,
    ),
    Row(
        "a variable under a star",
        f"{SET}.X-Api-Key",
        ("any page",),
        upstream="request_headers: {set: {X-Api-Key: '${KEY:-none}'}}",
        policy=STAR,
    ),
    Row("a text under a star", f"{SET}.X-A", upstream="request_headers: {set: {X-A: b}}", policy=STAR),
    Row(
        "a variable under named origins",
        f"{SET}.X-Api-Key",
        upstream="request_headers: {set: {X-Api-Key: '${KEY:-none}'}}",
    ),
    Row("same_site without credentials", COOKIES, NO_CREDENTIALS, upstream="cookies: {same_site: none, secure: add}"),
    Row("partitioned without credentials", COOKIES, NO_CREDENTIALS, upstream="cookies: {partitioned: on, secure: add}"),
    Row(
        "same_site with credentials",
        COOKIES,
        upstream="cookies: {same_site: none, secure: add}",
        policy=f"{ORIGINS}, allow_credentials: true",
    ),
    Row("other edits without credentials", COOKIES, upstream="cookies: {domain: remove, same_site: lax, secure: add}"),
    Row(
        "tls.verify: false",
        "upstreams.legacy.tls.verify",
        ("impersonate the upstream", "'ca'"),
        url="https://legacy",
        upstream="tls: {verify: false}",
    ),
    Row("tls.verify: true", "upstreams.legacy.tls.verify", url="https://legacy", upstream="tls: {verify: true}"),
    Row(
        "an inspector for everybody",
        "inspector",
        ("0.0.0.0:8081", "127.0.0.1"),
        top="inspector: on\nadmin: 0.0.0.0:8081",
    ),
    Row("an inspector on a name", "inspector", ("a.internal:8081",), top="inspector: on\nadmin: a.internal:8081"),
    Row("an inspector of this machine", "inspector", top="inspector: on\nadmin: 127.0.0.1:8081"),
    Row("an inspector of this machine, IPv6", "inspector", top="inspector: on\nadmin: '[::1]:8081'"),
    Row("an inspector on a socket", "inspector", top="inspector: on\nadmin: unix:/run/a.sock"),
    Row("health for everybody", "inspector", top="admin: 0.0.0.0:8081"),
    Row("itself", URL, ("the proxy itself", "508"), url="http://127.0.0.1:8080"),
    Row("itself by name", URL, ("the proxy itself",), url="http://localhost:8080"),
    Row("itself on every address", URL, ("0.0.0.0:80",), url="http://localhost", top="listen: 0.0.0.0:80"),
    Row("itself on every IPv6 address", URL, ("[::]:80",), url="http://[::1]", top="listen: '[::]:80'"),
    Row("itself by its own name", URL, ("itself",), url="http://api.internal:80", top="listen: api.internal:80"),
    Row("itself on a socket", URL, ("itself",), url="unix:/run/a.sock:/v2", top="listen: unix:/run/a.sock"),
    Row("another port", URL, url="http://127.0.0.1:8000"),
    Row("another host", URL, url="http://legacy:8080"),
    Row("another address", URL, url="http://10.0.0.1:8080", top="listen: 10.0.0.2:8080"),
    Row("another socket", URL, url="unix:/run/b.sock", top="listen: unix:/run/a.sock"),
    Row("a blocked port", "listen", ("blocked port 6000", "8080"), top="listen: 127.0.0.1:6000"),
    Row("a free port", "listen", top="listen: 127.0.0.1:0"),
    Row("another port to listen on", "listen", top="listen: 127.0.0.1:8443"),
    Row(
        "an origin twice",
        "policies.app.allow_origins[1]",
        ("'https://a.example'", "remove one"),
        policy="allow_origins: [https://a.example, https://a.example]",
    ),
    Row(
        "an expression twice",
        "policies.app.allow_origins[2]",
        ("remove one",),
        policy="allow_origins: [{regex: 'https://a\\.example'}, 'https://b.example', {regex: 'https://a\\.example'}]",
    ),
    Row(
        "an origin and its expression",
        "policies.app.allow_origins[1]",
        policy="allow_origins: ['https://a.example', {regex: 'https://a\\.example'}]",
    ),
]


@pytest.mark.parametrize("row", [pytest.param(row, id=row.title) for row in ROWS])
def test_a_doubt_is_reported_once_with_its_remedy(row: Row) -> None:
    """As a warning at the key that causes it; none if there is no doubt."""
    found = [problem for problem in problems(row.text) if problem.path == row.path]
    assert [problem.severity for problem in found] == ["warning"] * bool(row.said), found
    for part in row.said:
        assert part in found[0].message


def test_each_route_that_stands_open_is_named() -> None:
    """Once for each policy, as that is what to change."""
    text = (
        "upstreams: {legacy: {url: 'http://legacy', origin: upstream}}\n"
        f"policies: {{app: {{{ORIGINS}}}, fine: {{{REJECTS}}}}}\n"
        "routes: [{path: /a, upstream: legacy, policy: app}, {path: /b, upstream: legacy, policy: app},"
        " {path: /c, upstream: legacy}, {path: /d, upstream: legacy, policy: fine}]\n"
    )
    messages = [problem.message for problem in problems(text) if problem.path == ORIGIN]
    assert [["'/a'" in message, "'/c'" in message] for message in messages] == [[True, False], [False, True]]
