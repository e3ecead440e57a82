"""The command line: options, their environment twins, and the exit status; nothing else.

Each command imports what it runs when it runs, so that `--version` and `--help` stay instant.
A user's mistake is a short message and exit status 2, never a traceback.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Callable
from typing import Any, Literal, NoReturn

import click

from corsproxy import __version__
from corsproxy.streams import forget_output, open_standard_streams, while_somebody_reads

_Command = Callable[..., Any]


def _option(*names: str, **settings: Any) -> Callable[[_Command], _Command]:
    """A click option with its environment twin: `--log-format` is also `CORSPROXY_LOG_FORMAT`."""
    longest = next(name for name in names if name.startswith("--")).split("/")[0]
    twin = "CORSPROXY_" + longest.lstrip("-").replace("-", "_").upper()
    return click.option(*names, envvar=twin, show_envvar=True, **settings)


def _named(ctx: click.Context, param: click.Parameter, name: str | None) -> str | None:
    """Refuse an empty file name: it is a shell variable that nobody set, and no default is what was meant."""
    if name == "":
        raise click.BadParameter("the name of the file is empty; name one, or leave this out", ctx, param)
    return name


def _configuration(ctx: click.Context, param: click.Parameter, name: str | None) -> str | None:
    """Take `-` for standard input, as other programs that read a file do."""
    return "/dev/stdin" if name == "-" else _named(ctx, param, name)


_config_option = _option(
    "-c", "--config", callback=_configuration, metavar="FILE", help="Configuration file (default: corsproxy.yaml here)."
)
_format_option = _option(
    "--format", "output_format", type=click.Choice(["text", "json"]), default="text", help="For people or for tools."
)


def _request_options(command: _Command) -> _Command:
    """The options that describe the request a page makes; `explain` and `probe` share them."""
    for decorate in (
        _option(
            "--credentials",
            is_flag=True,
            help="The page asks with credentials: include (cookies, client certificates).",
        ),
        _option(
            "--header", "headers", multiple=True, metavar="NAME", help="A request header the page sets (repeatable)."
        ),
        _option("--method", default="GET", metavar="METHOD", help="The request's method (default: GET)."),
        _option("--origin", metavar="ORIGIN", help="The origin of the page, for example https://app.example.com."),
    ):
        command = decorate(command)
    return command


def _listener_options(command: _Command) -> _Command:
    """What `serve` and `healthcheck` find the admin listener by."""
    for decorate in (
        _option("--inspect", is_flag=True, default=None, help="Show requests live on the admin listener."),
        _option("--admin", metavar="HOST:PORT", help="Listen here for health, metrics and the inspector."),
        _option(
            "--listen", metavar="HOST:PORT", help="Listen here (default: 127.0.0.1:8080); [V6]:PORT and unix:/path too."
        ),
        _option(
            "--allow-origin",
            "allow_origins",
            multiple=True,
            metavar="ORIGIN",
            help="Without a file: an origin to allow (repeatable).",
        ),
        _option("--upstream", metavar="URL", help="Without a file: forward everything here."),
        _config_option,
    ):
        command = decorate(command)
    return command


class _Program(click.Group):
    """The commands, `--help` and `--version` included, which end as other programs do when their reader has gone."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with while_somebody_reads():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with while_somebody_reads():
            return super().invoke(ctx)


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="corsproxy %(version)s")
def cli() -> None:
    """A reverse proxy that owns CORS for services that do not, or do it wrong.

    It answers preflights from a policy in YAML, removes every CORS header the upstream sends, puts the right ones on
    every response, and says why a browser refused.
    """


@cli.command()
@_listener_options
@_option("--workers", type=click.IntRange(1, 1024), metavar="N", help="Processes sharing the listener (default: 1).")
@_option("--watch", is_flag=True, help="Reload when the file changes.")
@_option("--log-format", type=click.Choice(["text", "json"]), help="How the logs are written (default: text).")
@_option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="What is logged (default: info)."
)
def serve(**options: Any) -> None:
    """Run the proxy.

    \b
    Example:
      corsproxy serve -c corsproxy.yaml
      corsproxy serve --upstream http://localhost:8000
    """
    from corsproxy.server import ServeOptions
    from corsproxy.server import serve as run

    _exit(lambda: run(ServeOptions(**options)))


@cli.command()
@click.argument("file", callback=_configuration, default="corsproxy.yaml", envvar="CORSPROXY_CONFIG", metavar="[FILE]")
@_format_option
@_option("--strict", is_flag=True, help="Warnings fail too.")
def check(file: str, output_format: Literal["text", "json"], strict: bool) -> None:
    """Validate a configuration file: every problem at once.

    Without FILE it is the one that CORSPROXY_CONFIG names, or corsproxy.yaml here, as for `serve`.

    \b
    Example:
      corsproxy check corsproxy.yaml
    """
    from corsproxy.tools.check import check as run

    _exit(lambda: run(file, format=output_format, strict=strict, environ=os.environ, out=sys.stdout, err=sys.stderr))


@cli.command()
@click.argument("path")
@_config_option
@_request_options
@_option("--host", metavar="HOST", help="The Host the request is for, where routes depend on it.")
@_format_option
def explain(path: str, output_format: str, **options: Any) -> None:
    """Say what the configuration does with one request, and why; asks no network.

    \b
    Example:
      corsproxy explain /orders/7 --origin https://app.example.com --method PUT --header Content-Type
    """
    from corsproxy.tools.explain import explain_command

    _exit(lambda: explain_command(path, format=output_format, environ=os.environ, out=sys.stdout, **options))


@cli.command()
@click.argument("url", required=False)
@_request_options
@_option("--from-curl", metavar="COMMAND", help="Take URL, method and headers from a curl command line.")
@_option("--insecure", is_flag=True, help="Do not verify the server's certificate.")
@_option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True, max=3600),
    default=10.0,
    metavar="SECONDS",
    help="For each request (default: 10).",
)
@_format_option
def probe(url: str | None, output_format: str, **options: Any) -> None:
    """Play a browser against any live server, and say step by step what passes and what fails.

    \b
    Example:
      corsproxy probe https://api.example.com/orders --origin https://app.example.com --method PUT
    """
    from corsproxy.tools.probe import probe_command

    _exit(lambda: probe_command(url, format=output_format, out=sys.stdout, err=sys.stderr, **options))


@cli.command()
@click.argument("log", callback=_named, required=False)
@_config_option
def learn(log: str | None, config: str | None) -> None:
    """Propose the smallest policies that would have allowed recorded traffic (the JSON access log, or standard input).

    \b
    Example:
      corsproxy learn access.log -c corsproxy.yaml > proposal.yaml
    """
    from corsproxy.tools.learn import learn_command

    _exit(
        lambda: learn_command(log, config=config, environ=os.environ, stdin=sys.stdin, out=sys.stdout, err=sys.stderr)
    )


@cli.command()
@click.argument("file", callback=_named, default="corsproxy.yaml", metavar="[FILE]")
def init(file: str) -> None:
    """Write a commented starter file; never overwrites one.

    \b
    Example:
      corsproxy init corsproxy.yaml
    """
    from corsproxy.tools.init import init as run

    try:
        said = run(file)
    except FileExistsError:
        _fail(f"corsproxy: {file} exists already; name another file, or remove it first")
    except FileNotFoundError:
        _fail(f"corsproxy: cannot write {file}: its directory is missing; make it first")
    except OSError as error:
        _fail(f"corsproxy: cannot write {file}: {error.strerror}")
    click.echo(said)


@cli.command()
def schema() -> None:
    """Print the JSON Schema of the configuration file, for editors.

    \b
    Example:
      corsproxy schema > corsproxy.schema.json
    """
    import json

    from corsproxy.tools.schema import schema as run

    click.echo(json.dumps(run(), indent=2))


@cli.command()
@_listener_options
def healthcheck(**options: Any) -> None:
    """Ask the admin listener whether the proxy is healthy; finds it as `serve` does.

    \b
    Example:
      corsproxy healthcheck -c corsproxy.yaml
    """
    from corsproxy.server import ServeOptions
    from corsproxy.server.healthcheck import healthcheck as run

    _exit(lambda: run(ServeOptions(**options)))


@cli.command()
@_option("--check", is_flag=True, help="Exit after the table: 0 when every call went as expected.")
def demo(check: bool) -> None:
    """Show it: a legacy API without CORS, a page on another origin, and the proxy between them, on loopback.

    \b
    Example:
      corsproxy demo
    """
    from corsproxy.tools.demo import demo_command

    _exit(lambda: demo_command(check=check, out=sys.stdout))


def _exit(run: Callable[[], int]) -> NoReturn:
    """Run a command and leave with its status; a user's mistake is told in its own words."""
    from corsproxy.config import ConfigError
    from corsproxy.errors import UsageError

    try:
        status = run()
        print(end="", flush=True)  # what is still in the buffer may find nobody, too
    except ConfigError as error:
        _fail(*map(str, error.problems))
    except UsageError as error:
        _fail(f"corsproxy: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(status)


def _fail(*lines: str) -> NoReturn:
    with contextlib.suppress(OSError):  # nobody hears it: the exit status has to do
        for line in lines:
            click.echo(line, err=True)
    sys.exit(2)


def main() -> None:
    """Run the command line."""
    open_standard_streams()
    try:
        cli(prog_name="corsproxy")
    except OSError as error:
        # Every command tells of its own files: what is left is an answer that cannot be written (the disk is full).
        forget_output()
        said = "standard output is closed" if error.errno == errno.EBADF else error.strerror
        _fail(f"corsproxy: cannot write the answer: {said}")
