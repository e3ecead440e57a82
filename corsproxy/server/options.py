"""What the command line asks of `serve`: options and their environment twins, already merged; nothing resolved."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """The options of `corsproxy serve`; None where one was not given, and the file or the default decides."""

    config: str | None = None
    upstream: str | None = None
    allow_origins: tuple[str, ...] = ()
    listen: str | None = None
    admin: str | None = None
    inspect: bool | None = None
    workers: int | None = None
    watch: bool = False
    log_format: str | None = None
    log_level: str | None = None
