"""Problems of a file: each at its line, with its key path, its reason and its remedy."""

from __future__ import annotations

import pytest

from corsproxy.config import Problem
from tests.config.files import MINIMAL, load, problems, with_policy, with_routes
from tests.config.mistakes import MISTAKES


@pytest.mark.parametrize(("text", "line", "path", "reason", "said"), MISTAKES)
def test_a_mistake_is_one_problem_at_its_line(text: str, line: int, path: str, reason: str, said: str) -> None:
    """A mistake is one problem at its line."""
    found = [problem for problem in problems(text) if problem.path == path]
    assert [(problem.line, problem.reason) for problem in found] == [(line, reason)]
    assert said in found[0].message
    assert found[0].message.isprintable()


@pytest.mark.parametrize(("text", "path"), [(row[0], row[2]) for row in MISTAKES])
def test_one_mistake_is_reported_once(text: str, path: str) -> None:
    """No problem drags others behind it; that nothing is verified is a second one."""
    assert [problem.path for problem in problems(text) if problem.path != "upstreams.api.tls.verify"] == [path]


@pytest.mark.parametrize(
    "routes",
    [
        ["path: /a", "path: /a, exact: true"],
        ["path: /a, exact: true", "path: /a/, exact: true"],
        ["path: /a", "path: /A"],
        ["path: /a", "path: '/{a}'"],
        ["path: '/{a}/x'", "path: '/x/{a}'"],
        ["path: /", "path: /, host: a.example"],
        ["path: /, host: a.example", "path: /, host: 'a.example:8080'"],
    ],
)
def test_distinguishable_routes_are_fine(routes: list[str]) -> None:
    """No problem if a request can match only one of them best."""
    assert problems(with_routes(*routes)) == ()


def test_a_bad_item_does_not_move_the_places_of_those_after_it() -> None:
    """Items are counted in the order of the file."""
    found = problems(with_policy("allow_origins:\n- {regex: }\n- [a]\n- https://ok.example\n- https://B.example"))
    assert [(problem.line, problem.path) for problem in found] == [
        (4, "policies.app.allow_origins[0].regex"),
        (5, "policies.app.allow_origins[1]"),
        (7, "policies.app.allow_origins[3]"),
    ]


TWELVE = r"""
listen: localhost
admin: 127.0.0.1:8081
worker: 2
upstreams:
  orders: orders.internal:8000
  billing:
    url: https://billing.internal
    conect_timeout: 5s
    read_timeout: 10 s
policies:
  app:
    allow_origins:
      - https://app.example.com/
      - https://ok.example.com
    max_age: 25h
  app: {allow_origins: ["*"]}
routes:
  - path: /orders
    upstream: orders
    policy: ap
  - path: /orders/
    upstream: billing
    policy: app
  - path: /pay/*
    upstream: billing
limits:
  max_body: 10MB
"""
"""A file with 12 different mistakes."""


def test_twelve_mistakes_are_twelve_problems_in_file_order() -> None:
    """Twelve mistakes are twelve problems in file order."""
    assert [(problem.line, problem.path, problem.reason) for problem in problems(TWELVE)] == [
        (2, "listen", "invalid"),
        (4, "worker", "unknown"),
        (6, "upstreams.orders", "invalid"),
        (9, "upstreams.billing.conect_timeout", "unknown"),
        (10, "upstreams.billing.read_timeout", "invalid"),
        (14, "policies.app.allow_origins[0]", "invalid"),
        (16, "policies.app.max_age", "invalid"),
        (17, "policies.app", "duplicate"),
        (21, "routes[0].policy", "undefined"),
        (22, "routes[1].path", "unreachable"),
        (25, "routes[2].path", "invalid"),
        (28, "limits.max_body", "invalid"),
    ]


def test_each_message_has_the_remedy() -> None:
    """Every remedy below is a piece of the message of its line; putting them in makes the file valid."""
    remedies = {
        2: ("localhost", "localhost:8080"),
        4: ("worker", "workers"),
        6: ("orders.internal:8000", "http://orders.internal:8000"),
        9: ("conect_timeout", "connect_timeout"),
        10: ("10 s", "10s"),
        14: ("https://app.example.com/", "https://app.example.com"),
        16: ("25h", "24h"),
        21: ("ap", "app"),
        25: ("/pay/*", "/pay"),
        28: ("10MB", "10MiB"),
    }
    removals = {17: "remove one", 22: "or remove one"}
    lines = TWELVE.split("\n")
    for problem in problems(TWELVE):
        if problem.line in removals:
            assert removals[problem.line] in problem.message
            continue
        wrong, right = remedies[problem.line]
        assert right in problem.message
        lines[problem.line - 1] = lines[problem.line - 1].replace(wrong, right)
    removed = {17, 22, 23, 24}  # the second `app`, and the three lines of the second route
    mended = "\n".join(line for number, line in enumerate(lines, 1) if number not in removed)
    assert problems(mended) == ()


def test_the_text_of_a_problem_is_file_line_column_path_and_message() -> None:
    """The text of a problem is file line column path and message."""
    (problem,) = problems(MINIMAL + "listne: x\n")
    assert str(problem) == "test.yaml:3:1: listne: unknown key 'listne': did you mean 'listen'?"
    assert str(Problem("f.yaml", 0, 0, "", "error", "missing", "missing file")) == "f.yaml: missing file"
    assert str(Problem("f.yaml", 2, 1, "a", "warning", "unused", "unused")) == "f.yaml:2:1: a: warning: unused"


def test_a_warning_alone_does_not_stop_a_file() -> None:
    """A warning alone does not stop a file."""
    loaded = load(MINIMAL.replace("{api", "{spare: http://x, api"))
    assert [problem.severity for problem in loaded.warnings] == ["warning"]
