"""Expansion of `${NAME}` and `${NAME:-default}` in a scalar, from the environment.

Text in, text out: the reader decides which scalars are expanded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from corsproxy.config.problems import RefusedError, quote

PATTERN = r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}"
"""One reference; the JSON Schema uses it too."""

_ONE = re.compile(PATTERN)
_TOKEN = re.compile(r"\$\$|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}|(?P<bad>\$\{)")


def is_one_variable(text: str) -> bool:
    """Return whether a scalar is a single variable, so that it may hold several items of a list."""
    return _ONE.fullmatch(text) is not None


def interpolate(text: str, environ: Mapping[str, str]) -> str:
    """Expand the variables of one scalar.

    `${NAME:-default}` takes the default if the variable is unset or empty, as a shell does.
    `$$` is one dollar sign; a dollar sign before anything but `{` or `$` stays, so that a regex may end in `$`.
    A variable's value is not expanded again.
    Raises `RefusedError` for an unset variable without default (`missing`) and for a broken reference (`invalid`).
    """
    if "$" not in text:
        return text

    def fill(found: re.Match[str]) -> str:
        name, default = found["name"], found["default"]
        if found["bad"]:
            raise RefusedError(
                f"invalid variable in {quote(text)}: write ${{NAME}} or ${{NAME:-default}}; "
                "for the two characters '${' double the dollar sign"
            )
        if name is None:
            return "$"
        if default is not None and "${" in default.replace("$$", ""):
            raise RefusedError(f"invalid default of ${{{name}}}: a default cannot hold another variable")
        value = environ.get(name)
        if default is not None and not value:
            return str(default).replace("$$", "$")
        if value is None:
            raise RefusedError(
                f"missing environment variable {name}: set it, or give a default: ${{{name}:-default}}", "missing"
            )
        return value

    return _TOKEN.sub(fill, text)
