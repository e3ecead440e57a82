"""Quick mode: settings from an upstream and, perhaps, origins; the development default, with no file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from corsproxy.config.addresses import parse_upstream_url
from corsproxy.config.problems import ConfigError, Problem, RefusedError
from corsproxy.cors import OriginSpec, PolicyErrors, PolicySpec, compile_policy
from corsproxy.settings import PolicySettings, Route, Settings, Upstream

LOOPBACK_ORIGINS: Final = tuple(
    f"{scheme}://{host}:*" for host in ("localhost", "127.0.0.1", "[::1]") for scheme in ("http", "https")
)
"""Pages served from this machine, on any port."""


def quick_spec(allow_origins: Sequence[str]) -> PolicySpec:
    """Give the policy of quick mode: any method and header, Authorization too, every response header exposed.

    Credentials are granted except to `*`, to which Fetch does not let them be granted.
    """
    origins = tuple(map(OriginSpec, allow_origins or LOOPBACK_ORIGINS))
    return PolicySpec(
        allow_origins=origins,
        allow_methods=("*",),
        allow_headers=("*", "Authorization"),
        expose_headers=("*",),
        allow_credentials="*" not in allow_origins,
    )


def quick(upstream: str, allow_origins: Sequence[str]) -> Settings:
    """Make settings that forward everything to one upstream.

    Without origins, pages served from loopback are allowed.
    Raises `ConfigError` whose problems name the option: `--upstream`, `--allow-origin`.
    """
    problems: list[Problem] = []
    url = None
    try:
        url = parse_upstream_url(upstream)
    except RefusedError as refused:
        problems.append(Problem("", 0, 0, "--upstream", "error", refused.reason, refused.message))
    try:
        cors = compile_policy(quick_spec(allow_origins))
    except PolicyErrors as errors:
        problems += (
            Problem("", 0, 0, "--allow-origin", "error", problem.reason, _without_a_file(problem.message))
            for problem in errors.problems
        )
        raise ConfigError(problems) from None
    if url is None:
        raise ConfigError(problems)
    target = Upstream("upstream", url.scheme, url.host, url.port, url.unix_path, url.base_path, url.base_query)
    return Settings(routes=(Route("/", (), target, PolicySettings("quick", cors)),))


def _without_a_file(message: str) -> str:
    """Say where a key can be written that has no option."""
    return (
        f"{message} in a configuration file ('corsproxy init' writes one)"
        if "dangerously_allow" in message
        else message
    )
