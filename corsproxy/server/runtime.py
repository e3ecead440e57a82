"""The interpreter's set-up in every process: the event loop, and the garbage collector.

Does not know what will run.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

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
        import asyncio

        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def keep_what_is_loaded() -> None:
    """Take the modules that are loaded out of every later sweep, and begin to sweep: `entry.py` has put it off.

    Importing leaves 2,000 objects in cycles, which is not worth the sweep of 45,000: a twentieth of a start.
    """
    gc.freeze()
    gc.enable()


@contextlib.contextmanager
def without_sweeps() -> Iterator[None]:
    """Load modules, and keep them out of every later sweep; what was made before is swept first."""
    gc.collect()
    gc.disable()
    yield
    keep_what_is_loaded()


def settle_memory() -> None:
    """Once started: take what is there out of every later sweep, and sweep more rarely.

    Modules, compiled policies and route tables live as long as the process; looking at them again on each full
    collection is the longest pause the proxy would have.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 50, 50)
