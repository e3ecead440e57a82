"""The CORS core: the rules of the Fetch standard for origins, methods and header names, and for one request.

Strings and tuples in, frozen values out.
Nothing here knows HTTP on the wire, paths, YAML, sockets, clocks or logs.
A `PolicySpec`, as a person wrote it, is compiled once to a `Policy` of finished header values; requests only look up.
The standard is https://fetch.spec.whatwg.org/#http-cors-protocol.
"""

from corsproxy.cors.compiler import check_policy, compile_policy, policy_warnings
from corsproxy.cors.decision import CorsRequest, Decision, Kind, Reason, classify, decide, decide_among
from corsproxy.cors.headers import (
    ACCESS_CONTROL_ALLOW_CREDENTIALS,
    ACCESS_CONTROL_ALLOW_HEADERS,
    ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS,
    ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD,
    ORIGIN,
    TIMING_ALLOW_ORIGIN,
    VARY,
    exposed_names,
    is_cors_response_field,
)
from corsproxy.cors.hosts import is_loopback
from corsproxy.cors.methods import CARRIED
from corsproxy.cors.origins import Origin, parse_origin
from corsproxy.cors.patterns import Pattern, PatternError, PatternKind, parse_pattern, parse_regex
from corsproxy.cors.policy import Policy
from corsproxy.cors.ports import BAD_PORTS
from corsproxy.cors.problems import PolicyErrors, PolicyProblem
from corsproxy.cors.public_suffix import is_public_suffix, registrable_domain
from corsproxy.cors.spec import DANGERS, MAX_MAX_AGE, OriginSpec, PolicySpec
from corsproxy.cors.spelling import is_scheme_alone, mend_separator
from corsproxy.cors.tokens import is_token

__all__ = [
    "ACCESS_CONTROL_ALLOW_CREDENTIALS",
    "ACCESS_CONTROL_ALLOW_HEADERS",
    "ACCESS_CONTROL_ALLOW_METHODS",
    "ACCESS_CONTROL_ALLOW_ORIGIN",
    "ACCESS_CONTROL_EXPOSE_HEADERS",
    "ACCESS_CONTROL_MAX_AGE",
    "ACCESS_CONTROL_REQUEST_HEADERS",
    "ACCESS_CONTROL_REQUEST_METHOD",
    "BAD_PORTS",
    "CARRIED",
    "DANGERS",
    "MAX_MAX_AGE",
    "ORIGIN",
    "TIMING_ALLOW_ORIGIN",
    "VARY",
    "CorsRequest",
    "Decision",
    "Kind",
    "Origin",
    "OriginSpec",
    "Pattern",
    "PatternError",
    "PatternKind",
    "Policy",
    "PolicyErrors",
    "PolicyProblem",
    "PolicySpec",
    "Reason",
    "check_policy",
    "classify",
    "compile_policy",
    "decide",
    "decide_among",
    "exposed_names",
    "is_cors_response_field",
    "is_loopback",
    "is_public_suffix",
    "is_scheme_alone",
    "is_token",
    "mend_separator",
    "parse_origin",
    "parse_pattern",
    "parse_regex",
    "policy_warnings",
    "registrable_domain",
]
