"""What several sections of the declaration use."""

from __future__ import annotations

from corsproxy.config.shape import JsonSchema

LEAST = 0.001
"""The least duration of what must not be 0: a millisecond."""

TEXT: JsonSchema = {"type": "string", "minLength": 1}
