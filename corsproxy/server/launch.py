"""From a loaded configuration and open listeners to the exit status.

Puts the parts of the process together; `process.py` runs them.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Sequence

from corsproxy.config import Configuration
from corsproxy.errors import UsageError
from corsproxy.proxy import PlanError
from corsproxy.server.data_path import DataPath, Outputs
from corsproxy.server.inspector import Recorder, shows_fields
from corsproxy.server.listen.sockets import Listener
from corsproxy.server.observe.counters import Totals
from corsproxy.server.observe.diagnostics import configure_diagnostics
from corsproxy.server.process import ServerProcess
from corsproxy.server.reload.watch import Reading
from corsproxy.server.runtime import new_event_loop
from corsproxy.server.workers.fleet import Fleet, SingleProcess


def launch(
    configuration: Configuration,
    reading: Reading,
    listeners: Sequence[Listener],
    admin_listeners: Sequence[Listener],
    hangups: Sequence[int],
    *,
    ignores_hangup: bool,
) -> int:
    """Run the process until it is stopped; return the exit status.

    Raises `UsageError` if a file that the configuration names cannot be used.
    """
    settings = configuration.settings
    with contextlib.ExitStack() as stack:
        lock = None
        if settings.workers > 1:
            lock = os.memfd_create("corsproxy output lock")
            stack.callback(os.close, lock)
        outputs = Outputs.open(lock)
        stack.callback(outputs.close)
        configure_diagnostics(settings.log, outputs.stderr)
        totals = Totals()
        fleet = _fleet(configuration, listeners, outputs, totals, lock, counts=bool(admin_listeners))
        process = ServerProcess(
            configuration, reading, fleet, totals, outputs, listeners, admin_listeners, ignores_hangup
        )
        runner = stack.enter_context(asyncio.Runner(loop_factory=new_event_loop))
        try:
            return runner.run(process.run(hangups))
        except PlanError as error:
            raise UsageError(f"{configuration.source.file or 'the options'}: {error}") from None


def _fleet(
    configuration: Configuration,
    listeners: Sequence[Listener],
    outputs: Outputs,
    totals: Totals,
    lock: int | None,
    *,
    counts: bool,
) -> Fleet:
    settings = configuration.settings
    if lock is not None:
        # Imported here, because a single process, as most are, does not need it.
        from corsproxy.server.workers.supervisor import Workers

        return Workers(settings.workers, listeners, lock, totals, counts=counts, inspects=settings.inspector)
    recorder = Recorder(shows_fields=shows_fields(settings)) if settings.inspector else None
    return SingleProcess(DataPath(listeners, outputs, totals.counters if counts else None, recorder=recorder), recorder)
