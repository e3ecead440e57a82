"""Problems of the file that quick mode generates, in terms of options.

A remedy is written as the option at fault is: on the command line, or as a variable of the environment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial

from corsproxy.config.options import FLAGS, Options
from corsproxy.config.problems import Problem
from corsproxy.config.quick_routes import UPSTREAM_NAME, assigned, shown, upstream_pairs
from corsproxy.config.quick_text import POLICY_NAME

_OPTION_OF_KEY = {
    "allow_origins": "allow_origins",
    "allow_methods": "allow_methods",
    "allow_headers": "allow_headers",
    "expose_headers": "expose_headers",
    "allow_credentials": "allow_credentials",
    "max_age": "max_age",
    "on_refused": "on_refused",
    "websockets": "websockets",
    "host": "send_host",
    "origin": "send_origin",
    "tls": "insecure",
    "trusted_proxies": "trusted_proxies",
    "public_origins": "public_origins",
}
"""The option for each key of the policy, of an upstream and of the top level."""

_NEEDS_A_FILE = " in a configuration file ('corsproxy init' writes one)"


def option_of(path: str, options: Options) -> str:
    """Return the option, as the user wrote it, for a key path of the generated file."""
    section, _, rest = path.partition(".")
    if section.startswith("upstreams"):
        name, _, key = rest.partition(".")
        is_single = name == UPSTREAM_NAME or not options.routes
        option = _OPTION_OF_KEY.get(key.partition(".")[0]) or ("upstream" if is_single else "routes")
    elif section.startswith("policies"):
        option = _OPTION_OF_KEY.get(rest.removeprefix(f"{POLICY_NAME}.").partition("[")[0], "allow_origins")
    elif section.startswith("routes"):
        option = "routes" if options.routes else "upstream"
    else:
        option = _OPTION_OF_KEY.get(section.partition("[")[0], "upstream")
    return options.name(option)


def by_option(problems: Sequence[Problem], options: Options) -> Iterator[Problem]:
    """Yield the problems of the generated file as problems of the options."""
    reported: set[tuple[str, str]] = set()
    for problem in problems:
        if not options.allow_origins and problem.severity == "warning" and "allow_origins" in problem.path:
            continue
        option = option_of(problem.path, options)
        if (option, problem.message) not in reported:
            reported.add((option, problem.message))
            message = _without_a_file(problem, option, options)
            yield Problem("", 0, 0, option, problem.severity, problem.reason, message)


_AS_OPTIONS = (
    (f"write 'on_refused: reject' in policy '{POLICY_NAME}'", "add {on_refused: reject}"),
    (
        "name the origins, with 'on_refused: reject'",
        "name the origins with {allow_origins}, and add {on_refused: reject}",
    ),
    ("'upstream' with 'host: client'", "'upstream' with {send_host: client}"),
    ("write 'host: upstream'", "write {send_host: upstream}"),
    ("turn allow_credentials off", "write {allow_credentials: false}"),
    ("with allow_credentials", "with credentials"),
    (f"policy '{POLICY_NAME}'", "the policy"),
    (": …' is a mapping of one key, so no quotation marks may be around it", f": …' can only stand{_NEEDS_A_FILE}"),
    ("change the path, the host, 'methods' or 'exact', or remove one", "change the path, or remove one"),
)
"""The wording of a file's messages, and the same in terms of options."""

_REMEDY = re.compile(r"\{(\w+)(?:: (\w+))?\}")
_KEYS = re.compile(r"\b(?:allow_(?:origins|methods|headers|credentials)|expose_headers|max_age|on_refused)\b")
_QUOTED = re.compile(r"('[^']*')")


def _without_a_file(problem: Problem, option: str, options: Options) -> str:
    """Return the message in terms of options, with a hint for keys without an option."""
    in_environment = option.startswith("CORSPROXY_")
    written = partial(_written, options=options, in_environment=in_environment)
    message = problem.message
    for file_words, words in _AS_OPTIONS:
        message = message.replace(file_words, _REMEDY.sub(lambda found: written(found[1], found[2] or ""), words))
    separately = "separate them with commas" if in_environment else f"repeat {option}"
    message = message.replace("must be a separate item", f"is a value of its own; {separately}")
    parts = _QUOTED.split(message)  # what is quoted is the user's
    parts[::2] = (_KEYS.sub(lambda found: written(found[0]), part) for part in parts[::2])
    message = "".join(parts)
    message = re.sub(r"routes\[(\d+)\] in line \d+", lambda match: _route(int(match[1]), options), message)
    if found := re.match(r"routes\[(\d+)\]", problem.path):
        message = message.replace("unreachable route:", f"unreachable route {_route(int(found[1]), options)}:")
    needs_file = "dangerously_allow" in message or message.endswith("'regex: …'")
    return message + _NEEDS_A_FILE if needs_file else message


def _written(option: str, value: str = "", *, options: Options, in_environment: bool) -> str:
    """Return an option with a value as the user would write it, or its name for the value ''."""
    name = options.name(option)
    if in_environment:
        name = "CORSPROXY_" + FLAGS[option].removeprefix("--").replace("-", "_").upper()
    if value == "false" and name.startswith("--"):
        return f"--no-{name.removeprefix('--')}"
    return assigned(name, value) if value else name


def _route(index: int, options: Options) -> str:
    """Return the option that represents a route of the generated file."""
    name, path, url = upstream_pairs(options)[index]
    return options.name("upstream") if name == UPSTREAM_NAME else shown(f"{path}={url}")
