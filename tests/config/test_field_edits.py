"""`request_headers` and `response_headers`: what may be edited, and that no value is ever shown."""

from __future__ import annotations

import pytest

from corsproxy.settings import FieldEdits
from tests.config.files import load, problems, with_upstream

BOTH = ["request_headers", "response_headers"]

REFUSED = [
    ("Access-Control-Allow-Origin", "the policy decides"),
    ("access-control-expose-headers", "the policy decides"),
    ("Access_Control_Allow_Origin", "the policy decides"),
    ("Access-Control-Request-Method", "the policy decides"),
    ("Origin", "the key 'origin'"),
    ("VARY", "the policy decides"),
    ("Timing-Allow-Origin", "its key 'timing'"),
    ("Content-Length", "it frames the message"),
    ("content_length", "it frames the message"),
    ("Transfer-Encoding", "it frames the message"),
    ("Trailer", "it frames the message"),
    ("Connection", "one connection"),
    ("Keep-Alive", "one connection"),
    ("Proxy-Connection", "one connection"),
    ("Proxy-Authenticate", "one connection"),
    ("Proxy-Authorization", "one connection"),
    ("TE", "one connection"),
    ("Upgrade", "one connection"),
    ("HTTP2-Settings", "one connection"),
    ("host", "the key 'host'"),
]


@pytest.mark.parametrize("key", BOTH)
@pytest.mark.parametrize(("name", "said"), REFUSED)
def test_a_name_that_is_not_the_users_to_edit_is_refused(key: str, name: str, said: str) -> None:
    """To set as to remove, in any spelling that a server reads as the field itself."""
    (setting,) = problems(with_upstream(f"url: http://x, {key}: {{set: {{{name}: x}}}}"))
    (removing,) = problems(with_upstream(f"url: http://x, {key}: {{remove: [{name}]}}"))
    assert (setting.path, removing.path) == (f"upstreams.api.{key}.set.{name}", f"upstreams.api.{key}.remove[0]")
    for problem in (setting, removing):
        assert (problem.severity, problem.reason) == ("error", "prohibited")
        assert said in problem.message


def test_edits_are_read_as_they_are_written() -> None:
    """Words of YAML count as text, variables are filled in, white space around a value is none of it."""
    text = with_upstream("url: http://x, request_headers: {set: {X-A: off, X-B: '${B}', X-C: ''}, remove: [X-D, x-d2]}")
    upstream = load(text, {"B": " \tX b cX\t "}).upstreams["api"]
    assert upstream.request_headers == FieldEdits((("X-A", "off"), ("X-B", "X b cX"), ("X-C", "")), ("X-D", "x-d2"))
    assert upstream.response_headers.is_empty


MISTAKES = [
    ("set: {'X A': x}", "set.X A", "error", "invalid", "letters, digits"),
    ("set: {'X-A:': x}", "set.X-A:", "error", "invalid", "write 'X-A'"),
    ("set: {X-A: x, x-a: y}", "set.x-a", "error", "duplicate", "'X-A' is the same"),
    ("set: {X-A: x}, remove: [x-a]", "remove[0]", "warning", "unused", "'set' replaces"),
    ("set: {x-a: x}, remove: [X-A]", "remove[0]", "warning", "unused", "'set' replaces"),
    ("set: {x-a: x, X-A: y}", "set.X-A", "error", "duplicate", "'x-a' is the same"),
    ("remove: {X-A: y}", "remove", "error", "invalid", "expected a list"),
    ("add: {X-A: x}", "add", "error", "unknown", "expected one of set, remove"),
]


@pytest.mark.parametrize(("keys", "path", "severity", "reason", "said"), MISTAKES)
def test_mistakes(keys: str, path: str, severity: str, reason: str, said: str) -> None:
    """Each with its place and its remedy."""
    (problem,) = problems(with_upstream(f"url: http://x, response_headers: {{{keys}}}"))
    assert problem.path == f"upstreams.api.response_headers.{path}"
    assert (problem.severity, problem.reason) == (severity, reason)
    assert said in problem.message


SECRETS = [
    'request_headers: {set: {X-Api-Key: "s3cret\\x01"}}',
    "request_headers: {set: {X-Api-Key: 's3cret${NEWLINE}'}}",
    "request_headers: {set: {X-Api-Key: [s3cret]}}",
    "request_headers: {set: 'X-Api-Key: s3cret'}",
    "request_headers: {set: {Host: s3cret}}",
    "request_headers: 'X-Api-Key: s3cret'",
    "response_headers: {set: {X-Api-Key: s3cret, x-api-key: s3cret}}",
]


@pytest.mark.parametrize("keys", SECRETS)
def test_no_message_shows_a_value(keys: str) -> None:
    """Not a bad one either, and none from the environment."""
    found = problems(with_upstream(f"url: http://x, {keys}"), {"NEWLINE": "s3cret\n"})
    assert found
    assert "s3cret" not in "\n".join(map(str, found))


def test_no_representation_shows_a_value() -> None:
    """Nor what a traceback or a log would write of the settings."""
    loaded = load(with_upstream("url: http://x, request_headers: {set: {X-Api-Key: s3cret}}"))
    assert "s3cret" not in repr(loaded.settings)


def test_the_text_can_be_shown_without_values() -> None:
    """Lines keep their number, a value of several lines too; a variable without a default says nothing."""
    text = with_upstream(
        'url: http://x, request_headers: {set: {A: s3cret, B: "s3\n  cret", C: "${V}", D: "${V:-s3}"}}'
    )
    shown = load(text, {"V": "v"}).shown_text
    assert "s3" not in shown
    assert "cret" not in shown
    assert '"${V}"' in shown
    assert len(shown.splitlines()) == len(text.splitlines())


def test_a_value_that_is_read_twice_is_hidden_once() -> None:
    """An alias: the text after it is kept."""
    text = (
        "upstreams:\n  a: {url: http://x, request_headers: &edits {set: {A: s3cret}}}\n"
        "  b: {url: http://y, request_headers: *edits}\n"
        "routes: [{path: /a, upstream: a}, {path: /b, upstream: b}]\n"
    )
    loaded = load(text)
    assert loaded.upstreams["b"].request_headers.set == (("A", "s3cret"),)
    assert loaded.shown_text == text.replace("s3cret", "******")
