"""`corsproxy demo`: a legacy API, a page on another origin, and the proxy between them, on loopback.

`command.py` starts the three servers and prints the results, `calls.py` is the table of the page's calls, `player.py`
makes the same calls as a browser would, `legacy.py` is the API, `site.py` serves the page in `page/`.
Nothing here decides anything about CORS: the proxy is the real one, its policy is `demo.yaml`, and the verdicts come
from `corsproxy.tools.browser` and, on the page, from the browser that shows it.
"""

from corsproxy.tools.demo.command import DemoOptions, demo_command

__all__ = ["DemoOptions", "demo_command"]
