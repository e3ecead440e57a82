"""A small server that keeps one policy without a fault, and ways to give it one; for the tests of verify.

The policy is `FILE`: two origins, credentials, PUT, two headers, ETag exposed, ten minutes.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from corsproxy.config import Options
from corsproxy.tools.verify import asking
from corsproxy.tools.verify.command import VerifyOptions, verify_command
from tests.support.upstream import Connection, Request, Upstream

PAGE, OTHER = "https://app.example.com", "https://www.example.org"
FILE = f"""\
upstreams: {{a: "http://127.0.0.1:1"}}
policies:
  p:
    allow_origins: [{PAGE}, {OTHER}]
    allow_methods: [GET, PUT]
    allow_headers: [Content-Type, Authorization]
    expose_headers: [ETag]
    allow_credentials: true
    max_age: 10m
routes:
  - {{path: /books, upstream: a, policy: p}}
"""
Fields = list[tuple[str, str]]
ACAO, ACAC = "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"
ACAM, ACAH = "Access-Control-Allow-Methods", "Access-Control-Allow-Headers"
ACEH, ACMA = "Access-Control-Expose-Headers", "Access-Control-Max-Age"


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    """`PREFLIGHT`, or the method."""
    path: str
    origin: str
    fields: Mapping[str, str]
    """By lower-case name."""


Answer = tuple[int, Fields]
Change = Callable[[Asked, int, Fields], Answer]


@dataclass(frozen=True)
class Site:
    """The server: each knob turned is one fault."""

    allows: Callable[[str], bool] = lambda origin: origin in {PAGE, OTHER}
    methods: str = "PUT"
    headers: str = "Content-Type, Authorization"
    exposed: str = "ETag"
    credentials: bool = True
    max_age: str = "600"
    change: Change = lambda _asked, status, fields: (status, fields)
    """Has the last word."""

    def answer(self, asked: Asked) -> Answer:
        """Answer one request."""
        fields: Fields = [("Vary", "Origin")]
        granted = bool(asked.origin) and self.allows(asked.origin)
        if granted:
            fields.append((ACAO, asked.origin))
            fields += [(ACAC, "true")] if self.credentials else []
        if asked.method == "PREFLIGHT":
            wanted = asked.fields.get("access-control-request-method", "")
            names = asked.fields.get("access-control-request-headers", "")
            allowed = {*self.methods.split(", "), "GET", "HEAD", "POST", "*", wanted if "*" in self.methods else ""}
            known = {name.lower() for name in self.headers.split(", ")}
            fits = wanted in allowed and ("*" in known or all(name in known for name in names.split(",") if name))
            if not granted or not fits:
                return self.change(asked, 403, [("Vary", "Origin")])
            fields += [(ACAM, self.methods), (ACAH, self.headers), (ACMA, self.max_age)]
            return self.change(asked, 204, fields)
        if granted and self.exposed:
            fields.append((ACEH, self.exposed))
        fields.append(("ETag", '"1"'))
        if "not-found" in asked.path:
            return self.change(asked, 404, fields)
        return self.change(asked, 304 if asked.fields.get("if-none-match") == '"1"' else 200, fields)


def served(site: Site, *, cache: Cache | None = None) -> Upstream:
    """Make a server of it, with a cache in front if there is one; use it as a context manager."""

    def script(connection: Connection) -> None:
        asked = _asked(connection.read_request())
        status, fields = cache.answer(asked, site) if cache else site.answer(asked)
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
        length = "" if status in {204, 304} else "Content-Length: 0\r\n"
        connection.send(f"HTTP/1.1 {status} Whatever\r\n{lines}{length}\r\n".encode())

    return Upstream(script)


@dataclass
class Cache:
    """A cache that ignores Vary: the second client gets the first one's response."""

    key: Callable[[Asked], object] = lambda asked: asked.path
    mark: str = "X-Cache: HIT"
    kept: dict[object, Answer] = field(default_factory=dict)

    def answer(self, asked: Asked, site: Site) -> Answer:
        """Answer from what is kept; only GET is kept, and nothing conditional."""
        if asked.method != "GET" or "if-none-match" in asked.fields:
            return site.answer(asked)
        key = self.key(asked)
        if key in self.kept:
            status, fields = self.kept[key]
            name, _, value = self.mark.partition(": ")
            return status, [*fields, (name, value)] if self.mark else fields
        self.kept[key] = site.answer(asked)
        return self.kept[key]


def _asked(request: Request) -> Asked:
    method, path, _ = request.line.decode().split(" ")
    fields = {name.decode().lower(): value.decode("latin-1") for name, value in request.fields}
    if method == "OPTIONS" and "access-control-request-method" in fields:
        method = "PREFLIGHT"
    return Asked(method, path, fields.get("origin", ""), fields)


def verified(
    url: str,
    folder: Path,
    *,
    file: str = FILE,
    format: Literal["text", "json", "junit"] = "json",  # noqa: A002
    **options: Any,
) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of one verify, at any rate."""
    config = folder / "corsproxy.yaml"
    config.write_text(file, encoding="utf-8")
    out, err = io.StringIO(), io.StringIO()
    rate, asking.RATE = asking.RATE, 100_000
    try:
        asked = VerifyOptions(url, Options(config=str(config)), format=format, **options)
        return verify_command(asked, environ={}, out=out, err=err), out.getvalue(), err.getvalue()
    finally:
        asking.RATE = rate


def codes(url: str, folder: Path, **options: Any) -> list[str]:
    """The codes of what verify finds, in its order; each as often as it is named."""
    status, out, _ = verified(url, folder, **options)
    found = [one["code"] for one in json.loads(out)["differences"]]
    assert status == bool(found)
    return found
