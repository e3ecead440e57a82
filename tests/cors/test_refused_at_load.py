"""Errors and warnings of a policy when it is compiled: the data in tables, the texts in one test."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsproxy.cors import (
    DANGERS,
    OriginSpec,
    PolicyErrors,
    PolicySpec,
    compile_policy,
    decide,
    policy_warnings,
)
from corsproxy.cors.problems import quote
from tests.cors.tables import APP, actual, errors_of, places, regex, spec, text_of


@pytest.mark.parametrize(
    ("keys", "field", "index", "reason", "value"),
    [
        pytest.param({"allow_methods": ("GET", "TRACE")}, "allow_methods", 1, "forbidden", "TRACE", id="TRACE"),
        pytest.param({"allow_methods": ("connect",)}, "allow_methods", 0, "forbidden", "connect", id="connect"),
        pytest.param({"allow_methods": ("Track",)}, "allow_methods", 0, "forbidden", "Track", id="Track"),
        pytest.param({"allow_methods": ("patch",)}, "allow_methods", 0, "prohibited", "patch", id="patch"),
        pytest.param({"allow_methods": ("*", "FOO")}, "allow_methods", 1, "prohibited", "FOO", id="a made-up method"),
        pytest.param({"allow_methods": ("",)}, "allow_methods", 0, "invalid", "", id="an empty method"),
        pytest.param({"allow_methods": ("PUT, GET",)}, "allow_methods", 0, "invalid", "PUT, GET", id="two methods"),
        pytest.param({"allow_methods": ("PÜT",)}, "allow_methods", 0, "invalid", "PÜT", id="a non-ASCII method"),
        pytest.param({"allow_methods": ("P*",)}, "allow_methods", 0, "invalid", "P*", id="a star within a method"),
        pytest.param(
            {"allow_methods": ("PUT\n",)}, "allow_methods", 0, "invalid", "PUT\n", id="a method with a line feed"
        ),
        pytest.param({"allow_headers": ("Cookie",)}, "allow_headers", 0, "forbidden", "Cookie", id="Cookie"),
        pytest.param({"allow_headers": ("*", "sec-x")}, "allow_headers", 1, "forbidden", "sec-x", id="a sec- header"),
        pytest.param({"allow_headers": ("Proxy-X",)}, "allow_headers", 0, "forbidden", "Proxy-X", id="a proxy- header"),
        pytest.param({"allow_headers": ("Origin",)}, "allow_headers", 0, "forbidden", "Origin", id="Origin"),
        pytest.param(
            {"allow_headers": ("Access-Control-Request-Private-Network",)},
            "allow_headers",
            0,
            "forbidden",
            "Access-Control-Request-Private-Network",
            id="a CORS request header",
        ),
        pytest.param({"allow_headers": ("X A",)}, "allow_headers", 0, "invalid", "X A", id="a header with a space"),
        pytest.param({"allow_headers": ("X-A:",)}, "allow_headers", 0, "invalid", "X-A:", id="a header with its colon"),
        pytest.param({"allow_headers": ("X-*",)}, "allow_headers", 0, "invalid", "X-*", id="a star within a header"),
        pytest.param({"allow_headers": ("",)}, "allow_headers", 0, "invalid", "", id="an empty header"),
        pytest.param(
            {"expose_headers": ("Set-Cookie",)}, "expose_headers", 0, "forbidden", "Set-Cookie", id="Set-Cookie"
        ),
        pytest.param(
            {"expose_headers": ("*", "set-cookie2")}, "expose_headers", 1, "forbidden", "set-cookie2", id="set-cookie2"
        ),
        pytest.param({"expose_headers": ("É",)}, "expose_headers", 0, "invalid", "É", id="a non-ASCII exposed header"),
        pytest.param({"expose_headers": ("A,B",)}, "expose_headers", 0, "invalid", "A,B", id="two exposed headers"),
        pytest.param({"max_age": -1}, "max_age", None, "invalid", -1, id="a negative max age"),
        pytest.param({"max_age": 86401}, "max_age", None, "invalid", 86401, id="a max age beyond a day"),
        pytest.param({"max_age": 0.5}, "max_age", None, "invalid", 0.5, id="a max age in parts of a second"),
        pytest.param({"max_age": True}, "max_age", None, "invalid", True, id="a max age that is a word"),
        pytest.param(
            {"dangerously_allow": ("null",)}, "dangerously_allow", 0, "invalid", "null", id="an unknown danger"
        ),
    ],
)
def test_refused_beside_origins(
    keys: dict[str, Any], field: str, index: int | None, reason: str, value: object
) -> None:
    """Each fault in methods, headers, max age or dangers is one problem, with its place, reason and value."""
    problems = errors_of(spec(APP, **keys))

    assert places(problems) == [(field, index, reason, value)]
    assert problems[0].severity == "error"


@pytest.mark.parametrize(
    "keys",
    [
        {"allow_methods": ("*",), "allow_headers": ("*", "Authorization"), "expose_headers": ("*",)},
        {"allow_methods": ("get", "PUT", "PUT"), "allow_headers": ("Accept", "accept", "User-Agent", "Range")},
        {"expose_headers": ("Content-Type", "ETag", "etag", "WWW-Authenticate", "X-CSRF-Token")},
        {"allow_headers": ("Content-Type", "Content-Language", "X-CSRF-Token")},
        {"max_age": 0},
        {"max_age": 86400},
        {"dangerously_allow": DANGERS},
        pytest.param({"dangerously_allow": frozenset(DANGERS)}, id="every danger, as a set"),
    ],
    ids=str,
)
def test_sound_policies_have_no_problem(keys: dict[str, Any]) -> None:
    """A correct policy has no error and no warning."""
    assert errors_of(spec(APP, **keys)) == ()
    assert policy_warnings(spec(APP, **keys)) == ()


def test_an_empty_list_of_origins_is_refused() -> None:
    """An empty list is a problem of the whole key, because it could mean nobody or everybody."""
    assert places(errors_of(spec())) == [("allow_origins", None, "missing", None)]


@pytest.mark.parametrize(
    "origin", ["https://a.example/", "https://*", "", "a.example", regex("("), "https://a.example:0"], ids=str
)
def test_an_origin_that_is_none_is_invalid(origin: str | OriginSpec) -> None:
    """A text that the strict parser refuses is an invalid origin at its index."""
    assert places(errors_of(spec(APP, origin))) == [("allow_origins", 1, "invalid", text_of(origin))]


def test_every_problem_is_reported_at_once() -> None:
    """All errors come in one go, in the order of the keys, and warnings stay apart."""
    broken = spec(
        "https://a.example/",
        APP,
        "null",
        allow_credentials=True,
        allow_methods=("patch", "TRACE"),
        allow_headers=("Host", "X Y"),
        expose_headers=("Set-Cookie", "Accept"),
        max_age=99999,
        dangerously_allow=("nul_origin",),
    )

    assert places(errors_of(broken)) == [
        ("allow_origins", 0, "invalid", "https://a.example/"),
        ("allow_origins", 2, "prohibited", "null"),
        ("allow_methods", 0, "prohibited", "patch"),
        ("allow_methods", 1, "forbidden", "TRACE"),
        ("allow_headers", 0, "forbidden", "Host"),
        ("allow_headers", 1, "invalid", "X Y"),
        ("expose_headers", 0, "forbidden", "Set-Cookie"),
        ("max_age", None, "invalid", 99999),
        ("dangerously_allow", 0, "invalid", "nul_origin"),
    ]
    assert places(policy_warnings(broken)) == [
        ("expose_headers", 1, "invalid", "Accept"),
    ]


@pytest.mark.parametrize(
    ("policy_spec", "field", "index"),
    [
        pytest.param(spec(APP, allow_headers=("ETag",)), "allow_headers", 0, id="a response header that is allowed"),
        pytest.param(
            spec(APP, allow_headers=("*", "Access-Control-Allow-Origin")), "allow_headers", 1, id="a CORS header"
        ),
        pytest.param(
            spec(APP, expose_headers=("Authorization",)), "expose_headers", 0, id="a request header that is exposed"
        ),
        pytest.param(spec(regex("https://a.example")), "allow_origins", 0, id="a loose dot"),
        pytest.param(spec(regex(r"a\.example")), "allow_origins", 0, id="a regex that matches nothing"),
        pytest.param(spec(APP, "*"), "allow_origins", 0, id="an origin beside the star"),
    ],
)
def test_doubts_are_warnings(policy_spec: PolicySpec, field: str, index: int) -> None:
    """A valid but probably unintended value compiles, with one warning."""
    warnings = policy_warnings(policy_spec)

    assert [(warning.field, warning.index, warning.severity) for warning in warnings] == [(field, index, "warning")]
    assert errors_of(policy_spec) == ()


def test_null_beside_the_star_is_not_doubted() -> None:
    """With credentials a star does not match `null`, so that listing both makes sense."""
    written = spec(
        "*", "null", allow_credentials=True, dangerously_allow=("any_origin_with_credentials", "null_origin")
    )

    assert policy_warnings(written) == ()


def test_the_texts() -> None:
    """Each text names the place, what is wrong, the rule and the way out."""
    broken = spec(
        "https://Example.com/",
        "*",
        "http://a.example",
        "https://*.github.io",
        regex("("),
        allow_credentials=True,
        allow_methods=("TRACE",),
        allow_headers=("Cookie\x1b",),
        max_age=-1,
        dangerously_allow=("insecure_origin",),
    )

    assert [str(problem) for problem in errors_of(broken)] == [
        (
            "allow_origins[0]: invalid origin 'https://Example.com/': an origin has no trailing slash "
            "and browsers send origins in lower case; write 'https://example.com'"
        ),
        (
            "allow_origins[1]: prohibited origin '*': with allow_credentials any site could act as the signed-in user; "
            "name the origins, or turn allow_credentials off, or add 'any_origin_with_credentials' to dangerously_allow"
        ),
        (
            "allow_origins[2]: prohibited origin 'http://a.example': anyone who controls the network can write a "
            "plain-http page and, with allow_credentials, act as the user; write 'https://a.example', "
            "or add 'insecure_origins' to dangerously_allow"
        ),
        (
            "allow_origins[3]: prohibited origin 'https://*.github.io': anyone can register a name under the public "
            "suffix 'github.io', and with allow_credentials would act as the signed-in user; name the hosts, "
            "or add 'public_suffix_origins' to dangerously_allow"
        ),
        (
            "allow_origins[4]: invalid origin '(': the regular expression does not compile: "
            "missing ), unterminated subpattern at character 1"
        ),
        (
            "allow_methods[0]: forbidden method 'TRACE': Fetch forbids CONNECT, TRACE and TRACK, "
            "and no browser sends them; remove it"
        ),
        (
            r"allow_headers[0]: invalid header name 'Cookie\x1b': a name is made of letters, digits and "
            "!#$%&'*+-.^_`|~ (RFC 9110: token)"
        ),
        "max_age: invalid max age '-1': whole seconds from 0 (no caching) to 86400 (24h), as no browser caches longer",
        "dangerously_allow[0]: invalid danger 'insecure_origin': did you mean 'insecure_origins'?",
    ]


def test_the_exception_shows_every_problem() -> None:
    """Whoever prints the exception sees each problem on its own line."""
    with pytest.raises(PolicyErrors) as caught:
        compile_policy(spec("a", "b"))

    assert str(caught.value).splitlines() == [str(problem) for problem in caught.value.problems]
    assert len(caught.value.problems) == 2


_ANY_TEXTS = st.lists(st.text(max_size=12), max_size=4).map(tuple)


@given(_ANY_TEXTS, _ANY_TEXTS, _ANY_TEXTS, _ANY_TEXTS, st.booleans(), st.integers(), _ANY_TEXTS)
def test_no_spec_makes_the_compiler_raise_anything_else(
    origins: tuple[str, ...],
    methods: tuple[str, ...],
    headers: tuple[str, ...],
    exposed: tuple[str, ...],
    credentials: bool,
    max_age: int,
    dangers: tuple[str, ...],
) -> None:
    """Whatever is written is a policy or a list of problems, each of one line."""
    written = PolicySpec(
        tuple(OriginSpec(origin, is_regex=len(origin) % 2 == 0) for origin in origins),
        methods,
        headers,
        exposed,
        credentials,
        max_age,
        dangerously_allow=dangers,
    )

    for problem in (*errors_of(written), *policy_warnings(written)):
        assert "\n" not in str(problem)
    if not errors_of(written):
        assert decide(compile_policy(written), actual("https://a.example")).kind


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a" * 80, "a" * 80),
        ("a" * 81, "a" * 80 + "…"),
        ("a\nb\x1b[0m", "a\\nb\\x1b[0m"),
        ("a\\d", "a\\d"),
        ("ä", "ä"),
        (5, "5"),
    ],
)
def test_how_a_value_is_quoted(value: object, shown: str) -> None:
    """On one line, harmless to a terminal, and not longer than a line."""
    assert quote(value) == f"'{shown}'"


MESSAGES = [
    (spec(), "missing origins: a policy names at least one; for every origin without credentials write '*'"),
    (spec(APP, allow_methods=("",)), "invalid method '': the value is empty; remove it"),
    (spec(APP, allow_methods=(" PUT",)), "invalid method ' PUT': write 'PUT'"),
    (spec(APP, allow_headers=("",)), "invalid header name '': the value is empty; remove it"),
    (spec(APP, allow_headers=(" X-A : ",)), "invalid header name ' X-A : ': each header name must be a separate item"),
    (spec(APP, allow_headers=(" X-A: ",)), "invalid header name ' X-A: ': write 'X-A'"),
    (spec(APP, allow_headers=("X-A ",)), "invalid header name 'X-A ': write 'X-A'"),
    (spec(APP, expose_headers=("",)), "invalid header name '': the value is empty; remove it"),
    (spec(""), "invalid origin '': the value is empty; remove it"),
    (spec(regex("")), "invalid origin '': the regular expression is empty and would match nothing"),
    (
        spec(APP, max_age=-1),
        "invalid max age '-1': whole seconds from 0 (no caching) to 86400 (24h), as no browser caches longer",
    ),
    (spec(APP, dangerously_allow=("nul_origin",)), "invalid danger 'nul_origin': did you mean 'null_origin'?"),
    (
        spec(APP, dangerously_allow=frozenset({"xyzzy"})),
        f"invalid danger 'xyzzy': it is one of {', '.join(DANGERS)}",
    ),
]
"""Policies that no file can express, or that its reader refuses first; other texts are in tests/config/messages.txt."""


@pytest.mark.parametrize(("made", "message"), MESSAGES, ids=[message for _, message in MESSAGES])
def test_messages_that_only_the_core_gives(made: PolicySpec, message: str) -> None:
    """The whole text, with the remedy."""
    [problem] = errors_of(made)
    assert problem.message == message
    place = problem.field if problem.index is None else f"{problem.field}[{problem.index}]"
    assert str(problem) == f"{place}: {message}"


def test_limits_are_met_at_their_last_value() -> None:
    """A day of seconds is the longest, 0 the shortest."""
    assert errors_of(spec(APP, max_age=0)) == errors_of(spec(APP, max_age=86400)) == ()
