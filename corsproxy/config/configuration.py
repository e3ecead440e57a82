"""The source of the configuration, and the configuration after the options have been applied.

Precedence: option, environment (both in `Options`), file, default.
It must not know sockets or the running proxy: every tool loads its configuration here, so that it describes what
`serve` would run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from corsproxy.config.addresses import parse_listen
from corsproxy.config.doubts import address_doubts
from corsproxy.config.load import Loaded, load_file, load_text
from corsproxy.config.options import FLAGS, QUICK, Options
from corsproxy.config.problems import Problem, Reason, RefusedError
from corsproxy.config.quick import load_quick
from corsproxy.config.quick_problems import option_of
from corsproxy.errors import UsageError
from corsproxy.settings import Address, Log, Settings, TcpAddress, UnixAddress

DEFAULT_FILE = "corsproxy.yaml"

TEXT_FILE = "CORSPROXY_CONFIG_TEXT"
"""Replaces the file's name for a configuration given as text."""

INSPECTOR_ADDRESS = TcpAddress("127.0.0.1", 8081)
"""The address of the inspector if no admin listener is configured."""

Kind = Literal["file", "text", "quick"]

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

_IN_A_FILE = {
    "allow_origins": "write origins under a policy's allow_origins",
    "allow_methods": "write methods under a policy's allow_methods",
    "allow_headers": "write names under a policy's allow_headers",
    "expose_headers": "write names under a policy's expose_headers",
    "allow_credentials": "write allow_credentials under a policy",
    "max_age": "write max_age under a policy",
    "on_refused": "write on_refused under a policy",
    "websockets": "write websockets under a policy",
    "send_host": "write host under an upstream",
    "send_origin": "write origin under an upstream",
    "insecure": "write tls: {verify: false} under an upstream",
    "https": "write tls: {certificate: FILE, private_key: FILE}",
    "trusted_proxies": "write trusted_proxies",
    "public_origins": "write public_origins",
}
"""The key of a file for each option of quick mode."""


class NothingNamedError(UsageError):
    """No configuration is named, and there is no `corsproxy.yaml` in this directory."""


@dataclass(frozen=True, slots=True)
class Source:
    """The source of the configuration."""

    options: Options
    file: str | None
    """None if there is no file to reload: in quick mode, and for a text."""
    notes: tuple[str, ...] = ()
    """Notes for the user about the choice."""
    kind: Kind = "file"


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration that can be used, options applied."""

    source: Source
    settings: Settings
    loaded: Loaded
    """The text of the file, or the one generated from the options of quick mode."""

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """Return the warnings about the file."""
        return self.loaded.warnings

    @property
    def notes(self) -> tuple[str, ...]:
        """Return notes for the user about options that override the file."""
        return (*self.source.notes, *_overridden(self))


def load_options(options: Options, environ: Mapping[str, str], *, tries_certificates: bool = False) -> Loaded:
    """Load the configuration that `serve` would run with these options; raises `ConfigError` or `UsageError`.

    For tools: `Loaded.is_quick` says whether the options are the whole configuration, and then `option_of` names the
    option that stands for a key path.
    """
    try:
        source = find_source(options)
    except NothingNamedError:
        source = Source(options, DEFAULT_FILE)  # loading it then reports the file as missing
    configuration = load(source, environ, tries_certificates=tries_certificates)
    return replace(configuration.loaded, settings=configuration.settings)


def find_source(options: Options) -> Source:
    """Return the source of the configuration; raises `UsageError` if there is none, or more than one.

    Options and arguments take precedence over environment variables.
    """
    given: dict[Kind, list[str]] = {
        "file": ["config"] if options.config is not None else [],
        "text": ["config_text"] if options.config_text is not None else [],
        "quick": [name for name in ("upstream", "routes") if getattr(options, name) not in (None, ())],
    }
    kinds = {
        kind: any(not _is_from_environment(options, name) for name in names) for kind, names in given.items() if names
    }
    nearest: list[Kind] = [kind for kind, is_option in kinds.items() if is_option == max(kinds.values())]
    if len(nearest) > 1:
        one, other = (options.name(given[kind][0]) for kind in nearest[:2])
        raise UsageError(f"{one} and {other} exclude each other: each is a whole configuration; leave one out")
    if not nearest:
        if not os.path.exists(DEFAULT_FILE):
            raise NothingNamedError(NOTHING_TO_SERVE)
        return _with_file(Source(options, DEFAULT_FILE), {})
    kind = nearest[0]
    named = options.name(given[kind][0])
    ignored = {name: named for other in kinds if other != kind for name in given[other]}
    if kind != "quick":
        return _with_file(Source(options, options.config if kind == "file" else None, kind=kind), ignored)
    notes = [f"{options.name(name)} is ignored: {named} is given" for name in ignored]
    if not ignored and os.path.exists(DEFAULT_FILE):
        notes.append(f"{DEFAULT_FILE} here is ignored: {named} is given; to use it, leave {named} out")
    return Source(options, None, (*options.notes, *notes), "quick")


def _is_from_environment(options: Options, name: str) -> bool:
    return name == "config_text" or options.is_from_environment(name)


def _with_file(source: Source, ignored: Mapping[str, str]) -> Source:
    """Return the source with notes on what is ignored; an option of quick mode beside a file is an error."""
    options = source.options
    file = source.file or TEXT_FILE
    named = options.names.get("config")
    beats = source.kind == "file" and named is not None and not options.is_from_environment("config")
    notes = [f"{options.name(name)} is ignored: {by} is given" for name, by in ignored.items()]
    for name in QUICK:
        if name in ignored or getattr(options, name) in (None, (), False):
            continue
        if beats and options.is_from_environment(name):
            notes.append(f"{options.name(name)} is ignored: it is an option of quick mode, and {named} names a file")
            continue
        raise UsageError(
            f"{options.name(name)} goes with --upstream or --route: with a file ({file}), {_IN_A_FILE[name]}"
        )
    return replace(source, notes=(*options.notes, *notes))


def load(source: Source, environ: Mapping[str, str], *, tries_certificates: bool = False) -> Configuration:
    """Load the configuration; raises `ConfigError` or `UsageError`.

    `tries_certificates` is for callers that will serve with them: see `load_file`.
    """
    if source.kind == "quick":
        loaded = load_quick(source.options)
    elif source.kind == "text":
        loaded = load_text(source.options.config_text or "", TEXT_FILE, environ, tries_certificates=tries_certificates)
    else:
        loaded = load_file(source.file or "", environ, tries_certificates=tries_certificates)
    return _configuration(source, loaded)


def load_again(source: Source, text: str, environ: Mapping[str, str]) -> Configuration:
    """Return the configuration from a text that another process read; raises like `load`."""
    if source.kind == "file":
        return _configuration(source, load_text(text, source.file or "", environ))
    return load(source, environ)


def find_admin(options: Options, environ: Mapping[str, str]) -> Address | None:
    """Return the address of the admin listener that `serve` would open, or None; raises like `load`.

    If an option names it, the file is not read: it may be invalid by now, while the proxy runs on with an earlier one.
    An inspector without a configured address gets `INSPECTOR_ADDRESS`.
    """
    if options.admin is not None:
        return _address(options, "admin")
    settings = load(find_source(options), environ).settings
    return INSPECTOR_ADDRESS if settings.admin is None and settings.inspector else settings.admin


def _configuration(source: Source, loaded: Loaded) -> Configuration:
    options, settings = source.options, loaded.settings
    settings = replace(
        settings,
        listen=_address(options, "listen") or settings.listen,
        admin=_address(options, "admin") or settings.admin,
        inspector=settings.inspector if options.inspect is None else options.inspect,
        workers=settings.workers if options.workers is None else options.workers,
        log=Log(
            format=_word(options, "log_format", _FORMATS, settings.log.format),
            level=_word(options, "log_level", _LEVELS, settings.log.level),
            access=settings.log.access,
        ),
    )
    admin = settings.admin
    if admin == settings.listen and (isinstance(admin, UnixAddress) or admin.port):
        name = options.name("admin" if options.admin is not None else "listen")
        raise UsageError(f"{name}: duplicate address {admin}: listen and admin need a port each; take another")
    return Configuration(source, settings, replace(loaded, warnings=_warnings(source, loaded, settings)))


def _warnings(source: Source, loaded: Loaded, settings: Settings) -> tuple[Problem, ...]:
    """Return the warnings; those about listening use the addresses in force."""
    of_file = tuple(address_doubts(loaded.settings, loaded.upstreams))
    in_force = tuple(address_doubts(settings, loaded.upstreams))
    if in_force == of_file:
        return loaded.warnings
    gone = {message for *_, message in of_file} - {message for *_, message in in_force}
    kept = (one for one in loaded.warnings if one.message not in gone)
    new = (doubt for doubt in in_force if doubt not in of_file)
    return (*kept, *(_doubt_of_option(source.options, loaded, *doubt) for doubt in new))


def _doubt_of_option(options: Options, loaded: Loaded, path: str, reason: Reason, message: str) -> Problem:
    """Return a warning that an option causes: under the option's name, or at the place in the file that it concerns."""
    if loaded.is_quick and path.startswith("upstreams."):
        return Problem("", 0, 0, option_of(path, options), "warning", reason, message)
    option = {"listen": "listen", "inspector": "inspect" if options.admin is None else "admin"}.get(path)
    if option is not None:
        return Problem("", 0, 0, options.name(option), "warning", reason, message)
    line, column = loaded.places.get(path) or loaded.places[path.removesuffix(".url")]
    return Problem(loaded.file, line, column, path, "warning", reason, message)


def _overridden(configuration: Configuration) -> Iterator[str]:
    """Yield a note for each key of the file that an option or a variable overrides with another value."""
    loaded, settings, options = configuration.loaded, configuration.settings, configuration.source.options
    if configuration.source.kind == "quick":
        return
    of_file = loaded.settings
    for option, key, written, in_force in (
        ("listen", "listen", of_file.listen, settings.listen),
        ("admin", "admin", of_file.admin, settings.admin),
        ("inspect", "inspector", of_file.inspector, settings.inspector),
        ("workers", "workers", of_file.workers, settings.workers),
        ("log_format", "log.format", of_file.log.format, settings.log.format),
        ("log_level", "log.level", of_file.log.level, settings.log.level),
    ):
        if written != in_force and key in loaded.places:
            was, now = (str(value).lower() if isinstance(value, bool) else value for value in (written, in_force))
            place = f"{loaded.file}:{loaded.places[key].line}"
            yield f"{options.name(option)} is in force: {key} is {now}, and not {was} as in {place}"


def _address(options: Options, option: Literal["listen", "admin"]) -> Address | None:
    text: str | None = getattr(options, option)
    if text is None:
        return None
    try:
        return parse_listen(text)
    except RefusedError as refused:
        raise UsageError(f"{options.name(option)}: {refused.message}") from None


def _word(options: Options, option: str, words: dict[str, T], otherwise: T) -> T:
    given = getattr(options, option)
    if given is None:
        return otherwise
    if given not in words:
        raise UsageError(f"{FLAGS[option]}: unknown word {given!r}: one of {', '.join(words)}")
    return words[given]
