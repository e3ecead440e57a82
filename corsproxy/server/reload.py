"""Reload: the file is validated whole, then put in force everywhere at once; a bad one changes nothing.

Every attempt is counted and told in the log, with all problems or with what changed.
Knows no signals: `request` may be called from anywhere in the loop, as often as one likes.
"""

from __future__ import annotations

import asyncio
import logging
import os
from dataclasses import replace

from corsproxy.config import ConfigError
from corsproxy.config.configuration import Configuration, load
from corsproxy.errors import UsageError
from corsproxy.proxy import PlanError
from corsproxy.server.certificates import certificate_expiries
from corsproxy.server.changes import describe, keep_fixed
from corsproxy.server.counters import Totals
from corsproxy.server.fleet import Fleet
from corsproxy.server.watch import can_be_read_again, content_digest, look

_GONE = b"gone"
"""The digest of no content."""

log = logging.getLogger(__name__)


class Reloader:
    """Keeps the configuration in force, and exchanges it for what the file says now."""

    def __init__(self, configuration: Configuration, fleet: Fleet, totals: Totals, digest: bytes | None) -> None:
        """`digest` is that of the file the configuration was made from."""
        self.configuration = configuration
        """The one in force."""
        self._fleet = fleet
        self._totals = totals
        self._digest = digest
        self._requested = asyncio.Event()

    def request(self) -> None:
        """Ask for a reload; requests that come before it begins are one."""
        file = self.configuration.source.file
        if file is None:
            log.warning("nothing to reload: the proxy was started without a file")
            return
        if not can_be_read_again(file):
            log.warning("nothing to reload: %s is a pipe or a device, which can be read once only", file)
            return
        self._requested.set()

    def request_if_changed(self) -> None:
        """Ask for a reload unless the file's content is what was read last, good or bad.

        One that cannot be read any more is another: the reload says why.
        """
        file = self.configuration.source.file
        if file is not None and look(file) is not None and content_digest(file) != self._digest:
            self._requested.set()

    def forget(self) -> None:
        """Say that the file is gone; once it is back it is loaded, so that the log tells of that, too."""
        self._digest = _GONE
        log.warning("%s is gone: what was read from it stays in force until it is back", self.configuration.source.file)

    async def run(self) -> None:
        """Reload whenever it is asked for, one after the other; runs until it is cancelled."""
        while True:
            await self._requested.wait()
            self._requested.clear()
            try:
                await self._reload()
            except Exception:
                # A fault of ours: the old configuration stays in force, and the next reload may do better.
                self._failed("an internal error")
                log.exception("reload: internal error")

    async def _reload(self) -> None:
        source = self.configuration.source
        self._digest = content_digest(source.file or "")
        try:
            # In a thread, so that requests go on while a large file is read.
            new = await asyncio.to_thread(load, source, os.environ, tries_certificates=True)
            settings, fixed = keep_fixed(self.configuration.settings, new.settings)
            new = replace(new, settings=settings)
            await self._fleet.apply(new)
        except ConfigError as error:
            for problem in error.problems:
                log.error("%s", problem)
            count = sum(problem.severity == "error" for problem in error.problems)
            self._failed(f"{count} problem{'s' if count > 1 else ''}")
            return
        except (PlanError, UsageError) as error:
            log.error("%s: %s", source.file, error)
            self._failed("1 problem")
            return
        for line in (*map(str, new.warnings), *fixed):
            log.warning("%s", line)
        log.info("configuration reloaded: %s", describe(self.configuration, new))
        self.configuration = new
        self._totals.reloads["success"] += 1
        self._totals.last_reload_successful = True
        self._totals.certificates = certificate_expiries(new.settings)

    def _failed(self, why: str) -> None:
        self._totals.reloads["failure"] += 1
        self._totals.last_reload_successful = False
        log.error("configuration not reloaded (%s): the old one stays in force", why)
