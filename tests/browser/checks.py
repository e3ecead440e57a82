"""What a page may do through the proxy, as a table: the script, who runs it, and what must come of it.

Scripts are JavaScript expressions over the functions of `page/checks.js`; `at(...)` gives a URL below the policy's
route that no other row uses, so that the access log and the upstream tell of each row alone.
`POLICIES` is what the proxy is configured to do, and each expectation follows from it.
The rows are in `rows_of_requests.py` and `rows_of_responses.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

POLICIES = r"""
policies:
  app:
    allow_origins: [{home}, {neighbour}]
    allow_methods: [GET, PUT, PATCH]
    allow_headers: [Content-Type, X-Token, Authorization]
    expose_headers: [ETag, X-Total-Count]
    allow_credentials: true
    max_age: 10m
  open:
    allow_origins: ["*"]
    allow_methods: ["*"]
    allow_headers: ["*"]
    expose_headers: ["*"]
    timing: true
  open-named:
    allow_origins: ["*"]
    allow_headers: ["*", Authorization]
  exposing:
    allow_origins: [{home}]
    allow_methods: ["*"]
    allow_headers: ["*", Authorization]
    expose_headers: ["*"]
    allow_credentials: true
  forgetful:
    allow_origins: [{home}]
    allow_methods: [PUT]
    max_age: 0
  strict:
    allow_origins: [{home}]
    on_refused: reject
    websockets: "off"
  timed:
    allow_origins: ["http://*.other.test", {home}]
    timing: true
  timed-list:
    allow_origins: [{neighbour}]
    timing: ["https://other.test", {home}]
  old:
    allow_origins: [{home}]
    allow_methods: [PUT]
    preflight_status: 200
    websockets: any
  family:
    allow_origins: ["http://*.example.test:*", regex: 'http://pr-[0-9]+\.preview\.test:[0-9]+']
"""

NO_POLICY = "none"
"""A route without a policy."""
DEAD = "dead"
"""A route with the policy `app` to an upstream that refuses connections."""

PAGES = {
    "home": "localhost",
    "stranger": "127.0.0.1",
    "subdomain": "a.example.test",
    "deep subdomain": "a.b.example.test",
    "apex": "example.test",
    "look-alike": "badexample.test",
    "preview": "pr-12.preview.test",
    "preview look-alike": "pr-12x.preview.test",
}
"""Who runs a script, by the host that the page comes from."""


@dataclass(frozen=True, slots=True)
class Check:
    """One row."""

    id: str
    script: str
    expects: object
    """The script's value; `{base}` stands for the row's own URL."""
    log: tuple[str, ...]
    """What the proxy decided, request by request: the access log's `cors`, and its `reason` after a colon."""
    upstream: tuple[str, ...]
    """The methods that reached the upstream."""
    policy: str = "app"
    page: str = "home"


GRANTED = ("granted",)
PREFLIGHTED = ("preflight_granted", "granted")
STRANGER = ("refused: origin_not_allowed",)
NO_PREFLIGHT_FOR_STRANGER = ("preflight_refused: origin_not_allowed",)
METHOD = ("preflight_refused: method_not_allowed",)
HEADERS = ("preflight_refused: headers_not_allowed",)
GET = ("GET",)
NOTHING = ()


def read(text: object, status: int = 200, **more: object) -> dict[str, object]:
    """Return what attempt() has for an answer that a script may read; `more` are header names, `_` for `-`."""
    return {"type": "cors", "status": status, "text": text, **{k.replace("_", "-"): v for k, v in more.items()}}
