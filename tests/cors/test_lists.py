"""Several policies on a route, pages of the proxy's own, and refusals with a grant for the console."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsproxy.cors import CorsRequest, Kind, Policy, Reason, decide, decide_among
from tests.cors.decision_lists import EVIL, ROWS, STAFF, Row, said
from tests.cors.tables import APP, actual, policy, preflight, unasked


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_several_policies(row: Row) -> None:
    """The first policy whose origins match decides; the response always varies."""
    _, policies, request, wanted = row
    decision = decide_among(policies, request)
    assert said(decision) == wanted
    assert decision.varies_on_origin


_ORIGINS = [APP, STAFF, EVIL, "null", "https://a.example.com", "nonsense"]
_POLICIES = [
    policy(APP),
    policy(STAFF, allow_credentials=True, expose_headers=("*",)),
    policy("https://*.example.com", allow_methods=("*",)),
    policy("null", dangerously_allow=("null_origin",)),
    policy("*"),
    policy(APP, EVIL, allow_headers=("X-A",), diagnostics=True),
]
_REQUESTS = st.one_of(
    st.sampled_from(_ORIGINS).map(actual),
    st.just(unasked()),
    st.builds(preflight, st.sampled_from(_ORIGINS), st.sampled_from(["GET", "PUT"]), st.sampled_from(["", "x-a"])),
)


@given(st.lists(st.sampled_from(_POLICIES), min_size=2, max_size=4), _REQUESTS)
def test_a_list_is_the_first_that_matches_alone(policies: list[Policy], request: CorsRequest) -> None:
    """A list of policies behaves like the first match alone, except for Vary and grants for everyone."""
    decision = decide_among(tuple(policies), request)
    alone = [decide(one, request) for one in policies]
    origin_refused = (Reason.ORIGIN_NOT_ALLOWED, Reason.ORIGIN_MALFORMED)
    if not request.origins:
        assert (decision.kind, decision.fields, decision.varies_on_origin) == (Kind.NONE, (), True)
        return
    wanted = next((one for one in alone if one.reason not in origin_refused), alone[-1])
    assert replace(decision, policy=0) == replace(wanted, varies_on_origin=True)
    assert alone[decision.policy] == wanted


def test_an_own_page_is_no_cors_request_unless_it_is_named() -> None:
    """Its request is none, with no grant and with Vary; a policy that names it grants as ever."""
    own = frozenset({STAFF.encode()})
    decision = decide_among((policy(APP),), actual(STAFF), own)
    assert (decision.kind, decision.granted, decision.reason, decision.fields) == (Kind.NONE, False, None, ())
    assert decision.varies_on_origin
    assert decide_among((policy(APP, STAFF),), actual(STAFF), own).granted
    assert decide_among((), actual(STAFF), own).kind is Kind.NONE
    assert decide_among((policy(APP),), actual(EVIL), own).reason is Reason.ORIGIN_NOT_ALLOWED
    assert decide_among((policy(APP),), actual(STAFF, STAFF), own).reason is Reason.ORIGIN_MALFORMED
    assert decide_among((policy(APP),), preflight(STAFF, "PUT"), own).reason is Reason.ORIGIN_NOT_ALLOWED


@pytest.mark.parametrize(
    ("keys", "method", "headers", "reason", "acam", "acah"),
    [
        ({}, "PUT", "", "method_not_allowed", "GET, HEAD, POST", ""),
        ({"allow_methods": ("PUT",)}, "DELETE", "x-a", "method_not_allowed", "PUT", ""),
        ({"allow_headers": ("X-A",)}, "GET", "x-a, x-b", "headers_not_allowed", "GET, HEAD, POST", "X-A"),
        ({"allow_headers": ("*",)}, "GET", "authorization,x-a", "headers_not_allowed", "GET, HEAD, POST", "x-a"),
        (
            {"allow_methods": ("*",), "allow_headers": ("X-A",)},
            "PUT",
            "x-b",
            "headers_not_allowed",
            "PUT",
            "X-A",
        ),
        ({"allow_methods": ("*",)}, "CHICKEN", "", "method_not_allowed", "", ""),
        ({"allow_headers": ("X-A",)}, "GET", "x-a;", "headers_not_allowed", "GET, HEAD, POST", "X-A"),
    ],
)
@pytest.mark.parametrize("credentials", [False, True])
def test_diagnostics_grant_less_what_is_refused(
    keys: dict[str, tuple[str, ...]], method: str, headers: str, reason: str, acam: str, acah: str, credentials: bool
) -> None:
    """A refused preflight of an origin that passes names what is granted, never a star; it stays refused."""
    lines = (headers,) if headers else ()
    request = preflight(APP, method, *lines)
    decision = decide(policy(APP, diagnostics=True, allow_credentials=credentials, **keys), request)
    assert (decision.granted, decision.reason) == (False, reason)
    fields = {name.decode(): value.decode() for name, value in decision.fields}
    wanted = {
        "Access-Control-Allow-Origin": APP,
        "Access-Control-Allow-Credentials": "true" if credentials else "",
        "Access-Control-Allow-Methods": acam,
        "Access-Control-Allow-Headers": acah,
        "Access-Control-Max-Age": "600",
    }
    assert fields == {name: value for name, value in wanted.items() if value}
    assert decide(policy(APP, **keys), request).fields == ()


def test_diagnostics_reveal_nothing_to_a_refused_origin() -> None:
    """Who is not allowed learns nothing of the policy."""
    assert decide(policy(APP, diagnostics=True), preflight(EVIL, "PUT")).fields == ()


@pytest.mark.parametrize(
    ("origin", "names"),
    [(APP, True), (STAFF, False), (EVIL, False), ("null", False), ("https://x.example.org", True), ("http://A", False)],
)
def test_a_star_names_nobody(origin: str, names: bool) -> None:
    """A WebSocket always carries cookies, so it takes a rule other than `*`."""
    assert policy("*", APP, "https://*.example.org").allows_by_name(origin.encode()) is names


@pytest.mark.parametrize(
    ("origin", "passes"),
    [
        ("moz-extension://0f9d1ac2-5b1c-4e5f-9d2b-aaaaaaaaaaaa", True),
        ("moz-extension://x:1", False),
        ("chrome-extension://0f9d1ac2", False),
        ("moz-extension://", False),
    ],
)
def test_a_star_for_extensions_is_any_host_of_the_scheme(origin: str, passes: bool) -> None:
    """Browsers make such hosts anew on every machine."""
    assert decide(policy("moz-extension://*"), actual(origin)).granted is passes


def test_an_own_page_that_the_policy_names_is_a_cors_request() -> None:
    """Named, it is granted as any other origin, and counted as a CORS request."""
    own = frozenset({STAFF.encode()})
    assert decide_among((policy(APP, STAFF),), actual(STAFF), own).kind is Kind.ACTUAL


@pytest.mark.parametrize("request_", [actual(EVIL), unasked(), preflight(EVIL, "GET")])
def test_a_list_of_one_is_the_policy_itself(request_: CorsRequest) -> None:
    """A response for everyone does not vary only because its policy is in a list."""
    everyone = policy("*")
    assert decide_among((everyone,), request_) == decide(everyone, request_)
    assert not decide_among((everyone,), request_).varies_on_origin


def test_diagnostics_list_each_header_once() -> None:
    """A header that the policy names and the page asks for is listed once, as the policy spells it."""
    asked = preflight(APP, "DELETE", "x-a,x-c")
    decision = decide(policy(APP, allow_headers=("X-A", "X-B", "*"), diagnostics=True), asked)
    assert decision.kind is Kind.PREFLIGHT
    assert dict(decision.fields)[b"Access-Control-Allow-Headers"] == b"X-A, X-B, x-c"


def test_a_star_for_headers_does_not_become_one_for_methods() -> None:
    """With credentials what was requested is listed in the place of a star, and in no other."""
    decision = decide(
        policy(APP, allow_credentials=True, allow_methods=("PUT", "DELETE"), allow_headers=("*",)),
        preflight(APP, "PUT", "x-a"),
    )
    assert decision.granted
    assert dict(decision.fields)[b"Access-Control-Allow-Methods"] == b"PUT, DELETE"
    assert dict(decision.fields)[b"Access-Control-Allow-Headers"] == b"x-a"
