"""A compiled policy: everything that a request looks up, in finished form.

`compiler` builds it, `decision` reads it; it must not know either.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from corsproxy.cors.headers import field_block
from corsproxy.cors.index import OriginIndex
from corsproxy.cors.origins import NULL, parse_origin
from corsproxy.cors.spec import PolicySpec

Fields = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class FieldBlock:
    """Response fields, and the same fields as finished lines."""

    fields: Fields = ()
    block: bytes = b""

    @classmethod
    def of(cls, fields: Iterable[tuple[bytes, bytes]]) -> FieldBlock:
        """Return `fields` with their finished lines."""
        pairs = tuple(fields)
        return cls(pairs, field_block(pairs))


@dataclass(frozen=True, slots=True)
class Policy:
    """A checked policy; two are equal if their specs are, because everything else follows from the spec."""

    spec: PolicySpec
    """The spec from which it was compiled."""
    allow_any_origin: bool = field(compare=False)
    """True if the list has a `*`."""
    allow_null: bool = field(compare=False)
    """True if the list has `null`, which never matches otherwise."""
    any_origin_rule: int | None = field(compare=False)
    """The index of the first `*` in the list; None if and only if `allow_any_origin` is false."""
    null_rule: int | None = field(compare=False)
    """The index of the first `null` in the list; None if and only if `allow_null` is false."""
    origins: OriginIndex = field(compare=False, repr=False)
    """All other rules."""
    methods: frozenset[bytes] = field(compare=False)
    """The methods allowed in addition to the safelisted ones; never `*`."""
    allow_any_method: bool = field(compare=False)
    header_names: frozenset[bytes] = field(compare=False)
    """The allowed names in lower case; never `*`."""
    allow_any_header: bool = field(compare=False)
    max_requested_names: int = field(compare=False)
    """The most names to read from Access-Control-Request-Headers."""
    max_requested_bytes: int = field(compare=False)
    """The most bytes to read from Access-Control-Request-Headers."""
    methods_value: bytes = field(compare=False)
    """The finished Access-Control-Allow-Methods; empty if it is omitted, or lists the requested method."""
    headers_value: bytes = field(compare=False)
    """The finished Access-Control-Allow-Headers; empty if it is omitted, or lists the requested names."""
    method_names: tuple[bytes, ...] = field(compare=False)
    """The methods of `methods`, in the order of the spec."""
    header_list: tuple[bytes, ...] = field(compare=False)
    """The names of `header_names` as written, in the order of the spec."""
    preflight: FieldBlock | None = field(compare=False)
    """The fields after Access-Control-Allow-Origin on a granted preflight; None if they depend on the request."""
    actual: FieldBlock = field(compare=False)
    """The fields after Access-Control-Allow-Origin on a granted actual response, without Timing-Allow-Origin."""
    timing_for_all: bytes = field(compare=False)
    """The Timing-Allow-Origin of every response; empty without an explicit list."""
    timing_without_origin: bytes = field(compare=False)
    """The one of a response to a request without Origin, if it follows the grant; empty if nothing can be listed."""

    @property
    def allow_credentials(self) -> bool:
        """Return whether responses may be shared with requests that carry credentials."""
        return self.spec.allow_credentials

    @property
    def timing(self) -> bool:
        """Return whether this policy writes Timing-Allow-Origin."""
        return bool(self.spec.timing)

    @property
    def grants_everyone(self) -> bool:
        """Return whether the grant is the same for everyone: `*` without credentials."""
        return self.allow_any_origin and not self.spec.allow_credentials

    @property
    def varies_on_origin(self) -> bool:
        """Return whether the response depends on the origin, so that it needs `Vary: Origin`."""
        return not self.grants_everyone

    @property
    def exposes_all_names(self) -> bool:
        """Return whether the names of each response must be listed, because credentials forbid the wildcard."""
        return self.spec.allow_credentials and "*" in self.spec.expose_headers

    def matching_rule(self, origin: bytes) -> int | None:
        """Return the index in `allow_origins` of the first rule that matches `origin`; only for tools."""
        rules = [self.origins.exact.get(origin)]
        parsed = parse_origin(origin)
        if parsed is not None:
            rules += self.origins.rules(parsed)
        if origin == NULL:
            rules.append(self.null_rule)
        if self.grants_everyone or parsed is not None:
            rules.append(self.any_origin_rule)
        return min((rule for rule in rules if rule is not None), default=None)

    def allows_by_name(self, origin: bytes) -> bool:
        """Return whether a rule other than `*` matches `origin`, as a WebSocket requires.

        A WebSocket always carries cookies, so `*` would let any site act as the user (cross-site WebSocket hijacking).
        """
        if origin in self.origins.exact:
            return True
        if origin == NULL:
            return self.allow_null
        parsed = parse_origin(origin)
        return parsed is not None and next(self.origins.rules(parsed), None) is not None
