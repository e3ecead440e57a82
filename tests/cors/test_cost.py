"""The cost of a request, in counts: it must not depend on the size of the configuration or of the request."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from corsproxy.cors import CorsRequest, Policy, Reason, decide
from tests.cors.tables import APP, actual, policy, preflight
from tests.support.cost import calls, peak


def _calls(function: Callable[[], object]) -> int:
    return len(calls(function))


def _named(text: str, count: int) -> list[str]:
    return [text.format(number) for number in range(count)]


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        pytest.param("https://a{}.example", "https://a{}.example", id="exact origins"),
        pytest.param("https://*.a{}.example", "https://x.a{}.example", id="stars for subdomains"),
        pytest.param("https://*.a{}.example:*", "https://x.a{}.example:8080", id="stars for subdomains and ports"),
        pytest.param("https://a-*.b{}.example", "https://a-x.b{}.example", id="stars inside labels of many domains"),
        pytest.param("https://{}-*.example.com", "https://{}-x.example.com", id="stars inside labels of one domain"),
        pytest.param("https://a{}.example:*", "https://a{}.example:8080", id="any ports"),
    ],
)
def test_a_thousand_rules_cost_what_one_costs(text: str, origin: str) -> None:
    """The last of a thousand rules, and none of them, take as many calls as with one rule of the same length."""
    # Rules have numbers of one length, so that a domain has one shape of label.
    one = policy(text.format(1999))
    many = policy(*[text.format(number) for number in range(1000, 2000)])
    for request in (actual(origin.format(1999)), actual("https://other.example"), actual(origin.format(77777))):
        assert decide(one, request).reason == decide(many, request).reason
        assert _calls(lambda: decide(many, request)) == _calls(lambda: decide(one, request))  # noqa: B023 - called at once


def test_labels_of_every_length_cost_no_more_than_a_label_is_long() -> None:
    """Stars inside labels are tried by the lengths beside them, of which a label has few."""
    rules = [f"https://{'a' * length}-*.example.com" for length in range(1, 60)]

    once = _calls(lambda: decide(policy(*rules), actual("https://zz.example.com")))
    twice = _calls(lambda: decide(policy(*rules, *rules), actual("https://zz.example.com")))

    assert decide(policy(*rules), actual(f"https://{'a' * 30}-z.example.com")).granted
    # The compilation is counted, too, but only it grows.
    request = actual(f"https://{'z' * 63}.example.com")
    short, long = policy(*rules), policy(*rules, *[rule.replace("a-", "b-") for rule in rules])
    assert once < twice
    assert _calls(lambda: decide(long, request)) == _calls(lambda: decide(short, request))


_STRICT = policy(APP, allow_headers=("X-A",))
_STAR = policy(APP, allow_headers=("*",), allow_credentials=True)


@pytest.mark.parametrize("compiled", [pytest.param(_STRICT, id="a list"), pytest.param(_STAR, id="a star")])
@pytest.mark.parametrize(
    "element",
    [
        pytest.param(b",", id="commas"),
        pytest.param(b" ", id="white space"),
        pytest.param(b" ,\t", id="commas in white space"),
        pytest.param(b"x-a,", id="an allowed name"),
        pytest.param(b"a", id="one endless name"),
        pytest.param(b"\xff", id="bytes that are no name"),
    ],
)
def test_a_megabyte_of_requested_headers_is_not_read(compiled: Policy, element: bytes) -> None:
    """Over the cap the list is refused with the same few calls, and no memory, however long it is."""
    short, long = (preflight(APP, "GET", element * (size // len(element))) for size in (32 * 1024, 1024 * 1024))

    assert decide(compiled, long).reason is Reason.HEADERS_NOT_ALLOWED
    assert peak(lambda: decide(compiled, long)) < 4096
    assert _calls(lambda: decide(compiled, long)) == _calls(lambda: decide(compiled, short)) < 30


def test_many_lines_of_requested_headers_are_not_joined() -> None:
    """Empty lines count against the cap, so that their number is bounded, too."""
    request = CorsRequest("OPTIONS", (APP.encode(),), (b"GET",), (b"",) * 30_000)

    assert decide(_STAR, request).reason is Reason.HEADERS_NOT_ALLOWED
    assert peak(lambda: decide(_STAR, request)) < 4096


@pytest.mark.parametrize("unit", [b",", b" ,", b"x-a,"])
def test_under_the_cap_no_call_is_made_for_a_comma(unit: bytes) -> None:
    """A list that is refused for its number of elements is refused before it is cut in pieces."""
    few, many = (preflight(APP, "GET", unit * count) for count in (400, 2000))

    assert decide(_STAR, many).reason is Reason.HEADERS_NOT_ALLOWED
    assert _calls(lambda: decide(_STAR, many)) == _calls(lambda: decide(_STAR, few))


def test_a_long_origin_is_not_read() -> None:
    """An over-long origin is refused with the same few calls, however long it is."""
    short, long = (actual(b"https://" + b"a." * size) for size in (1000, 500_000))

    assert peak(lambda: decide(_STRICT, long)) < 4096
    assert _calls(lambda: decide(_STRICT, long)) == _calls(lambda: decide(_STRICT, short)) < 20


def test_an_origin_of_many_labels_costs_at_most_two_look_ups_a_label() -> None:
    """The deepest name there can be is looked up label by label, once for its port and once for any."""
    compiled = policy("https://*.example.com", "https://*.example.com:*")
    deep, flat = actual(b"https://" + b"a." * 126 + b"a"), actual(b"https://a.b")

    extra = _calls(lambda: decide(compiled, deep)) - _calls(lambda: decide(compiled, flat))

    assert decide(compiled, deep).reason is Reason.ORIGIN_NOT_ALLOWED
    # For each of the 125 further labels: find the dot and get the rule, in both tables.
    assert extra == 125 * 2 * 2
