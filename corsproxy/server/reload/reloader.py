"""Reload: the file is validated as a whole and then put in force everywhere; an invalid one changes nothing.

Every attempt is counted and logged, with all problems or with the changes.
Knows nothing about signals: `request` may be called from anywhere in the loop, any number of times.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from dataclasses import replace

from corsproxy.config import ConfigError, Configuration, load
from corsproxy.errors import UsageError
from corsproxy.proxy import PlanError
from corsproxy.server.listen.certificates import certificate_expiries
from corsproxy.server.notify import READY, notify, notify_reloading
from corsproxy.server.observe.counters import Totals
from corsproxy.server.reload.changes import describe_change, keep_fixed
from corsproxy.server.reload.watch import can_be_read_again, content_digest, look
from corsproxy.server.workers.fleet import Fleet

_GONE = b"gone"
"""Stands for a missing file; no content has this digest."""

log = logging.getLogger(__name__)


class Reloader:
    """Holds the configuration in force, and replaces it with the current file on request."""

    def __init__(
        self, configuration: Configuration, fleet: Fleet, totals: Totals, digests: Mapping[str, bytes | None]
    ) -> None:
        """`digests` are those of the files from which the configuration was loaded."""
        self.configuration = configuration
        """The configuration in force."""
        self._fleet = fleet
        self._totals = totals
        self._digests = dict(digests)
        self._requested = asyncio.Event()

    def files(self) -> list[str]:
        """Return the files that a reload reads: the configuration, and those that it names."""
        file = self.configuration.source.file
        return [*([file] if file is not None else []), *self.configuration.loaded.watched]

    def why_not(self) -> str | None:
        """Return why a reload is impossible; None if it is possible."""
        file = self.configuration.source.file
        if file is not None and not can_be_read_again(file):
            return f"{file} is a pipe or a device, which can be read once only"
        return None if self.files() else "the proxy was started without a file"

    def request(self) -> None:
        """Request a reload; several requests before it begins count as one."""
        if why := self.why_not():
            log.warning("nothing to reload: %s", why)
        else:
            self._requested.set()

    def request_if_changed(self) -> None:
        """Request a reload if the content of a file differs from what was last read, whether that was valid or not.

        A file that can no longer be read counts as changed, so that the reload reports the reason.
        """
        if any(look(file) is not None and content_digest(file) != self._digests.get(file) for file in self.files()):
            self._requested.set()

    def forget(self, file: str) -> None:
        """Log a missing file, and forget its content, so that there is a reload when it is back."""
        self._digests[file] = _GONE
        log.warning("%s is gone: what was read from it stays in force until it is back", file)

    async def run(self) -> None:
        """Perform requested reloads one after the other, until cancelled."""
        while True:
            await self._requested.wait()
            self._requested.clear()
            notify_reloading()
            try:
                await self._reload()
            except Exception:
                # The program's own fault: the old configuration stays in force, and the next reload may succeed.
                self._failed("an internal error")
                log.exception("reload: internal error")
            notify(READY)

    async def _reload(self) -> None:
        source = self.configuration.source
        before, self._digests = self._digests, {file: content_digest(file) for file in self.files()}
        try:
            # In a thread, so that requests are served while a large file is loaded.
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
        changed = [file for file, digest in self._digests.items() if before.get(file, digest) != digest]
        renewed = [file for file in changed if file != source.file]
        summary = describe_change(self.configuration, new)
        if renewed:
            summary = f"{summary}; read again: {', '.join(renewed)}"
        log.info("configuration reloaded: %s", summary)
        self.configuration = new
        for file in new.loaded.watched:
            if file not in self._digests:
                self._digests[file] = content_digest(file)
        self._totals.reloads["success"] += 1
        self._totals.last_reload_successful = True
        self._totals.certificates = certificate_expiries(new.settings)

    def _failed(self, why: str) -> None:
        self._totals.reloads["failure"] += 1
        self._totals.last_reload_successful = False
        log.error("configuration not reloaded (%s): the old one stays in force", why)
