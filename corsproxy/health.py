"""Constants of both health checks: the quick one in `entry` and the complete one in `server.healthcheck`.

Imports nothing, because a container runs the quick one every few seconds.
"""

from __future__ import annotations

TIMEOUT = 3.0
"""Seconds until a proxy that does not answer is unhealthy; less than any orchestrator waits by default."""

LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - connected to, not listened on
