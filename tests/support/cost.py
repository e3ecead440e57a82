"""The cost of a call, in counts that are the same on every machine and under any load."""

from __future__ import annotations

import os
import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from tests.support.form import needs_interpreter


def calls(function: Callable[[], object]) -> list[str]:
    """Return the names of all functions, Python's and C's, that are called within `function`."""
    needs_interpreter("calls are counted by its profiler")
    if os.environ.get("CORSPROXY_MUTANTS"):
        pytest.skip("mutmut's own calls around each of ours would be counted")
    names = []

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            names.append(frame.f_code.co_name)
        elif event == "c_call":
            names.append(argument.__name__)

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(before)
    return names


def peak(function: Callable[[], object]) -> int:
    """Return how many bytes `function` has allocated at most at one time."""
    function()
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
