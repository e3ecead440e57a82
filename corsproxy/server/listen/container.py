"""Detection of a container, in which a loopback address cannot be reached from outside.

The result is used for hints only, because no container engine promises to be detectable.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from corsproxy.settings import Address, TcpAddress

_MARKS = ("/.dockerenv", "/run/.containerenv")
"""The files that Docker and Podman put into every container."""

_VARIABLES = ("KUBERNETES_SERVICE_HOST", "container")
"""Set by a kubelet, and by systemd-nspawn, Podman and LXC (https://systemd.io/CONTAINER_INTERFACE)."""


def is_in_container(environ: Mapping[str, str]) -> bool:
    """Return whether this looks like a container."""
    return any(map(os.path.exists, _MARKS)) or any(environ.get(name) for name in _VARIABLES)


def loopback_hint(listen: Address, port: int, environ: Mapping[str, str]) -> str | None:
    """Return a hint if the listener can be reached only from inside this container, otherwise None.

    `port` is the actual one, which may have been assigned by the system.
    """
    if not isinstance(listen, TcpAddress) or not is_in_container(environ):
        return None
    host = listen.host
    if host != "localhost" and host != "::1" and not host.startswith("127."):
        return None
    return (
        f"this looks like a container: {listen.host} can be reached only from inside it; "
        f"to be reached from outside, listen on 0.0.0.0:{port}"
    )
