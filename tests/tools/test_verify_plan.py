"""The plan of `verify`: made-up members of patterns and expressions, and bounds."""

from __future__ import annotations

import pytest

from corsproxy.config import load_text
from corsproxy.errors import UsageError
from corsproxy.tools.verify.members import example_of, members_of
from corsproxy.tools.verify.plan import VerifyPlan, make_plan
from corsproxy.tools.verify.questions import MAX_MEMBERS

FILE = """\
upstreams: {{a: "http://127.0.0.1:1"}}
policies: {{p: {{allow_origins: [{origins}]{more}}}}}
routes: [{{path: /x, upstream: a, policy: p{route}}}]
"""


def planned(origins: str, more: str = "", route: str = "") -> VerifyPlan:
    """The plan for one route."""
    settings = load_text(FILE.format(origins=origins, more=more, route=route), "f", {}).settings
    return make_plan(settings, "https://api.example.com", host="", only=())


@pytest.mark.parametrize(
    ("origins", "made"),
    [
        ("https://a.example", ["https://a.example"]),
        ('"https://*.a.example"', ["https://corsproxyverify.a.example", "https://a.corsproxyverify.a.example"]),
        ('"https://pr-*.a.example"', ["https://pr-corsproxyverify.a.example"]),
        ('"http://localhost:*"', ["http://localhost:8443"]),
        ('"*"', ["https://corsproxyprobe.example", "null"]),
        (r"regex: 'https://pr-[0-9]+\.a\.example'", ["https://pr-0.a.example"]),
        (r"regex: 'https://(www\.)?a\.(example|test)'", ["https://www.a.example"]),
    ],
)
def test_members_are_made_up(origins: str, made: list[str]) -> None:
    """Each is one that the policy lets pass."""
    policy = load_text(FILE.format(origins=origins, more="", route=""), "f", {}).settings.routes[0].policy
    assert policy is not None
    assert [one.origin for one in members_of(policy.cors)[0]] == made


@pytest.mark.parametrize(
    ("expression", "example"),
    [
        (r"https://[a-z0-9-]+\.example\.(com|org)", "https://a.example.com"),
        (r"(?:https|http)://localhost(:\d+)?", "https://localhost:7"),
        (r"https://(?!evil)\w+\.example\.com", "https://a.example.com"),
        (r"(a)\1", None),
        (r"(", None),
    ],
)
def test_examples_of_expressions(expression: str, example: str | None) -> None:
    """Nothing is given that the expression does not match."""
    assert example_of(expression) == example


def test_an_expression_without_a_made_up_member_is_noted() -> None:
    """An expression that only its author can read."""
    plan = planned(r"https://a.example, regex: 'https://(a|b)\1\.example'")
    assert any("no member could be made up" in note for note in plan.routes[0].notes)


def test_ten_thousand_origins_are_bounded() -> None:
    """The plan says how many are asked."""
    plan = planned(", ".join(f"https://h{number}.example.org" for number in range(10_000)))
    assert plan.requests < MAX_MEMBERS * 2 + 500
    assert plan.routes[0].notes == (f"{MAX_MEMBERS} of 10000 allowed origins are asked",)


def test_a_route_of_some_methods_is_asked_by_them() -> None:
    """No GET where GET is another's, and no preflight for what is not the route's."""
    plan = planned("https://a.example", ", allow_methods: [PUT, DELETE]", ", methods: [PUT]")
    (route,) = plan.routes
    assert {(one.is_preflight, one.method) for one in route.questions} == {(True, "PUT")}


def test_a_plan_asks_nothing_twice() -> None:
    """Two origins of one family resemble each other's look-alikes."""
    plan = planned('https://a.example.com, https://b.example.com, "https://*.example.org"')
    asked = [
        (one.purpose, one.method, one.origin, one.header, one.is_preflight, one.key) for one in plan.routes[0].questions
    ]
    assert len(set(asked)) == len(asked)


def test_a_plan_without_routes_is_a_usage_error() -> None:
    """Every route is for another host."""
    with pytest.raises(UsageError, match=r"it is for the host b\.example, not api\.example\.com: name it with --host"):
        planned("https://a.example", route=", host: b.example")
