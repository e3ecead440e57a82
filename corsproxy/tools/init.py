"""`corsproxy init`: a commented starter file.

Writes where nothing is, and only there.
"""

from __future__ import annotations

import os
import shlex
from typing import Final

SCHEMA_FILE: Final = "corsproxy.schema.json"
"""What the editor hint in the starter file points at."""

STARTER: Final = f"""\
# yaml-language-server: $schema={SCHEMA_FILE}
# The line above gives completion and checks in editors; make the file it names with:
#   corsproxy schema > {SCHEMA_FILE}
#
# Check this file:      corsproxy check corsproxy.yaml
# Try one request:      corsproxy explain /api/orders -c corsproxy.yaml --origin https://app.example.com --method PUT
# Run:                  corsproxy serve -c corsproxy.yaml
#
# Any value may come from the environment: ${{NAME}}, or ${{NAME:-default}}; $$ is a dollar sign.

listen: ${{LISTEN:-127.0.0.1:8080}}   # 0.0.0.0:8080 in a container
admin: 127.0.0.1:8081                # health, metrics; the inspector's page too:
inspector: true

upstreams:
  # The servers behind the proxy. The URL is all that is needed.
  api: ${{API_URL:-http://127.0.0.1:8000}}

policies:
  # Who may read the responses, and what they may ask for.
  app:
    allow_origins:
      - https://app.example.com
      # - https://*.example.com      # every subdomain, never example.com itself
      - http://localhost:*           # development servers, any port
    allow_methods: [GET, POST, PUT, PATCH, DELETE]
    allow_headers: [Content-Type, Authorization]
    expose_headers: [ETag]
    allow_credentials: true          # cookies; then origins must be named
    max_age: 10m                     # how long a browser remembers a preflight

routes:
  # The most specific route wins, whatever the order.
  - path: /                          # everything
    upstream: api
    policy: app
"""


def init(path: str) -> str:
    """Write the starter file and give a line that says what to do next.

    Raises `FileExistsError` where something is there already (never overwritten), `OSError` where it cannot be written.
    """
    with open(path, "x", encoding="utf-8") as created:  # "x" is O_EXCL: no race, and no following of dangling links
        try:
            created.write(STARTER)
            created.flush()
        except OSError:
            os.unlink(path)  # the disk is full: half a file would only be in the way of the next attempt
            raise
    return f"wrote {path}: name your upstream and your origins in it, then run: corsproxy check {shlex.quote(path)}"
