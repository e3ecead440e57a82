"""The matrix on which the model of the browser is held against Chromium: policies, requests, servers that are wrong.

Only data: how a row is run is said in `test_model.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

Fields = list[tuple[str, str]]

POLICIES = """\
  named: {{allow_origins: [{page}]}}
  credentials: {{allow_origins: [{page}], allow_methods: [PUT], allow_headers: [X-A, Content-Type],
    allow_credentials: true}}
  open: {{allow_origins: ["*"], allow_methods: ["*"], allow_headers: ["*"]}}
  star: {{allow_origins: [{page}], allow_methods: ["*"], allow_headers: ["*", Authorization], allow_credentials: true}}
  other: {{allow_origins: [https://other.example.com], allow_methods: ["*"]}}
"""
"""No preflight is remembered, so that each request stands for itself: the key is added to each."""
ROUTES = ("named", "credentials", "open", "star", "other", "none", "nowhere")
"""By policy; `none` is a route without one, `nowhere` no route."""

METHODS = ("GET", "POST", "PUT", "put", "PATCH", "patch", "DELETE", "OPTIONS")
HEADERS: tuple[dict[str, str], ...] = (
    {},
    {"Content-Type": "text/plain"},
    {"Content-Type": "application/json"},
    {"X-A": "1", "Authorization": "Bearer x"},
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the page: where, and the options of `fetch`."""

    path: str
    method: str
    headers: tuple[tuple[str, str], ...] = ()
    credentials: bool = False

    def __str__(self) -> str:
        names = ", ".join(f"{name}: {value[:20]}" for name, value in self.headers)
        return f"{self.method} {self.path} [{names}]{' with credentials' if self.credentials else ''}"


MATRIX = [
    Asked(f"/{route}", method, tuple(headers.items()), credentials)
    for route, method, headers, credentials in product(ROUTES, METHODS, HEADERS, (False, True))
]

SAFELIST = [
    Asked("/named", "GET", ((name, value),))
    for name, value in (
        ("Accept", "a" * 128),
        ("Accept", "a" * 129),
        ("Accept", "text/html(x)"),
        ("Accept-Language", "de, en;q=0.5"),
        ("Accept-Language", "en_US"),
        ("Content-Language", "en/us"),
        ("Content-Type", "multipart/form-data; boundary=x"),
        ("Content-Type", "text/plain; x=(y)"),
        ("Content-Type", "TEXT/PLAIN"),
        ("Content-Type", "text"),
        ("Range", "bytes=0-9"),
        ("Range", "bytes=5-"),
        ("Range", "bytes=-9"),
        ("Range", "bytes=0-1,4-5"),
        ("Range", "lines=0-9"),
        ("X-HTTP-Method-Override", "PUT"),
        ("Cookie", "a=b"),
        ("Sec-Anything", "1"),
    )
]
"""Header values on both sides of the safelist; the policy `named` allows no header at all."""

Serve = Callable[[str, str], tuple[int, Fields]]
"""`preflight` or `actual`, and Origin, to status and fields."""


def _always(*fields: tuple[str, str], status: int = 200) -> Serve:
    return lambda _kind, _origin: (status, list(fields))


def _granting(*more: tuple[str, str], status: int = 200, preflight: int = 204) -> Serve:
    def serve(kind: str, origin: str) -> tuple[int, Fields]:
        grant = [("Access-Control-Allow-Origin", origin), ("Access-Control-Allow-Credentials", "true"), *more]
        return (preflight if kind == "preflight" else status), grant

    return serve


def _origin(make: Callable[[str], str], *more: tuple[str, str]) -> Serve:
    return lambda _kind, origin: (200, [("Access-Control-Allow-Origin", make(origin)), *more])


_ACAO, _ACAC = "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"
_ACAM, _ACAH = "Access-Control-Allow-Methods", "Access-Control-Allow-Headers"
_ALL = ((_ACAM, "*"), (_ACAH, "X-A, *"))

SERVERS: dict[str, Serve] = {
    "nothing": _always(),
    "star": _always((_ACAO, "*")),
    "star-credentials": _always((_ACAO, "*"), (_ACAC, "true")),
    "origin": _origin(str),
    "origin-credentials": _granting(),
    "slash": _origin(lambda origin: f"{origin}/"),
    "upper": _origin(str.upper),
    "list": _origin(lambda origin: f"{origin}, https://b.example"),
    "twice": lambda _kind, origin: (200, [(_ACAO, origin), (_ACAO, origin)]),
    "star-twice": _always((_ACAO, "*"), (_ACAO, "*")),
    "spaces": _origin(lambda origin: f"  {origin}\t"),
    "null": _always((_ACAO, "null")),
    "empty": _always((_ACAO, "")),
    "true-upper": _origin(str, (_ACAC, "True")),
    "true-twice": _origin(str, (_ACAC, "true"), (_ACAC, "true")),
    "error": _granting(status=500),
    "methods": _granting((_ACAM, "PUT, PATCH, DELETE")),
    "methods-lower": _granting((_ACAM, "put, patch, delete")),
    "methods-star": _granting((_ACAM, "*")),
    "methods-lines": _granting((_ACAM, "GET"), (_ACAM, "PUT")),
    "methods-empty-members": _granting((_ACAM, ",, PUT ,")),
    "methods-broken": _granting((_ACAM, "PUT; DELETE")),
    "headers": _granting((_ACAM, "PUT"), (_ACAH, "x-A, AUTHORIZATION, content-type")),
    "headers-star": _granting((_ACAM, "*"), (_ACAH, "*")),
    "headers-star-authorization": _granting((_ACAM, "*"), (_ACAH, "*, Authorization")),
    "headers-lines": _granting((_ACAM, "PUT"), (_ACAH, "X-A"), (_ACAH, "Content-Type, Authorization")),
    "headers-broken": _granting((_ACAM, "PUT"), (_ACAH, "X A")),
    **{f"preflight-{status}": _granting(*_ALL, preflight=status) for status in (200, 299, 401, 403, 404, 500)},
    "preflight-redirect": _granting((_ACAM, "*"), ("Location", "/origin-credentials"), preflight=302),
    "redirect": _granting(("Location", "/origin-credentials"), status=302),
    "redirect-bare": _always(("Location", "/origin-credentials"), status=302),
    "redirect-307": _granting((_ACAM, "PUT"), (_ACAH, "X-A"), ("Location", "/methods"), status=307),
    "redirect-303": _granting((_ACAM, "PUT"), (_ACAH, "X-A"), ("Location", "/star"), status=303),
    "redirect-away": _granting(("Location", "{other}/origin-credentials"), status=302),
    "redirect-away-star": _granting(("Location", "{other}/star"), status=302),
    "redirect-away-null": _granting(("Location", "{other}/null"), status=302),
    "redirect-home": _granting(("Location", "{page}/checks.html"), status=302),
    "redirect-password": _granting(("Location", "{password}/star"), status=302),
    "redirect-data": _granting(("Location", "data:,x"), status=302),
    "redirect-nowhere": _granting(status=302),
}
"""By the path; `{other}`, `{page}` and `{password}` are filled in with origins."""

WRONG = [
    Asked(f"/{server}", method, headers, credentials)
    for server, (method, headers), credentials in product(
        SERVERS, (("GET", ()), ("PUT", (("X-A", "1"),)), ("POST", (("Authorization", "x"),))), (False, True)
    )
]

LENIENT = {
    Asked(f"/{server}", "POST", (("Authorization", "x"),))
    for server in ("headers-star", "preflight-200", "preflight-299")
}
"""Where Chromium departs from the standard: it warns, and still lets `*` cover Authorization."""
