"""The bench: a proxy for each module, configured by its `CONFIG`, no fork if it says `FRESH`; clean for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.proxy.bench import CONFIG, Bench, bench_for


@pytest.fixture(scope="module", name="module_bench")
def _module_bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    fresh = getattr(request.module, "FRESH", False)
    with bench_for(getattr(request.module, "CONFIG", CONFIG), fresh=fresh) as bench:
        yield bench


@pytest.fixture
def bench(module_bench: Bench) -> Iterator[Bench]:
    """Return the module's proxy and its upstream; the test fails if the proxy itself had a fault."""
    module_bench.settle()
    said = len(module_bench.proxy.stderr.lines)
    yield module_bench
    assert module_bench.proxy.popen.poll() is None, module_bench.proxy.stderr.text
    new = "\n".join(module_bench.proxy.stderr.lines[said:])
    assert "Traceback" not in new, new
