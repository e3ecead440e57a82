"""A reverse proxy that handles CORS for HTTP services that lack it or get it wrong.

The rules live in `corsproxy.cors`, bytes move in `corsproxy.proxy`; docs/architecture.md has the map.
"""

__version__ = "0.1.0"
