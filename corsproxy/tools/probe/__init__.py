"""`corsproxy probe`: act as a browser against any live server, and find mistakes that one request does not show.

`corsproxy.tools.browser` makes the steps, `further` the further requests, `findings` judges their answers; `command` is
the front door.
"""

from corsproxy.tools.probe.command import ProbeOptions, probe_command

__all__ = ["ProbeOptions", "probe_command"]
