"""Options with their environment variables, and the options that several commands share.

`--log-format` is also `CORSPROXY_LOG_FORMAT`; white space or commas separate the items of a list there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import click

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]


class _Item(click.ParamType[str]):
    """One item of a list; in the environment, white space or a comma separates items."""

    name = "text"

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        return [item for item in re.split(r"[\s,]+", rv) if item]


class Line(click.ParamType[str]):
    """One item of a list whose items contain spaces; in the environment, line ends separate items."""

    name = "text"

    def split_envvar_value(self, rv: str) -> Sequence[str]:
        """Return the lines."""
        return [line for line in rv.splitlines() if line.strip()]


def option(*names: str, twin: bool = True, **settings: Any) -> Decorator:
    """Return a click option, with its environment variable unless `twin` is false."""
    if not twin:
        return click.option(*names, **settings)
    longest = next(name for name in names if name.startswith("--")).split("/")[0]
    if settings.get("multiple"):
        settings.setdefault("type", _Item())
    variable = "CORSPROXY_" + longest.lstrip("-").replace("-", "_").upper()
    return click.option(*names, envvar=variable, show_envvar=True, **settings)


def named_file(ctx: click.Context, param: click.Parameter, name: str | None) -> str | None:
    """Refuse an empty file name: it comes from an unset shell variable, so the default is not intended."""
    if name == "":
        raise click.BadParameter("the file name is empty; give one, or omit the option", ctx, param)
    return name


def configuration_file(ctx: click.Context, param: click.Parameter, name: str | None) -> str | None:
    """Return the name of a file, with `-` for standard input, as in other programs."""
    return "/dev/stdin" if name == "-" else named_file(ctx, param, name)


format_option = option(
    "--format",
    "output_format",
    type=click.Choice(["text", "json"]),
    default="text",
    help="text for people, or json for tools (default: text).",
)

timeout_option = option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=3600),
    default=10.0,
    metavar="SECONDS",
    help="For each request (default: 10).",
)


def request_options(command: Command) -> Command:
    """Add the options that describe a page's request, which `explain` and `probe` share."""
    for decorate in (
        option(
            "--credentials",
            is_flag=True,
            help="The page sends credentials: include (cookies, client certificates).",
        ),
        option(
            "--header", "headers", multiple=True, metavar="NAME", help="A request header the page sets (repeatable)."
        ),
        option("--method", default="GET", metavar="METHOD", help="The request's method (default: GET)."),
        option("--origin", metavar="ORIGIN", help="The origin of the page, for example https://app.example.com."),
    ):
        command = decorate(command)
    return command
