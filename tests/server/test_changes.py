"""The line that says what a reload changed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corsproxy.config import Configuration, Options, Source, load_text
from corsproxy.server.reload.changes import FIXED, describe_change, keep_fixed
from corsproxy.settings import Limits, TcpAddress, TlsFiles

BASE = """
upstreams: {a: "http://a", b: "http://b"}
policies: {p: {allow_origins: [https://p.example]}, q: {allow_origins: [https://q.example]}}
routes: [{path: /a, upstream: a, policy: p}, {path: /b, upstream: b, policy: q}]
"""


def configuration(text: str) -> Configuration:
    """Load a configuration from its text."""
    loaded = load_text(text, "corsproxy.yaml", {})
    return Configuration(Source(Options(), "corsproxy.yaml"), loaded.settings, loaded)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("", "", "nothing changed", id="the same file"),
        pytest.param("http://a", "http://c", "upstreams: changed a", id="an upstream's URL, and not the routes to it"),
        pytest.param("https://p.", "https://r.", "policies: changed p", id="a policy's origins, and not its routes"),
        pytest.param("example]}}", "example], max_age: 5m}}", "policies: changed q", id="a policy's max_age"),
        pytest.param("example]}}", "example], mode: shadow}}", "policies: changed q", id="a policy's mode"),
        pytest.param("path: /b", "path: /c", "routes: added /c, removed /b", id="another path is another route"),
        pytest.param("path: /b", "exact: true, path: /b", "routes: added /b (exact), removed /b", id="so is exact"),
        pytest.param("path: /b", "host: h.example, path: /b", "routes: added h.example/b, removed /b", id="so is host"),
        pytest.param("upstream: b, policy: q", "upstream: b, policy: p", "routes: changed /b", id="a route's policy"),
        pytest.param("/b, upstream: b", "/b, upstream: a", "routes: changed /b", id="a route's upstream"),
        pytest.param("\nroutes", "\nlimits: {max_body: 1}\nroutes", "limits changed", id="limits"),
        pytest.param(
            "\nroutes",
            "\nlog: {level: debug}\nshutdown: {drain: 1}\nroutes",
            "shutdown changed; log changed",
            id="several other keys",
        ),
        pytest.param(
            BASE,
            BASE.replace("/a, upstream: a", "/z, upstream: z").replace('a: "http://a"', 'z: "http://a"'),
            "routes: added /z, removed /a; upstreams: added z, removed a",
            id="several things at once",
        ),
    ],
)
def test_the_line_names(old: str, new: str, said: str) -> None:
    """Each change is reported under its name in the file."""
    assert old in BASE
    assert describe_change(configuration(BASE), configuration(BASE.replace(old, new, 1))) == said


OTHER_VALUES: dict[str, Any] = {
    "listen": TcpAddress("127.0.0.1", 1),
    "tls": TlsFiles("a.pem", "a.key"),
    "admin": TcpAddress("127.0.0.1", 2),
    "admin_hosts": ("admin.internal",),
    "inspector": True,
    "workers": 7,
}


@pytest.mark.parametrize("key", FIXED)
def test_a_fixed_key_keeps_its_old_value_and_is_named(key: str) -> None:
    """The rest of the new settings is taken."""
    old = configuration(BASE).settings
    new = replace(old, limits=Limits(max_body=1), **{key: OTHER_VALUES[key]})
    kept, warnings = keep_fixed(old, new)
    assert kept == replace(old, limits=Limits(max_body=1))
    assert warnings == [f"{key} cannot change without a restart: the old value stays in force"]


def test_the_documented_list_of_what_needs_a_restart_is_whole() -> None:
    """docs/operations.md names each fixed key, and no other."""
    text = (Path(__file__).parents[2] / "docs/operations.md").read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith("**These keys need a restart**"))
    assert set(re.findall(r"`(\w+)`", line)) == set(FIXED)
