"""A plugin of pytest for `make mutants`, where mutmut runs the tests many times in one process."""

from __future__ import annotations

import functools
import sys

import pytest

# Mutmut puts two calls around each of ours, and a deep expression of the tests would no longer end in time.
sys.setrecursionlimit(4 * sys.getrecursionlimit())


@pytest.hookimpl(tryfirst=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Forget the ids of an earlier collection: pytest would escape them a second time."""
    for mark in metafunc.definition.iter_markers("parametrize"):
        if mark._param_ids_from is not None:
            object.__setattr__(mark._param_ids_from, "_param_ids_generated", None)


@pytest.fixture(autouse=True)
def _forgetful() -> None:
    """Clear the caches of all modules, so that every test that reaches a broken source runs it."""
    for name, module in list(sys.modules.items()):
        if name.startswith("corsproxy."):
            for value in vars(module).values():
                if isinstance(value, functools._lru_cache_wrapper):
                    value.cache_clear()
