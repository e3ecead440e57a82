"""The `request_headers` and `response_headers` of an upstream: which fields may be edited, and the valid values.

A value may be a credential, so no message here quotes one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from corsproxy.config.problems import RefusedError, Report, quote
from corsproxy.config.shape import BAD, Bad, Items, ListOf, MapOf, Record, Word, key, record
from corsproxy.cors import is_cors_response_field, is_token
from corsproxy.settings import FieldEdits

_NOT_A_VALUE = re.compile(r"[^\t\x20-\x7e\x80-\U0010ffff]|[\ud800-\udfff]")
"""Characters that no field value may have (RFC 9110 section 5.5): they end the line, or are ambiguous."""

_POLICY_FIELDS = frozenset({"origin", "vary", "timing-allow-origin"})
"""Fields that the policy writes, or that the keys `origin` and `timing` control, like every `Access-Control-*`."""

_FRAMING = frozenset({"content-length", "transfer-encoding", "trailer"})
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "http2-settings",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "upgrade",
    }
)
"""Fields that each hop writes itself (RFC 9110 section 7.6.1)."""


def _parse_name(text: str) -> str:
    """Parse the name of a field that may be edited; raises `RefusedError`."""
    if text.endswith(":") or text != text.strip():
        raise RefusedError(f"invalid field name {quote(text)}: write {quote(text.strip().rstrip(': '))}")
    if not text.isascii() or not is_token(text.encode("ascii")):
        raise RefusedError(f"invalid field name {quote(text)}: it is letters, digits and !#$%&'*+-.^_`|~")
    # CGI and WSGI servers read both spellings as one variable, so the twin would be the field itself.
    name = text.lower().replace("_", "-")
    if reason := _why_prohibited(name):
        raise RefusedError(f"prohibited field {quote(text)}: {reason}", "prohibited")
    return text


def _why_prohibited(name: str) -> str | None:
    if is_cors_response_field(name.encode()) or name in _POLICY_FIELDS:
        remedy = {"origin": "the key 'origin' does", "timing-allow-origin": "its key 'timing' does"}.get(name)
        return f"the policy decides on it{f'; {remedy}' if remedy else ''}"
    if name in _FRAMING:
        return "it frames the message, which is up to the proxy alone"
    if name in _HOP_BY_HOP:
        return "it belongs to one connection, and is never passed on"
    if name == "host":
        return "the key 'host' sets it"
    return None


def _parse_value(text: str) -> str:
    """Parse the value of a field; raises `RefusedError`, without the value."""
    if found := _NOT_A_VALUE.search(text):
        raise RefusedError(f"invalid field value: it holds {found[0]!a}; a value is one line of text")
    return text.strip(" \t")


_NAME = Word("field name", _parse_name, ({"type": "string", "pattern": "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"},))
_VALUE = Word("field value", _parse_value, ({"type": ["string", "number", "boolean"]},), is_secret=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldEditValues:
    """The edits of a message's fields, as read."""

    set: Mapping[str, str | Bad] = key(
        MapOf("field", _VALUE, name=_NAME, is_secret=True),
        "Fields to set, each as one line that replaces all lines of that name. Values are never shown.",
        "{}",
    )
    remove: Items[str] = key(ListOf(_NAME), "Fields to remove; letter case is ignored.", "[]")


def field_edits(noun: str) -> Record[FieldEditValues]:
    """Return the shape of the edits of a message's fields."""
    return record(noun, FieldEditValues, is_secret=True)


def compile_field_edits(values: FieldEditValues | None, path: str, report: Report) -> FieldEdits:
    """Compile the edits, and report duplicate names."""
    if values is None:
        return FieldEdits()
    written = {name: value for name, value in values.set.items() if value is not BAD}
    first: dict[str, str] = {}
    for name in written:
        if (earlier := first.setdefault(name.lower(), name)) != name:
            report.error(
                f"{path}.set.{name}", "duplicate", f"duplicate field {quote(name)}: {quote(earlier)} is the same"
            )
    removed = []
    for index, name in values.remove:
        if name.lower() in first:
            report.warning(
                f"{path}.remove[{index}]", "unused", f"unused: 'set' replaces every {quote(name)} already; remove one"
            )
        else:
            removed.append(name)
    return FieldEdits(tuple(written.items()), tuple(dict.fromkeys(removed)))
