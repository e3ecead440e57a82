"""Prints the JSON Schema (2020-12), made from the declaration that validates the file."""

from __future__ import annotations

import json
from typing import TextIO

from corsproxy.config import json_schema


def schema_command(*, out: TextIO) -> int:
    """Write the schema to `out`, and return the exit status 0."""
    print(json.dumps(json_schema(), indent=2), file=out)
    return 0
