"""The decision for one request under one policy, in the order of Fetch's own checks.

https://fetch.spec.whatwg.org/#http-cors-protocol and #cors-preflight-fetch, seen from the server.
It must not know routes, upstreams, or how a response is written.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from corsproxy.cors.headers import (
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE,
    AUTHORIZATION,
    TIMING_ALLOW_ORIGIN,
)
from corsproxy.cors.methods import CARRIED, SAFELISTED
from corsproxy.cors.origins import NULL, parse_origin
from corsproxy.cors.policy import FieldBlock, Fields, Policy
from corsproxy.cors.request_headers import parse_request_headers


class Kind(StrEnum):
    """The kind of a request, as CORS sees it."""

    NONE = "none"
    """No Origin: not a CORS request."""
    PREFLIGHT = "preflight"
    """OPTIONS with Origin and Access-Control-Request-Method."""
    ACTUAL = "actual"
    """Any other request with an Origin."""


class Reason(StrEnum):
    """Why a request is refused: the closed list that every refusal uses."""

    ORIGIN_NOT_ALLOWED = "origin_not_allowed"
    ORIGIN_MALFORMED = "origin_malformed"
    """Not a serialized origin: upper case, a path, two lines."""
    METHOD_NOT_ALLOWED = "method_not_allowed"
    HEADERS_NOT_ALLOWED = "headers_not_allowed"
    NO_POLICY = "no_policy"
    CREDENTIALS_NOT_ALLOWED = "credentials_not_allowed"
    """Only from the browser model: a server cannot see the credentials mode."""
    NO_ROUTE = "no_route"
    """Only from the browser model."""


@dataclass(frozen=True, slots=True)
class CorsRequest:
    """The parts of a request that CORS reads: all values in order, without surrounding white space."""

    method: str
    origins: tuple[bytes, ...] = ()
    """Origin."""
    requested_methods: tuple[bytes, ...] = ()
    """Access-Control-Request-Method."""
    requested_headers: tuple[bytes, ...] = ()
    """Access-Control-Request-Headers."""


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision of a policy about one request."""

    kind: Kind
    granted: bool
    """True if a CORS request passed every check; never true for `Kind.NONE`, which asks for nothing."""
    reason: Reason | None = None
    """None if and only if `granted`, or if `kind` is NONE."""
    fields: Fields = ()
    """The CORS fields of the response, in order; a refused preflight has some only if `diagnostics` is on."""
    block: bytes = b""
    """`fields` as finished lines, each ended by CRLF."""
    varies_on_origin: bool = False
    """True if `Origin` must be in the response's Vary."""
    exposes_all_names: bool = False
    """True if Access-Control-Expose-Headers must be added, with the names of that response."""
    policy: int = 0
    """The index of the policy that decided, if there are several."""


def classify(request: CorsRequest) -> Kind:
    """Return the kind of a request (https://fetch.spec.whatwg.org/#cors-request, #cors-preflight-request)."""
    if not request.origins:
        return Kind.NONE
    if request.method == "OPTIONS" and request.requested_methods:
        return Kind.PREFLIGHT
    return Kind.ACTUAL


def decide_among(
    policies: tuple[Policy, ...], request: CorsRequest, own_origins: frozenset[bytes] = frozenset()
) -> Decision:
    """Return the decision of the first policy whose origins match, else of the last; no policies grant nothing.

    `own_origins` are those under which browsers know this server. Its own pages send Origin too, with every method but
    GET and HEAD (https://fetch.spec.whatwg.org/#append-a-request-origin-header), so a refused actual request from one
    of these origins counts as no CORS request.
    """
    decision = _decide_among(policies, request)
    if decision.granted or not own_origins or len(request.origins) != 1 or request.origins[0] not in own_origins:
        return decision
    if decision.kind is Kind.ACTUAL:
        return replace(decision, kind=Kind.NONE, reason=None)
    return decision


def _decide_among(policies: tuple[Policy, ...], request: CorsRequest) -> Decision:
    decision = _decide_cors_among(policies, request)
    return _with_timing(policies[decision.policy], decision, request) if policies else decision


def _with_timing(policy: Policy, decision: Decision, request: CorsRequest) -> Decision:
    """Return the decision with Timing-Allow-Origin, for a response to anything but a preflight.

    A page cannot time a preflight (https://fetch.spec.whatwg.org/#concept-tao-check).
    """
    if not policy.timing or decision.kind is Kind.PREFLIGHT:
        return decision
    value = policy.timing_for_all
    if not value and policy.grants_everyone:
        value = b"*"
    elif not value and decision.kind is Kind.NONE:
        value = policy.timing_without_origin
    elif not value and decision.granted:
        value = request.origins[0]
    if not value:
        return decision
    fields = (*decision.fields, (TIMING_ALLOW_ORIGIN, value))
    return replace(decision, fields=fields, block=FieldBlock.of(fields).block)


def _decide_cors_among(policies: tuple[Policy, ...], request: CorsRequest) -> Decision:
    if len(policies) <= 1:
        return _decide_cors(policies[0] if policies else None, request)
    # The response depends on the origin even if one of the policies allows every origin: without `Vary` a shared
    # cache could serve one policy's grant to a page that another policy decides on.
    last = len(policies) - 1
    if classify(request) is Kind.NONE:
        return replace(_UNASKED_VARYING, policy=last)
    place = 0
    while place < last and refuse_origin(policies[place], request.origins) is not None:
        place += 1
    return replace(_decide_cors(policies[place], request), varies_on_origin=True, policy=place)


def decide(policy: Policy | None, request: CorsRequest) -> Decision:
    """Return the decision about one request; `policy` None grants nothing."""
    return _decide_among(() if policy is None else (policy,), request)


def _decide_cors(policy: Policy | None, request: CorsRequest) -> Decision:
    kind = classify(request)
    if policy is None:
        return _REFUSALS[kind, Reason.NO_POLICY, False] if kind is not Kind.NONE else _UNASKED
    if kind is Kind.NONE:
        return _decide_unasked(policy)
    # In the order of https://fetch.spec.whatwg.org/#cors-preflight-fetch: the CORS check, then the method, then the
    # headers. The first failure is the reason, because a browser reports that one and checks no further.
    reason = refuse_origin(policy, request.origins)
    if reason is None and kind is Kind.PREFLIGHT:
        return _decide_preflight(policy, request)
    if reason is not None:
        return _REFUSALS[kind, reason, policy.varies_on_origin]
    return _grant_actual(policy, kind, request.origins[0])


def _decide_unasked(policy: Policy) -> Decision:
    """Return the decision about a request without Origin: a grant that is the same for everyone, or none.

    A cache may store this response and serve it to a page, which then needs the grant
    (https://fetch.spec.whatwg.org/#cors-protocol-and-http-caches).
    """
    if policy.grants_everyone:
        return _grant_actual(policy, Kind.NONE, b"*")
    return _UNASKED_VARYING


def refuse_origin(policy: Policy, origins: tuple[bytes, ...]) -> Reason | None:
    """Make the CORS check (https://fetch.spec.whatwg.org/#concept-cors-check) as the server; return None if it passes.

    Bytes are compared, in the serialized form, as the browser does: "If the result of byte-serializing a request origin
    with request is not origin, then return failure."
    A grant that is the same for everyone needs no comparison, so it passes any Origin, malformed ones too.
    Otherwise repeated Origin lines never match: two servers could take different lines for the origin.
    `null` matches only if it is listed, because any page can make itself `null` with a sandboxed frame.
    """
    if policy.grants_everyone:
        return None
    if len(origins) != 1:
        return Reason.ORIGIN_MALFORMED
    value = origins[0]
    if value in policy.origins.exact:
        return None
    if value == NULL:
        return None if policy.allow_null else Reason.ORIGIN_NOT_ALLOWED
    origin = parse_origin(value)
    if origin is None:
        return Reason.ORIGIN_MALFORMED
    if policy.allow_any_origin or next(policy.origins.rules(origin), None) is not None:
        return None
    return Reason.ORIGIN_NOT_ALLOWED


def _decide_preflight(policy: Policy, request: CorsRequest) -> Decision:
    """Return the decision about a preflight that passed the CORS check: its method, then its headers."""
    allows_method = _allows_method(policy, request.requested_methods)
    if not allows_method and not policy.spec.diagnostics:
        return _REFUSALS[Kind.PREFLIGHT, Reason.METHOD_NOT_ALLOWED, policy.varies_on_origin]
    names = parse_request_headers(
        request.requested_headers, max_names=policy.max_requested_names, max_bytes=policy.max_requested_bytes
    )
    allows_headers = names is not None and _allows_headers(policy, names)
    if not allows_method or not allows_headers or names is None:
        reason = Reason.HEADERS_NOT_ALLOWED if allows_method else Reason.METHOD_NOT_ALLOWED
        if policy.spec.diagnostics:
            return _diagnosed(policy, request, names or (), reason)
        return _REFUSALS[Kind.PREFLIGHT, reason, policy.varies_on_origin]
    tail = policy.preflight or _list_requested(policy, request.requested_methods[0], names)
    return _granted(policy, Kind.PREFLIGHT, request.origins[0], tail)


def _allows_method(policy: Policy, methods: tuple[bytes, ...]) -> bool:
    """Return whether the one requested method is allowed (https://fetch.spec.whatwg.org/#cors-preflight-fetch, 7.6).

    "If request's method is not in methods, request's method is not a CORS-safelisted method, and request's credentials
    mode is "include" or methods does not contain `*`, then return a network error."
    The credentials mode is not visible here, so with credentials the answer names the method in place of `*`.
    """
    if len(methods) != 1:
        return False
    method = methods[0]
    return method in SAFELISTED or method in policy.methods or (policy.allow_any_method and method in CARRIED)


def _allows_headers(policy: Policy, names: tuple[bytes, ...]) -> bool:
    """Return whether every requested name is allowed (https://fetch.spec.whatwg.org/#cors-preflight-fetch, 7.7, 7.8).

    "If one of request's header list's names is a CORS non-wildcard request-header name and is not a
    byte-case-insensitive match for an item in headerNames, then return a network error."
    """
    if policy.header_names.issuperset(names):
        return True
    return policy.allow_any_header and (AUTHORIZATION not in names or AUTHORIZATION in policy.header_names)


def _diagnosed(policy: Policy, request: CorsRequest, names: tuple[bytes, ...], reason: Reason) -> Decision:
    """Return a refusal with the grant minus the refused parts, so that the browser's console names what is missing.

    The browser then refuses by its own checks. A star is never sent here: it would grant the refused part.
    """
    methods = policy.method_names
    if policy.allow_any_method:
        methods = (*methods, *(method for method in request.requested_methods if method in CARRIED))
    listed = {name.lower(): name for name in policy.header_list}
    if policy.allow_any_header:
        listed |= {name: name for name in names if name != AUTHORIZATION and name not in listed}
    tail = preflight_tail(
        policy.allow_credentials,
        b", ".join(dict.fromkeys(methods)),
        b", ".join(listed.values()),
        policy.spec.max_age,
    )
    granted = _granted(policy, Kind.PREFLIGHT, request.origins[0], tail)
    return replace(granted, granted=False, reason=reason)


def _list_requested(policy: Policy, method: bytes, names: tuple[bytes, ...]) -> FieldBlock:
    """Return the fields after Access-Control-Allow-Origin for a policy with credentials and a wildcard.

    With credentials a browser takes `*` literally (https://fetch.spec.whatwg.org/#cors-preflight-fetch), so the
    requested method and names are listed instead. For this request they grant exactly what the wildcard would.
    """
    methods = method if policy.allow_any_method else policy.methods_value
    headers = b", ".join(names) if policy.allow_any_header else policy.headers_value
    return preflight_tail(policy.allow_credentials, methods, headers, policy.spec.max_age)


def preflight_tail(allow_credentials: bool, methods: bytes, headers: bytes, max_age: int) -> FieldBlock:
    """Return the fields after Access-Control-Allow-Origin on a granted preflight; empty lists are omitted."""
    fields = (
        (ACCESS_CONTROL_ALLOW_CREDENTIALS, b"true" if allow_credentials else b""),
        (ACCESS_CONTROL_ALLOW_METHODS, methods),
        (ACCESS_CONTROL_ALLOW_HEADERS, headers),
        (ACCESS_CONTROL_MAX_AGE, b"%d" % max_age),
    )
    return FieldBlock.of(pair for pair in fields if pair[1])


def _grant_actual(policy: Policy, kind: Kind, origin: bytes) -> Decision:
    return _granted(policy, kind, origin, policy.actual)


def _granted(policy: Policy, kind: Kind, origin: bytes, tail: FieldBlock) -> Decision:
    # A response for everyone has `*`, never the request's own Origin: caches share it, and it needs no Vary.
    value = b"*" if policy.grants_everyone else origin
    return Decision(
        kind=kind,
        granted=kind is not Kind.NONE,
        fields=((ACCESS_CONTROL_ALLOW_ORIGIN, value), *tail.fields),
        block=b"%s: %s\r\n%s" % (ACCESS_CONTROL_ALLOW_ORIGIN, value, tail.block),
        varies_on_origin=policy.varies_on_origin,
        exposes_all_names=policy.exposes_all_names and kind is Kind.ACTUAL,
    )


_UNASKED = Decision(Kind.NONE, granted=False)
_UNASKED_VARYING = Decision(Kind.NONE, granted=False, varies_on_origin=True)
_REFUSALS = {
    (kind, reason, varies): Decision(kind, granted=False, reason=reason, varies_on_origin=varies)
    for kind in (Kind.PREFLIGHT, Kind.ACTUAL)
    for reason in Reason
    for varies in (False, True)
}
"""All refusals but those of `_diagnosed`: without a CORS field, no part of them depends on the request.

`_with_timing` adds an explicit list of origins to those of actual requests.
"""
