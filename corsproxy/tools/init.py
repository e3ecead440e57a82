"""`corsproxy init`: a commented starter file.

Writes where nothing is, and only there; `-` is standard output.
"""

from __future__ import annotations

import os
import shlex
from typing import Final

from corsproxy.config import Options, file_text
from corsproxy.errors import UsageError

SCHEMA_FILE: Final = "corsproxy.schema.json"
"""What the editor hint in the starter file points at."""

_ASIDE = ("config", "config_text")
"""What the environment may name beside: another file is no matter of this one."""

_HEADER: Final = f"""\
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


def init(path: str, options: Options) -> str:
    """Write the file and give a line that says what to do next: a starter, or what the options of quick mode say.

    Where the file is `-`, give its text.

    Raises `FileExistsError` where something is there already (never overwritten), `OSError` where it cannot be written,
    `UsageError` or `ConfigError` where the options are no quick mode.
    """
    if options.config is not None and not options.is_from_environment("config"):
        raise UsageError(f"{options.name('config')} names a file that is there: name the one to write as FILE")
    is_quick = options.upstream is not None or bool(options.routes)
    if not is_quick and (given := [flag for name, flag in options.names.items() if name not in _ASIDE]):
        raise UsageError(f"{given[0]} goes with --upstream or --route: without one a starter file is written")
    if options.https:
        name = options.name("https")
        said = "a file names a certificate of its own, tls: {certificate: FILE, private_key: FILE}"
        raise UsageError(f"{name} has no key in a file: {said}; leave {name} out, and write that")
    text = f"{_HEADER}{file_text(options)}" if is_quick else STARTER
    if path == "-":
        return text.removesuffix("\n")
    with open(path, "x", encoding="utf-8") as created:  # "x" is O_EXCL: no race, and no following of dangling links
        try:
            created.write(text)
            created.flush()
        except OSError:
            os.unlink(path)  # the disk is full: half a file would only be in the way of the next attempt
            raise
    check = f"corsproxy check {shlex.quote(path)}"
    if is_quick:
        serve = f"corsproxy serve -c {shlex.quote(path)}"
        return f"wrote {path}, which does what the options say; check it: {check}; run it: {serve}"
    return f"wrote {path}: name your upstream and your origins in it, then run: {check}"
