"""`corsproxy demo`: a legacy API, a page on another origin, and the proxy between them, on loopback.

`command.py` starts the three and tells what they said, `calls.py` is the table of what the page asks for, `player.py`
makes the same calls as a browser would, `legacy.py` is the API, `site.py` serves the page in `page/`.
Nothing here decides anything about CORS: the proxy is the real one, its policy is `demo.yaml`, and the verdicts are
those of `corsproxy.tools.browser` and, in the page, of the browser that shows it.
"""

from corsproxy.tools.demo.command import DemoOptions, demo_command

__all__ = ["DemoOptions", "demo_command"]
