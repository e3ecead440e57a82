"""A plan put in force while requests are in flight: what they began with still holds for them, and no longer."""

from __future__ import annotations

import asyncio
import gc

from corsproxy.config import load_text
from corsproxy.proxy import Proxy, compile_plan
from corsproxy.proxy.cors_gate import CorsGate
from corsproxy.proxy.proxy import SWEEP_INTERVAL
from tests.proxy.inside import CONFIG, stage

GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"


def swap(proxy: Proxy, config: str) -> None:
    """Put a configuration in force."""
    proxy.swap(compile_plan(load_text(config, "corsproxy.yaml", {}).settings, proxy.plan))


async def swept() -> None:
    """Let the sweeper run at least once."""
    await asyncio.sleep(2 * SWEEP_INTERVAL)


async def test_a_request_that_is_sent_late_has_its_deadline() -> None:
    """Its plan has long been replaced, and its upstream with it, when its content is complete."""
    async with stage(CONFIG.replace('PORT"', 'PORT", response_timeout: 500ms')) as it:
        it.writer.write(b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n")
        await it.begun()
        swap(it.proxy, CONFIG.replace("PORT", "1"))
        await swept()
        assert it.proxy.in_flight == 1
        it.writer.write(b"ab")
        await it.asked()  # and no answer
        assert (await it.head()).startswith(b"HTTP/1.1 504 ")
        assert it.proxy.in_flight == 0


async def test_no_replaced_plan_is_kept_without_a_request() -> None:
    """Although all share the upstream's pool, in which a connection stays open; each may name a million origins."""
    async with stage() as it:
        it.writer.write(GET)
        first = await it.asked()
        config = CONFIG.replace("PORT", str(first.writer.get_extra_info("sockname")[1]))
        for _ in range(3):
            swap(it.proxy, config)
        await swept()
        assert len(it.proxy._retired) == 1
        first.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await it.head()
        await swept()
        assert it.proxy.upstream_connections == [
            ("up", "idle", 1),
            ("up", "busy", 0),
            ("up", "bound", 0),
            ("up", "tunnel", 0),
        ]
        assert it.proxy._retired == []
        await it.stays_open()


def gates() -> int:
    """Return how many objects that decide for routes are in memory."""
    return sum(isinstance(kept, CorsGate) for kept in gc.get_objects())


async def test_a_replaced_plan_is_freed_at_once() -> None:
    """Nothing in it refers back to it: full sweeps are rare, and what exists at the start is excluded from them."""
    async with stage() as it:
        gc.collect()
        gc.disable()
        try:
            before = gates()
            for _ in range(3):
                swap(it.proxy, CONFIG.replace("PORT", "1"))
            await swept()
            assert gates() == before
        finally:
            gc.enable()
