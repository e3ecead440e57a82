"""Small configurations that the tests of this directory share."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from corsproxy.config import ConfigError, Loaded, Problem, RefusedError, load_text

MINIMAL = """\
upstreams: {api: http://localhost:8000}
routes: [{path: /, upstream: api}]
"""
"""The least that can be served."""


def load(text: str, environ: Mapping[str, str] | None = None, file: str = "test.yaml") -> Loaded:
    """Load a text with an environment that holds nothing else."""
    return load_text(text, file, environ or {})


def problems(text: str, environ: Mapping[str, str] | None = None, file: str = "test.yaml") -> tuple[Problem, ...]:
    """Return the problems of a text, warnings included; empty if there are none."""
    try:
        return load(text, environ, file).warnings
    except ConfigError as error:
        return error.problems


def with_upstream(keys: str) -> str:
    """Return a configuration whose upstream has these keys, written as a flow mapping's inside, from line 1 on."""
    return f"upstreams: {{api: {{{keys}}}}}\nroutes: [{{path: /, upstream: api}}]\n"


def with_policy(keys: str) -> str:
    """Return a configuration whose policy `app` has these keys; they begin in line 3, one level in."""
    inner = "\n".join(f"    {line}" for line in keys.splitlines())
    return (
        f"policies:\n  app:\n{inner}\n"
        "upstreams: {api: http://localhost:8000}\nroutes: [{path: /, upstream: api, policy: app}]\n"
    )


def with_routes(*routes: str) -> str:
    """Return a configuration with these routes to `api`, each the inside of a flow mapping; they begin in line 3."""
    lines = "".join(f"  - {{{route}, upstream: api}}\n" for route in routes)
    return f"upstreams: {{api: http://localhost:8000}}\nroutes:\n{lines}"


def refusal(parse: Callable[[str], object], text: str) -> str:
    """Return the message with which a parser refuses a text, empty if it accepts it; other exceptions propagate."""
    try:
        parse(text)
    except RefusedError as refused:
        return refused.message
    return ""
