"""`serve`: from the options to the exit status.

Everything that can be the user's mistake happens here, before anything runs, and raises `UsageError` or `ConfigError`.
The modules that serve are loaded only afterwards: loading takes most of the time, and a mistake is reported sooner.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import FrameType

from corsproxy.config import INSPECTOR_ADDRESS, ConfigError, Configuration, Options, find_source, load
from corsproxy.errors import UsageError
from corsproxy.server.listen.sockets import EVERYBODY, GROUP, Listener, is_taken, open_listeners
from corsproxy.server.reload.watch import Reading, content_digest, look
from corsproxy.server.runtime import keep_what_is_loaded, without_sweeps
from corsproxy.settings import Log, Settings, TcpAddress, UnixAddress


def start(options: Options) -> int:
    """Run the proxy until it is stopped; return the exit status.

    Raises `UsageError` or `ConfigError` if it cannot start as asked.
    """
    keep_what_is_loaded()
    log = [Log(format="json" if options.log_format == "json" else "text")]
    try:
        return _run(options, log)
    except (ConfigError, UsageError) as error:
        notes = [f"warning: {note}" for note in options.notes]  # a note is often the reason for the error
        if log[0].format == "json":
            lines = map(str, error.problems) if isinstance(error, ConfigError) else [str(error)]
            return _report_as_json([*notes, *lines], error.status if isinstance(error, UsageError) else 2)
        for note in notes:
            print(note, file=sys.stderr)
        raise


def _run(options: Options, log: list[Log]) -> int:
    """Load, listen and serve; the caller reports failures in the format of `log[0]`, which is set here."""
    ignores_hangup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    with _early_signals() as hangups, contextlib.ExitStack() as stack:
        source = find_source(options)
        file = source.file
        looks = {file: look(file)} if file is not None else {}
        digests = {file: content_digest(file)} if file is not None else {}
        configuration = load(source, os.environ, tries_certificates=True)
        for named in configuration.loaded.watched:
            looks[named], digests[named] = look(named), content_digest(named)
        log[0] = configuration.settings.log
        if options.https:
            configuration = _with_local_certificate(configuration)
        settings = configuration.settings
        listeners = open_listeners(settings.listen, options.name("listen") if options.listen else "listen", EVERYBODY)
        stack.callback(_close, listeners)
        admin_listeners = _open_admin(settings, options.name("admin") if options.admin else "admin")
        stack.callback(_close, admin_listeners)
        with without_sweeps():
            from corsproxy.server.launch import launch

        reading = Reading(looks, digests)
        return launch(configuration, reading, listeners, admin_listeners, hangups, ignores_hangup=ignores_hangup)


def _with_local_certificate(configuration: Configuration) -> Configuration:
    """Return the configuration with a certificate of the local authority for its listener."""
    from corsproxy.server.listen.local_authority import certificate_for, how_to_trust

    settings = configuration.settings
    if isinstance(settings.listen, UnixAddress):
        raise UsageError("--https is for a listener on a port: browsers do not speak to a socket's file")
    files, authority = certificate_for(settings.listen)
    source = configuration.source
    source = replace(source, notes=(*source.notes, *how_to_trust(authority)))
    return replace(configuration, source=source, settings=replace(settings, tls=files))


def _report_as_json(lines: Sequence[str], status: int) -> int:
    """Write lines about a failed start as JSON; return `status`."""
    from corsproxy.server.observe.diagnostics import Announcer
    from corsproxy.server.observe.output import LineWriter

    writer = LineWriter(2)
    say = Announcer(writer, Log(format="json"))
    for line in lines:
        say(line, "error")
    writer.close()
    return status


def _open_admin(settings: Settings, option: str) -> list[Listener]:
    """Open the admin listener, if any; an inspector without a configured address gets the default or a free port."""
    if settings.admin is not None:
        return open_listeners(settings.admin, option, GROUP)
    if not settings.inspector:
        return []
    address = TcpAddress(INSPECTOR_ADDRESS.host, 0) if is_taken(INSPECTOR_ADDRESS) else INSPECTOR_ADDRESS
    return open_listeners(address, "--inspect", GROUP)


@contextlib.contextmanager
def _early_signals() -> Iterator[list[int]]:
    """Handle signals until the loop does: a stop ends the process, the SIGHUPs are yielded as a list.

    Otherwise an early SIGHUP would end the process, and an early SIGTERM to process 1 would be ignored.
    """
    hangups: list[int] = []

    def on_stop(_number: int, _frame: FrameType | None) -> None:
        sys.exit(0)

    def on_hangup(number: int, _frame: FrameType | None) -> None:
        hangups.append(number)

    handlers = {signal.SIGTERM: on_stop, signal.SIGINT: on_stop, signal.SIGHUP: on_hangup}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield hangups
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _close(listeners: Sequence[Listener]) -> None:
    for listener in listeners:
        listener.close()
