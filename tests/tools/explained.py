"""A configuration with a route of each kind, and `explain` asked about it: what the tests of explain share."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from corsproxy.config import Options
from corsproxy.tools.explain import ExplainOptions, explain_command

FILE = """\
upstreams:
  orders: http://127.0.0.1:8001
  billing: http://127.0.0.1:8002
policies:
  app:
    allow_origins:
      - https://app.example.com
      - https://*.example.org   # partners
    allow_methods: [GET, PUT]
    allow_headers: [Content-Type]
    expose_headers: ["*"]
    allow_credentials: true
    preflight_status: 200
  open: {allow_origins: ["*"], allow_headers: ["*"], expose_headers: [ETag], timing: true, max_age: 0}
  strict: {allow_origins: [https://app.example.com], on_refused: reject}
  trial: {allow_origins: [https://app.example.com], mode: shadow}
routes:
  - {path: /orders, upstream: orders, policy: app}
  - {path: "/orders/{id}/invoice", upstream: billing, policy: strict}
  - {path: /open, upstream: orders, policy: open}
  - {path: /status, exact: true, host: api.example.com, upstream: orders, policy: open}
  - {path: /exact, exact: true, upstream: orders, policy: open}
  - {path: /bare, upstream: orders}
  - {path: /trial, upstream: orders, policy: trial}
"""
PAGE = "https://app.example.com"


@pytest.fixture(name="file")
def file_fixture(tmp_path: Path) -> Path:
    """A configuration on disk."""
    path = tmp_path / "corsproxy.yaml"
    path.write_text(FILE)
    return path


def explained(
    file: Path,
    path: str,
    *headers: str,
    origin: str | None = PAGE,
    method: str = "GET",
    credentials: bool = False,
    host: str | None = None,
) -> tuple[int, dict[str, Any]]:
    """Exit status and the JSON object."""
    out = io.StringIO()
    configuration = Options(config=str(file))
    options = ExplainOptions(path, configuration, origin, method, headers, credentials, host, format="json")
    status = explain_command(options, environ={}, out=out)
    return status, json.loads(out.getvalue())


def text_of(file: Path, path: str, **question: Any) -> str:
    """The text for people."""
    out = io.StringIO()
    options = ExplainOptions(path, Options(config=str(file)), **{"origin": PAGE, **question})
    explain_command(options, environ={}, out=out)
    return out.getvalue()
