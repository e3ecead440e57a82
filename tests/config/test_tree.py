"""YAML text to a tree with places, and everything that is refused before its meaning matters."""

from __future__ import annotations

import pytest
import yaml

from corsproxy.config import tree
from corsproxy.config.problems import Place
from corsproxy.config.tree import Mapping, Scalar, Sequence, SyntaxProblem

LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else [])]


@pytest.fixture(params=LOADERS, ids=lambda loader: loader.__name__, autouse=True)
def _loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML comes with libyaml or without; both give the same tree."""
    monkeypatch.setattr(tree, "_LOADER", request.param)


def test_scalars_are_the_text_that_was_written() -> None:
    """No tag is resolved: `off` is no boolean, `1:30` no number and `null` no nothing."""
    node = tree.parse("[off, no, 1:30, null, 0x10, ~, '', 2024-01-01]")
    assert isinstance(node, Sequence)
    assert [item.text for item in node.items if isinstance(item, Scalar)] == [
        "off", "no", "1:30", "null", "0x10", "~", "", "2024-01-01",
    ]  # fmt: skip


def test_places_count_from_one() -> None:
    """Places count from one."""
    node = tree.parse("a:\n  - é: x\n")
    assert isinstance(node, Mapping)
    ((key, value),) = node.entries
    assert key.span.start == Place(1, 1)
    assert isinstance(value, Sequence)
    assert value.span.start == Place(2, 3)
    assert not value.span.flow
    (item,) = value.items
    assert isinstance(item, Mapping)
    assert item.entries[0][1].span.start == Place(2, 8)


def test_a_flow_list_knows_its_end() -> None:
    """A flow list knows its end."""
    node = tree.parse("a: [b, c]\n")
    assert isinstance(node, Mapping)
    span = node.entries[0][1].span
    assert (span.start, span.end, span.flow) == (Place(1, 4), Place(1, 10), True)


@pytest.mark.parametrize("text", ["", "# nothing\n", "\n\n"])
def test_no_document_is_no_tree(text: str) -> None:
    """No document is no tree."""
    assert tree.parse(text) is None


def test_an_alias_stands_for_its_anchor() -> None:
    """An alias has the value of its anchor."""
    node = tree.parse("a: &x [1, 2]\nb: *x\n")
    assert isinstance(node, Mapping)
    assert node.entries[1][1] is node.entries[0][1]


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("a: 1\n\tb: 2", (2, 1), "indent with spaces"),
        ("a:\n  - *.example.com", (2, 6), "needs quotes"),
        ("a: [*]", (1, 6), "needs quotes"),
        ("a: *nope", (1, 4), "undefined alias '*nope'"),
        ("a: @x", (1, 4), "needs quotes"),
        ("a: `x", (1, 4), "needs quotes"),
        ("a: b: c", (1, 5), "check the indentation"),
        ("a: [::1]:80", None, "invalid YAML"),
        ("a: [1, 2", None, "invalid YAML"),
        ("a: 'x", None, "a quote or bracket is not closed"),
        ('a: "\\d"', None, "a backslash is written"),
        ("a: 1\nb", None, "colon and a space"),
        ("a: 1\n---\nb: 2", (2, 1), "remove the '---' line"),
        ("a: !!str x", (1, 4), "remove the tag"),
        ("a: !!python/object/apply:os.system [x]", (1, 4), "remove the tag"),
        ("a: !include x", (1, 4), "remove the tag"),
        ("a: &x [*x]", (1, 8), "inside its own anchor"),
        ("? [a]\n: b", (1, 3), "a key must be a word"),
        ("a: b\x00c", (1, 5), r"invalid character \x00"),
        ("a: x\n b: \x1b[0m", (2, 5), r"invalid character \x1b"),
        ("a: \ud800", (1, 4), r"invalid character \ud800"),
    ],
)
def test_a_syntax_problem_has_its_place_and_remedy(text: str, place: tuple[int, int] | None, said: str) -> None:
    """Each syntax problem has a place and a remedy."""
    with pytest.raises(SyntaxProblem) as refused:
        tree.parse(text)
    assert said in refused.value.message
    assert refused.value.message.isprintable()
    if place:  # where None, the two parsers point at different ends of the same mistake
        assert (refused.value.place.line, refused.value.place.column) == place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[" * 100_000, (1, 33)),
        ("{a: " * 5_000, (1, 129)),
        ("- " * 5_000, (1, 65)),
        ("\n".join(" " * n + "a:" for n in range(500)), (33, 33)),
    ],
    ids=["flow lists", "flow mappings", "block lists", "block mappings"],
)
def test_deep_nesting_is_reported_alike_by_both_parsers(text: str, place: tuple[int, int]) -> None:
    """Deep nesting is a problem at the first level too many, no RecursionError and no words of libyaml's own limit."""
    with pytest.raises(SyntaxProblem) as refused:
        tree.parse(text)
    assert refused.value.message == "invalid nesting: more than 32 levels deep"
    assert (refused.value.place.line, refused.value.place.column) == place


def test_an_alias_bomb_does_not_go_off() -> None:
    """Ten levels of ten aliases would be 10,000,000,000 values."""
    levels = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 11)]
    with pytest.raises(SyntaxProblem, match="aliases expanded"):
        tree.parse("\n".join(levels))


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("[a, b, c]", 4),
        ("{a: b, c: d}", 5),
        ("[&x [a, b], *x]", 7),
        ("[&x {a: [b]}, *x, *x]", 13),
    ],
)
def test_values_are_counted_with_their_aliases_expanded(text: str, nodes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list or mapping is one more than what is in it, an alias as many as its anchor."""
    monkeypatch.setattr(tree, "MAX_NODES", nodes)
    tree.parse(text)
    monkeypatch.setattr(tree, "MAX_NODES", nodes - 1)
    with pytest.raises(SyntaxProblem) as refused:
        tree.parse(text)
    assert refused.value.message == f"invalid size: more than {nodes - 1} values, aliases expanded"
    assert refused.value.reason == "invalid"
