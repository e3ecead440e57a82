"""A test without a program that it needs: skipped on a person's machine, failed in CI."""

from __future__ import annotations

import os

import pytest


def installed(program: str | None, missing: str) -> str:
    """Return the program; if there is none, skip the test with the message, or fail it in CI (`CI=true`)."""
    if program is not None:
        return program
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)
