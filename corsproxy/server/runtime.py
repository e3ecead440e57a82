"""The interpreter's settings in every process: the event loop and the garbage collector.

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
"""Container objects created before the collector sweeps the young ones; the default is 700 (2,000 from Python 3.13).

A request leaves no reference cycle, so its objects are freed by reference counting and a sweep finds nothing; with the
default, there would be one every few requests. 20,000 small objects are some 2 MiB, the most that can wait.
"""


def new_event_loop() -> asyncio.AbstractEventLoop:
    """Return a new event loop: uvloop's if it is installed, otherwise asyncio's own."""
    try:
        import uvloop
    except ImportError:
        import asyncio

        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def keep_what_is_loaded() -> None:
    """Exclude the loaded modules from every later sweep, and enable the collector, which `entry.py` has disabled.

    Imports leave 2,000 objects in cycles, which are not worth a sweep of 45,000 objects: a twentieth of a start.
    """
    gc.freeze()
    gc.enable()


@contextlib.contextmanager
def without_sweeps() -> Iterator[None]:
    """Exclude what is loaded in this context from every later sweep; sweep what was created before."""
    gc.collect()
    gc.disable()
    yield
    keep_what_is_loaded()


def settle_memory() -> None:
    """Exclude what exists after the start from every later sweep, and sweep more rarely.

    Modules, compiled policies and route tables live as long as the process. Traversing them at each full collection
    would be the longest pause of the proxy.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 50, 50)
