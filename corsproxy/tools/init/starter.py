"""The text of the starter file."""

from __future__ import annotations

from typing import Final

SCHEMA_FILE: Final = "corsproxy.schema.json"
"""The file that the starter file's hint for editors names."""

HEADER: Final = f"""\
# yaml-language-server: $schema={SCHEMA_FILE}
# Written by 'corsproxy init'; the line above gives completion in editors: corsproxy schema > {SCHEMA_FILE}
# Any value may come from the environment: ${{NAME}}, or ${{NAME:-default}}; $$ is a dollar sign.

"""

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
admin: 127.0.0.1:8081                # health, metrics; and, if asked for, a page that shows requests live:
inspector: false

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
