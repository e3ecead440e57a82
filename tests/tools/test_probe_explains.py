"""Probe where CORS is not the matter: corsproxy's own refusals, other servers' errors, and what was not asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from corsproxy.tools.live.look_alikes import Likeness, fewest, look_alikes
from corsproxy.tools.probe.further import made_up_origins
from tests.support.process import Proxy, started
from tests.support.upstream import Upstream
from tests.tools.probe_servers import PAGE, careful, codes, probed, served

FILE = """\
upstreams: {{a: {url}}}
policies: {{p: {{allow_origins: [https://app.example.com], allow_methods: ["*"], allow_headers: ["*"]}}}}
routes: [{{path: /books, upstream: a, policy: p}}]
limits: {{max_header_bytes: 2KiB}}
"""


@pytest.fixture(name="proxy", scope="module")
def proxy_fixture() -> Iterator[Proxy]:
    """A corsproxy before a server that answers everything."""
    with Upstream() as upstream, started(FILE.format(url=upstream.url)) as proxy:
        yield proxy


@pytest.mark.parametrize(
    ("path", "method", "header", "code", "reason", "fix"),
    [
        pytest.param("/other", "GET", None, "no_route", "no_route", "add a route", id="404 without a route"),
        pytest.param(
            "/books", "GET", "Accept: " + "a" * 3000, "blocked_head_too_large", None, "max_header_bytes", id="431"
        ),
    ],
)
def test_corsproxys_own_answers(
    proxy: Proxy, path: str, method: str, header: str | None, code: str, reason: str | None, fix: str
) -> None:
    """Each is explained as what it is, not as an origin that is not allowed."""
    headers = (header,) if header else ()
    status, report, _ = probed(f"{proxy.url}{path}", *headers, method=method)
    first = report["findings"][0]
    assert (status, first["code"]) == (1, code)
    assert fix in first["fix"]
    assert report["verdict"]["reason"] == reason
    assert "origin_not_allowed" not in codes(report)


def test_a_method_that_corsproxy_cannot_carry(proxy: Proxy) -> None:
    """It is the method that is refused."""
    _, report, _ = probed(f"{proxy.url}/books", method="patch")
    assert report["findings"][0]["code"] == "method_not_allowed"
    assert report["verdict"]["reason"] == "method_not_allowed"


@pytest.mark.parametrize(
    ("origin", "method", "code"),
    [
        ("https://other.example.org", "PUT", "origin_not_allowed"),
        ("https://other.example.org", "GET", "origin_not_allowed"),
    ],
)
def test_a_refusal_is_a_refusal(proxy: Proxy, origin: str, method: str, code: str) -> None:
    """A refusal by CORS is still reported as one."""
    _, report, _ = probed(f"{proxy.url}/books", origin=origin, method=method)
    assert report["verdict"]["reason"] == code


@pytest.mark.parametrize(
    ("status", "said"), [(404, "nothing at this path"), (502, "failed with 502"), (401, "a login")]
)
def test_errors_of_any_server(status: int, said: str) -> None:
    """The grant is missing, and the report gives the cause."""
    with served(lambda _m, _p, _o: (status, [])) as server:
        _, report, _ = probed(f"{server.url}/x")
    assert report["verdict"]["reason"] == "origin_not_allowed"
    assert said in report["findings"][0]["message"]


def test_a_note_says_what_look_alikes_do_not_show() -> None:
    """If the page's origin is refused or not given, its look-alikes prove nothing."""
    with served(careful) as server:
        refused = probed(f"{server.url}/x", origin="https://other.example.org")[1]
        presumed = probed(f"{server.url}/x", origin=None)[1]
        named = probed(f"{server.url}/x")[1]
    assert "the page's origin is not granted by name" in refused["notes"][0]
    assert presumed["notes"] == []  # it happens to be allowed
    assert named["notes"] == []
    ruled_out = {one["resembles"]: one["likenesses"] for one in named["ruled_out"]}
    assert {"stranger", "null", "shared-host", "localhost"} == set(ruled_out[None])
    assert {"prefix", "suffix", "top-level-domain", "character", "reversed", "glued", "last-dot"} <= set(
        ruled_out[PAGE]
    )


def test_the_servers_own_host_is_resembled_too() -> None:
    """Whoever compares carelessly compares with it, or with the page; this machine's names mean nothing to anybody."""
    made = made_up_origins(PAGE, "https://api.example.org:8443/books")
    assert {one.resembles for one in made} == {None, PAGE, "https://api.example.org:8443"}
    assert {one.resembles for one in made_up_origins(PAGE, "http://127.0.0.1:8000/")} == {None, PAGE}
    assert {one.resembles for one in made_up_origins(PAGE, "http://localhost:8000/")} == {None, PAGE}
    assert len({one.origin for one in made}) == len(made)


@pytest.mark.parametrize(
    ("origin", "likeness", "made"),
    [
        ("https://www.example.com", Likeness.PREFIX, "https://www.example.com.corsproxyprobe.example"),
        ("https://www.example.com", Likeness.CHARACTER, "https://www.example.com_.corsproxyprobe.example"),
        ("https://www.example.com", Likeness.CHARACTER, "https://www.example.com`.corsproxyprobe.example"),
        ("https://www.example.com", Likeness.REVERSED, "https://xample.com"),
        ("https://www.example.com", Likeness.GLUED, "https://www.example.comcorsproxyprobe.example"),
        ("https://www.example.com", Likeness.LAST_DOT, "https://www.examplexcom"),
        ("https://www.example.com", Likeness.DOT, "https://wwwxexample.com"),
        ("https://www.example.com", Likeness.TOP_LEVEL_DOMAIN, "https://www.example.zzz"),
        ("https://www.example.com", Likeness.APEX, "https://example.com"),
        ("https://a.example.co.uk:8443", Likeness.SUFFIX, "https://corsproxyprobeexample.co.uk:8443"),
        ("http://localhost:3000", Likeness.PORT, "http://localhost:30000"),
        ("http://[::1]:3000", Likeness.PORT, "http://[::1]:8443"),
    ],
)
def test_made_up_origins(origin: str, likeness: Likeness, made: str) -> None:
    """Each class has its origin."""
    assert made in look_alikes(origin)[likeness]


def test_no_made_up_origin_is_the_origin_itself() -> None:
    """Nor one of another kind, so that each shows one mistake."""
    for origin in ("https://www.example.com", "https://example.com", "http://localhost:3000", "https://a.b.c.example"):
        made = [one for ones in look_alikes(origin).values() for one in ones]
        assert origin not in made
        assert len(set(made)) == len(made)


def test_one_mistake_is_one_likeness() -> None:
    """A wide comparison is named by its widest effect."""
    assert fewest(set(Likeness) - {Likeness.NULL}) == (Likeness.STRANGER,)
    assert fewest({Likeness.PREFIX, Likeness.GLUED, Likeness.PORT}) == (Likeness.PREFIX,)
    assert fewest({Likeness.APEX, Likeness.INSECURE}) == (Likeness.APEX, Likeness.INSECURE)


def test_the_table_has_every_class() -> None:
    """docs/probe.md says of each class what is asked and what finds it."""
    page = Path(__file__).parents[2].joinpath("docs/probe.md").read_text(encoding="utf-8")
    table = page.partition("## Made-up origins")[2].partition("## ")[0]
    asked = {one.likeness for one in made_up_origins(PAGE, "https://api.example.org/")}
    shown = set(re.findall(r"^\| `([a-z-]+)` \|", table, flags=re.MULTILINE))
    assert shown == {one.value for one in Likeness}
    assert asked < set(Likeness)
