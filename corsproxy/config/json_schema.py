"""The declaration as a JSON Schema (2020-12), for editors and other tools.

It describes keys and values; relations between them (names, routes, policies) only `corsproxy check` checks.
"""

from __future__ import annotations

from corsproxy.config import environment, words
from corsproxy.config.declaration import FILE, POLICY, ROUTE, TEXT, UPSTREAM
from corsproxy.config.shape import AnyShape, JsonSchema, Key, ListOf, MapOf, Record, Word

_VARIABLE: JsonSchema = {"$ref": "#/$defs/variable"}
_NAMED = {id(record): record for record in (UPSTREAM, POLICY, ROUTE)}
"""Records that the schema names, for editors."""


def json_schema() -> JsonSchema:
    """Return the schema of the file; every scalar may be a variable, `${NAME}`, instead."""
    variable = {
        "type": "string",
        "pattern": environment.PATTERN,
        "description": "Filled in from the environment: ${NAME} or ${NAME:-default}.",
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "corsproxy",
        "description": "The configuration file of corsproxy, a reverse proxy that handles CORS.",
        **_record(FILE),
        "$defs": {"variable": variable, **{record.noun: _record(record) for record in _NAMED.values()}},
    }


def _schema(shape: AnyShape) -> JsonSchema:
    match shape:
        case Word():
            return {"anyOf": _alternatives(shape)}
        case ListOf():
            items: JsonSchema = {"type": "array", "items": _schema(shape.item)}
            items |= {"minItems": shape.min_items} if shape.min_items else {}
            alone = list(shape.alone.schema) if shape.alone is not None else []
            others = [*alone, *_as_text(shape.item)]
            return {"anyOf": [items, *others]} if others else items
        case MapOf():
            (names,) = (shape.name or words.LABEL).schema
            named: JsonSchema = {
                "type": "object",
                "propertyNames": names,
                "additionalProperties": _schema(shape.item),
            }
            return named | ({"minProperties": shape.min_items} if shape.min_items else {})
        case Record():
            whole: JsonSchema = {"$ref": f"#/$defs/{shape.noun}"} if id(shape) in _NAMED else _record(shape)
            return {"anyOf": [*_alternatives(shape.short), whole]} if shape.short else whole


def _alternatives(word: Word[object]) -> list[JsonSchema]:
    return [*word.schema, _VARIABLE]


def _as_text(item: AnyShape) -> list[JsonSchema]:
    """Return the alternatives for a list of words: one text, or a single word as a YAML library loads it."""
    word = item.short if isinstance(item, Record) else item
    if not isinstance(word, Word):
        return []
    types = {kind for one in word.schema for kind in _types(one)} - {"string"}
    others: list[JsonSchema] = [{"type": kind} for kind in sorted(types)]
    return [TEXT, *others]


def _types(schema: JsonSchema) -> list[str]:
    found = schema.get("type", [])
    return list(found) if isinstance(found, list) else [str(found)]


def _record(record: Record[object]) -> JsonSchema:
    schema: JsonSchema = {
        "type": "object",
        "properties": {
            key.name: {"description": _plain(key), **_schema(key.shape), **_default(key)} for key in record.keys
        },
        "additionalProperties": False,
    }
    required = [key.name for key in record.keys if key.required]
    return schema | ({"required": required} if required else {})


def _default(key: Key) -> JsonSchema:
    if key.default is None or isinstance(key.shape, Record | MapOf):
        return {}
    if isinstance(key.shape, ListOf) and key.shape.alone is None:
        return {"default": [item for item in key.default.strip("[]").split(", ") if item]}
    if key.default in ("true", "false"):
        return {"default": key.default == "true"}
    return {"default": int(key.default) if key.default.isdecimal() else key.default}


def _plain(key: Key) -> str:
    """Return the description without Markdown, which editors show as it is."""
    return key.description.replace("`", "")
