"""Which form of the package is tested: its sources, or the compiled modules, of which `make test-compiled` tells."""

from __future__ import annotations

import os

import pytest

IS_COMPILED = os.environ.get("FORM_UNDER_TEST") == "compiled"


def needs_interpreter(what: str) -> None:
    """Skip a test that looks at the interpreter at work; nothing that the package itself does is a reason."""
    if IS_COMPILED:
        pytest.skip(f"compiled code does not go through the interpreter: {what}")
