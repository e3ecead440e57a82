"""A regular expression is judged by the origins that it matches, however it is written."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from corsproxy.cors import decide, parse_origin, policy_warnings
from corsproxy.cors.effects import Danger, effect_of
from corsproxy.cors.expressions import Automaton
from corsproxy.cors.matcher import Matcher, safe_matcher
from tests.cors.tables import actual, errors_of, policy, regex, spec
from tests.support.examples import examples

ANY, SUFFIX, INSECURE = "any_origin_with_credentials", "public_suffix_origins", "insecure_origins"

_DANGEROUS = [
    (r"https://.*", ANY),
    (r"https://\S+", ANY),
    (r"https://[^/]+", ANY),
    (r"https://.*example\.com", ANY),
    (r"https://dashboard.(alpha|beta)\.com", ANY),
    (r"https://app.*", ANY),
    (r"https://a\.example\.com|https://.*", ANY),
    (r"https://app\.example\.com.*", ANY),
    (r"https://(.*)?example\.com", ANY),
    (r"https://a.example\.com", ANY),
    (r"https://example\.[a-z]+", ANY),
    (r"https://[^.]+\.[^.]+\.com:\d+|https://[^.]+", ANY),
    (r"(?i)HTTPS://[A-Z.]+", ANY),
    (r"https://(?:(?!evil).)*", ANY),
    (r"https://(a|b.*)\1", ANY),
    (r"https://\d+\.\d+\.\d+\.\d+", ANY),
    (r"https://\[[0-9a-f:]+\]", ANY),
    (r"chrome-extension://[a-p]{32}", ANY),
    (r"https://.*\.com", SUFFIX),
    (r"https://[a-z0-9-]+\.github\.io", SUFFIX),
    (r"https://pr-[0-9]+\.github\.io", SUFFIX),
    (r"https://[^.]+\.co\.uk", SUFFIX),
    (r"https://[a-z]+\.(co\.uk|example\.com)", SUFFIX),
    (r"https?://app\.example\.com", INSECURE),
    (r"(https|http)://app\.example\.com", INSECURE),
    (r"htt(p|ps)://10\.0\.0\.1", INSECURE),
    (r"[a-z]+://app\.example\.com", INSECURE),
    (r"http://localhost\.example\.com", INSECURE),
    (r"http://127\.0\.0\.1\.example\.com", INSECURE),
    (r"http://app\.localhost\.", INSECURE),
]

_HARMLESS = [
    r"https://app\.example\.com",
    r"^https://app\.example\.com$",
    r"\Ahttps://app\.example\.com\Z",
    r"https://[a-z0-9-]+\.example\.com",
    r"https://[^.]+\.example\.com",
    r"https://.*\.example\.com",
    r"https://(.*\.)?example\.com",
    r"https://(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+example\.com",
    r"https://(app|admin)\.example\.com",
    r"https://app\.example\.(com|net)",
    r"https://app\.(alpha|beta)\.com",
    r"https://app[0-9]\.com",
    r"https://pr-[0-9]+\.example\.net",
    r"https://pr-\d{1,6}\.example\.net(:\d+)?",
    r"https://app\.example\.com:.*",
    r"https://(?!internal)[a-z]+\.example\.com",
    r"https://(a|b)\1\.example\.com",
    r"https://foo\.github\.io",
    r"https://10\.0\.0\.\d+",
    r"https?://(localhost|127\.0\.0\.1)(:\d+)?",
    r"http://\[::1\]:3000",
    r"http://127\.\d+\.\d+\.\d+:8080",
    r"https?://([a-z]+\.)*localhost(:\d+)?",
    r"capacitor://localhost",
    # A word boundary, look-ahead and possessive repeats are read as if they were not there.
    r"https://\bapp\b\.example\.com",
    r"https://[a-z]++\.example\.com",
]


@pytest.mark.parametrize(("text", "name"), _DANGEROUS)
def test_an_expression_that_matches_strangers_must_be_allowed_by_name(text: str, name: str) -> None:
    """With credentials it is refused, unless its effect is allowed by name; the message shows a matching origin."""
    problems = errors_of(spec(regex(text), allow_credentials=True))
    assert [problem.reason for problem in problems] == ["prohibited"]
    assert f"'{name}'" in problems[0].message
    shown = re.search(", such as '(.+?)'", problems[0].message)
    assert (shown is None) is ("as far as it can be judged" in problems[0].message)
    assert shown is None or re.fullmatch(text, shown[1])
    assert errors_of(spec(regex(text), allow_credentials=True, dangerously_allow=(name,))) == ()


@pytest.mark.parametrize(("text", "name"), [row for row in _DANGEROUS if row[1] != INSECURE])
def test_without_credentials_it_is_a_warning(text: str, name: str) -> None:
    """Whoever reads is not signed in; the same name silences the warning."""
    assert errors_of(spec(regex(text))) == ()
    [warning] = policy_warnings(spec(regex(text)))
    assert f"'{name}'" in warning.message
    assert policy_warnings(spec(regex(text), dangerously_allow=(name,))) == ()


def test_without_credentials_plain_http_is_no_matter() -> None:
    """Without credentials, plain http reveals nothing that others cannot read."""
    assert policy_warnings(spec(regex(r"https?://app\.example\.com"))) == ()


@pytest.mark.parametrize("text", _HARMLESS)
def test_a_harmless_expression_is_let_be(text: str) -> None:
    """One label, an alternation of names, digits, ports and loopback have no finding."""
    assert errors_of(spec(regex(text), allow_credentials=True)) == ()
    assert policy_warnings(spec(regex(text), allow_credentials=True)) == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"https://.*", {Danger.STRANGER: "https://evil.example"}),
        (r"http://.*", {Danger.STRANGER: "http://evil.example", Danger.INSECURE: "http://evil.example"}),
        (r"https://app[a-z.]*", {Danger.STRANGER: "https://app.evil.example"}),
        (r"https://app[a-z]*\.[a-z]+:8443", {Danger.STRANGER: "https://app.x:8443"}),
        (r"https://[a-z]*evil\.[a-z]+", {Danger.STRANGER: "https://evil.example"}),
        (r"https://.*\.com", {Danger.SUFFIX: "https://evil.com"}),
        (r"https://app[a-z]?\.com", {Danger.SUFFIX: "https://appx.com"}),
        (r"https://.*example\.com", {Danger.LOOK_ALIKE: "https://evil-example.com"}),
        (r"https://[a-z]+example\.com", {Danger.LOOK_ALIKE: "https://evilexample.com"}),
        (r"https://dashboard.(alpha|beta)\.com", {Danger.LOOK_ALIKE: "https://dashboardxalpha.com"}),
        (r"http://x\.example\.com:80[0-9]", {Danger.INSECURE: "http://x.example.com:800"}),
        (r"https://\d+\.\d+\.\d+\.\d+", {Danger.STRANGER: "https://203.0.113.7"}),
        (r"http://\d+\.\d+\.\d+\.\d+", {Danger.STRANGER: "http://203.0.113.7", Danger.INSECURE: "http://0.0.0.0"}),
        (r"https://\[[0-9a-f:]+\]", {Danger.STRANGER: "https://[2001:db8::1]"}),
        (r"https://\[2001:db8::[0-9]\](:\d+)?", {}),
        (r"https://.*example\.com|https://\d+\.\d+\.\d+\.\d+", {Danger.STRANGER: "https://203.0.113.7"}),
        (r"https://.*\.com|https://\[[0-9a-f:]+\]", {Danger.STRANGER: "https://[2001:db8::1]"}),
        (r"https://172\.\d+\.\d+\.\d+", {Danger.STRANGER: None}),
        (r"https://(203|204)\.0\.\d+\.\d+", {}),
        (r"https://10\.\d+\.\d+\.\d+", {}),
        (r"https://172\.(1[6-9]|2\d|3[01])\.\d+\.\d+", {}),
        (r"https://192\.168\.\d+\.\d+", {}),
        (r"https://169\.254\.\d+\.\d+", {}),
    ],
)
def test_the_origin_that_a_message_shows(text: str, found: dict[Danger, str | None]) -> None:
    """An origin that is recognizably made up if one matches, else the shortest that does."""
    assert {finding.danger: finding.witness for finding in effect_of(text).findings} == found


def test_strangers_over_plain_http_are_two_dangers() -> None:
    """Each has its own name."""
    names = {ANY, INSECURE}
    problems = errors_of(spec(regex(r".*"), allow_credentials=True))
    assert {name for name in names for problem in problems if f"'{name}'" in problem.message} == names
    assert errors_of(spec(regex(r".*"), allow_credentials=True, dangerously_allow=(ANY, INSECURE))) == ()


def test_a_thousand_names_are_spelled_out() -> None:
    """A long alternation is no more dangerous than the list of its origins."""
    names = "|".join(f"shop{number}" for number in range(1000))
    assert effect_of(rf"https://({names})\.com").findings == ()


_CATASTROPHIC = [
    "(a+)+$",
    "(a|a)*b",
    r"https://([a-z]+)+\.example\.com",
    r"https://(([a-z0-9-]+)*\.)*example\.com",
    "(((.*)*)*)*",
    r"https://.*.*.*.*.*.*.*.*\.example\.com",
    "((a{1,1000}){1,1000}){1,1000}",
    "(" * 60 + "a" + ")*" * 60,
    "()?" * 300 + "https://a",
    "(x?){1,5000}https://a",
    "https://" + "(a|b)" * 60 + r"\.com",
    "https://(a)" + r"\1" * 200,
]


@pytest.mark.parametrize("text", _CATASTROPHIC, ids=lambda text: text[:40])
def test_the_work_is_bounded_whatever_the_expression(text: str) -> None:
    """The automaton has a number of states that its length allows; every expression gets its verdict."""
    assert len(Automaton(text).reads) <= 5_000 + 50 * len(text)
    effect_of(text)


@pytest.mark.parametrize("text", ["a{9000}b", "a{0,9000}b", "(a?){9000}b", "(a|c{0,9000}){9000}b"])
def test_a_large_expression_is_widened(text: str) -> None:
    """Matched is at least what the expression matches: a stranger far behind would otherwise be let in unseen."""
    automaton = Automaton(text)
    assert not automaton.is_exact
    assert automaton.matches("a" * 9000 + "b")
    assert not automaton.matches("a" * 9000)


_LONG = "a" * 60


@pytest.mark.parametrize(
    ("text", "matching", "other"),
    [
        (r"https://([a-z]+)+\.example\.com", f"https://{_LONG}.example.com", f"https://{_LONG}.example.org"),
        (r"https://(a|a|aa)*\.example\.com", f"https://{_LONG}.example.com", f"https://{_LONG}b.example.com"),
        (r"https://(([a-z0-9-]+)*\.)*example\.com", f"https://{_LONG}.b.example.com", f"https://{_LONG}.b.example.org"),
        (r"https://.*.*.*.*.*.*a\.example\.com", f"https://{_LONG}.example.com", f"https://{_LONG}.example.org"),
        (r"https://(a{1,9}){1,99}\.example\.com", f"https://{_LONG}.example.com", f"https://{_LONG}.example.org"),
    ],
)
def test_no_origin_keeps_a_request_waiting(text: str, matching: str, other: str) -> None:
    """Expressions in which `re` would try for years are matched by their automaton, each character once."""
    allowed = policy(regex(text))
    assert decide(allowed, actual(matching)).granted
    assert not decide(allowed, actual(other)).granted


@pytest.mark.parametrize(
    "text", [r"https://[a-z-]+\.example\.com(:\d+)?", r"https://(a|b)\.example\.com", r"(a+)+(?!b)"]
)
def test_an_expression_that_cannot_run_away_or_be_said_is_left_to_re(text: str) -> None:
    """`re` is the faster, and knows look-around."""
    assert isinstance(safe_matcher(re.compile(text)), re.Pattern)


# Words of the grammar have none of the letters of `evil`, so that what matches a stranger is not spelled out.
_WORDS = ["app", "example", "shop", "a", "com", "net", "github", "www"]
_ATOMS = st.sampled_from(
    [*_WORDS, r"\.", ".", "-", "[a-z]", r"\d", r"[^.]", r"[^/]", r"\w", r"\S", "[0-9]", "[abc]", r"[a-z0-9-]"]
)
_QUANTIFIED = st.builds(lambda atom, sign: f"(?:{atom}){sign}", _ATOMS, st.sampled_from(["", "?", "*", "+", "{1,3}"]))
_SEQUENCES = st.lists(_QUANTIFIED, min_size=1, max_size=4).map("".join)
_GROUPS = st.lists(_SEQUENCES, min_size=1, max_size=3).map(lambda parts: f"({'|'.join(parts)})")
_EXPRESSIONS = st.builds(
    lambda scheme, parts, end, port: scheme + "".join(parts) + end + port,
    st.sampled_from(["https://", "https?://", "", "(https|http)://", r"\w+://"]),
    st.lists(st.one_of(_QUANTIFIED, _GROUPS), max_size=3),
    st.sampled_from(["", r"example\.com", r"\.example\.com", r"\.github\.io", ".com", r"(com|net)", "localhost"]),
    st.sampled_from(["", r"(:\d+)?", ":8443", "$"]),
)
_EVIL = ["evil", "evil.com", "evil.net", "evil-example.com", "evilexample.com", "appevilexample.com", "evil.github.io"]
_HOSTS = [
    *_EVIL,
    *(f"{word}{sign}{evil}" for word in _WORDS for sign in (".", "-", "") for evil in ("evil.com", "evil.net", "evil")),
    *(f"evil{sign}{word}.{end}" for word in _WORDS for sign in ("-", "") for end in ("com", "net", "github.io")),
    *(f"{word}{any_}example.com" for word in _WORDS for any_ in "vil"),
    *(f"{word}.example.com.evil.{end}" for word in _WORDS for end in ("com", "net", "org", "co.uk")),
]
_WITNESSES = [
    f"{scheme}://{host}{port}" for host in _HOSTS for scheme in ("https", "http", "app") for port in ("", ":8443")
]
_PLAIN = [
    f"http://{host}{port}"
    for host in (*_WORDS, "app.example.com", "example.com", "a.net", "10.0.0.1", "localhost.com", "x.github.io")
    for port in ("", ":8443", ":3000")
]
_MATCHED = [*_WITNESSES, *_PLAIN, *(f"https://{word}.example.com" for word in _WORDS), "http://localhost"]


def test_the_witnesses_are_some_thousand_origins() -> None:
    """Each is one that a browser would send."""
    assert len(_MATCHED) > 900
    assert all(parse_origin(text.encode()) for text in _MATCHED)


@settings(max_examples=examples(100), deadline=None)
@given(_EXPRESSIONS)
def test_the_verdict_holds_against_matching_witnesses(text: str) -> None:
    """An expression that matches a stranger is found dangerous, and the shown origin really matches."""
    try:
        compiled = re.compile(text)
    except re.error:
        assume(False)
    effect = effect_of(text)
    found = {finding.danger for finding in effect.findings}

    matched = {witness for witness in _MATCHED if compiled.fullmatch(witness)}
    automaton = Automaton(text)
    assert automaton.is_exact
    matcher = Matcher(automaton)  # one for all, as a policy has one for all its requests
    assert {witness for witness in _MATCHED if matcher.fullmatch(witness)} == matched
    if not matched.isdisjoint(_WITNESSES):
        assert found & {Danger.STRANGER, Danger.LOOK_ALIKE, Danger.SUFFIX}
    if not matched.isdisjoint(_PLAIN):
        assert Danger.INSECURE in found
    if effect.matches_none:
        assert matched == set()
    for finding in effect.findings:
        if finding.witness is not None:
            assert compiled.fullmatch(finding.witness)
            assert parse_origin(finding.witness.encode()) is not None
