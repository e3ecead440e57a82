"""The bench of tests/proxy, for attacks: a proxy for each module, configured by its `CONFIG` where it has one."""

from tests.proxy.conftest import _module_bench, bench

__all__ = ["_module_bench", "bench"]
