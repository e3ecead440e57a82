"""`${NAME}` in scalars."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsproxy.config.environment import interpolate
from corsproxy.config.problems import RefusedError
from tests.config.files import MINIMAL, load, problems, refusal, with_policy

ENVIRON = {"HOST": "api", "PORT": "8000", "EMPTY": "", "DOLLAR": "$$ ${HOST}"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("${HOST}", "api"),
        ("http://${HOST}:${PORT}/x", "http://api:8000/x"),
        ("${NOPE:-10m}", "10m"),
        ("${NOPE:-}", ""),
        ("${EMPTY:-default}", "default"),
        ("${EMPTY}", ""),
        ("${HOST:-default}", "api"),
        ("${NOPE:-http://a:1/b-c}", "http://a:1/b-c"),
        ("$$", "$"),
        ("$${HOST}", "${HOST}"),
        ("$$$$", "$$"),
        ("$$${HOST}", "$api"),
        ("${NOPE:-a$$b}", "a$b"),
        ("a$", "a$"),
        (r"https://.*\.example\.com$", r"https://.*\.example\.com$"),
        ("$HOST", "$HOST"),
        ("${DOLLAR}", "$$ ${HOST}"),
    ],
)
def test_variables_are_filled_in_once_and_a_lone_dollar_stays(text: str, filled: str) -> None:
    """Variables are filled in once and a lone dollar stays."""
    assert interpolate(text, ENVIRON) == filled


def test_a_missing_variable_is_named() -> None:
    """A missing variable is named."""
    with pytest.raises(RefusedError, match="missing environment variable NOPE") as refused:
        interpolate("x${NOPE}y", ENVIRON)
    assert refused.value.reason == "missing"


@pytest.mark.parametrize("text", ["${", "${}", "${1A}", "${A-b}", "${A:?b}", "${HOST", "a{2}${", "${HO ST}"])
def test_the_message_about_a_broken_reference_has_the_spelling(text: str) -> None:
    """A broken variable is reported with the correct syntax."""
    with pytest.raises(RefusedError, match=r"write \$\{NAME\} or \$\{NAME:-default\}"):
        interpolate(text, ENVIRON)


def test_a_default_cannot_contain_another_variable() -> None:
    """A default holds no other variable."""
    with pytest.raises(RefusedError, match="cannot hold another variable"):
        interpolate("${A:-${HOST}}", ENVIRON)


def test_values_are_typed_after_they_are_filled_in() -> None:
    """Values are typed after they are filled in."""
    text = MINIMAL + "workers: ${WORKERS}\nlog: {access: '${ACCESS:-off}'}\nlimits: {max_body: '${MAX:-1}MiB'}\n"
    settings = load(text, {"WORKERS": "3"}).settings
    assert (settings.workers, settings.log.access, settings.limits.max_body) == (3, False, 1024**2)


def test_the_message_about_a_bad_value_names_its_variable() -> None:
    """A bad value from the environment says where it came from."""
    (problem,) = problems(MINIMAL + "workers: ${WORKERS}\n", {"WORKERS": "many"})
    assert (problem.line, problem.path, problem.reason) == (3, "workers", "invalid")
    assert "'many'" in problem.message
    assert problem.message.endswith("(from '${WORKERS}')")


def test_each_missing_variable_is_reported_at_its_line() -> None:
    """Each missing variable is reported at its line."""
    found = problems(with_policy("allow_origins:\n  - ${FIRST}\n  - ${SECOND}\nmax_age: ${AGE:-10m}"))
    assert [(problem.line, problem.path, problem.reason) for problem in found] == [
        (4, "policies.app.allow_origins[0]", "missing"),
        (5, "policies.app.allow_origins[1]", "missing"),
    ]


def test_keys_are_not_filled_in() -> None:
    """Keys are not filled in."""
    found = problems(MINIMAL + "${KEY}: 1\n", {"KEY": "workers"})
    assert [problem.reason for problem in found] == ["unknown"]


@given(st.text(alphabet="${}:-AB_ 1"), st.dictionaries(st.sampled_from("AB_"), st.text(alphabet="${}AB")))
def test_any_text_is_filled_in_or_refused(text: str, environ: dict[str, str]) -> None:
    """Any text is filled in or refused."""
    message = refusal(lambda given: interpolate(given, environ), text)
    assert message.startswith(("invalid", "missing")) or not message
