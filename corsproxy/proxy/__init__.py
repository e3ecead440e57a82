"""The data path: everything between a client's bytes and an upstream's.

`Proxy` is the front door, `relay.py` the way of one request from top to bottom, `client/` what a client is spoken to
with, `upstream/` what an upstream is.
Knows no YAML, does not know how a policy is built, and handles no signals.
"""

from corsproxy.proxy.errors import PlanError, UpstreamErrorKind
from corsproxy.proxy.plan import Plan, compile_plan
from corsproxy.proxy.proxy import Proxy, new_via_token
from corsproxy.proxy.request_record import Observer, RequestRecord
from corsproxy.proxy.routes import AmbiguousPath, RouteTable, with_head
from corsproxy.proxy.upstream.keepalive import keep_alive

__all__ = [
    "AmbiguousPath",
    "Observer",
    "Plan",
    "PlanError",
    "Proxy",
    "RequestRecord",
    "RouteTable",
    "UpstreamErrorKind",
    "compile_plan",
    "keep_alive",
    "new_via_token",
    "with_head",
]
