"""The options of the command line and the environment, merged but not resolved.

The options of `serve`, which `check`, `explain`, `learn`, `verify` and `healthcheck` take too.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from corsproxy.errors import UsageError


@dataclass(frozen=True, slots=True)
class Options:
    """The options of `corsproxy serve`; None or empty if one was not given."""

    config: str | None = None
    config_text: str | None = None
    """A whole file as text: CORSPROXY_CONFIG_TEXT."""
    upstream: str | None = None
    routes: tuple[str, ...] = ()
    """Each `PATH=URL`."""
    allow_origins: tuple[str, ...] = ()
    allow_methods: tuple[str, ...] = ()
    allow_headers: tuple[str, ...] = ()
    expose_headers: tuple[str, ...] = ()
    allow_credentials: bool | None = None
    max_age: str | None = None
    send_host: str | None = None
    send_origin: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    public_origins: tuple[str, ...] = ()
    on_refused: str | None = None
    websockets: str | None = None
    insecure: bool = False
    https: bool = False
    listen: str | None = None
    admin: str | None = None
    inspect: bool | None = None
    workers: int | None = None
    watch: bool = False
    log_format: str | None = None
    log_level: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    """How the user wrote each given option: `--listen`, `CORSPROXY_LISTEN`, `FILE`."""
    notes: tuple[str, ...] = ()
    """Notes for the user about the command line and the environment."""

    def name(self, option: str) -> str:
        """Return the option `option` as the user wrote it, or as it is written on the command line."""
        return self.names.get(option) or FLAGS[option]

    def is_from_environment(self, option: str) -> bool:
        """Return whether the option's value comes from its environment variable."""
        return self.names.get(option, "").startswith("CORSPROXY_")

    def with_argument(self, file: str) -> Options:
        """Return the options with `file`, the argument, as `config`; raises `UsageError` if --config is given too."""
        if self.config is not None and not self.is_from_environment("config"):
            raise UsageError(f"FILE and {self.name('config')} both name a file: leave one out")
        return replace(self, config=file, names={**self.names, "config": "FILE"})

    def command_line(self) -> str:
        """Return the equivalent command line of `serve`."""
        words = ["corsproxy", "serve"]
        for option, flag in FLAGS.items():
            value = getattr(self, option)
            if value is None or (value is False and option != "allow_credentials") or option == "config_text":
                continue
            if isinstance(value, bool):
                words.append(flag if value else f"--no-{flag.removeprefix('--')}")
            else:
                for one in value if isinstance(value, tuple) else (value,):
                    words += [flag, str(one)]
        return shlex.join(words)


_SPELLINGS = {
    "config": "--config",
    "config_text": "CORSPROXY_CONFIG_TEXT",
    "routes": "--route",
    "allow_origins": "--allow-origin",
    "allow_methods": "--allow-method",
    "allow_headers": "--allow-header",
    "expose_headers": "--expose-header",
    "trusted_proxies": "--trusted-proxy",
    "public_origins": "--public-origin",
}
FLAGS = {
    one.name: _SPELLINGS.get(one.name, "--" + one.name.replace("_", "-"))
    for one in fields(Options)
    if one.name not in ("names", "notes")
}
"""Each option as it is written on the command line."""

QUICK = (
    "upstream",
    "routes",
    "allow_origins",
    "allow_methods",
    "allow_headers",
    "expose_headers",
    "allow_credentials",
    "max_age",
    "send_host",
    "send_origin",
    "trusted_proxies",
    "public_origins",
    "on_refused",
    "websockets",
    "insecure",
    "https",
)
"""The options of quick mode, which cannot be combined with a file."""
