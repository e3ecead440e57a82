"""The options of `serve`, as one decorator for every command that takes a configuration."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from typing import Any

import click
from click.core import ParameterSource

from corsproxy.cli.environment import CONFIG_TEXT
from corsproxy.cli.options import Command, Decorator, configuration_file, option


def _single_upstream(ctx: click.Context, param: click.Parameter, urls: tuple[str, ...]) -> str | None:
    """Return the one upstream; raises `BadParameter` for a second one, which needs a path."""
    if len(urls) > 1:
        raise click.BadParameter(
            f"only one upstream: give the others a path, as in --upstream {urls[0]} --route /api={urls[1]}", ctx, param
        )
    return urls[0] if urls else None


class _Url(click.ParamType[str]):
    name = "text"  # a comma may be part of a URL

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        return rv.split() or [""]


_CONFIGURATION: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (
        ("-c", "--config"),
        {
            "callback": configuration_file,
            "metavar": "FILE",
            "help": "Configuration file (default: corsproxy.yaml here).",
        },
    ),
    (
        ("--upstream",),
        {
            "callback": _single_upstream,
            "multiple": True,
            "type": _Url(),
            "metavar": "URL",
            "help": "Without a file: forward everything here.",
        },
    ),
    (
        ("--route", "routes"),
        {
            "multiple": True,
            "metavar": "PATH=URL",
            "help": "Without a file: forward requests below PATH here, with or without --upstream (repeatable).",
        },
    ),
    (
        ("--allow-origin", "allow_origins"),
        {
            "multiple": True,
            "metavar": "ORIGIN",
            "help": "Without a file: an origin to allow (repeatable; default: pages served from this machine).",
        },
    ),
    (
        ("--allow-method", "allow_methods"),
        {
            "multiple": True,
            "metavar": "METHOD",
            "help": "Without a file: a method to allow (repeatable; default: any).",
        },
    ),
    (
        ("--allow-header", "allow_headers"),
        {
            "multiple": True,
            "metavar": "NAME",
            "help": "Without a file: a request header to allow (repeatable; default: any).",
        },
    ),
    (
        ("--expose-header", "expose_headers"),
        {
            "multiple": True,
            "metavar": "NAME",
            "help": "Without a file: a response header that pages may read (repeatable; default: all).",
        },
    ),
    (
        ("--allow-credentials/--no-allow-credentials",),
        {
            "default": None,
            "help": "Without a file: whether cookies and HTTP login are allowed (default: yes, except with '*').",
        },
    ),
    (
        ("--max-age",),
        {"metavar": "DURATION", "help": "Without a file: how long a browser may cache a preflight (default: 10m)."},
    ),
    (
        ("--send-host",),
        {
            "type": click.Choice(["upstream", "client"]),
            "help": "Without a file: the Host that the upstream gets, its own or the client's (default: upstream).",
        },
    ),
    (
        ("--send-origin",),
        {
            "type": click.Choice(["forward", "remove", "upstream"]),
            "help": "Without a file: the Origin that the upstream gets: unchanged, none, or its own "
            "(default: forward); with the other two refused origins are rejected.",
        },
    ),
    (
        ("--trusted-proxy", "trusted_proxies"),
        {
            "multiple": True,
            "metavar": "ADDRESS",
            "help": "Without a file: a peer, or network, whose X-Forwarded-* are trusted (repeatable).",
        },
    ),
    (
        ("--public-origin", "public_origins"),
        {
            "multiple": True,
            "metavar": "ORIGIN",
            "help": "Without a file: an origin of the proxy itself, as browsers know it (repeatable).",
        },
    ),
    (
        ("--on-refused",),
        {
            "type": click.Choice(["forward", "reject"]),
            "help": "Without a file: what happens to a request whose origin is not allowed (default: forward).",
        },
    ),
    (
        ("--websockets",),
        {
            "type": click.Choice(["policy", "any", "off"]),
            "help": "Without a file: who may open a WebSocket (default: policy).",
        },
    ),
    (
        ("--insecure",),
        {"is_flag": True, "help": "Without a file: do not verify the upstream's certificate."},
    ),
    (
        ("--https",),
        {
            "is_flag": True,
            "help": "Without a file: HTTPS with a certificate for localhost, from an authority created for this user.",
        },
    ),
    (
        ("--listen",),
        {
            "metavar": "HOST:PORT",
            "help": "Listen here (default: 127.0.0.1:8080); a bare PORT is on loopback; also [V6]:PORT and unix:/path.",
        },
    ),
    (("--admin",), {"metavar": "HOST:PORT", "help": "Listen here for health, metrics and the inspector."}),
    (
        ("--inspect",),
        {"is_flag": True, "default": None, "help": "Show requests live on the admin listener."},
    ),
    (
        ("--workers",),
        {
            "type": click.IntRange(1, 1024),
            "metavar": "N",
            "help": "Processes sharing the listener (default: 1).",
        },
    ),
    (("--watch",), {"is_flag": True, "help": "Reload when the file, or a file that it names, changes."}),
    (
        ("--log-format",),
        {"type": click.Choice(["text", "json"]), "help": "How the logs are written (default: text)."},
    ),
    (
        ("--log-level",),
        {
            "type": click.Choice(["debug", "info", "warning", "error"]),
            "help": "The lowest severity to log (default: info).",
        },
    ),
)
"""The options of `serve`, in the order of its help."""

_ALWAYS_SHOWN = frozenset(("--config", "--upstream", "--route", "--allow-origin"))

SAME_AS_SERVE = "Takes every option of `corsproxy serve`, and works on the configuration that `serve` would run."


def takes_configuration(*, shows_all: bool = False, insecure: bool = True) -> Decorator:
    """Return a decorator that adds the options of `serve` to a command, and passes them as `options`, an `Options`.

    With `shows_all` the help lists all of them, otherwise only those that name a configuration.
    `insecure` is false for a command with another `--insecure`.
    """
    chosen = [(names, settings) for names, settings in _CONFIGURATION if insecure or names != ("--insecure",)]

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def with_options(*args: Any, **values: Any) -> Any:
            context = click.get_current_context()
            taken = {name: values.pop(name) for name in fields}
            return command(*args, options=_options(context, taken), **values)

        decorated: Command = with_options
        fields: list[str] = []
        for names, settings in reversed(chosen):
            shown = shows_all or not _ALWAYS_SHOWN.isdisjoint(names)
            decorated = option(*names, hidden=not shown, **settings)(decorated)
            fields.append(_field(names))
        return decorated

    return decorate


def _field(names: Sequence[str]) -> str:
    """Return the name under which click passes a parameter."""
    plain = [name for name in names if not name.startswith("-")]
    return plain[0] if plain else names[-1].split("/")[0].lstrip("-").replace("-", "_")


def _options(context: click.Context, taken: dict[str, Any]) -> Any:
    """Return the `Options` of a command, with the user's spelling of each."""
    from corsproxy.config import Options

    names = {}
    for parameter in context.command.params:
        field = parameter.name or ""
        if field not in taken:
            continue
        match context.get_parameter_source(field):
            case ParameterSource.COMMANDLINE:
                spellings = [*parameter.opts, *(parameter.secondary_opts if taken[field] is False else [])]
                names[field] = spellings[-1]
            case ParameterSource.ENVIRONMENT:
                names[field] = str(parameter.envvar)
            case _:
                pass
    notes = tuple(context.obj) if isinstance(context.obj, list) else ()
    text = os.environ.get(CONFIG_TEXT)
    return Options(**taken, config_text=text or None, names=names, notes=notes)
