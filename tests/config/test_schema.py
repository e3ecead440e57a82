"""The JSON Schema: valid itself, and of one mind with the validator.

The whole of it is in schema.txt, a line for each key; `python -m tests.config.test_schema` writes it anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from corsproxy.config import json_schema
from corsproxy.config.declaration import FILE
from corsproxy.config.shape import walk
from corsproxy.tools.init import STARTER
from tests.config.files import MINIMAL, problems, with_policy, with_routes, with_upstream

ROOT = Path(__file__).parents[2]
VALIDATOR = Draft202012Validator(json_schema())
WHOLE = Path(__file__).parent / "schema.txt"
ORIGINS = "allow_origins: [https://app.example.com]\n"


class WordsLoader(yaml.SafeLoader):
    """Loads as YAML 1.2 does, which editors speak: `off` and `no` stay words."""


WordsLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def test_it_is_a_schema() -> None:
    """It is a schema."""
    Draft202012Validator.check_schema(json_schema())
    assert json_schema()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def lines(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """Yield a line for a part of the schema, and one for each below it; the reference has the descriptions."""
    below = {name: schema[name] for name in ("properties", "$defs") if name in schema}
    own = {name: value for name, value in schema.items() if name not in below and (not path or name != "description")}
    yield f"{path or 'file'}: {json.dumps(own, ensure_ascii=False)}"
    for name, parts in below.items():
        for key, part in parts.items():
            yield from lines(part, f"{path}{'#' if name == '$defs' else '.' if path else ''}{key}")


def test_it_is_as_it_was_last_read() -> None:
    """Editors and other tools rely on it: types, bounds, patterns, defaults, required keys."""
    assert list(lines(json_schema())) == WHOLE.read_text(encoding="utf-8").splitlines()


def test_every_key_has_a_description_without_markdown() -> None:
    """Every key has a description without markdown."""

    def properties(part: object) -> list[dict[str, object]]:
        found = []
        if isinstance(part, dict):
            found += part.get("properties", {}).values()
            for inner in part.values():
                found += properties(inner)
        elif isinstance(part, list):
            for inner in part:
                found += properties(inner)
        return found

    described = properties(json_schema())
    assert len(described) >= len(list(walk(FILE)))
    for key in described:
        assert key["description"]
        assert "`" not in str(key["description"])


GOOD = [
    (ROOT / "config.example.yaml").read_text(encoding="utf-8"),
    STARTER,
    MINIMAL,
    MINIMAL + "listen: '[::1]:0'\nadmin: unix:/run/admin.sock\n",
    MINIMAL + "inspector: yes\nworkers: 4\nlog: {access: off, level: debug}\n",
    MINIMAL + "listen: ${LISTEN:-127.0.0.1:1}\nworkers: ${N:-2}\ninspector: ${I:-no}\ntrusted_proxies: ['${P:-::1}']\n",
    MINIMAL + "limits: {max_body: 10MiB, header_timeout: 0.5, idle_timeout: 1h, max_connections: '7'}\n",
    MINIMAL + "limits: {}\npolicies: {}\nshutdown: {delay: 0, drain: 500ms}\n",
    with_upstream("url: unix:/run/x.sock:/base, host: client, origin: remove, redirects: keep, read_timeout: 0"),
    with_upstream(
        "url: http://x, cookies: {domain: x.example, path: /x, same_site: lax, secure: keep, partitioned: no}"
    ),
    with_upstream("url: '${U:-https://x}', tls: {verify: false, server_name: y}"),
    with_upstream("url: https://x, tls: {verify: false, ciphers: ALL}"),
    with_upstream("url: https://x, tls: {min_version: 1.0, ciphers: 'ALL:!aNULL:!eNULL', legacy: true}"),
    with_upstream("url: https://x, tls: {min_version: '1.3'}"),
    with_policy(ORIGINS + "websockets: off\nmode: shadow\npreflight_status: 200\nmax_age: 0\n"),
    with_policy(ORIGINS + "timing: on"),
    with_policy(ORIGINS + 'timing: "*"'),
    with_policy(ORIGINS + "timing: ${T:-no}"),
    with_policy(ORIGINS + "timing: [https://a.example, '${O:-https://b.example}']"),
    with_policy("allow_origins: [null]\ndangerously_allow: [null_origin]"),
    with_policy("allow_origins:\n- regex: https://a\\.example\n- http://localhost:*\n- ${O:-https://b.example}"),
    with_policy(
        'allow_origins: ["*"]\nallow_methods: ["*"]\nallow_headers: ["*", Authorization]\nexpose_headers: ["*"]'
    ),
    MINIMAL + "trusted_proxies: 10.0.0.0/8 ::1\npublic_origins: https://a.example\n",
    with_policy('allow_origins: "*"\nallow_methods: GET, PUT\nallow_headers: "*, Authorization"\ndiagnostics: on'),
    with_policy("allow_origins: null\ndangerously_allow: null_origin"),
    with_policy("extends: base\nallow_credentials: false").replace(
        "policies:\n", "policies:\n  base: {allow_origins: [https://a.example]}\n"
    ),
    with_routes("path: /a, methods: [GET, HEAD], host: '*.example'", "path: /a, methods: POST"),
    with_routes("path: /a, strip_prefix: true, exact: false", "path: '/a/{b}', strip_prefix: /a, host: 'x.example:1'"),
]

BAD = [
    "",
    "[]",
    "upstreams: {api: http://x}",
    MINIMAL + "listne: x\n",
    MINIMAL + "listen: 80800\n",
    MINIMAL + "listen: localhost\n",
    MINIMAL + "workers: 0\n",
    MINIMAL + "workers: many\n",
    MINIMAL + "workers:\n",
    MINIMAL + "inspector: maybe\n",
    MINIMAL + "limits:\n",
    MINIMAL + "limits: {max_body: 10MB}\n",
    MINIMAL + "limits: {header_timeout: 5 s}\n",
    MINIMAL + "limits: {header_timeout: -1}\n",
    MINIMAL + "limits: {max_boby: 1}\n",
    MINIMAL + "log: {format: yaml}\n",
    MINIMAL + "trusted_proxies: [localhost]\n",
    MINIMAL + "tls: {certificate: /dev/null}\n",
    with_upstream("connect_timeout: 5s"),
    with_upstream("url: ftp://x"),
    with_upstream("url: localhost:8000"),
    with_upstream("url: http://u:p@x"),
    with_upstream("url: http://x, origin: drop"),
    with_upstream("url: http://x, cookies: {same_site: never}"),
    with_policy("allow_origins: []"),
    with_policy('allow_origins: ""'),
    with_policy("allow_origins: [{regexp: x}]"),
    with_policy(ORIGINS + "max_age: 90000"),
    with_policy(ORIGINS + "mode: dry"),
    with_policy(ORIGINS + "timing: {a: b}"),
    with_policy(ORIGINS + "preflight_status: 201"),
    with_policy(ORIGINS + "dangerously_allow: [everything]"),
    with_routes("path: orders"),
    with_routes("path: '/a?b'"),
    with_routes("exact: true"),
    with_routes("path: /, exact: 1"),
    with_routes("path: /, strip_prefix: a"),
]


@pytest.mark.parametrize("loader", [yaml.SafeLoader, WordsLoader], ids=["YAML 1.1", "YAML 1.2"])
@pytest.mark.parametrize("text", GOOD)
def test_the_schema_accepts_what_the_validator_accepts(text: str, loader: type[yaml.SafeLoader]) -> None:
    """Every file that the validator accepts is valid by the schema."""
    assert [problem for problem in problems(text) if problem.severity == "error"] == []
    assert [error.message for error in VALIDATOR.iter_errors(yaml.load(text, loader))] == []


@pytest.mark.parametrize("text", BAD)
def test_the_validator_refuses_what_the_schema_refuses(text: str) -> None:
    """Every file that the schema refuses has an error."""
    assert [problem.severity for problem in problems(text)][:1] == ["error"]
    assert list(VALIDATOR.iter_errors(yaml.load(text, WordsLoader))) != []


if __name__ == "__main__":
    WHOLE.write_text("\n".join(lines(json_schema())) + "\n", encoding="utf-8")
