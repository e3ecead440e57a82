"""Warnings about `CORSPROXY_*` variables that have no effect on a command, with the probably intended ones.

It must not know what the variables do.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

CONFIG_TEXT = "CORSPROXY_CONFIG_TEXT"
"""The text of a whole configuration file; it has no option, because a command line is too short for it."""

_PREFIX = "CORSPROXY_"

_WITHOUT_OPTION = frozenset((CONFIG_TEXT, "CORSPROXY_COMPILE"))
"""Variables without an option; the second one is for the build."""

_OF_KUBERNETES = re.compile(r"CORSPROXY_(?:.*_PORT|.*PORT_.*|.*SERVICE_.*)")
"""The variables, besides CORSPROXY_PORT, that a kubelet sets for a service named `corsproxy` or `corsproxy-…`."""

_MEANT = {
    "PORT": "LISTEN",
    "HOST": "LISTEN",
    "BIND": "LISTEN",
    "ADDRESS": "LISTEN",
    "ORIGIN": "ALLOW_ORIGIN",
    "ORIGINS": "ALLOW_ORIGIN",
    "ALLOWED_ORIGIN": "ALLOW_ORIGIN",
    "ALLOWED_ORIGINS": "ALLOW_ORIGIN",
    "METHOD": "ALLOW_METHOD",
    "METHODS": "ALLOW_METHOD",
    "HEADER": "ALLOW_HEADER",
    "HEADERS": "ALLOW_HEADER",
    "TARGET": "UPSTREAM",
    "BACKEND": "UPSTREAM",
    "URL": "UPSTREAM",
    "CONFIG_FILE": "CONFIG",
    "INSPECTOR": "INSPECT",
}
"""Names in other programs that are too different from ours for a guess by spelling."""


def unknown_variables(
    environ: Mapping[str, str], command: str, known: Collection[str], of_others: Mapping[str, Collection[str]]
) -> Iterator[str]:
    """Yield a warning for each variable with our prefix that has no effect on the command.

    `known` are the variables of the command, `of_others` those of other commands, each with the commands' names.
    """
    for name in sorted(environ):
        if not name.startswith(_PREFIX) or name in known or name in _WITHOUT_OPTION:
            continue
        if (name == "CORSPROXY_PORT" and "://" in environ[name]) or _OF_KUBERNETES.fullmatch(name):
            continue
        message = f"{name} has no effect"
        if name in of_others:
            commands = " and ".join(sorted(of_others[name]))
            message += f": it is an option of {commands}, which {command} does not have"
        yield message + _hint(name, known)


def _hint(name: str, known: Collection[str]) -> str:
    plain = name.removeprefix(_PREFIX)
    meant = _MEANT.get(plain)
    if meant is None or _PREFIX + meant not in known:
        # Imported here, so that a command without such a variable does not wait for it.
        from corsproxy.config import nearest

        meant = nearest(plain, [one.removeprefix(_PREFIX) for one in known])
    return f"; did you mean {_PREFIX}{meant}?" if meant else ""
