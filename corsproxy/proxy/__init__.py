"""The data path: everything between a client's bytes and an upstream's.

`Proxy` is the front door, `relay.py` the way of one request from top to bottom, `client/` what a client is spoken to
with, `upstream/` what an upstream is.
Knows no YAML, does not know how a policy is built, and handles no signals.
"""

from corsproxy.proxy.errors import PlanError
from corsproxy.proxy.exchange import Exchange, Observer
from corsproxy.proxy.plan import Plan, compile_plan
from corsproxy.proxy.proxy import Proxy, new_via_token

__all__ = ["Exchange", "Observer", "Plan", "PlanError", "Proxy", "compile_plan", "new_via_token"]
