"""The data path: everything between a client's bytes and an upstream's.

`Proxy` is the front door, `relay.py` follows one request from top to bottom, `client/` is the server towards clients,
`upstream/` the client towards upstreams.
Knows nothing about YAML, how a policy is built, or signals.
"""

from typing import TYPE_CHECKING

from corsproxy.proxy.errors import PlanError, UpstreamErrorKind
from corsproxy.proxy.request_record import Observer, RequestRecord
from corsproxy.proxy.routes import AmbiguousPath, RouteTable, with_head
from corsproxy.proxy.table import NameTable, Table

if TYPE_CHECKING:
    from corsproxy.proxy.plan import Plan, compile_plan
    from corsproxy.proxy.proxy import Proxy, new_via_token
    from corsproxy.proxy.upstream.keepalive import keep_alive

__all__ = [
    "AmbiguousPath",
    "NameTable",
    "Observer",
    "Plan",
    "PlanError",
    "Proxy",
    "RequestRecord",
    "RouteTable",
    "Table",
    "UpstreamErrorKind",
    "compile_plan",
    "keep_alive",
    "new_via_token",
    "with_head",
]

# The modules that move bytes are loaded on first use: `explain` and `verify` only read the route table, and aiohttp,
# asyncio and ssl take three times as long to load as everything else that those two need.
_LOADED_ON_DEMAND = {
    "Plan": "plan",
    "Proxy": "proxy",
    "compile_plan": "plan",
    "keep_alive": "upstream.keepalive",
    "new_via_token": "proxy",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import a name on first use; the type checker reads the imports above."""
        from importlib import import_module

        if name not in _LOADED_ON_DEMAND:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{_LOADED_ON_DEMAND[name]}"), name)
        return value
