"""Frozen dataclasses as JSON and back, with every value checked against the type of its field.

Parent and worker run the same version, unless a package was replaced under a running parent. They must notice that, and
not misread each other.
Knows none of the messages.
"""

from __future__ import annotations

import json
import types
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import (
    Any,  # a type at run time, and a value of JSON, are nothing that mypy could check: this module does
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)


class MalformedMessageError(Exception):
    """The received bytes are no known message; the text says why, without quoting a value."""


def encode(message: object) -> bytes:
    """Return a message as JSON: an object of its fields, with the name of its type under `is`."""
    return json.dumps({"is": type(message).__name__, **_plain(message)}, default=_plain).encode("ascii")


def decode(content: bytes, known: Mapping[str, type[Any]]) -> Any:
    """Return the message, of a type in `known` (by name); raises `MalformedMessageError`."""
    try:
        read = json.loads(content)
    except (ValueError, RecursionError):
        raise MalformedMessageError("it is no JSON") from None
    if not isinstance(read, dict) or not isinstance(name := read.pop("is", None), str):
        raise MalformedMessageError("it does not say what it is")
    if name not in known:
        raise MalformedMessageError(f"{name!a} is unknown here")
    return _value(known[name], read, name)


def _plain(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass by name, their values unconverted."""
    return {one.name: getattr(value, one.name) for one in fields(value)}


_hints = cache(get_type_hints)


def _value(kind: Any, raw: Any, path: str) -> Any:
    """Return `raw` as a value of the type `kind`; `path` names it in a `MalformedMessageError`."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _one_of(arguments, raw, path)
    if origin is Literal:
        if raw in arguments:
            return raw
    elif origin is tuple and isinstance(raw, list):
        if arguments[1:] == (...,):
            return tuple(_items(arguments[0], raw, path))
        if len(raw) == len(arguments):
            return tuple(_value(one, item, path) for one, item in zip(arguments, raw, strict=True))
    elif origin is list and isinstance(raw, list):
        return _items(arguments[0], raw, path)
    elif isinstance(raw, dict):
        if origin in (dict, Mapping):
            return {key: _value(arguments[1], item, f"{path}.{key}") for key, item in raw.items()}
        if is_typeddict(kind) or is_dataclass(kind):
            return _record(kind, raw, path)
    elif kind is float and type(raw) is int:
        return float(raw)
    elif type(raw) is kind:  # not isinstance: a bool is no int here
        return raw
    elif kind is types.NoneType and raw is None:
        return None
    raise MalformedMessageError(f"{path} is no {getattr(kind, '__name__', kind)}")


def _one_of(kinds: Sequence[Any], raw: Any, path: str) -> Any:
    for kind in kinds:
        try:
            return _value(kind, raw, path)
        except MalformedMessageError:
            continue
    raise MalformedMessageError(f"{path} has another type")


def _items(kind: Any, raw: list[Any], path: str) -> list[Any]:
    return [_value(kind, item, f"{path}[{index}]") for index, item in enumerate(raw)]


def _record(kind: Any, raw: dict[str, Any], path: str) -> Any:
    hints = _hints(kind)
    if raw.keys() != hints.keys():
        names = ", ".join(sorted(map(ascii, raw.keys() ^ hints.keys())))
        raise MalformedMessageError(f"{path} has other fields: {names}")
    return kind(**{name: _value(hints[name], item, f"{path}.{name}") for name, item in raw.items()})
