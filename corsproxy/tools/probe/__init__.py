"""`corsproxy probe`: act as a browser against any live server, and find mistakes that one request does not show.

The steps are the browser's (`corsproxy.tools.browser`), the further requests are `further`, what they mean `findings`;
`command` is the front door.
"""

from corsproxy.tools.probe.command import ProbeOptions, probe_command

__all__ = ["ProbeOptions", "probe_command"]
