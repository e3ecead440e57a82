"""Definitions shared by several sections of the declaration."""

from __future__ import annotations

from corsproxy.config.shape import JsonSchema

LEAST = 0.001
"""The shortest duration of a key that must not be 0: a millisecond."""

TEXT: JsonSchema = {"type": "string", "minLength": 1}
