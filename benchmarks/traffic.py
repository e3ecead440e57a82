"""The requests to send: those of a browser's `fetch`, and those of a hostile client at the header limit.

In a path or a field value, `{n}` is replaced by a number that grows with every request, `{x}` by the same in 16
hexadecimal digits, and `{m}` by that number modulo `Request.cycle`: nothing that remembers its last answers can answer
them from memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

ORIGIN = "https://app.example.com"

LIMIT = 32 * 1024
"""Bytes of a head: corsproxy's default `limits.max_header_bytes`."""

BROWSER_FIELDS = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 "
    "Safari/537.36",
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate, br",
    "Accept-Language": "en-US,en;q=0.9",
    "Origin": ORIGIN,
    "Referer": f"{ORIGIN}/orders",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Site": "same-site",
    "Sec-Fetch-Dest": "empty",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request to send repeatedly."""

    method: str = "GET"
    path: str = "/orders/7?page=2"
    fields: dict[str, str] = field(default_factory=lambda: BROWSER_FIELDS)
    body: str = ""
    answer: Literal["ok", "refused", "either"] = "ok"
    """True if the expected status is below 400."""
    cycle: int = 1000

    def from_origin(self, origin: str) -> Request:
        """Return the same request from another origin."""
        return Request(self.method, self.path, {**self.fields, "Origin": origin}, self.body, self.answer, self.cycle)


GET = Request()

VARIED = Request(
    path="/orders/{n}?page={m}",
    fields={
        **BROWSER_FIELDS,
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; n{m}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{m}.0.0.0 "
        "Safari/537.36",
        "Cookie": "session={x}{x}; seen={n}",
        "Authorization": "Bearer {x}{x}{x}{x}",
        "traceparent": "00-{x}{x}-{x}-01",
    },
    cycle=200,
)
"""A request with a different path, cookie, token and trace each time, from two hundred User-Agents in turn."""

POST = Request("POST", "/orders", {**BROWSER_FIELDS, "Content-Type": "application/json"}, "x" * 1024)

PREFLIGHT = Request(
    "OPTIONS",
    "/orders/7",
    {**BROWSER_FIELDS, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"},
)

_ROOM = LIMIT - 1200
"""The bytes of a head that the other fields leave free."""


def _preflight(requested_headers: str) -> Request:
    fields = {**PREFLIGHT.fields, "Access-Control-Request-Headers": requested_headers}
    return Request("OPTIONS", "/orders/7", fields, answer="refused")


ADVERSARIAL = {
    "ACRH: 31,000 commas": _preflight("," * _ROOM),
    "ACRH: 15,000 names": _preflight(",".join(["a"] * (_ROOM // 2))),
    "ACRH: one name of 31,000 bytes": _preflight("x" * _ROOM),
    "ACRH: 31,000 bytes of white space": _preflight("a" + " " * (_ROOM - 2) + "b"),
    "Origin: 31,000 bytes": GET.from_origin("https://" + "a" * (_ROOM - 8)),
    "Origin: 15,000 labels": GET.from_origin("https://" + "a." * (_ROOM // 2 - 8) + "com"),
    "path: 15,000 segments": Request(path="/a" * (_ROOM // 2)),
    "path: 31,000 slashes": Request(path="/" * _ROOM, answer="either"),
    "path: 10,000 escapes": Request(path="/" + "%41" * (_ROOM // 3), answer="either"),
    "path: 4,000 escapes, three times escaped": Request(path="/" + "%252541" * (_ROOM // 7), answer="either"),
    "path: 10,000 dot segments": Request(path="/.." * (_ROOM // 3), answer="either"),
}
"""Requests of the maximal size, each with the highest cost."""

NESTED = ", nested routes"
"""The suffix of a name for a path under nested routes."""
