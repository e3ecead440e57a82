"""`corsproxy explain`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Literal

import click

from corsproxy.cli.configuration import SAME_AS_SERVE, takes_configuration
from corsproxy.cli.ending import leave
from corsproxy.cli.groups import command
from corsproxy.cli.options import (
    format_option,
    option,
    request_options,
)

if TYPE_CHECKING:
    from corsproxy.config import Options


@command(epilog=SAME_AS_SERVE)
@click.argument("path")
@takes_configuration()
@request_options
@option("--host", metavar="HOST", help="The Host of the request, if routes depend on it.")
@option(
    "--browser",
    type=click.Choice(["standard", "chromium", "firefox"]),
    default="standard",
    help="The rules to apply: the standard's, or a browser's with its departures (default: standard).",
)
@format_option
def explain(
    path: str,
    options: Options,
    origin: str | None,
    method: str,
    headers: tuple[str, ...],
    credentials: bool,
    host: str | None,
    browser: Literal["standard", "chromium", "firefox"],
    output_format: Literal["text", "json"],
) -> None:
    """Explain what the configuration does with one request.

    Sends nothing: it reads the configuration and computes the answer.
    Exits with 1 if the browser would refuse it or no route takes it.

    \b
    Example:
      corsproxy explain /orders/7 --origin https://app.example.com --method PUT --header Content-Type
    """
    from corsproxy.tools.browser import Browser
    from corsproxy.tools.explain import ExplainOptions, explain_command

    asked = ExplainOptions(
        path,
        options,
        origin=origin,
        method=method,
        headers=headers,
        credentials=credentials,
        host=host,
        browser=Browser(browser),
        format=output_format,
    )
    leave(lambda: explain_command(asked, environ=os.environ, out=sys.stdout))
