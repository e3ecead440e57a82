"""The smallest change: applied to the user's file, in every style of YAML, it makes the refused request allowed."""

from __future__ import annotations

import json
import shutil
import subprocess
from itertools import product
from pathlib import Path

import pytest

from corsproxy.config import load_text
from corsproxy.tools.explain import Change, NoChangeError, Question, judge, smallest_change
from tests.tools.patches import applied

BLOCK = """\
# The servers.
upstreams:
  api: http://127.0.0.1:8000   # here

policies:
  # Who may ask.
  app:
    allow_origins:
      - https://app.example.com    # ours
      - regex: https://pr-[0-9]+\\.example\\.net
      # more to come

    allow_methods: [GET, PUT,]   # no DELETE
    allow_headers:
    - Content-Type   # JSON
    # end of app
  open:
    allow_origins: ["*"]

routes:
  - path: /orders      # the orders
    upstream: api
    policy: app
  - {path: /status, upstream: api, policy: open}
  - path: /bare
    upstream: api

log: {format: json}
# the end
"""

FLOW = """\
{upstreams: {api: "http://127.0.0.1:8000"}, policies: {app: {allow_origins: [https://app.example.com, {regex: 'https://pr-[0-9]+\\.example\\.net'}],
  allow_methods: [GET, PUT],   # no DELETE
  allow_headers: [Content-Type]}, open: {allow_origins: ["*"]}},
 routes: [{path: /orders, upstream: api, policy: app}, {path: /status, upstream: api, policy: open}, {path: /bare, upstream: api}]}
"""  # noqa: E501 - a long line is what it is about

JSON = json.dumps(
    {
        "upstreams": {"api": "http://127.0.0.1:8000"},
        "policies": {
            "app": {
                "allow_origins": ["https://app.example.com", {"regex": r"https://pr-[0-9]+\.example\.net"}],
                "allow_methods": ["GET", "PUT"],
                "allow_headers": ["Content-Type"],
            },
            "open": {"allow_origins": ["*"]},
        },
        "routes": [
            {"path": "/orders", "upstream": "api", "policy": "app"},
            {"path": "/status", "upstream": "api", "policy": "open"},
            {"path": "/bare", "upstream": "api"},
        ],
    },
    indent=2,
)

SHORT = """\
upstreams: {api: http://127.0.0.1:8000}
# What goes where.
routes: [{path: /bare, upstream: api}]"""

STYLES = {
    "a block file with comments": BLOCK,
    "a block file with CRLF": BLOCK.replace("\n", "\r\n"),
    "a block file without a last line end": BLOCK.removesuffix("log: {format: json}\n# the end\n").rstrip("\n"),
    "a flow file": FLOW,
    "a JSON file": JSON,
    "a policy with anchors": BLOCK.replace("  app:\n", "  app: &app   # p\n")
    .replace("allow_origins:\n", "allow_origins: &origins\n", 1)
    .replace("routes:\n", "routes: &routes\n"),
    "a policy with an alias": BLOCK.replace(
        "    allow_methods: [GET, PUT,]", "    allow_methods: &m [GET, PUT]"
    ).replace('allow_origins: ["*"]', 'allow_origins: ["*"]\n    allow_methods: *m'),
}

PAGE = "https://app.example.com"
NEW = "https://new.example.org"

REFUSALS: dict[str, Question] = {
    "an origin": Question("/orders", NEW),
    "a plain-http origin": Question("/orders", "http://new.example.org"),
    "the null origin": Question("/orders", "null"),
    "an IPv6 origin": Question("/orders", "http://[::1]:3000"),
    "an origin, a method, headers and credentials": Question(
        "/orders/7", NEW, "DELETE", (("X-A", "1"), ("Authorization", "x")), credentials=True
    ),
    "a plain-http origin with credentials": Question("/orders", "http://new.example.org", credentials=True),
    "the null origin with credentials": Question("/orders", "null", credentials=True),
    "a method": Question("/orders", PAGE, "DELETE"),
    "a method of odd signs": Question("/orders", PAGE, "M-SEARCH"),
    "a header": Question("/orders", PAGE, "GET", (("X-Request-Id", "1"),)),
    "a header of odd signs": Question("/orders", PAGE, "GET", (("x!#%&'+^_`|~$", "1"),)),
    "a header beside a forbidden one": Question("/orders", PAGE, "GET", (("Cookie", "a"), ("X-A", "1"))),
    "credentials": Question("/orders", PAGE, credentials=True),
    "credentials where everybody is allowed": Question("/status", PAGE, credentials=True),
    "a method where everybody is allowed": Question("/status", PAGE, "DELETE"),
    "a header where there is no list yet": Question("/status", PAGE, "GET", (("Authorization", "x"),)),
    "a route without a policy": Question("/bare", PAGE),
    "a route without a policy, for a new origin": Question("/bare", NEW, "PATCH", (("X-A", "1"),), credentials=True),
    "a route without a policy, for null": Question("/bare", "null", credentials=True),
    "no route": Question("/elsewhere/7", PAGE),
    "no route, for a new origin": Question("/elsewhere", NEW, "PATCH", (("X-A", "1"),), credentials=True),
    "no route, at the root": Question("/", NEW),
}


def changed(text: str, question: Question) -> Change:
    """The change for a text that is valid and refuses."""
    loaded = load_text(text, "corsproxy.yaml", {})
    assert not judge(loaded, question).is_allowed
    return smallest_change(loaded, question, {})


@pytest.mark.parametrize(("style", "refusal"), list(product(STYLES, REFUSALS)))
def test_the_patch_makes_it_allowed(style: str, refusal: str) -> None:
    """Applied, the patch gives a valid file that allows the request, and keeps every comment."""
    text, question = STYLES[style], REFUSALS[refusal]
    change = changed(text, question)
    new = applied(text, change.patch)
    assert new == change.text
    assert judge(load_text(new, "corsproxy.yaml", {}), question).is_allowed
    assert _comments(text) == [comment for comment in _comments(new) if comment in _comments(text)]
    assert ("\r\n" in text) == ("\r\n" in new)
    assert new.count("\r\n") == (new.count("\n") if "\r\n" in text else 0)


def _comments(text: str) -> list[str]:
    return [line[line.index("# ") :].rstrip() for line in text.splitlines() if "# " in line]


@pytest.mark.parametrize("refusal", [refusal for refusal, question in REFUSALS.items() if question.path == "/bare"])
def test_a_file_without_policies_gets_its_section(refusal: str) -> None:
    """Without a `policies` key, one is added above the routes and their comment."""
    change = changed(SHORT, REFUSALS[refusal])
    new = applied(SHORT, change.patch)
    assert judge(load_text(new, "corsproxy.yaml", {}), REFUSALS[refusal]).is_allowed
    assert new.index("policies:") < new.index("# What goes where.")


def test_a_json_file_without_policies_gets_its_section() -> None:
    """JSON stays JSON, so that other programs can still read the file."""
    text = json.dumps({"upstreams": {"api": "http://127.0.0.1:8000"}, "routes": [{"path": "/bare", "upstream": "api"}]})
    question = REFUSALS["a route without a policy, for a new origin"]
    new = applied(text, changed(text, question).patch)
    assert json.loads(new)["policies"]["app"]["allow_origins"] == [NEW]
    assert judge(load_text(new, "corsproxy.yaml", {}), question).is_allowed


def test_the_change_is_small() -> None:
    """One new origin is one new line."""
    patch = changed(BLOCK, REFUSALS["an origin"]).patch
    lines = [line for line in patch.splitlines()[2:] if line[0] in "+-"]
    assert lines == ["+      - https://new.example.org"]


def test_an_existing_policy_is_taken_where_it_fits() -> None:
    """A route without a policy gets an existing one if that allows the request."""
    patch = changed(BLOCK, REFUSALS["a route without a policy"]).patch
    lines = [line for line in patch.splitlines()[2:] if line[0] in "+-"]
    assert lines == ["+    policy: app"]


def test_patch_itself_applies_it(tmp_path: Path) -> None:
    """The diff is one that the `patch` command applies."""
    tool = shutil.which("patch")
    if tool is None:
        pytest.skip("no `patch` command here; the strict reader of these tests stands for it")
    change = changed(BLOCK, REFUSALS["an origin, a method, headers and credentials"])
    file = tmp_path / "corsproxy.yaml"
    file.write_text(BLOCK)
    subprocess.run([tool, "-p0", "-s"], input=change.patch.encode(), cwd=tmp_path, check=True)
    assert file.read_text() == change.text


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        ("an origin", None),
        ("a method", None),
        ("a header", None),
        ("the null origin", "sandboxed frame"),
        ("a plain-http origin with credentials", "plain-http page"),
        ("credentials", "signed-in user"),
        ("credentials where everybody is allowed", "loses its access"),
    ],
)
def test_dangerous_changes_carry_a_warning(refusal: str, says: str | None) -> None:
    """A change that lets strangers in, or others out, says so; a harmless one is silent."""
    warning = changed(BLOCK, REFUSALS[refusal]).warning
    assert (warning is None) == (says is None)
    assert says is None or says in (warning or "")


def test_credentials_for_a_public_suffix_are_a_danger() -> None:
    """A pattern that anyone can match is dangerous once credentials are allowed."""
    text = BLOCK.replace("https://app.example.com ", "https://*.github.io ")
    change = changed(text, Question("/orders", "https://me.github.io", credentials=True))
    assert "public_suffix_origins" in change.text
    assert "register a name" in (change.warning or "")


def test_other_routes_of_the_policy_are_named() -> None:
    """A change to a shared policy lists the other routes that use it."""
    text = BLOCK.replace("    upstream: api\n\nlog", "    upstream: api\n    policy: app\n\nlog")
    assert "the policy of /bare too" in changed(text, REFUSALS["an origin"]).summary


def test_a_warning_says_that_the_upstream_of_a_new_route_is_a_guess() -> None:
    """With several upstreams it is unknown."""
    text = BLOCK.replace("policies:", "  web: http://127.0.0.1:9000\npolicies:", 1)
    assert "guess" in (changed(text, REFUSALS["no route"]).warning or "")


@pytest.mark.parametrize(
    ("question", "says"),
    [
        (Question("/orders", "https://App.example.com"), "ask with --origin https://app.example.com"),
        (Question("/bare", "https://new.example.org/", credentials=True), "no policy lets it in"),
        (Question("/orders", PAGE, "TRACE"), "TypeError"),
        (Question("/orders", PAGE, "patch"), "have the page write 'PATCH'"),
        (Question("/orders", NEW, "CHICKEN"), "answers 501 to the method 'CHICKEN'"),
        (Question("/orders%2f7", PAGE), "two readings"),
    ],
)
def test_requests_that_no_file_can_allow(question: Question, says: str) -> None:
    """If the page is wrong, a message replaces the patch."""
    with pytest.raises(NoChangeError, match=says):
        changed(BLOCK, question)


def test_a_text_that_cannot_be_edited_line_by_line_is_left_to_the_user() -> None:
    """A list that an alias shares with a policy that must not have it: said, not proposed."""
    text = BLOCK.replace("    allow_origins:\n", "    allow_origins: &shared\n", 1).replace(
        '    allow_origins: ["*"]', "    allow_origins: *shared\n    allow_credentials: true"
    )
    with pytest.raises(NoChangeError, match="by hand"):
        changed(text, REFUSALS["a plain-http origin"])


WITH_KEY = """\
upstreams:
  api:
    url: http://127.0.0.1:8000
    request_headers:
      set:
        X-Api-Key: s3cret
policies:
  app:
    allow_origins: [https://app.example.com]
routes: [{path: /, upstream: api, policy: app}]
"""
ON_ONE_LINE = (
    "{upstreams: {api: {url: 'http://127.0.0.1:8000', request_headers: {set: {X-Api-Key: s3cret}}}}, "
    "policies: {app: {allow_origins: [https://app.example.com]}}, "
    "routes: [{path: /, upstream: api, policy: app}]}\n"
)


@pytest.mark.parametrize(
    ("text", "context"),
    [
        (WITH_KEY, " policies:\n   app:\n"),
        (WITH_KEY.replace("policies:", "    # the end\npolicies:"), " policies:\n   app:\n"),
        (ON_ONE_LINE, "******"),
    ],
    ids=["near", "nearer", "in the changed line"],
)
def test_a_field_value_is_never_shown(text: str, context: str) -> None:
    """Neither around the change nor, hidden where nothing else is possible, in its line."""
    change = changed(text, Question("/", NEW))
    assert context in change.patch
    assert "s3cret" not in change.patch
    assert "s3cret" in change.text
