"""The process: listeners, workers, reload, drain, admin listener, metrics and logs.

`serve` runs it until it is stopped.
Must not know how a request is decided: it counts, logs and shows decisions.
"""

from corsproxy.config import Options

__all__ = ["serve"]


def serve(options: Options) -> int:
    """Run the proxy until it is stopped; return the exit status.

    Raises `UsageError` or `ConfigError` if it cannot start as asked.
    """
    # Imported here, so that a health check, which runs every few seconds, does not load the data path.
    from corsproxy.server.start import start

    return start(options)
