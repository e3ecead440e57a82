"""YAML text to a tree of scalars, sequences and mappings with their places.

The only module that uses PyYAML, and only its parser's events: no object is constructed from the file, no tag is
resolved, and a scalar is the text as written (so `off` is `off`).
Depth and the expansion of aliases are bounded here, the size of the text in `source.py`.
It must not know what the keys mean.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any  # PyYAML's events and marks: its stubs do not name their fields

import yaml

from corsproxy.config.problems import Place, Reason, Span

MAX_DEPTH = 32
"""The declaration is 5 deep."""
MAX_NODES = 250_000
"""Values after the expansion of aliases, as a defence against alias bombs ("billion laughs")."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml if PyYAML was built with it: ten times as fast on large files, with the same events."""

_LIBYAML_TOO_DEEP = "maximum nesting depth"
"""libyaml's own limit (CVE-2018-20573), which it reaches while it scans ahead, before `_Builder` gets the events."""

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""YAML 1.1 section 5.1; checked here, because libyaml and PyYAML report different places."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar as it was written."""

    text: str
    span: Span
    plain: bool
    """True if it is neither quoted nor a block; an empty plain scalar is a missing value."""
    size: int = 1


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list; `size` counts its values, aliases expanded."""

    items: tuple[Node, ...]
    span: Span
    size: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping with its entries in file order, duplicate keys included."""

    entries: tuple[tuple[Scalar, Node], ...]
    span: Span
    size: int


Node = Scalar | Sequence | Mapping


class SyntaxProblem(Exception):  # noqa: N818 - it is one problem of the file, reported as such, not a Python SyntaxError
    """The text is not YAML, or is YAML that is refused whatever it means."""

    def __init__(self, place: Place, message: str, reason: Reason = "invalid") -> None:
        self.place = place
        self.message = message
        self.reason = reason
        super().__init__(message)


def parse(text: str) -> Node | None:
    """Parse one YAML document; return None if there is none (an empty text, or only comments).

    Raises `SyntaxProblem` at the first problem, because nothing after it can be trusted.
    """
    if unprintable := _UNPRINTABLE.search(text):
        character = unprintable.group().encode("unicode_escape").decode()
        raise SyntaxProblem(
            _place_of(text, unprintable.start()),
            f"invalid character {character}: YAML has no such character; remove it",
        )
    return _build(text, _LOADER)


def _build(text: str, loader_class: Any) -> Node | None:
    loader = loader_class(text)
    try:
        return _Builder(loader).build()
    except yaml.MarkedYAMLError as error:
        if loader_class is not yaml.SafeLoader and _LIBYAML_TOO_DEEP in str(error.problem).lower():
            # PyYAML's parser has no such limit, so ours is reached, and is reported with its place.
            return _build(text, yaml.SafeLoader)
        mark = error.problem_mark or error.context_mark
        index = (
            min(mark.index, len(text.rstrip())) if mark else 0
        )  # libyaml puts the end of the file on a line after it
        raise SyntaxProblem(_place_of(text, index), _explain(error, text)) from None
    finally:
        loader.dispose()


@dataclass(slots=True)
class _Open:
    """A collection whose end has not been read yet."""

    event: Any
    children: list[Node]


class _Builder:
    """Builds the tree from events with an explicit stack, so that depth is bounded without a RecursionError."""

    def __init__(self, loader: Any) -> None:
        self._events = loader
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node | None] = {}
        """None while the anchored collection is still open."""
        self._nodes = 0
        self._root: Node | None = None
        self._documents = 0

    def build(self) -> Node | None:
        while not isinstance(event := self._events.get_event(), yaml.StreamEndEvent):
            match event:
                case yaml.DocumentStartEvent():
                    self._start_document(event)
                case yaml.AliasEvent():
                    self._finish(event, self._aliased(event))
                case yaml.ScalarEvent():
                    self._refuse_tag(event)
                    plain = event.style is None or event.style == ""
                    self._finish(event, Scalar(event.value, _span(event, event), plain))
                case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                    self._open(event)
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    self._close(event)
        return self._root

    def _start_document(self, event: Any) -> None:
        self._documents += 1
        if self._documents > 1:
            raise SyntaxProblem(
                _place(event.start_mark),
                "prohibited second document: a configuration is one document; remove the '---' line, or split the file",
                "prohibited",
            )

    def _open(self, event: Any) -> None:
        self._refuse_tag(event)
        if len(self._stack) >= MAX_DEPTH:
            raise SyntaxProblem(_place(event.start_mark), f"invalid nesting: more than {MAX_DEPTH} levels deep")
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_Open(event, []))

    def _close(self, event: Any) -> None:
        opened = self._stack.pop()
        children, span = opened.children, _span(opened.event, event)
        size = 1 + sum(child.size for child in children)
        node: Node
        if isinstance(opened.event, yaml.SequenceStartEvent):
            node = Sequence(tuple(children), span, size)
        else:
            node = Mapping(tuple(_entries(children)), span, size)
        self._finish(opened.event, node)

    def _aliased(self, event: Any) -> Node:
        place = _place(event.start_mark)
        if event.anchor not in self._anchors:
            raise SyntaxProblem(
                place,
                f"undefined alias '*{event.anchor}': a value that begins with a star needs quotes; "
                "an alias needs its '&' anchor above",
                "undefined",
            )
        if (node := self._anchors[event.anchor]) is None:
            raise SyntaxProblem(place, f"invalid alias '*{event.anchor}': it is inside its own anchor")
        return node

    def _finish(self, event: Any, node: Node) -> None:
        is_alias = isinstance(event, yaml.AliasEvent)
        self._nodes += node.size if is_alias else 1
        if self._nodes > MAX_NODES:
            raise SyntaxProblem(
                _place(event.start_mark), f"invalid size: more than {MAX_NODES} values, aliases expanded"
            )
        if not is_alias and event.anchor:
            self._anchors[event.anchor] = node
        if self._stack:
            self._stack[-1].children.append(node)
        else:
            self._root = node

    @staticmethod
    def _refuse_tag(event: Any) -> None:
        if event.tag is not None:
            raise SyntaxProblem(
                _place(event.start_mark),
                f"prohibited tag {event.tag!r}: values are read as written; remove the tag",
                "prohibited",
            )


def _entries(children: list[Node]) -> list[tuple[Scalar, Node]]:
    entries: list[tuple[Scalar, Node]] = []
    for key, value in zip(children[::2], children[1::2], strict=True):
        if not isinstance(key, Scalar):
            raise SyntaxProblem(
                key.span.start, "invalid key: a key must be a word; a value that begins with '[' or '{' needs quotes"
            )
        entries.append((key, value))
    return entries


def _span(first: Any, last: Any) -> Span:
    return Span(_place(first.start_mark), _place(last.end_mark), bool(getattr(first, "flow_style", False)))


def _place(mark: Any) -> Place:
    return Place(mark.line + 1, mark.column + 1)


def _place_of(text: str, index: int) -> Place:
    return Place(text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))


_HINTS = (
    ("\t", "indent with spaces, not with tabs"),
    ("*", "a value that begins with a star needs quotes: '*'"),
    ("@", "a value that begins with '@' needs quotes"),
    ("`", "a value that begins with a backtick needs quotes"),
    ("%", "a value that begins with '%' needs quotes"),
)
"""By the character at which the scanner stopped."""

_PROBLEM_HINTS = (
    (
        "mapping values are not allowed",
        "check the indentation; each key ends with ': ', and a value with that needs quotes",
    ),
    ("block end", "check the indentation; text after a closing bracket or quote means the whole value needs quotes"),
    ("node content", "a value is missing; one that begins with '[' and goes on after ']' needs quotes"),
    ("expected ','", "close the list or mapping, and put a comma between its items"),
    ("end of stream", "a quote or bracket is not closed"),
    ("'-' indicator", "check the indentation: what belongs to a list item begins in the column of its first key"),
    ("expected key", "check the indentation: keys that belong together begin in one column"),
    ("document start", "no YAML begins like this; each key ends with ': '"),
    ("could not find expected ':'", "a key is followed by a colon and a space"),
    ("unknown escape", r"in double quotes a backslash is written \\, in single quotes or without quotes as it is"),
)


def _explain(error: yaml.MarkedYAMLError, text: str) -> str:
    problem = str(error.problem or error.context or "cannot be parsed")
    lines = text.splitlines()
    for mark in (error.context_mark, error.problem_mark):
        if mark is None or mark.line >= len(lines):
            continue
        if lines[mark.line][max(mark.column - 1, 0) : mark.column + 1] == "${":
            return f"invalid YAML: {problem}: inside [ ] and {{ }} a variable needs quotes: '${{NAME}}'"
        character = lines[mark.line][mark.column : mark.column + 1]
        for sign, hint in _HINTS:
            if character == sign:
                return f"invalid YAML: {problem}: {hint}"
    for sign, hint in _PROBLEM_HINTS:
        if sign in problem:
            return f"invalid YAML: {problem}: {hint}"
    return f"invalid YAML: {problem}"
