"""The program and its commands as click classes, which also warn, guess, and end silently if their reader is gone."""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterator
from typing import Any

import click

from corsproxy.cli.environment import unknown_variables
from corsproxy.streams import while_somebody_reads


class Command(click.Command):
    """A command that warns about variables without an effect on it."""

    def invoke(self, ctx: click.Context) -> Any:
        """Warn, then run the command."""
        if self.name != "healthcheck":  # it runs every few seconds, and `serve` has warned already
            warnings = list(_unknown_variables(self, ctx))
            ctx.obj = warnings  # `serve` writes them to its log
            if self.name != "serve":
                for warning in warnings:
                    click.echo(f"warning: {warning}", err=True)
        return super().invoke(ctx)


def _unknown_variables(command: click.Command, ctx: click.Context) -> Iterator[str]:
    known = set(_twins(command))
    others: dict[str, list[str]] = {}
    program = ctx.find_root().command
    for name, other in program.commands.items() if isinstance(program, click.Group) else ():
        for twin in _twins(other):
            if twin not in known:
                others.setdefault(twin, []).append(name)
    if command.name != "serve":
        known.update(others)  # set for another command of the same shell or container
    return unknown_variables(os.environ, command.name or "", known, others)


def _twins(command: click.Command) -> Iterator[str]:
    return (str(parameter.envvar) for parameter in command.params if parameter.envvar)


command = functools.partial(click.command, cls=Command)


class Program(click.Group):
    """The group of commands; all of it, `--help` too, ends silently if the reader of the output has gone."""

    def make_context(self, info_name: str | None, args: list[str], *more: Any, **kwargs: Any) -> click.Context:
        """Parse the command line."""
        given = list(args)
        with while_somebody_reads(), _with_a_guess(given):
            context = super().make_context(info_name, args, *more, **kwargs)
        context.meta[_GIVEN] = given
        return context

    def invoke(self, ctx: click.Context) -> Any:
        """Run the chosen command."""
        with while_somebody_reads(), _with_a_guess(ctx.meta[_GIVEN]):
            return super().invoke(ctx)


_GIVEN = "corsproxy.given"
"""The key of the words of the command line in click's context."""


@contextlib.contextmanager
def _with_a_guess(args: list[str]) -> Iterator[None]:
    """Add the probably intended command line to click's message about a wrong one."""
    try:
        yield
    except click.UsageError as error:
        from corsproxy.cli.guesses import other_line, unquoted_star

        if option_name := unquoted_star(args, os.listdir()):
            message = f"the shell replaces a bare * with file names: write {option_name} '*'"
        elif line := other_line(args):
            message = f"{error.message}\nWrite: {line}"
        else:
            raise
        raise click.UsageError(message, error.ctx) from None
