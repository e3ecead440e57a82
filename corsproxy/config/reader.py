"""Checks the tree of the file against its declaration: the result is values of the declared types, and problems.

It checks each key alone, before keys are checked against each other, so that all mistakes are found at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress

from corsproxy.config import tree, words
from corsproxy.config.environment import interpolate, is_one_variable
from corsproxy.config.problems import Place, Reason, RefusedError, Report, join, listed, nearest, quote
from corsproxy.config.shape import BAD, AnyShape, Bad, Items, Key, ListOf, MapOf, Record, V, Word, walk


class Reader:
    """Read one tree; problems and places go to the report."""

    def __init__(self, report: Report, environ: Mapping[str, str], shape: Record[object]) -> None:
        self._report = report
        self._environ = environ
        self._homes = _homes(shape)

    def read_record(self, node: tree.Node, shape: Record[V], path: str = "") -> V | Bad:
        """Return the record's dataclass with the values of `node`, or `BAD` after a report.

        A key that is absent or bad has its default, or None; a list is `Items`.
        """
        values = self._record(node, shape, path)
        return values if isinstance(values, Bad) else shape.make(**values)

    def _read(self, node: tree.Node, shape: AnyShape, path: str) -> object:
        """Return the value of `node`, or `BAD` after a report."""
        match shape:
            case Word():
                return self._word(node, shape, path)
            case ListOf():
                return self._list(node, shape, path)
            case MapOf():
                return self._map(node, shape, path)
            case Record():
                return self.read_record(node, shape, path)

    def _word(self, node: tree.Node, word: Word[object], path: str) -> object:
        if not isinstance(node, tree.Scalar):
            return self._mismatch(node, f"one value ({word.noun})", "", path)
        if node.plain and not node.text:
            return self._bad(path, "missing", f"missing value: expected {word.noun}; write one, or remove the key")
        if word.is_secret and not _VARIABLE.fullmatch(node.text):
            self._report.secrets.append(node.span)
        if word.is_secret and "${" in node.text:
            self._report.interpolated.add(path)
        try:
            text = interpolate(node.text, self._environ)
        except RefusedError as refused:
            return self._bad(path, refused.reason, refused.message)
        return self._parsed(text, node, word, path)

    def _parsed(self, text: str, node: tree.Scalar, word: Word[object], path: str) -> object:
        """Return the value of the expanded text of `node`, or of a piece of it; `BAD` after a report."""
        try:
            return word.parse(text)
        except RefusedError as refused:
            source = f" (from {quote(node.text)})" if text != node.text and not word.is_secret else ""
            if refused.reason == "invalid" and _BARE_VARIABLE.search(node.text) and not word.is_secret:
                message = f"invalid {word.noun} {quote(node.text)}: a variable is written ${{NAME}}"
                return self._bad(path, refused.reason, message)
            return self._bad(path, refused.reason, refused.message + source)

    def _list(self, node: tree.Node, shape: ListOf[object], path: str) -> object:
        word = _word_of(shape)
        if shape.alone is not None and isinstance(node, tree.Scalar):
            with suppress(RefusedError):  # any other scalar is a list in one text
                return shape.alone.parse(interpolate(node.text, self._environ))
        if word is not None and isinstance(node, tree.Scalar) and (node.text or not node.plain):
            return self._listed(node, shape, word, path)
        if not isinstance(node, tree.Sequence):
            return self._mismatch(node, *_as_list(shape), path)
        if len(node.items) < shape.min_items:
            return self._bad(path, "missing", "missing items: an empty list allows nothing; add at least one")
        values: list[tuple[int, object]] = []
        for index, item in enumerate(node.items):
            inner = f"{path}[{index}]"
            self._report.places[inner] = item.span.start
            self._report.spans[inner] = item.span
            if word is not None and isinstance(item, tree.Scalar) and is_one_variable(item.text):
                pieces = self._pieces(item, shape, word, inner)
            else:
                pieces = [self._read(item, shape.item, inner)]
            values += ((index, value) for value in pieces if value is not BAD)
        return tuple(values)

    def _listed(self, node: tree.Scalar, shape: ListOf[object], word: Word[object], path: str) -> Items[object] | Bad:
        """Return the items of a list that is written as one text."""
        pieces = self._pieces(node, shape, word, path)
        if len(pieces) < shape.min_items:
            hint = f" (from {quote(node.text)})" if "$" in node.text else ""
            return self._bad(path, "missing", f"missing items: the text is empty{hint}; add at least one")
        return tuple((0, value) for value in pieces if value is not BAD)

    def _pieces(self, node: tree.Scalar, shape: ListOf[object], word: Word[object], path: str) -> list[object]:
        """Return the items that a text holds, between commas and white space; `BAD` for each that is reported."""
        try:
            text = interpolate(node.text, self._environ)
        except RefusedError as refused:
            return [self._bad(path, refused.reason, refused.message)]
        values: list[object] = []
        for piece in filter(None, _SEPARATORS.split(text)):
            value = self._parsed(piece, node, word, path)
            if value is not BAD and isinstance(shape.item, Record):
                value = _in_short(shape.item, value)
            values.append(value)
        return values

    def _map(self, node: tree.Node, shape: MapOf[object], path: str) -> object:
        if not isinstance(node, tree.Mapping):
            hint = ""
            if isinstance(node, tree.Scalar) and isinstance(shape.item, Record) and shape.item.short:
                hint = f": write {{api: {_in_flow(node.text)}}}"
            elif shape.sample:
                hint = f": write {shape.sample}"
            expected = f"a mapping with a name for each {shape.noun}"
            return self._mismatch(node, expected, hint, path, is_secret=shape.is_secret)
        if len(node.entries) < shape.min_items:
            return self._bad(path, "missing", f"missing {shape.noun}: write at least one")
        values: dict[str, object] = {}
        for name, value, inner, at in self._entries(node, path):
            try:
                (shape.name or words.LABEL).parse(name)
            except RefusedError as refused:
                self._report.error(inner, refused.reason, refused.message, at)
            values[name] = self._read(value, shape.item, inner)
        return values

    def _record(self, node: tree.Node, shape: Record[object], path: str) -> dict[str, object] | Bad:
        if shape.short and isinstance(node, tree.Scalar) and (node.text or not node.plain):
            value = self._word(node, shape.short, path)
            return BAD if value is BAD else {**_defaults(shape), shape.short_for: value}
        if not isinstance(node, tree.Mapping):
            keys = ", ".join(key.name for key in shape.keys)
            short = f"one value ({shape.short.noun}), or " if shape.short else ""
            expected = f"{short}a mapping with the keys {keys}"
            return self._mismatch(node, expected, "", path, is_secret=shape.is_secret)
        values = _defaults(shape)
        seen = set()
        known = [key.name for key in shape.keys]
        for name, value, inner, at in self._entries(node, path):
            seen.add(name)
            if (key := shape.key(name)) is None:
                meant = nearest(name, known)
                self._unknown(name, known, meant, inner, at)
                if meant is not None or (isinstance(value, tree.Mapping) and len(node.entries) == 1):
                    # A misspelt required key is not also missing, nor are those that are one level too deep.
                    slips = known if meant is None else [meant]
                    seen.update(slips)
                    self._report.slips.update(join(path, slip) for slip in slips)
            elif (found := self._read(value, key.shape, inner)) is not BAD:
                values[name] = found
        for key in shape.keys:
            if key.required and key.name not in seen and path not in self._report.merged:
                self._bad(join(path, key.name), "missing", f"missing key {key.name!r}: {_first_sentence(key)}")
        return values

    def _entries(self, node: tree.Mapping, path: str) -> Iterable[tuple[str, tree.Node, str, Place]]:
        """Yield the name, value, key path and place of each entry; a duplicate or merge key is reported instead."""
        first: dict[str, Place] = {}
        for key, value in node.entries:
            name, inner = key.text, join(path, key.text)
            if name == "<<" and key.plain:
                remedy = "in a policy use 'extends'; elsewhere repeat the keys"
                self._report.error(inner, "prohibited", f"prohibited merge key '<<': {remedy}", key.span.start)
                self._report.merged.add(path)
            elif name in first:
                message = f"duplicate key {quote(name)}: it is already in line {first[name].line}; remove one"
                self._report.error(inner, "duplicate", message, key.span.start)
            else:
                first[name] = key.span.start
                on_one_line = value.span.start.line == key.span.start.line
                self._report.places[inner] = value.span.start if on_one_line else key.span.start
                self._report.spans[inner] = value.span
                yield name, value, inner, key.span.start

    def _unknown(self, name: str, known: list[str], meant: str | None, path: str, place: Place) -> None:
        if here := [key for key in known if _is_form_of(name, key)]:
            hint = f"did you mean {listed(map(repr, here))}?"
        elif elsewhere := self._homes.get(name):  # an exact match elsewhere is a better guess than a similar name here
            hint = f"it belongs under {elsewhere}"
        else:
            hint = f"did you mean {meant!r}?" if meant else f"expected one of {', '.join(known)}"
        self._report.error(path, "unknown", f"unknown key {quote(name)}: {hint}", place)

    def _mismatch(self, node: tree.Node, expected: str, hint: str, path: str, *, is_secret: bool = False) -> Bad:
        if isinstance(node, tree.Scalar):
            if node.plain and not node.text:
                return self._bad(path, "missing", f"missing value: expected {expected}; write it, or remove the key")
            found = "a text" if is_secret else quote(node.text)
        else:
            found = "a list" if isinstance(node, tree.Sequence) else "a mapping"
        return self._bad(path, "invalid", f"invalid value, {found}: expected {expected}{hint}")

    def _bad(self, path: str, reason: Reason, message: str) -> Bad:
        self._report.error(path, reason, message)
        return BAD


def _in_short(record: Record[V], value: object) -> V:
    """Return the record that is written as one scalar."""
    return record.make(**{**_defaults(record), record.short_for: value})


def _defaults(record: Record[object]) -> dict[str, object]:
    """Return the values of a record of which no key was written."""
    return {key.name: _default(key) for key in record.keys}


def _default(key: Key) -> object:
    if key.default is None:
        return None
    match key.shape:
        case Word():
            return key.shape.parse(key.default)
        case Record():
            return key.shape.make(**_defaults(key.shape))
        case MapOf():
            return {}
        case ListOf() if key.shape.alone is not None:
            return key.shape.alone.parse(key.default)
        case ListOf():  # of plain words, where it is not empty
            return tuple(enumerate(text for text in key.default.strip("[]").split(", ") if text))


def _homes(shape: Record[object]) -> dict[str, str]:
    """Return where each key name belongs, for a key written at the wrong level, or with its level in its name."""
    places = {path: path.rpartition(".")[0] for path, _ in walk(shape)}
    return {path.replace(".", "_"): f"{home}, as {key.name}" for path, key in walk(shape) if (home := places[path])} | {
        key.name: places[path] or "the top level" for path, key in walk(shape)
    }


def _is_form_of(name: str, key: str) -> bool:
    """Return whether the names differ in a plural, or `name` is the last word of `key`: `upstream`, `methods`."""
    name, key = (re.sub("ies$", "y", text.lower().replace("-", "_")).removesuffix("s") for text in (name, key))
    return key == name or key.endswith(f"_{name}")


def _first_sentence(key: Key) -> str:
    return key.description.partition(". ")[0].rstrip(".")


def _word_of(shape: ListOf[object]) -> Word[object] | None:
    """Return the word for an item, or None if an item cannot be one scalar."""
    word = shape.item.short if isinstance(shape.item, Record) else shape.item
    return word if isinstance(word, Word) else None


def _as_list(shape: ListOf[object]) -> tuple[str, str]:
    """Return what a message expects in place of a list, and a hint how to write it."""
    word = _word_of(shape)
    if word is not None:
        return f"a list, each item one value ({word.noun})", ""
    return "a list", f", each item after '- ': write {shape.sample}"


def _in_flow(text: str) -> str:
    """Return a scalar so that it can be inside a flow list or mapping."""
    is_safe = text.isprintable() and not any(sign in text for sign in "*,[]{}#&!|>%@`'\"") and ": " not in text
    return text if is_safe else quote(text)


_SEPARATORS = re.compile(r"[,\s]+")
"""The separators of a list that is written as one text."""
_BARE_VARIABLE = re.compile(r"\$[A-Za-z_]|\$\([A-Za-z_]|\{\{\s*[$.]?[A-Za-z_].*\}\}|%[A-Za-z_]{3,}%")
"""A variable in the form of a shell, of Kubernetes, of a template or of Windows, which is not expanded here."""
_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
"""A variable without a default; its name is not a secret."""
