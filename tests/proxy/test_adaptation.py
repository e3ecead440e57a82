"""The adaptation keys in a running proxy: each is off until it is written, and each is seen on the wire.

What each makes of every possible value is in the tables of the other modules; here is that it is asked at all, with the
route's own settings.
"""

from __future__ import annotations

import pytest

from tests.proxy.bench import Bench, bench_for
from tests.support.upstream import Request

CONFIG = """
admin: 127.0.0.1:0
trusted_proxies: [127.0.0.2]
upstreams:
  plain: {{url: "{upstream}"}}
  adapted:
    url: "{upstream}/v2"
    origin: upstream
    aliases: [https://old.example]
    cookies: {{domain: remove, path: rewrite, same_site: none, secure: add, partitioned: true}}
  silent: {{url: "{upstream}", origin: remove, host: client, redirects: keep}}
  named: {{url: "{upstream}", host: legacy.example}}
  told: {{url: "{upstream}", origin: upstream, forwarded: all}}
  hosted: {{url: "{upstream}", host: client}}
  untold: {{url: "{upstream}", forwarded: none}}
policies:
  app: {{allow_origins: ["https://app.example"], allow_credentials: true, timing: true}}
routes:
  - {{path: /, upstream: plain}}
  - {{path: /shop, strip_prefix: true, upstream: adapted, policy: app}}
  - {{path: /silent, upstream: silent}}
  - {{path: /named, upstream: named}}
  - {{path: /told, upstream: told}}
  - {{path: /outer/told, strip_prefix: /outer, upstream: told}}
  - {{path: /client, upstream: hosted}}
  - {{path: /untold, upstream: untold, strip_prefix: true}}
log: {{format: json}}
"""

ORIGIN_AND_REFERER = b"Origin: https://app.example\r\nReferer: https://app.example/page?q\r\n"


def ask(bench: Bench, target: bytes, fields: bytes = b"", answer: bytes = b"") -> Request:
    """Send a GET for Host api.example, answered with the fields given; return what the upstream read."""
    bench.answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + answer + b"\r\n")
    bench.ask(b"GET " + target + b" HTTP/1.1\r\nHost: api.example\r\n" + fields + b"\r\n")
    return bench.request


def answered(bench: Bench, target: bytes, name: bytes, value: bytes, fields: bytes = b"") -> list[bytes]:
    """Return one response field as the client gets it."""
    bench.answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + name + b": " + value + b"\r\n\r\n")
    response = bench.ask(b"GET " + target + b" HTTP/1.1\r\nHost: api.example\r\n" + fields + b"\r\n")
    return response.values(name)


def authority(bench: Bench) -> bytes:
    """Return the host and port of the upstream's URL."""
    return bench.upstream.url.removeprefix("http://").encode()


COOKIE = b"sid=a=b; Domain=legacy; Path=/v2/x; Expires=Wed, 21 Oct 2015 07:28:00 GMT; X"


def test_nothing_is_adapted_without_a_key(bench: Bench) -> None:
    """Origin, Referer and cookies go through as they are; Host is the URL's."""
    request = ask(bench, b"/x", ORIGIN_AND_REFERER)
    assert request.values(b"Origin") == [b"https://app.example"]
    assert request.values(b"Referer") == [b"https://app.example/page?q"]
    assert request.values(b"Host") == [authority(bench)]
    assert request.values(b"X-Forwarded-Host") == [b"api.example"]


def test_a_cookie_goes_through_as_it_is_without_a_key(bench: Bench) -> None:
    """To the byte."""
    assert answered(bench, b"/x", b"Set-Cookie", COOKIE) == [COOKIE]


def test_a_cookie_is_edited_with_the_routes_own_paths(bench: Bench) -> None:
    """Domain off, /v2 to /shop, and the attributes that another site's page needs."""
    wanted = b"sid=a=b; Path=/shop/x; Expires=Wed, 21 Oct 2015 07:28:00 GMT; X; SameSite=None; Secure; Partitioned"
    assert answered(bench, b"/shop/x", b"Set-Cookie", COOKIE) == [wanted]


def test_two_cookies_stay_two_lines(bench: Bench) -> None:
    """Each is edited alone, in order."""
    both = b"a=1; Path=/v2\r\nSet-Cookie: b=2; Path=/v2"
    tail = b"; Path=/shop; SameSite=None; Secure; Partitioned"
    assert answered(bench, b"/shop/x", b"Set-Cookie", both) == [b"a=1" + tail, b"b=2" + tail]


@pytest.mark.parametrize(
    ("name", "front", "back"),
    [
        (b"Location", b"", b""),
        (b"content-location", b"", b""),
        (b"REFRESH", b"5; url=", b""),
        (b"link", b"<", b">; rel=next"),
    ],
)
@pytest.mark.parametrize("alias", [False, True])
def test_a_reference_to_the_upstream_comes_back_as_the_proxys(
    bench: Bench, name: bytes, front: bytes, back: bytes, alias: bool
) -> None:
    """By its own name and by another, in the four fields that hold one."""
    own = (b"https://old.example" if alias else b"http://" + authority(bench)) + b"/v2/cart?a=%2f#f"
    wanted = front + b"http://api.example/shop/cart?a=%2f#f" + back
    assert answered(bench, b"/shop/x", name, front + own + back) == [wanted]


def test_a_link_of_an_interim_response_comes_back_too(bench: Bench) -> None:
    """Early Hints are fetched from there at once."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </v2/a.css>; rel=preload\r\n\r\n"
    bench.answering(hints + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    with bench.client() as client:
        client.send(b"GET /shop/x HTTP/1.1\r\nHost: api.example\r\n\r\n")
        assert b"Link: </shop/a.css>; rel=preload\r\n" in client.read_until(b"\r\n\r\n")


def test_a_path_comes_back_with_the_prefix(bench: Bench) -> None:
    """Base path off, stripped prefix on."""
    assert answered(bench, b"/shop/x", b"Location", b"/v2/cart") == [b"/shop/cart"]


def test_another_origin_and_another_path_are_left_alone(bench: Bench) -> None:
    """No way through the proxy leads there."""
    assert answered(bench, b"/shop/x", b"Location", b"https://elsewhere.example/v2/cart") == [
        b"https://elsewhere.example/v2/cart"
    ]
    bench.settle()
    assert answered(bench, b"/shop/x", b"Location", b"/admin") == [b"/admin"]


def test_redirects_keep_leaves_the_upstreams_address(bench: Bench) -> None:
    """For servers that know their public address."""
    own = b"http://" + authority(bench) + b"/x"
    assert answered(bench, b"/silent", b"Location", own) == [own]


def test_origin_and_referer_are_the_upstreams_own(bench: Bench) -> None:
    """The path is kept, and mapped where the page came through the proxy."""
    request = ask(bench, b"/shop/x", ORIGIN_AND_REFERER)
    assert request.line == b"GET /v2/x HTTP/1.1"
    assert request.values(b"Origin") == [b"http://" + authority(bench)]
    assert request.values(b"Referer") == [b"http://" + authority(bench) + b"/page?q"]


def test_a_page_that_came_through_the_proxy_is_named_as_the_upstream_knows_it(bench: Bench) -> None:
    """So that a redirect back finds its way home."""
    request = ask(bench, b"/shop/x", b"Referer: http://api.example/shop/form\r\n")
    assert request.values(b"Referer") == [b"http://" + authority(bench) + b"/v2/form"]
    assert request.values(b"Origin") == []


def test_origin_and_referer_are_removed_and_the_clients_host_is_sent(bench: Bench) -> None:
    """`origin: remove` and `host: client`."""
    request = ask(bench, b"/silent", ORIGIN_AND_REFERER)
    assert request.values(b"Origin") == request.values(b"Referer") == []
    assert request.values(b"Host") == [b"api.example"]


def test_the_grant_is_decided_from_the_origin_that_the_browser_sent(bench: Bench) -> None:
    """The forwarding fields do not change it."""
    grant = answered(bench, b"/shop/x", b"Access-Control-Allow-Origin", b"*", ORIGIN_AND_REFERER)
    assert grant == [b"https://app.example"]


def test_timings_are_opened_with_the_same_grant(bench: Bench) -> None:
    """`timing: true` replaces the upstream's own Timing-Allow-Origin."""
    assert answered(bench, b"/shop/x", b"Timing-Allow-Origin", b"*", ORIGIN_AND_REFERER) == [b"https://app.example"]


def test_a_literal_host_is_sent_and_the_original_forwarded(bench: Bench) -> None:
    """`host: legacy.example`, whose redirects are its own too."""
    request = ask(bench, b"/named")
    assert request.values(b"Host") == [b"legacy.example"]
    assert request.values(b"X-Forwarded-Host") == [b"api.example"]
    bench.settle()
    assert answered(bench, b"/named", b"Location", b"http://legacy.example/x") == [b"http://api.example/x"]


FORGED = (
    b"X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Port: 1\r\n"
    b"X-Forwarded-Prefix: /evil\r\nForwarded: for=6.6.6.6\r\n"
    b"X_Forwarded_For: 6.6.6.6\r\nX-Forwarded_Proto: https\r\n"
)


def test_what_a_stranger_says_about_other_hops_does_not_reach_the_upstream(bench: Bench) -> None:
    """Its lines are replaced by what the proxy sees, twins with underscores and the rest of the family dropped."""
    request = ask(bench, b"/x", FORGED)
    told = [(name, value) for name, value in request.fields if b"forwarded" in name.lower()]
    assert told == [
        (b"X-Forwarded-For", b"127.0.0.1"),
        (b"X-Forwarded-Proto", b"http"),
        (b"X-Forwarded-Host", b"api.example"),
        (b"X-Forwarded-Port", b"80"),
        (b"Forwarded", b'for=127.0.0.1;proto=http;host="api.example"'),
    ]


FORWARDED_MODES = {
    b"/x": [b"X-Forwarded-For", b"X-Forwarded-Proto", b"X-Forwarded-Host", b"X-Forwarded-Port", b"Forwarded"],
    b"/shop/x": [b"X-Forwarded-For"],
    b"/told": [b"X-Forwarded-For", b"X-Forwarded-Proto", b"X-Forwarded-Host", b"X-Forwarded-Port", b"Forwarded"],
    b"/outer/told": [
        b"X-Forwarded-For",
        b"X-Forwarded-Proto",
        b"X-Forwarded-Host",
        b"X-Forwarded-Port",
        b"Forwarded",
        b"X-Forwarded-Prefix",
    ],
    b"/untold": [],
}


@pytest.mark.parametrize("target", FORWARDED_MODES)
def test_an_upstream_is_told_as_much_as_is_written(bench: Bench, target: bytes) -> None:
    """All by default, the client alone under `origin: upstream`, and what `forwarded` says in any case."""
    request = ask(bench, target, FORGED)
    assert [name for name, _ in request.fields if b"forwarded" in name.lower()] == FORWARDED_MODES[target]
    assert request.values(b"X-Forwarded-Prefix") == ([b"/outer"] if target == b"/outer/told" else [])


def test_a_stranger_does_not_choose_where_redirects_lead(bench: Bench) -> None:
    """Its X-Forwarded-Host and -Proto are not believed."""
    own = b"http://" + authority(bench) + b"/v2/cart"
    assert answered(bench, b"/shop/x", b"Location", own, FORGED) == [b"http://api.example/shop/cart"]


def test_a_connection_option_does_not_take_away_what_the_proxy_tells() -> None:
    """`Connection: X-Forwarded-For` names a hop's own fields (RFC 9110 section 7.6.1), not the proxy's."""
    with bench_for(CONFIG) as bench:
        request = ask(bench, b"/shop/x", b"Connection: X-Forwarded-For, X-Forwarded-Host, Host\r\n")
        assert request.values(b"X-Forwarded-For") == [b"127.0.0.1"]
        assert request.values(b"Host") == [authority(bench)]


def test_a_trusted_proxy_is_believed() -> None:
    """Its chain is continued, its scheme and host are those of redirects, and its client is the one in the log."""
    with bench_for(CONFIG.replace("127.0.0.2", "127.0.0.0/8")) as bench:
        said = b"X-Forwarded-For: 9.9.9.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: www.example\r\n"
        own = b"http://" + authority(bench) + b"/v2/cart"
        assert answered(bench, b"/shop/x", b"Location", own, said) == [b"https://www.example/shop/cart"]
        assert bench.request.values(b"X-Forwarded-For") == [b"9.9.9.9, 127.0.0.1"]
        assert bench.request.values(b"X-Forwarded-Host") == []
        assert bench.proxy.access_log(at_least=1)[0]["client"] == "9.9.9.9"
        bench.settle()
        assert answered(bench, b"/client", b"Location", b"http://api.example/x", said) == [b"https://www.example/x"]
        bench.settle()
        request = ask(bench, b"/outer/told", said + b"X-Forwarded-Prefix: /a\r\n")
        assert request.values(b"X-Forwarded-Proto") == [b"https"]
        assert request.values(b"X-Forwarded-Host") == [b"www.example"]
        assert request.values(b"X-Forwarded-Port") == [b"443"]
        assert request.values(b"Forwarded") == [b'for=9.9.9.9;proto=https;host="www.example", for=127.0.0.1']
        assert request.values(b"X-Forwarded-Prefix") == [b"/a/outer"]
