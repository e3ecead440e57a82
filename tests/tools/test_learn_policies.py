"""`learn` beside several policies on a route, policies that extend others, files of origins and own pages."""

from __future__ import annotations

from pathlib import Path

from corsproxy.config import load_text
from tests.tools.logs import entry, learnt

APP, NEW, PARTNER, OWN = (
    "https://app.example.com",
    "https://new.example.org",
    "https://partner.example.net",
    "https://api.example.com",
)
CONFIG = f"""\
public_origins: {OWN}
upstreams: {{api: http://127.0.0.1:8000}}
policies:
  base: {{allow_headers: [X-A], diagnostics: true}}
  app: {{extends: base, allow_origins: {APP}, max_age: 5m}}
  files:
    allow_origins:
      - file: origins.txt
      - {NEW}
  public: {{allow_origins: "*"}}
routes:
  - {{path: /app, upstream: api, policy: app}}
  - {{path: /both, upstream: api, policy: [files, public]}}
  - {{path: /by, methods: [GET, HEAD], upstream: api, policy: files}}
log: {{format: json}}
"""


def test_a_route_with_several_policies_is_unchanged(tmp_path: Path) -> None:
    """A file of origins stays a file, what a policy took from its base is written out, own pages ask for nothing."""
    (tmp_path / "origins.txt").write_text(f"{PARTNER}\n")
    lines = [
        entry("/app", NEW, "PUT"),
        entry("/app", OWN, "POST", cors="none"),
        entry("/both", APP),
    ]
    text, _ = learnt(lines, tmp_path, CONFIG)
    proposed = load_text(text, str(tmp_path / "corsproxy.yaml"), {})
    assert [origin.text for origin in proposed.specs["app"].allow_origins] == [NEW]
    assert (proposed.specs["app"].diagnostics, proposed.specs["app"].max_age) == (True, 300)
    assert "- file: origins.txt" in text
    assert [origin.text for origin in proposed.specs["files"].allow_origins] == [PARTNER, NEW]
    assert [policy.name for policy in proposed.settings.routes[1].policies] == ["files", "public"]
    assert proposed.settings.routes[2].methods == ("GET", "HEAD")
