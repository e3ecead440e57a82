"""Learn from large and small logs: ten thousand origins, a byte-order mark, single requests."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from corsproxy.tools.learn.suspects import suspicious
from tests.tools.logs import entry, learnt


def test_a_byte_order_mark_costs_no_line(tmp_path: Path) -> None:
    """As some programs put it before what they save."""
    text, told = learnt(["\ufeff" + json.dumps(entry("/bare", "https://a.example")) + "\n"], tmp_path)
    assert "1 request read" in told
    assert "skipped" not in told
    assert "https://a.example" in text


def test_items_with_only_one_request_are_listed(tmp_path: Path) -> None:
    """Each origin, method and header name that was asked once."""
    lines = [
        entry("/bare", "https://a.example"),
        entry("/bare", "https://a.example"),
        entry("/bare", "https://another.org", requested_method="PUT", requested_headers="x-a"),
    ]
    text, _ = learnt(lines, tmp_path)
    assert "    # on one request only, so look at them first: https://another.org, PUT, X-A\n" in text
    text, _ = learnt([*lines, lines[-1]], tmp_path)
    assert "on one request only" not in text


def _calls(count: int) -> int:
    """How many functions of the module are called for so many origins: a measure that no other load disturbs."""
    counts = {f"https://h{number}.site{number}x.org": 1 + number % 7 for number in range(count)}
    calls = 0

    def counted(*_: object) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(counted)
    try:
        suspicious(counts, ["https://app.example.com"])
    finally:
        sys.setprofile(None)
    return calls


def test_the_work_grows_with_the_origins_and_no_faster() -> None:
    """Each is compared with those that it could resemble, not with all."""
    few, many = _calls(100), _calls(800)
    assert many < few * 8 * 1.5


@pytest.mark.parametrize(
    ("origin", "why"),
    [
        ("https://example.com.evil.net", "its name holds example.com"),
        ("https://evilexample.com", "its name holds example.com"),
        ("https://example-com.evil.net", "its name holds example.com"),
        ("https://app.examp1e.com", "its name looks like example.com"),
        ("https://app.exmaple.com", "its name looks like example.com"),
        ("https://app.exampl.com", "its name looks like example.com"),
        ("https://app.examplee.com", "its name looks like example.com"),
        ("https://app.exarnple.com", "its name looks like example.com"),
        ("http://app.example.com", "plain http of https://app.example.com"),
    ],
)
def test_imitations_are_found_among_thousands(origin: str, why: str) -> None:
    """As they were among a few."""
    counts = {f"https://h{number}.site{number}x.org": 1 for number in range(2000)}
    start = time.monotonic()
    found = suspicious({**counts, origin: 1}, ["https://app.example.com"])
    assert found[origin].startswith(why)
    assert time.monotonic() - start < 20
