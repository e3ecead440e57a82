"""Lines of the JSON access log, as the proxy writes them, for the tests of learn."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from corsproxy.config import Loaded, Options, load_text
from corsproxy.tools.learn import LearnOptions, learn_command

CONFIG = """\
# Our proxy.
listen: 127.0.0.1:8080   # here
upstreams: {api: http://127.0.0.1:8000}
policies:
  app:
    # The old list.
    allow_origins: [https://app.example.com, "https://*.example.net", https://unused.example.org]
    allow_methods: ["*"]
    allow_headers: [X-Odd-SPELLING, "*", Authorization]
    expose_headers: [ETag]
    allow_credentials: true
    max_age: 1h
    on_refused: reject
  other: {allow_origins: ["*"], max_age: 0}
routes:
  - path: /orders        # the orders
    upstream: api
    policy: app
  - {path: /open, upstream: api, policy: other}
  - path: /bare
    upstream: api
  - {path: /quiet, upstream: api, policy: other}
log: {format: json}      # for learn
"""


def entry(route: str | None, origin: str | None, method: str = "GET", **more: Any) -> dict[str, Any]:
    """One line; with `requested_method` or `requested_headers` it is a preflight."""
    is_preflight = "requested_method" in more
    cors = "none" if origin is None else "preflight_refused" if is_preflight else "refused"
    return {
        "time": "2026-11-20T10:00:00.000Z",
        "client": "192.0.2.1",
        "method": "OPTIONS" if is_preflight else method,
        "path": f"{route or ''}/x",
        "status": 200,
        "route": route,
        "origin": origin,
        "cors": cors,
        "reason": None,
        "requested_method": None,
        "requested_headers": None,
        **more,
    }


def learnt(lines: Iterable[dict[str, Any] | str], tmp_path: Path, config: str = CONFIG) -> tuple[str, str]:
    """Return what `learn` writes for these lines, and stderr."""
    file = tmp_path / "corsproxy.yaml"
    file.write_bytes(config.encode())
    text = "".join(line if isinstance(line, str) else json.dumps(line) + "\n" for line in lines)
    out, err = io.StringIO(), io.StringIO()
    status = learn_command(
        LearnOptions(None, Options(config=str(file))), environ={}, stdin=io.StringIO(text), out=out, err=err
    )
    assert status == 0
    return out.getvalue(), err.getvalue()


def loaded(text: str) -> Loaded:
    """The proposal, which passes the check."""
    return load_text(text, "proposed.yaml", {})


def origins(text: str, policy: str) -> list[str]:
    """Items of `allow_origins` in a proposal."""
    return [origin.text for origin in loaded(text).specs[policy].allow_origins]
