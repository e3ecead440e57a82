"""The inspector from outside: who may ask it, what it shows, what it never shows."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.server.event_stream import event_stream
from tests.server.setup import APP, OTHER, ask, children, config, connect, receive_all, receive_until, until
from tests.support.process import Proxy, started
from tests.support.upstream import OK, Upstream

PAGE = files("corsproxy.server.inspector") / "page"
ASSETS = [f"/inspector/{entry.name}" for entry in PAGE.iterdir() if entry.name != "index.html"]
PATHS = ["/", *ASSETS, "/events", "/explain"]

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
SECURITY = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
    "server": "corsproxy",
}

POLICY = f"allow_origins: [{APP}], allow_methods: [GET, PUT], allow_headers: [Content-Type], allow_credentials: true"


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    """Answer everything."""
    with Upstream.answering(OK) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(upstream: Upstream) -> Iterator[Proxy]:
    """Run a proxy with the inspector, which also goes by another name."""
    with started(config(upstream, "admin_hosts: [inspector.internal]", POLICY), "--inspect", admin=True) as running:
        yield running


def head(proxy: Proxy, path: str, **fields: str) -> tuple[int, dict[str, str]]:
    """Status and fields of a HEAD request to the admin listener: the stream's too, which has no end."""
    answer = ask(proxy.admin, path, "HEAD", None, **fields)
    assert answer.body == b""
    return answer.status, answer.fields


def test_without_the_inspector_there_is_none(upstream: Upstream) -> None:
    """Each of its paths is 404 where `inspector` is not on."""
    with started(config(upstream), admin=True) as plain:
        assert {path: ask(plain.admin, path).status for path in PATHS} == dict.fromkeys(PATHS, 404)


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_exactly_these_security_fields(proxy: Proxy, path: str) -> None:
    """No page of another origin can frame it, load it or read it, whatever Origin it names."""
    status, fields = head(proxy, path, Origin="https://evil.example")
    assert status == 200
    assert {name: value for name, value in fields.items() if name in SECURITY} == SECURITY
    assert not [name for name in fields if name.startswith("access-control-")]


def test_the_page_is_made_of_what_the_package_holds() -> None:
    """Whatever the page refers to is one of its own files: no other host, nothing inline, which the policy forbids."""
    html = (PAGE / "index.html").read_text(encoding="utf-8")
    referred = set(re.findall(r'(?:src|href)="([^"]*)"', html))
    imported = {
        f"inspector/{name}"
        for entry in PAGE.iterdir()
        if entry.name.endswith(".js")
        for name in re.findall(r'from "\./([^"]+)"', entry.read_text(encoding="utf-8"))
    }
    assert {f"/{path}" for path in referred | imported} == set(ASSETS)
    assert not re.search(r"<style|<script>| style=| on[a-z]+=", html)


@pytest.mark.parametrize("name", [path.rpartition("/")[2] for path in ASSETS])
def test_nothing_in_the_page_reads_text_as_markup(name: str) -> None:
    """What strangers sent becomes text, never elements; and nothing is loaded from elsewhere."""
    text = (PAGE / name).read_text(encoding="utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\b|new Function", text
    )
    assert not re.search(r"url\(|@import|fetch\(.https?:|import .*https?:", text)


@pytest.mark.parametrize("path", ["/", "/events", "/explain", "/inspector/main.js"])
@pytest.mark.parametrize(
    ("host", "status"),
    [
        pytest.param("127.0.0.1", 200, id="the listener's own address"),
        pytest.param("localhost:9999", 200, id="localhost, through a forwarded port"),
        pytest.param("[::1]:8081", 200, id="another loopback address"),
        pytest.param("inspector.internal", 200, id="a name in admin_hosts"),
        pytest.param("evil.example", 403, id="a name that was rebound to this address"),
        pytest.param("localhost.evil.example", 403, id="a name that begins like ours"),
        pytest.param("127.0.0.1.evil.example:80", 403, id="a name that begins like an address"),
    ],
)
def test_only_its_own_names_are_answered(proxy: Proxy, path: str, host: str, status: int) -> None:
    """DNS rebinding brings a stranger's name, and gets nothing (design of the Host check in host_guard.py)."""
    assert head(proxy, path, Host=host)[0] == status


@pytest.mark.parametrize("path", ["/events", "/explain"])
@pytest.mark.parametrize(
    ("site", "status"),
    [
        pytest.param("same-origin", 200, id="the page itself"),
        pytest.param("none", 200, id="a person at the address bar"),
        pytest.param("same-site", 403, id="another port of this machine"),
        pytest.param("cross-site", 403, id="any other site"),
        pytest.param("", 403, id="an empty word"),
    ],
)
def test_another_site_is_refused_where_the_browser_tells(proxy: Proxy, path: str, site: str, status: int) -> None:
    """Sec-Fetch-Site cannot be set by a page, and older clients that send none are kept out by the rest."""
    assert head(proxy, path, Sec_Fetch_Site=site)[0] == status


def test_a_link_from_another_site_opens_the_page(proxy: Proxy) -> None:
    """A person may follow a link to it; the page then asks for itself."""
    assert head(proxy, "/", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")[0] == 200


def event_of(found: list[dict[str, Any]], path: str) -> dict[str, Any]:
    """Return the event with this path."""
    return next(event for event in found if event["path"] == path)


def test_a_granted_preflight_is_shown_with_what_was_asked_and_answered(proxy: Proxy) -> None:
    """The event has the request's CORS fields and the exact answer."""
    with event_stream(proxy.admin) as stream:
        fields = {"Access_Control_Request_Method": "PUT", "Access_Control_Request_Headers": "content-type"}
        answer = ask(proxy.address, "/granted", "OPTIONS", None, Origin=APP, **fields)
        stream.wait(lambda stream: any(event["path"] == "/granted" for event in stream.requests))
    event = event_of(stream.requests, "/granted")
    told = (
        "method",
        "origin",
        "requested_method",
        "requested_headers",
        "cors",
        "reason",
        "status",
        "route",
        "upstream",
    )
    assert {name: event[name] for name in told} == {
        "method": "OPTIONS",
        "origin": APP,
        "requested_method": "PUT",
        "requested_headers": "content-type",
        "cors": "preflight_granted",
        "reason": None,
        "status": 204,
        "route": "/",
        "upstream": None,
    }
    assert {name.lower(): value for name, value in event["answered"]} == answer.cors


def test_a_refused_request_is_shown_with_its_reason(proxy: Proxy) -> None:
    """An actual request that was forwarded without a grant has the reason, the upstream's status, and no CORS field."""
    with event_stream(proxy.admin) as stream:
        ask(proxy.address, "/refused", Origin=OTHER)
        stream.wait(lambda stream: any(event["path"] == "/refused" for event in stream.requests))
        stream.wait(lambda stream: stream.totals["reasons"].get("origin_not_allowed"))
    event = event_of(stream.requests, "/refused")
    assert (event["cors"], event["reason"], event["upstream"], event["upstream_status"]) == (
        "refused",
        "origin_not_allowed",
        "api",
        200,
    )
    assert event["answered"] == [["Vary", "Origin"]]
    assert stream.totals["refused"] == sum(stream.totals["reasons"].values())


SECRET = "hunter2"


def test_secrets_never_appear(proxy: Proxy) -> None:
    """Neither cookies, Authorization, content nor the query string reach the stream or an explanation."""
    secrets = {"Cookie": f"sid={SECRET}", "Authorization": f"Bearer {SECRET}", "Referer": f"https://a.example/{SECRET}"}
    with event_stream(proxy.admin) as stream:
        ask(proxy.address, f"/secrets?token={SECRET}", "POST", SECRET.encode(), Origin=APP, **secrets)
        ask(
            proxy.address,
            f"/secrets?token={SECRET}",
            "OPTIONS",
            None,
            Origin=OTHER,
            Access_Control_Request_Method="PUT",
            **secrets,
        )
        stream.wait(lambda stream: sum(event["path"] == "/secrets" for event in stream.requests) == 2)
    assert SECRET not in stream.raw.decode()
    question = [("path", f"/secrets?token={SECRET}"), ("origin", OTHER), ("header", f"X-Key: {SECRET}")]
    status, text = proxy.ask_admin(f"/explain?{urlencode(question)}")
    assert status == 200
    assert SECRET not in text


def test_signs_that_hide_or_turn_text_are_escaped(proxy: Proxy) -> None:
    """A direction mark that a stranger sent is shown as what it is."""
    with event_stream(proxy.admin) as stream:
        ask(proxy.address, "/turned", Origin="https://a.example/\u202e".encode().decode("latin-1"))
        stream.wait(lambda stream: any(event["path"] == "/turned" for event in stream.requests))
    assert event_of(stream.requests, "/turned")["origin"] == "https://a.example/\\u202e"


def test_a_page_that_connects_again_goes_on_where_it_was(proxy: Proxy) -> None:
    """With the last id it gets what it missed and nothing twice; with another process's id it gets all there is."""
    with event_stream(proxy.admin) as first:
        ask(proxy.address, "/before")
        first.wait(lambda stream: any(event["path"] == "/before" for event in stream.requests))
    ask(proxy.address, "/meanwhile")
    with event_stream(proxy.admin, Last_Event_ID=first.last_id) as second:
        assert [event["path"] for event in second.wait_requests(1)] == ["/meanwhile"]
    with event_stream(proxy.admin, Last_Event_ID="0123456789abcdef-999999") as third:
        third.wait_requests(2)
    assert [event["path"] for event in third.requests][-2:] == ["/before", "/meanwhile"]


def test_a_stop_ends_the_stream_and_is_not_held_up_by_it(upstream: Upstream) -> None:
    """The stream ends whole, with its last chunk, and the exit status is that of any stop."""
    with started(config(upstream), "--inspect", admin=True) as stopping, connect(stopping.admin) as sock:
        sock.sendall(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        receive_until(sock, b"event: totals")
        assert stopping.stop() == 0
        assert receive_all(sock).endswith(b"0\r\n\r\n")


def test_requests_of_every_worker_are_shown_and_of_one_that_replaced_another(upstream: Upstream) -> None:
    """The parent asks the workers over their channels; totals count them all, the dead one's too."""
    with started(config(upstream, "workers: 2"), "--inspect", admin=True) as fleet, event_stream(fleet.admin) as stream:
        for number in range(20):
            ask(fleet.address, f"/{number}", Origin=APP if number % 2 else OTHER)
        stream.wait_requests(20)
        victim = children(fleet.pid)[0]
        os.kill(victim, signal.SIGKILL)
        fleet.stderr.wait_line("it is replaced")
        until(lambda: len(children(fleet.pid)) == 2, "the worker is replaced")
        for number in range(20, 40):
            ask(fleet.address, f"/{number}", Origin=APP)
        stream.wait(lambda stream: len({event["path"] for event in stream.requests}) == 40)
    assert [event["id"] for event in stream.requests] == list(range(1, 41))


def test_the_page_is_where_the_start_says(proxy: Proxy) -> None:
    """The line at the start is an address to open."""
    host, port = proxy.stderr.wait_line(r"^inspector on http://(.+):(\d+)/$").groups()
    answer = ask((host, int(port)), "/")
    assert answer.fields["content-type"] == "text/html; charset=utf-8"
    assert b"<title>corsproxy inspector</title>" in answer.body
