"""Where names belong to different owners, and which part of a host one owner registered."""

from __future__ import annotations

import pytest

from corsproxy.cors import is_public_suffix, registrable_domain


@pytest.mark.parametrize(
    ("host", "shared", "registered"),
    [
        ("com", True, None),
        ("example.com", False, "example.com"),
        ("a.b.example.com", False, "example.com"),
        ("co.uk", True, None),
        ("example.co.uk", False, "example.co.uk"),
        pytest.param("github.io", True, None, id="private section"),
        pytest.param("someone.github.io", False, "someone.github.io", id="under the private section"),
        pytest.param("kawasaki.jp", True, None, id="every name under it is a suffix"),
        pytest.param("internal", True, None, id="a last label that is not on the list"),
        pytest.param("api.internal", False, "api.internal", id="under one that is not on the list"),
    ],
)
def test_who_owns_a_name(host: str, shared: bool, registered: str | None) -> None:
    """The Public Suffix List's own algorithm, its private section included."""
    assert (is_public_suffix(host), registrable_domain(host)) == (shared, registered)
