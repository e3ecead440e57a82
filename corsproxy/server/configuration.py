"""Where the configuration comes from, and what it is once the options have had their say.

Precedence: option, environment (both in `ServeOptions`), file, default.
Knows no sockets and no running proxy: `healthcheck` asks here too, so that it finds what `serve` would.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from corsproxy.config import Loaded, RefusedError, load_file, load_text, parse_listen, quick
from corsproxy.config.problems import Problem
from corsproxy.errors import UsageError
from corsproxy.server.options import ServeOptions
from corsproxy.settings import Address, Log, Settings, TcpAddress

DEFAULT_FILE = "corsproxy.yaml"

INSPECTOR_ADDRESS = TcpAddress("127.0.0.1", 8081)
"""Where the inspector is shown when nothing says where the admin listener is."""

_FORMATS: dict[str, Literal["text", "json"]] = {"text": "text", "json": "json"}
_LEVELS: dict[str, Literal["debug", "info", "warning", "error"]] = {
    "debug": "debug",
    "info": "info",
    "warning": "warning",
    "error": "error",
}

T = TypeVar("T")

NOTHING_TO_SERVE = """\
nothing to serve: no corsproxy.yaml here, and no --upstream
  in development:  corsproxy serve --upstream http://localhost:8000
  with a file:     corsproxy init, edit corsproxy.yaml, corsproxy serve
  to look at it:   corsproxy demo"""


@dataclass(frozen=True, slots=True)
class Source:
    """Which of the ways to configure the proxy was taken."""

    options: ServeOptions
    file: str | None
    """None is quick mode: the options are the whole configuration."""
    notes: tuple[str, ...] = ()
    """What the user should be told about the choice."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration that can be used, options applied."""

    source: Source
    settings: Settings
    loaded: Loaded | None = None
    """What the file said; None in quick mode."""

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What is doubtful about the file."""
        return self.loaded.warnings if self.loaded is not None else ()


def find_source(options: ServeOptions) -> Source:
    """Decide where the configuration comes from; raises `UsageError` where that is nowhere, or two places."""
    if options.config is not None and options.upstream is not None:
        raise UsageError(
            "--config and --upstream exclude each other: a file names its own upstreams; "
            "leave one out (CORSPROXY_CONFIG and CORSPROXY_UPSTREAM count too)"
        )
    if options.upstream is not None:
        lying_there = options.config is None and os.path.exists(DEFAULT_FILE)
        note = f"{DEFAULT_FILE} here is ignored: --upstream is given; to use it, leave --upstream out"
        return Source(options, None, (note,) if lying_there else ())
    file = options.config
    if file is None and os.path.exists(DEFAULT_FILE):
        file = DEFAULT_FILE
    if file is None:
        raise UsageError(NOTHING_TO_SERVE)
    if options.allow_origins:
        raise UsageError(
            f"--allow-origin goes with --upstream: with a file ({file}), write origins under a policy's allow_origins"
        )
    return Source(options, file)


def load(source: Source, *, tries_certificates: bool) -> Configuration:
    """Read the configuration; raises `ConfigError` or `UsageError`.

    `tries_certificates` is for who will serve with them.
    """
    if source.file is None:
        return _configuration(source, None)
    return _configuration(source, load_file(source.file, os.environ, tries_certificates=tries_certificates))


def load_again(source: Source, text: str) -> Configuration:
    """Make the configuration of a text that another process has read; raises as `load`."""
    if source.file is None:
        return _configuration(source, None)
    return _configuration(source, load_text(text, source.file, os.environ))


def find_admin(options: ServeOptions) -> Address | None:
    """Give the address of the admin listener that `serve` would open, or None; raises as `load`.

    Where an option names it the file is not read: it may be bad by now, and the proxy goes on with what it has.
    An inspector needs an admin listener, even where none is configured.
    """
    if options.admin is not None:
        return _address("--admin", options.admin)
    settings = load(find_source(options), tries_certificates=False).settings
    return INSPECTOR_ADDRESS if settings.admin is None and settings.inspector else settings.admin


def _configuration(source: Source, loaded: Loaded | None) -> Configuration:
    options = source.options
    settings = loaded.settings if loaded is not None else quick(options.upstream or "", options.allow_origins)
    settings = replace(
        settings,
        listen=_address("--listen", options.listen) or settings.listen,
        admin=_address("--admin", options.admin) or settings.admin,
        inspector=settings.inspector if options.inspect is None else options.inspect,
        workers=settings.workers if options.workers is None else options.workers,
        log=Log(
            format=_word("--log-format", options.log_format, _FORMATS, settings.log.format),
            level=_word("--log-level", options.log_level, _LEVELS, settings.log.level),
            access=settings.log.access,
        ),
    )
    return Configuration(source, settings, loaded)


def _address(option: str, text: str | None) -> Address | None:
    if text is None:
        return None
    try:
        return parse_listen(text)
    except RefusedError as refused:
        raise UsageError(f"{option}: {refused.message}") from None


def _word(option: str, given: str | None, words: dict[str, T], otherwise: T) -> T:
    if given is None:
        return otherwise
    if given not in words:
        raise UsageError(f"{option}: unknown word {given!r}: one of {', '.join(words)}")
    return words[given]
