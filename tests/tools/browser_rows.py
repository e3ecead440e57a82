"""Shared parts of the tests of the browser's model: a page, a server's grant, and rows whose ids are sentences."""

from __future__ import annotations

from typing import Any

import pytest

from corsproxy.tools.browser import Answer, PageRequest, Play, play

PAGE = "https://app.example.com"
URL = "https://api.example.net/x"
Fields = tuple[tuple[str, str], ...]


def row(name: str, *values: object) -> Any:
    """One row of a table, its sentence first."""
    return pytest.param(*values, id=name)


def allow(*origins: str, credentials: str | None = None) -> Fields:
    """Fields of a grant."""
    fields = tuple(("Access-Control-Allow-Origin", origin) for origin in origins)
    return fields if credentials is None else (*fields, ("Access-Control-Allow-Credentials", credentials))


def asked(request: PageRequest, *answers: Answer | None) -> Play:
    """Play a request against answers given in turn."""
    left = iter(answers)
    return play(request, lambda _: next(left))
