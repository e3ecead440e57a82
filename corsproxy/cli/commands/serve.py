"""`corsproxy serve`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from corsproxy.cli.configuration import takes_configuration
from corsproxy.cli.ending import leave
from corsproxy.cli.groups import command

if TYPE_CHECKING:
    from corsproxy.config import Options


@command()
@takes_configuration(shows_all=True)
def serve(options: Options) -> None:
    """Run the proxy.

    \b
    Example:
      corsproxy serve -c corsproxy.yaml
      corsproxy serve --upstream http://localhost:8000
    """
    from corsproxy.server import serve as run

    # Its output is logs, not an answer that must be complete.
    leave(lambda: run(options), is_answer=False)
