"""Which form of the package is tested: its sources, or the compiled modules (`make test-compiled`)."""

from __future__ import annotations

import os

import pytest

IS_COMPILED = os.environ.get("FORM_UNDER_TEST") == "compiled"


def needs_interpreter(what: str) -> None:
    """Skip a test of how the interpreter runs the package; what the package does is the same in both forms."""
    if IS_COMPILED:
        pytest.skip(f"compiled code does not go through the interpreter: {what}")
