"""A reverse proxy that owns CORS for HTTP services that do not, or do it wrong.

The rules live in `corsproxy.cors`, bytes move in `corsproxy.proxy`; docs/architecture.md has the map.
"""

__version__ = "0.1.0"
