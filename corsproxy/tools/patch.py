"""The smallest change to a configuration's text: items and keys added or replaced, the rest kept byte for byte.

It edits at the places that `corsproxy.config` recorded; comments, order and style stay as they are.
Nothing is parsed here: the caller loads the result and checks that it has the intended effect.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from corsproxy.config import Loaded, Place

Value = str | Sequence["Value"] | Mapping[str, "Value"]
"""A value to write: a scalar's text, a list, a mapping."""

_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""Line breaks of YAML 1.1, which its line numbers count."""
_ANCHOR = re.compile(r"&\S+(?:\s|#[^\n]*)*")
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9._/:{}-]*(?<!:)")
"""Scalars that need no quotes in a block."""
_PLAIN_IN_FLOW = re.compile(r"[A-Za-z/][A-Za-z0-9._/:-]*(?<!:)")


@dataclass(frozen=True, slots=True)
class Edit:
    """One replacement; `start` and `end` are offsets into the text, equal for an insertion."""

    start: int
    end: int
    text: str


def apply(text: str, edits: Iterable[Edit]) -> str:
    """Return the text after all edits; insertions at one place keep their order."""
    parts, at = [], 0
    for edit in sorted(edits, key=lambda one: one.start):
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


def unified(old: str, new: str, file: str, context: int = 3) -> str:
    """Return the change as a unified diff for `patch` and `git apply -p0`; empty if there is none."""
    lines = difflib.unified_diff(_lines(old), _lines(new), file, file, n=context)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """Return the lines as `patch` counts them: only LF ends one."""
    return re.findall("[^\n]*\n|[^\n]+", text)


class Editor:
    """Makes edits of one loaded text, in its own style."""

    def __init__(self, loaded: Loaded) -> None:
        self._text = loaded.text
        self._spans = loaded.spans
        self._places = loaded.places
        self._parents = {parent for path in loaded.spans for parent in _parents(path)}
        self._starts = [0, *(found.end() for found in _BREAK.finditer(loaded.text))]
        self.newline = "\r\n" if "\r\n" in loaded.text else "\n"
        """The text's line break."""
        self.is_flow = loaded.text.lstrip().startswith("{")
        """True if the whole file is one `{...}`: insertions are then quoted as in JSON."""

    def has(self, path: str) -> bool:
        """Return whether the file has this key or item."""
        return path in self._spans

    def replace(self, path: str, value: Value) -> Edit:
        """Return the edit that replaces a scalar or a `[...]`."""
        return Edit(self._start(path), self._offset(self._spans[path].end), self._flow(value))

    def append(self, path: str, values: Sequence[Value]) -> list[Edit]:
        """Return the edits that add items at the end of a list."""
        span = self._spans[path]
        if self._is_text(path):
            return [self._insert_in_text(path, values)]
        if span.flow or not self._below(path):
            return [self._insert_in_flow(path, ", ".join(self._flow(value) for value in values))]
        dash = " " * self._column(path) + "- "
        lines = [f"{dash}{self._block(value, len(dash))}" for value in values]
        return [self._insert_below(self._last_line(path), lines)]

    def set(self, path: str, key: str, value: Value) -> Edit:
        """Return the edit that sets a key of a mapping, at its end if it is new; an empty `path` is the top level."""
        inner = f"{path}.{key}" if path else key
        if inner in self._spans:
            return self.replace(inner, value)
        if self._is_flow(path):
            return self._insert_in_flow(path, f"{self._word(key, flow=True)}: {self._flow(value)}")
        indent = self._column(path) if path else 0
        line = " " * indent + self._entry(key, value, indent)
        return self._insert_below(self._last_line(path), [line])

    def set_above(self, before: str, key: str, value: Value) -> Edit:
        """Return the edit that adds a top-level key above another one and its comments."""
        if self.is_flow:
            return self.set("", key, value)
        start = self._starts[self._head_line(before) - 1]
        return Edit(start, start, self._ended(self._entry(key, value, 0)))

    def section(self, key: str, above: str, lines: Sequence[str]) -> Edit:
        """Return the edit that replaces a top-level key of a block file with lines, or adds them above another key."""
        text = self._ended(self.newline.join(lines))
        if not self.has(key):
            start = self._starts[self._head_line(above) - 1]
            return Edit(start, start, text)
        first, last = self._line_of_key(key), self._last_line(key)
        at_end = last >= len(self._starts)
        end = len(self._text) if at_end else self._starts[last]
        return Edit(self._starts[first - 1], end, text)

    def _is_text(self, path: str) -> bool:
        """Return whether the list is written as one text, neither as `[...]` nor as items after dashes."""
        return self._text[self._start(path)] not in "[-" and not self._below(path)

    def _insert_in_text(self, path: str, values: Sequence[Value]) -> Edit:
        """Return the edit that inserts after the last word of a list that is written as one text, within its quotes."""
        end = self._offset(self._spans[path].end)
        at = end - 1 if self._text[end - 1] in "'\"" else end
        return Edit(at, at, "".join(f" {value}" for value in values))

    def _is_flow(self, path: str) -> bool:
        return self._spans[path].flow if path else self.is_flow

    def _insert_in_flow(self, path: str, text: str) -> Edit:
        """Return the edit that inserts after the last item or the opening bracket, so that a final comma may stay."""
        if below := self._below(path):
            at = max(self._offset(self._spans[found].end) for found in below)
            return Edit(at, at, f", {text}")
        start = self._start(path) if path else self._text.index("{")
        return Edit(start + 1, start + 1, text)

    def _insert_below(self, line: int, lines: list[str]) -> Edit:
        start = self._starts[line] if line < len(self._starts) else len(self._text)
        text = self._ended(self.newline.join(lines))
        if start == len(self._text) and start and not self._text.endswith("\n"):
            text = self.newline + text[: -len(self.newline)]
        return Edit(start, start, text)

    def _below(self, path: str) -> list[str]:
        """Return the paths below a path that the file has."""
        return [found for found in self._spans if not path or found.startswith((f"{path}.", f"{path}["))]

    def _last_line(self, path: str) -> int:
        """Return the last line of a value; the span of a block collection also covers the comments after it."""
        leaves = [found for found in (*self._below(path), path) if found and self._is_leaf(found)]
        return max(map(self._end_line, leaves), default=1)

    def _end_line(self, path: str) -> int:
        """Return the line on which a value ends; for an alias the line of its key, because it has the anchor's span."""
        end = self._spans[path].end
        return max(end.line - (end.column == 1), self._places[path].line)

    def _is_leaf(self, path: str) -> bool:
        return self._spans[path].flow or path not in self._parents

    def _head_line(self, key: str) -> int:
        """Return the first of the comment lines directly above a top-level key, or the key's own line."""
        line = self._line_of_key(key)
        while line > 1 and self._line(line - 1).startswith("#"):
            line -= 1
        return line

    def _line_of_key(self, key: str) -> int:
        """Return the line of a top-level key itself, because its value may begin further down."""
        line = self._spans[key].start.line
        while line > 1 and not re.match(rf"[\"']?{re.escape(key)}[\"']?\s*:", self._line(line)):
            line -= 1
        return line

    def _line(self, number: int) -> str:
        end = self._starts[number] if number < len(self._starts) else len(self._text)
        return self._text[self._starts[number - 1] : end]

    def _start(self, path: str) -> int:
        """Return the offset at which a value begins, after its anchor."""
        start = self._offset(self._spans[path].start)
        anchor = _ANCHOR.match(self._text, start)
        return anchor.end() if anchor else start

    def _column(self, path: str) -> int:
        """Return the indentation of a block collection."""
        start = self._start(path)
        return start - max(begin for begin in self._starts if begin <= start)

    def _offset(self, place: Place) -> int:
        return self._starts[place.line - 1] + place.column - 1

    def _ended(self, text: str) -> str:
        return text + self.newline

    def _entry(self, key: str, value: Value, indent: int) -> str:
        """Return `key: value`, with a mapping on separate lines."""
        word = self._word(key)
        if isinstance(value, Mapping):
            return f"{word}:{self.newline}{' ' * (indent + 2)}{self._block(value, indent + 2)}"
        return f"{word}: {self._flow(value) if not isinstance(value, str) else self._word(value)}"

    def _block(self, value: Value, indent: int) -> str:
        """Return a value for a block: mappings over several lines, lists in brackets."""
        if isinstance(value, Mapping):
            lines = [self._entry(key, inner, indent) for key, inner in value.items()]
            return (self.newline + " " * indent).join(lines)
        return self._word(value) if isinstance(value, str) else self._flow(value)

    def _flow(self, value: Value) -> str:
        if isinstance(value, str):
            return self._word(value, flow=True)
        if isinstance(value, Mapping):
            return (
                f"{{{', '.join(f'{self._word(key, flow=True)}: {self._flow(inner)}' for key, inner in value.items())}}}"
            )
        return f"[{', '.join(map(self._flow, value))}]"

    def _word(self, text: str, *, flow: bool = False) -> str:
        return scalar(text, flow=flow, quoted=self.is_flow)


def scalar(text: str, *, flow: bool = False, quoted: bool = False) -> str:
    """Return a scalar that is read as exactly this text: plain if that is safe (with `flow`, inside brackets too)."""
    pattern = _PLAIN_IN_FLOW if flow else _PLAIN
    if pattern.fullmatch(text) and not quoted:
        return text
    # `${` would be expanded from the environment.
    return json.dumps(text.replace("$", "$$") if "${" in text or "$$" in text else text, ensure_ascii=False)


def _parents(path: str) -> Iterator[str]:
    """Yield every possible parent of a path; a name may contain dots, so some of them do not exist."""
    while path:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
        yield path
