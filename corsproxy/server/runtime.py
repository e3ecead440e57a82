"""The interpreter's set-up in every process: the event loop, and the garbage collector.

Knows nothing of what will run.
"""

from __future__ import annotations

import asyncio
import gc

_YOUNG_OBJECTS = 20_000
"""Container objects made before the collector looks at the young ones; the default is 700 (2,000 from 3.13).

A request leaves no reference cycle, so what it makes is freed by counting and a sweep finds nothing: at the default
one falls on every few requests in flight. 20,000 small objects are some 2 MiB, the most that can wait.
"""


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Make the event loop: uvloop if the platform has it, else asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def settle_memory() -> None:
    """Once started: take what is there out of every later sweep, and sweep more rarely.

    Modules, compiled policies and route tables live as long as the process; looking at them again on each full
    collection is the longest pause the proxy would have.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 50, 50)
