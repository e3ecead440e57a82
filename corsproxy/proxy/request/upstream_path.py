"""The path of a request as its upstream gets it, if that stays within what the route serves.

Knows paths as bytes: no routes, no sockets.
"""

from __future__ import annotations

from corsproxy.proxy.errors import Refusal
from corsproxy.proxy.fields.references import PathMap
from corsproxy.proxy.request.other_reading import other_reading


class UpstreamPath:
    """Maps the paths of one route's requests."""

    __slots__ = ("_base_depth", "_base_read", "_paths")

    def __init__(self, paths: PathMap) -> None:
        self._paths = paths
        self._base_read = (other_reading(paths.base) or paths.base) + b"/"
        """The base path as a server that decodes and normalizes reads it, with a slash at its end."""
        self._base_depth = self._base_read.count(b"/")

    def of(self, path: bytes) -> bytes:
        """Return the base path and the part of `path` below the stripped prefix, byte for byte.

        Raises `Refusal` with 400 if the path is not below the prefix, or if a server that decodes and normalizes would
        leave the base path.
        """
        paths = self._paths
        if not paths.base and not paths.prefix:
            return path
        mapped = paths.to_upstream(path)
        if mapped is None or (paths.base and self._leaves_base(mapped)):
            raise Refusal(400, "the path leads out of what this route serves")
        return mapped

    def _leaves_base(self, path: bytes) -> bool:
        """Return whether a server that decodes and normalizes would leave the base path."""
        read = other_reading(path, self._base_depth, len(self._base_read))
        return read is not None and not (read + b"/").startswith(self._base_read)
