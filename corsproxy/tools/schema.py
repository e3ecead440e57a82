"""`corsproxy schema`: the JSON Schema of the configuration file, for editors."""

from __future__ import annotations

from typing import Any

from corsproxy.config import json_schema


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12), made from the declaration that validates the file."""
    return json_schema()
