"""Small servers for the tests of probe: one careful, the others each with one fault, on loopback.

A server is a function from a request to the status and fields of its answer.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

from corsproxy.tools.probe.command import ProbeOptions, probe_command
from tests.support.upstream import Connection, Request, Upstream

PAGE = "https://app.example.com"
Fields = list[tuple[str, str]]
Serve = Callable[[str, str, str | None], tuple[int, Fields]]
"""Method, path and Origin to status and fields."""


def served(serve: Serve) -> Upstream:
    """Make a server of it; use it as a context manager."""

    def script(connection: Connection) -> None:
        request = connection.read_request()
        method, path, _ = request.line.decode().split(" ")
        status, fields = serve(
            _kind(method, request), path.partition("?")[0], (request.values(b"Origin") or [b""])[0].decode() or None
        )
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields)
        connection.send(f"HTTP/1.1 {status} Whatever\r\n{lines}Content-Length: 0\r\n\r\n".encode())

    return Upstream(script)


def _kind(method: str, request: Request) -> str:
    return "PREFLIGHT" if method == "OPTIONS" and request.values(b"Access-Control-Request-Method") else method


def careful(method: str, path: str, origin: str | None) -> tuple[int, Fields]:
    """A server without a fault: one origin, credentials, PUT, JSON, errors with the grant, Vary everywhere."""
    fields: Fields = [("Vary", "Accept-Encoding, origin")]
    if origin == PAGE:
        fields += [("Access-Control-Allow-Origin", PAGE), ("Access-Control-Allow-Credentials", "true")]
    if method == "PREFLIGHT":
        fields += [
            ("Access-Control-Allow-Methods", "PUT"),
            ("Access-Control-Allow-Headers", "Content-Type"),
            ("Access-Control-Max-Age", "600"),
        ]
        return (204 if origin == PAGE else 403), fields
    return (404 if path.endswith("not-found") else 200), fields


def letting_in(is_allowed: Callable[[str], bool], credentials: bool = True) -> Serve:
    """A server whose only fault is how it compares origins."""

    def serve(method: str, path: str, origin: str | None) -> tuple[int, Fields]:
        allowed = origin is not None and is_allowed(origin)
        status, fields = careful(method, path, PAGE if allowed else None)
        fields = [(name, origin if value == PAGE and origin else value) for name, value in fields]
        return status, [field for field in fields if credentials or field[0] != "Access-Control-Allow-Credentials"]

    return serve


def changed(change: Callable[[str, str | None, int, Fields], tuple[int, Fields]]) -> Serve:
    """The careful server, its answers changed by `change(method, origin, status, fields)`."""

    def serve(method: str, path: str, origin: str | None) -> tuple[int, Fields]:
        return change(method, origin, *careful(method, path, origin))

    return serve


def without(fields: Fields, *names: str) -> Fields:
    """Fields but for these."""
    return [field for field in fields if field[0] not in names]


def probed(
    url: str | None,
    *headers: str,
    origin: str | None = PAGE,
    method: str = "GET",
    credentials: bool = False,
    from_curl: str | None = None,
    timeout: float = 20.0,
) -> tuple[int, dict[str, Any], str]:
    """Return the exit status, the JSON report and stderr."""
    out, err = io.StringIO(), io.StringIO()
    options = ProbeOptions(
        url,
        origin=origin,
        method=method,
        headers=headers,
        credentials=credentials,
        from_curl=from_curl,
        format="json",
        timeout=timeout,
    )
    status = probe_command(options, out=out, err=err)
    return status, json.loads(out.getvalue()), err.getvalue()


def codes(report: dict[str, Any]) -> dict[str, str]:
    """Findings as code to severity."""
    return {finding["code"]: finding["severity"] for finding in report["findings"]}


def regex(pattern: str) -> Callable[[str], bool]:
    """Compare by a regular expression as many do: from the start, not in full."""
    return lambda origin: re.match(pattern, origin) is not None
