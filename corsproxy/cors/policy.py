"""A compiled policy: everything a request looks up, finished.

Made by `compiler`, read by `decision`; knows neither.
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
    """Response fields, and the same as finished lines."""

    fields: Fields = ()
    block: bytes = b""

    @classmethod
    def of(cls, fields: Iterable[tuple[bytes, bytes]]) -> FieldBlock:
        """Finish `fields`."""
        pairs = tuple(fields)
        return cls(pairs, field_block(pairs))


@dataclass(frozen=True, slots=True)
class Policy:
    """A checked policy; two are equal where their specs are, as all the rest follows from the spec."""

    spec: PolicySpec
    """What it was compiled from."""
    allow_any_origin: bool = field(compare=False)
    """The list has a `*`."""
    allow_null: bool = field(compare=False)
    """The list has `null`; it never matches otherwise."""
    any_origin_rule: int | None = field(compare=False)
    """The place of the first `*` in the list; None exactly where `allow_any_origin` is false."""
    null_rule: int | None = field(compare=False)
    """The place of the first `null` in the list; None exactly where `allow_null` is false."""
    origins: OriginIndex = field(compare=False, repr=False)
    """Every other rule."""
    methods: frozenset[bytes] = field(compare=False)
    """Allowed beside the safelisted ones; `*` is not in it."""
    allow_any_method: bool = field(compare=False)
    header_names: frozenset[bytes] = field(compare=False)
    """Allowed, in lower case; `*` is not in it."""
    allow_any_header: bool = field(compare=False)
    max_requested_names: int = field(compare=False)
    """How many names of Access-Control-Request-Headers are read."""
    max_requested_bytes: int = field(compare=False)
    """How many bytes of Access-Control-Request-Headers are read."""
    methods_value: bytes = field(compare=False)
    """The finished Access-Control-Allow-Methods; empty where it is left out, or lists what was requested."""
    headers_value: bytes = field(compare=False)
    """The finished Access-Control-Allow-Headers; empty where it is left out, or lists what was requested."""
    method_names: tuple[bytes, ...] = field(compare=False)
    """The methods of `methods`, in the order of the spec."""
    header_list: tuple[bytes, ...] = field(compare=False)
    """The names of `header_names` as they were written, in the order of the spec."""
    preflight: FieldBlock | None = field(compare=False)
    """What follows Access-Control-Allow-Origin on a granted preflight; None where it lists what was requested."""
    actual: FieldBlock = field(compare=False)
    """What follows Access-Control-Allow-Origin on a granted actual response, less Timing-Allow-Origin."""
    timing_for_all: bytes = field(compare=False)
    """The Timing-Allow-Origin of every response; empty where there is none of its own."""
    timing_without_origin: bytes = field(compare=False)
    """That of a response to no Origin, where it follows the grant; empty where nothing can be listed."""

    @property
    def allow_credentials(self) -> bool:
        """Return whether responses may be shared with requests that carry credentials."""
        return self.spec.allow_credentials

    @property
    def timing(self) -> bool:
        """Return whether Timing-Allow-Origin is this policy's to write."""
        return bool(self.spec.timing)

    @property
    def grants_everyone(self) -> bool:
        """Return whether the answer is the same for everyone: `*` without credentials."""
        return self.allow_any_origin and not self.spec.allow_credentials

    @property
    def varies_on_origin(self) -> bool:
        """Return whether the answer depends on the origin, so that caches must be told."""
        return not self.grants_everyone

    @property
    def exposes_all_names(self) -> bool:
        """Return whether the names of each response must be listed: credentials forbid the wildcard as written."""
        return self.spec.allow_credentials and "*" in self.spec.expose_headers

    def matching_rule(self, origin: bytes) -> int | None:
        """Return the place in `allow_origins` of the first rule that lets `origin` pass; for tools alone."""
        rules = [self.origins.exact.get(origin)]
        parsed = parse_origin(origin)
        if parsed is not None:
            rules += self.origins.rules(parsed)
        if origin == NULL:
            rules.append(self.null_rule)
        if self.grants_everyone or parsed is not None:
            rules.append(self.any_origin_rule)
        return min((rule for rule in rules if rule is not None), default=None)

    def names(self, origin: bytes) -> bool:
        """Return whether a rule of the list other than `*` lets `origin` pass: what is needed to open a WebSocket."""
        if origin in self.origins.exact:
            return True
        if origin == NULL:
            return self.allow_null
        parsed = parse_origin(origin)
        return parsed is not None and next(self.origins.rules(parsed), None) is not None
