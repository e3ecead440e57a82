"""What both health checks agree on: the quick one of `entry` and the whole one of `server.healthcheck`.

Loads nothing: a container asks every few seconds.
"""

from __future__ import annotations

TIMEOUT = 3.0
"""Seconds until a proxy that does not answer is unhealthy; less than any orchestrator waits by default."""

LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is asked in place of every address
