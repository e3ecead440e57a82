"""The matrix for `explain --browser` in Chromium and Firefox: policies, methods, headers, credentials.

Only data: how a row is run is said in `test_explain_in_browsers.py`.
"""

from __future__ import annotations

from itertools import product

from tests.browser.model_rows import SAFELIST, Asked

CONFIG = """\
upstreams: {{api: {upstream}}}
policies:
  named: {{allow_origins: [{page}], max_age: 0}}
  credentials: {{allow_origins: [{page}], allow_methods: [PUT, QUERY], allow_headers: [X-A, Content-Type],
    allow_credentials: true, max_age: 0}}
  open: {{allow_origins: ["*"], allow_methods: ["*"], allow_headers: ["*"], max_age: 0}}
  star: {{allow_origins: [{page}], allow_methods: ["*"], allow_headers: ["*", Authorization], allow_credentials: true,
    max_age: 0}}
  other: {{allow_origins: [https://other.example.com], allow_methods: ["*"], max_age: 0}}
  reject: {{allow_origins: [https://other.example.com], on_refused: reject, max_age: 0}}
routes:
  - {{path: /named, upstream: api, policy: named}}
  - {{path: /credentials, upstream: api, policy: credentials}}
  - {{path: /open, upstream: api, policy: open}}
  - {{path: /star, upstream: api, policy: star}}
  - {{path: /other, upstream: api, policy: other}}
  - {{path: /reject, upstream: api, policy: reject}}
  - {{path: /none, upstream: api}}
"""
"""No preflight is remembered, so that each request stands for itself."""

_ROUTES = ("named", "credentials", "open", "star", "other", "reject", "none", "nowhere")
_METHODS = ("GET", "HEAD", "POST", "PUT", "put", "PATCH", "patch", "DELETE", "OPTIONS", "QUERY", "PROPFIND", "CHICKEN")
_HEADERS: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    (("Content-Type", "text/plain"),),
    (("Content-Type", "application/json"),),
    (("X-A", "1"), ("Authorization", "Bearer x")),
    (("X-A", "1"),),
)

_VALUES: tuple[tuple[str, str], ...] = (
    ("DPR", "2"),
    ("Width", "100"),
    ("Viewport-Width", "100"),
    ("Device-Memory", "8"),
    ("Downlink", "1.5"),
    ("RTT", "50"),
    ("ECT", "4g"),
    ("Save-Data", "on"),
    ("Save-Data", "off"),
    ("DPR", "two"),
    ("Sec-CH-UA-Mobile", "?1"),
    ("User-Agent", "x"),
    ("Accept", "\u0080"),
    ("Accept", "caf\u00e9"),
    ("Accept-Language", "\u0080"),
    ("Content-Type", "text/plain; x=\u0080"),
    ("Accept", '"'),
    ("Accept", "a\tb"),
    ("Accept", ""),
    ("Content-Type", ""),
    ("Content-Type", "text/plain;" + "a" * 120),
    ("Accept-Charset", "utf-8"),
    ("Range", "bytes=9-5"),
    ("Range", "bytes=0-" + "9" * 30),
    ("Range", "bytes=" + "0" * 130 + "-"),
    ("Range", "bytes=0-99, 200-"),
    ("Range", "Bytes=0-9"),
    ("Range", "bytes= 0-9"),
    ("Range", "bytes=0-9\t"),
    ("X-A", "a\tb"),
    ("X-A", "\u0001"),
    ("X-A", "\u007f"),
    ("X-A", "\u00ff"),
    ("X-A", "a" * 40_000),
    ("X-HTTP-Method-Override", "TRACE"),
    ("X-HTTP-Method-Override", "PUT, track"),
    ("X-Method-Override", "connect"),
    ("Proxy-Authorization", "x"),
    ("Sec-Fetch-Site", "same-origin"),
    ("Access-Control-Request-Method", "PUT"),
    ("DNT", "1"),
    ("Via", "x"),
    ("TE", "trailers"),
    ("Purpose", "prefetch"),
    ("Last-Event-ID", "1"),
    ("If-None-Match", '"1"'),
    ("If-Modified-Since", "Mon, 01 Jan 2026 00:00:00 GMT"),
    ("Cache-Control", "no-cache"),
    ("Pragma", "no-cache"),
    ("X-Requested-With", "XMLHttpRequest"),
    ("Upgrade-Insecure-Requests", "1"),
    ("Referer", "http://x/"),
    ("Origin", "http://x"),
    ("Expect", "100-continue"),
    ("Date", "x"),
)

_LARGE = (2**31, 2**63 - 2, 2**63 - 1, 2**64 - 1, 2**64, 10**30)
_HINTS = (
    *(("DPR", value) for value in ("1", "1.5", "1.", "two", "", ".5", "-1", "1e3", "1,2", "+1", " 2", "2.5.1")),
    *(("Width", value) for value in ("1.5", "x", "", "-1")),
    *(("Viewport-Width", value) for value in ("1.5", "x")),
    *(("Device-Memory", value) for value in ("0.25", "x", "")),
    *(("Downlink", value) for value in ("1", "x", "")),
    *(("RTT", value) for value in ("1.5", "x", "")),
    *(("ECT", value) for value in ("5g", "slow-2g", "4G", "x", "")),
    *(("Save-Data", value) for value in ("On", "ON", "on ", "yes")),
    *(("User-Agent", value) for value in ("", "a" * 200, "\u0080")),
    *(("Range", f"bytes=0-{number}") for number in _LARGE),
    *(("Range", f"bytes={number}-") for number in _LARGE),
    *(("Content-Type", value) for value in ("text/plain;x=a,b", "text/plain,", "text/plain;,", ",text/plain")),
)
_BYTES = tuple(
    (name, f"{before}a{chr(byte)}b")
    for byte in range(1, 256)
    if chr(byte) not in "\r\n"
    for name, before in (("Accept", ""), ("Accept-Language", ""), ("Content-Type", "text/plain;x="), ("X-A", ""))
)
"""Every byte that a value may hold."""


def _with_value(name: str, value: str) -> Asked:
    return Asked("/open" if name == "X-A" else "/named", "GET", ((name, value),))


VALUES = (
    *SAFELIST,
    *(Asked(f"/{route}", "GET", ((name, value),)) for route in ("named", "open") for name, value in _VALUES),
    *(_with_value(name, value) for name, value in _HINTS),
    *(
        Asked(f"/open{path}", "GET")
        for path in ("/..%2fnamed", "/a%00b", "/" + "a" * 33_000, "/caf%C3%A9", "/a%2fb", "/%zz")
    ),
)
"""Rows that show where browsers depart from the standard, and what the proxy itself refuses."""

MATRIX = (
    *(
        Asked(f"/{route}", method, headers, credentials)
        for route, method, headers, credentials in product(_ROUTES, _METHODS, _HEADERS, (False, True))
    ),
    *(_with_value(name, value) for name, value in _BYTES),
)
"""Rows of which a sample tells much, and the whole everything."""
