"""Which requests go where, and under which policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from corsproxy.cors import Policy
from corsproxy.settings.upstream import Upstream

OnRefused = Literal["forward", "reject"]
WebSockets = Literal["policy", "any", "off"]
Mode = Literal["enforce", "shadow"]


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """A compiled CORS policy, and what the data path does with its decision."""

    name: str
    cors: Policy
    on_refused: OnRefused = "forward"
    websockets: WebSockets = "policy"
    mode: Mode = "enforce"
    preflight_status: int = 204


@dataclass(frozen=True, slots=True)
class Route:
    """Which requests go to which upstream, under which policy."""

    path: str
    """As written; the label in metrics and logs."""
    segments: tuple[str | None, ...]
    """The path split at `/`; None is a `{name}`, which is any one segment that is not empty.

    `/` is `()`, `/orders/{id}` is `("orders", None)`.
    A trailing slash is dropped for a prefix and is an empty last segment for an exact route.
    """
    upstream: Upstream
    policy: PolicySettings | None = None
    """None strips CORS fields and grants nothing."""
    exact: bool = False
    host: str | None = None
    """Lower case, IPv6 in brackets, without port; `*.` before it is one or more labels; None is any host."""
    host_port: int | None = None
    """Only if the port was written."""
    strip_prefix: str = ""
    """Removed from the path before the base path is prepended: empty, or begins with `/` and does not end with one."""
    methods: tuple[str, ...] = ()
    """Only these; empty is any. HEAD goes with GET unless another route of the path names it."""
    policies_before: tuple[PolicySettings, ...] = ()
    """Tried before `policy`: the first policy whose origins match decides, and `policy` if none does."""

    @property
    def policies(self) -> tuple[PolicySettings, ...]:
        """All policies, in the order in which they are tried."""
        return (*self.policies_before, self.policy) if self.policy is not None else ()
